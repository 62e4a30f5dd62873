"""EventBridge's default bus: events of Step Functions and SageMaker, matched by rules, brought to their targets.

Source: EventBridge User Guide, "Events from AWS services", "Event patterns"; Step Functions Developer Guide,
"Step Functions Execution Status Change". Of patterns, lists of exact values and `prefix` are understood; the rest is
refused when the rule is made.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from ml_a2.errors import AssemblyError
from ml_a2.local.authorization import AccessDeniedError, Authorization
from ml_a2.local.clients import Clients
from ml_a2.local.incidents import Incidents
from ml_a2.local.template import Environment


class EventBus:
    """Takes events and starts what their rules name."""

    def __init__(
        self, clients: Clients, authorization: Authorization, environment: Environment, incidents: Incidents
    ) -> None:
        """Deliver through the clients, under the roles of the rules' targets."""
        self._clients = clients
        self._authorization = authorization
        self._where = environment
        self._incidents = incidents

    def put(self, source: str, detail_type: str, detail: Mapping[str, Any], resource: str) -> list[str]:
        """Bring an event to the targets of every rule that matches it.

        Returns:
            The names of the rules of which a target could not be invoked.
        """
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": detail_type,
            "source": source,
            "account": self._where.account,
            "time": dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "region": self._where.region,
            "resources": [resource],
            "detail": dict(detail),
        }
        failed = []
        for rule in self._clients.events.list_rules()["Rules"]:
            pattern = rule.get("EventPattern")
            if rule["State"] != "ENABLED" or not pattern or not matches(json.loads(pattern), event):
                continue
            for target in self._clients.events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
                try:
                    self._start(target["Arn"], target.get("RoleArn", ""), event)
                except (AccessDeniedError, ClientError) as error:
                    failed.append(rule["Name"])
                    self._incidents.report(f"rule {rule['Name']}: its target {target['Arn']} was not started: {error}")
        return failed

    def _start(self, state_machine: str, role: str, event: Mapping[str, Any]) -> None:
        session = self._authorization.assume(role, "events.amazonaws.com", "Events")
        self._authorization.require(session, "states:StartExecution", state_machine)
        self._clients.stepfunctions.start_execution(
            stateMachineArn=state_machine, name=str(event["id"]), input=json.dumps(event)
        )


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Tell whether an event fits a pattern: every field of it, by any of the values given."""
    for key, wanted in pattern.items():
        if key not in event:
            return False
        value = event[key]
        if isinstance(wanted, Mapping):
            if not isinstance(value, Mapping) or not matches(wanted, value):
                return False
        elif not any(_fits(one, item) for one in wanted for item in (value if isinstance(value, list) else [value])):
            return False
    return True


def _fits(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(value, str) and value.startswith(wanted["prefix"])
    return type(wanted) is type(value) and bool(wanted == value)


def check_pattern(pattern: Mapping[str, Any], subject: str) -> None:
    """Refuse a pattern that this bus could not match faithfully, or that EventBridge would not take.

    Raises:
        AssemblyError: names the field and its value.
    """
    for path, value in _leaves(pattern, ""):
        if not isinstance(value, list) or not value:
            raise AssemblyError(f"{subject}: EventPattern {path}: {value!r} is no list of values")
        for item in value:
            if isinstance(item, Mapping) and set(item) != {"prefix"}:
                raise AssemblyError(f"{subject}: EventPattern {path}: {item!r} is not supported locally, only prefix")


def _leaves(pattern: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for key, value in pattern.items():
        inner = f"{path}.{key}" if path else key
        if isinstance(value, Mapping):
            yield from _leaves(value, inner)
        else:
            yield inner, value
