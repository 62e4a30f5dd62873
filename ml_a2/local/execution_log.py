"""Execution logs: an execution's history in CloudWatch Logs at the level that its state machine asks for.

Source: Step Functions Developer Guide, "Using CloudWatch Logs to log execution history"; the form of the records was
recorded from AWS (contract, section 4).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ml_a2.local.authorization import AccessDeniedError, Authorization
from ml_a2.local.clients import Clients

LEVELS = {
    "ERROR": {"FailStateEntered", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"},
    "FATAL": {"ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"},
}
EXECUTION_DATA = {"input", "inputDetails", "output", "outputDetails", "parameters"}
# CreateStateMachine validates that the role may set up the delivery of logs.
DELIVERY_ACTIONS = (
    "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups",
)  # fmt: skip
TRACING_ACTIONS = (
    "xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets",
)  # fmt: skip
LARGEST_BATCH = 500


def require_delivery(
    authorization: Authorization, role_arn: str, machine_arn: str, *, logging: bool, tracing: bool
) -> None:
    """Check that a state machine's role may deliver logs and traces.

    Raises:
        AccessDeniedError: names the role and the action.
    """
    if not (logging or tracing):
        return
    session = authorization.assume(role_arn, "states.amazonaws.com", "StepFunctions", machine_arn)
    for action in (*(DELIVERY_ACTIONS if logging else ()), *(TRACING_ACTIONS if tracing else ())):
        try:
            authorization.require(session, action, "*")
        except AccessDeniedError as error:
            what = "log destination" if action.startswith("logs:") else "traces, which would be missing without a word"
            raise AccessDeniedError(f"{error}: the state machine's role cannot use its {what}") from error


def deliver(clients: Clients, execution: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> None:
    """Write an execution's history where its state machine's logging configuration says.

    Args:
        clients: where the log group is.
        execution: the answer of DescribeExecution.
        events: its whole history.
    """
    machine = clients.stepfunctions.describe_state_machine(stateMachineArn=execution["stateMachineArn"])
    configuration = machine.get("loggingConfiguration", {})
    level = configuration.get("level", "OFF")
    chosen = [event for event in events if level == "ALL" or event["type"] in LEVELS.get(level, ())]
    if not chosen:
        return
    group = configuration["destinations"][0]["cloudWatchLogsLogGroup"]["logGroupArn"].split(":")[6]
    start = execution["startDate"].astimezone(dt.UTC)
    stream = f"states/{machine['name']}/{start:%Y-%m-%d-%H-%M}/{execution['name'][:40]}"
    with_data = bool(configuration.get("includeExecutionData"))
    clients.logs.create_log_stream(logGroupName=group, logStreamName=stream)
    records = [_record(event, execution["executionArn"], with_data=with_data) for event in chosen]
    for first in range(0, len(records), LARGEST_BATCH):
        batch: Any = records[first : first + LARGEST_BATCH]
        clients.logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=batch)


def _record(event: Mapping[str, Any], execution_arn: str, *, with_data: bool) -> dict[str, Any]:
    details: Mapping[str, Any] = next((value for key, value in event.items() if key.endswith("EventDetails")), {})
    if not with_data:
        details = {key: value for key, value in details.items() if key not in EXECUTION_DATA}
    milliseconds = int(event["timestamp"].timestamp() * 1000)
    record = {
        "id": str(event["id"]),
        "type": event["type"],
        "details": details,
        "previous_event_id": str(event.get("previousEventId", 0)),
        "event_timestamp": str(milliseconds),
        "execution_arn": execution_arn,
        "redrive_count": "0",
    }
    return {"timestamp": milliseconds, "message": json.dumps(record)}
