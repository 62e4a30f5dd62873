"""`ml-a2 doctor`, the stack: what would go wrong on AWS with an assembly, found by deploying and rehearsing it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from ml_a2 import contract
from ml_a2.errors import AssemblyError, PlatformError
from ml_a2.finding import Finding
from ml_a2.local.assembly import find_assembly
from ml_a2.local.audit import audit
from ml_a2.local.permissions import never_used
from ml_a2.local.rehearsal import NoModelError, Result, Scenario, Stage
from ml_a2.local.runtime import LocalRuntime, read_json, read_template
from ml_a2.local.scenarios import rehearsed
from ml_a2.local.untried import refused, settings_without, untried

# Waits of 30 s take 30 ms: jobs are real, but small.
SPEED = 1000
# The deployer's own words for what it cannot do, whatever AWS can.
ONLY_HERE = ("locally", "not known here")
MEND = "mend the stack; nothing was executed"
NOT_HERE = (
    "this machine cannot do it, which does not say that AWS cannot; nothing was executed: take it out of a copy of the "
    "stack to examine the rest"
)


def examine_stack(
    settings: Path | None,
    assembly: Path | None,
    *,
    region: str,
    permissions: bool,
    tell: Callable[[str], None],
) -> Iterator[Finding]:
    """Yield what cannot be tried here, all of it first, then each defect of the rest.

    The rest is the stack of the same settings without those keys; of an assembly that is given there is none.

    Args:
        settings: the settings file, None for the defaults.
        assembly: an assembly in place of the project's own.
        region: where it would be deployed.
        permissions: whether permissions that no scenario used are findings.
        tell: hears what is being done.
    """
    folder = assembly or find_assembly(settings, tell=tell)[0]
    template = read_template(folder)
    findings = untried(template)
    yield from findings
    if wrong := refused(template):
        yield from wrong
        tell("nothing else is examined: no training with these hyperparameters would succeed")
        return
    if findings and (assembly or settings is None):
        tell("nothing else is examined: name the --settings in place of an --assembly")
        return
    with tempfile.TemporaryDirectory(prefix="ml-a2-") as scratch:
        if findings and settings:
            keys = [finding.where for finding in findings]
            rest = Path(scratch, settings.name)
            rest.write_text(settings_without(settings, keys), encoding="utf-8")
            tell(f"examining the same stack without {', '.join(keys)}")
            folder, _ = find_assembly(rest, tell=tell)
        yield from examine(folder, region=region, permissions=permissions, tell=tell)


def examine(
    assembly: Path,
    *,
    region: str,
    permissions: bool = False,
    tell: Callable[[str], None] = lambda _: None,
    scenarios: Iterable[Scenario] | None = None,
) -> Iterator[Finding]:
    """Deploy an assembly, audit it, and execute every scenario; yield each defect as soon as it is found.

    Args:
        assembly: a cloud assembly of this pipeline.
        region: where it would be deployed.
        permissions: whether permissions that no scenario used are findings.
        tell: hears what is being done.
        scenarios: what is rehearsed, in this order; without it, everything.
    """
    yield from _missing_assets(assembly)
    with LocalRuntime(region=region, speed=SPEED) as runtime:
        tell("deploying the template onto the embedded endpoint")
        try:
            stage = Stage(runtime, assembly)
        except (AssemblyError, PlatformError) as error:
            only_here = any(words in str(error) for words in ONLY_HERE)
            yield Finding("error", str(assembly), str(error), NOT_HERE if only_here else MEND)
            return
        tell("auditing the state machines and who hears of a failure")
        yield from audit(runtime.clients, stage.outputs[contract.OUTPUT_STATE_MACHINE])
        yield from _silent_alarms(stage)
        yield from _deaf_topic(stage)
        for scenario in scenarios or rehearsed():
            tell(f"rehearsing: {scenario.name}")
            where, remedy = f"when {scenario.name}", "compare the template with the last one that worked"
            try:
                problems = Result.of(stage, scenario).problems()
            except NoModelError as error:
                problems = [str(error)]
            if problems:
                yield Finding("error", where, "; ".join(problems), remedy)
        if permissions:
            yield from _idle_permissions(stage)


def _missing_assets(assembly: Path) -> Iterator[Finding]:
    """Files that the deployment uploads must lie in the assembly."""
    keys = set()
    for manifest in sorted(assembly.glob("*.assets.json")):
        for name, file in read_json(manifest).get("files", {}).items():
            keys |= {destination.get("objectKey") for destination in file.get("destinations", {}).values()}
            path = file.get("source", {}).get("path")  # without one, a command makes it when it is deployed
            if path and not (assembly / path).exists():
                yield Finding("error", str(manifest), f"asset {name}: {path} is not there", "synthesize again")
    for name, resource in read_template(assembly).get("Resources", {}).items():
        properties = resource.get("Properties", {}) if isinstance(resource, dict) else {}
        code = properties.get("Code") if isinstance(properties, dict) else None
        if isinstance(code, dict) and "S3Key" in code and code["S3Key"] not in keys:
            problem = f"its code {code['S3Key']!r} is not among the assets that the deployment uploads"
            yield Finding("error", f"resource {name}", problem, "synthesize again")


def _silent_alarms(stage: Stage) -> Iterator[Finding]:
    """Count each failure once on its metric, and see whether somebody is told."""
    clients = stage.runtime.clients
    pipeline = stage.outputs[contract.OUTPUT_STATE_MACHINE]
    watched: list[tuple[str, str, str, str]] = []
    for machine in clients.stepfunctions.list_state_machines()["stateMachines"]:
        arn = machine["stateMachineArn"]
        ends = ("Failed", "TimedOut", "Aborted") if arn == pipeline else ("Failed", "TimedOut")
        watched += [("AWS/States", f"Executions{end}", "StateMachineArn", arn) for end in ends]
    watched += [
        ("AWS/Events", "FailedInvocations", "RuleName", rule["Name"]) for rule in clients.events.list_rules()["Rules"]
    ]
    for namespace, metric, dimension, value in watched:
        stage.runtime.quieten_alarms()
        stage.runtime.put_metric(namespace, metric, {dimension: value})
        if not stage.runtime.notifications():
            problem = f"no alarm reaches the topic when {metric} of {value} is 1"
            remedy = (
                "alarm on it: Sum over a minute at or above 1, with the topic as its action, which lets alarms publish"
            )
            yield Finding("error", f"metric {namespace} {metric}", problem, remedy)
    stage.runtime.quieten_alarms()


def _deaf_topic(stage: Stage) -> Iterator[Finding]:
    topic = stage.outputs[contract.OUTPUT_TOPIC]
    subscriptions: Any = stage.runtime.clients.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    if len(subscriptions) == 1:  # the rehearsal's own
        problem = "nobody is subscribed: a failure reaches no person"
        yield Finding("warning", "the topic", problem, "name addresses in the settings, [alerts] emails, or subscribe")


def _idle_permissions(stage: Stage) -> Iterator[Finding]:
    for idle in never_used(stage.runtime.authorization):
        problem = f"{idle.action} on {idle.resource} was granted, and no scenario used it"
        yield Finding("warning", f"role {idle.role}", problem, "take it away unless something else needs it")
