"""What goes from part to part, as definitions call for it and policies allow it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ml_a2.diagrams.architecture import Flow
from ml_a2.diagrams.definitions import Definition, call_of
from ml_a2.diagrams.expressions import listed, properties, text_of
from ml_a2.diagrams.stack import ALARMS, JOB_LOGS, LOGS, Stack, subscribers_of, topics_of

# What a call does, in a word, by how its action begins; of several the first is drawn.
VERBS = {
    "Create": "creates", "Start": "starts", "Stop": "stops", "Publish": "publishes", "Send": "sends",
    "Put": "writes", "Delete": "deletes", "Get": "reads", "List": "reads", "Describe": "describes",
}  # fmt: skip


def flows_of(stack: Stack) -> Iterator[Flow]:
    """Yield every flow of a stack."""
    yield from _data(stack)
    for definition in stack.definitions.values():
        yield from _calls(stack, definition)
    yield from _execution_logs(stack)
    yield from _rules(stack)
    yield from _alarms(stack)
    for topic in stack.of_type("AWS::SNS::Topic"):
        yield Flow(topic, subscribers_of(topic), "notifies", "alert")
    for name, dashboard in stack.of_type("AWS::CloudWatch::Dashboard").items():
        body = text_of(dashboard.get("DashboardBody", ""))
        yield from (Flow(machine, name, "metrics", "watch") for machine in stack.definitions if _names(body, machine))


def _data(stack: Stack) -> Iterator[Flow]:
    """Yield what jobs read, write and log by their roles."""
    for job, request in stack.jobs.items():
        grants = stack.job_grants(request)
        for bucket in stack.of_type("AWS::S3::Bucket"):
            for action, verb in (("s3:GetObject", "reads"), ("s3:PutObject", "writes")):
                if not grants.allow(action, f"{{{bucket}}}/"):
                    continue
                ends = (bucket, job) if verb == "reads" else (job, bucket)
                label = f"{verb} {', '.join(grants.prefixes(action, bucket))}".strip()
                yield Flow(*ends, label)
        if grants.allow("logs:PutLogEvents"):
            yield Flow(job, JOB_LOGS, "logs", "watch")


def _calls(stack: Stack, definition: Definition) -> Iterator[Flow]:
    """Yield the calls of a state machine that its role allows: from its states where these are drawn."""
    grants, drawn = stack.grants(definition.role), definition.id == stack.main.id
    found: dict[tuple[str, str], list[str]] = {}
    for name, state in definition.states.items():
        call = call_of(state)
        target, resource = _target(stack, call, state)
        if target and grants.allow(call, resource):
            found.setdefault((name if drawn else definition.id, target), []).append(verb_of(call))
    for (source, target), verbs in found.items():
        verb = min(verbs, key=list(VERBS.values()).index)
        ends = (target, source) if verb == "reads" else (source, target)
        yield Flow(*ends, verb, _style(verb))


def verb_of(call: str) -> str:
    """Return what a call does in a word."""
    action = call.partition(":")[2]
    verb = next((verb for start, verb in VERBS.items() if action.startswith(start)), "calls")
    # To ask a log or an execution what it says is to read it, whatever the action is called.
    return "reads" if verb == "describes" and not call.startswith("sagemaker:") else verb


def _target(stack: Stack, call: str, state: Mapping[str, Any]) -> tuple[str, str]:
    """Return the part that a call is about, and what of its ARN must be allowed."""
    service, _, action = call.partition(":")
    if service == "sagemaker":
        return next(((job, "") for job in stack.jobs if action.endswith(job)), ("", ""))
    if service == "logs":
        return JOB_LOGS, ""
    if service == "states":
        return (stack.main.id, f"{{{stack.main.id}}}")
    parameters = json.dumps(state.get("Parameters", {}))
    kind = {"s3": "AWS::S3::Bucket", "sns": "AWS::SNS::Topic"}.get(service, "")
    return next(((name, f"{{{name}}}") for name in stack.of_type(kind) if _names(parameters, name)), ("", ""))


def _style(verb: str) -> str:
    return {"publishes": "alert", "reads": "data", "writes": "data"}.get(verb, "call")


def _execution_logs(stack: Stack) -> Iterator[Flow]:
    for name in stack.definitions:
        configured = json.dumps(properties(stack.resources[name]).get("LoggingConfiguration", {}))
        if any(group in configured for group in stack.of_type("AWS::Logs::LogGroup")):
            yield Flow(name, LOGS, "logs", "watch")


def _rules(stack: Stack) -> Iterator[Flow]:
    for name, rule in stack.of_type("AWS::Events::Rule").items():
        pattern = rule.get("EventPattern", {})
        statuses = [status for status in pattern.get("detail", {}).get("status", []) if isinstance(status, str)]
        for machine in stack.definitions:
            if machine in json.dumps(pattern):
                yield Flow(machine, name, f"on {', '.join(statuses) or 'status changes'}", "call")
        for bucket in stack.of_type("AWS::S3::Bucket"):
            if bucket in json.dumps(pattern):
                yield Flow(bucket, name, f"on {', '.join(map(str, listed(pattern.get('detail-type'))))}", "call")
        for target in listed(rule.get("Targets")):
            arn, role = text_of(target.get("Arn", "")), text_of(target.get("RoleArn", "")).strip("{}")
            if (started := arn.strip("{}")) in stack.resources and _may_start(stack, role, started):
                yield Flow(name, started, "starts" if started in stack.definitions else "publishes", "call")


def _may_start(stack: Stack, role: str, target: str) -> bool:
    return target not in stack.definitions or stack.grants(role).allow("states:StartExecution", f"{{{target}}}")


def _alarms(stack: Stack) -> Iterator[Flow]:
    alarms = stack.of_type("AWS::CloudWatch::Alarm").values()
    watched = [text_of(d.get("Value", "")).strip("{}") for a in alarms for d in listed(a.get("Dimensions"))]
    for name in dict.fromkeys(name for name in watched if name in stack.resources):
        yield Flow(name, ALARMS, "metrics", "watch")
    told = [topic for alarm in alarms for topic in topics_of(alarm.get("AlarmActions"))]
    for topic in dict.fromkeys(told):
        if topic in stack.resources and _alarms_may_publish(stack, topic):
            yield Flow(ALARMS, topic, "publishes", "alert")


def _alarms_may_publish(stack: Stack, topic: str) -> bool:
    """Tell whether the topic lets CloudWatch publish; without a policy of its own it lets its whole account."""
    policies = [p for p in stack.of_type("AWS::SNS::TopicPolicy").values() if topic in topics_of(p.get("Topics"))]
    statements = [s for p in policies for s in listed(p.get("PolicyDocument", {}).get("Statement"))]
    return not policies or any(
        s.get("Effect") == "Allow" and ("cloudwatch.amazonaws.com" in json.dumps(s.get("Principal")))
        for s in statements
    )


def _names(text: str, logical_id: str) -> bool:
    return f"{{{logical_id}}}" in text
