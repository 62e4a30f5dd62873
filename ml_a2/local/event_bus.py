"""EventBridge's default bus: events of Step Functions and SageMaker, matched by rules, brought to their targets.

Source: EventBridge User Guide, "Events from AWS services", "Event patterns"; Step Functions Developer Guide,
"Step Functions Execution Status Change".
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from ml_a2.local.authorization import AccessDeniedError, Authorization
from ml_a2.local.clients import Clients
from ml_a2.local.event_pattern import matches
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
