"""CloudWatch alarms: evaluated over the metrics of the endpoint, their actions published under the topic's policy.

Source: CloudWatch User Guide, "Using Amazon CloudWatch alarms": evaluation periods, datapoints to alarm, missing data.
"""

from __future__ import annotations

import datetime as dt
import json
import operator
from collections.abc import Mapping, Sequence
from typing import Any

from ml_a2.local.activity import Activity
from ml_a2.local.authorization import AccessDeniedError, Authorization
from ml_a2.local.clients import Clients
from ml_a2.local.incidents import Incidents
from ml_a2.local.template import Environment

COMPARISONS = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
MISSING = ("missing", "notBreaching", "breaching", "ignore")


class Alarms:
    """Evaluates every alarm of the endpoint when it is asked to."""

    def __init__(
        self,
        clients: Clients,
        authorization: Authorization,
        environment: Environment,
        incidents: Incidents,
        *,
        activity: Activity | None = None,
    ) -> None:
        """Read metrics and alarms through the clients."""
        self._activity = activity or Activity()
        self._clients = clients
        self._authorization = authorization
        self._where = environment
        self._incidents = incidents

    def evaluate(self, now: dt.datetime) -> None:
        """Bring each alarm into the state that its metric calls for at that time, and take the actions."""
        for alarm in self._clients.cloudwatch.describe_alarms()["MetricAlarms"]:
            values = self._datapoints(alarm, now)
            state, reason = decide(alarm, values)
            if state != alarm["StateValue"]:
                self._change(alarm, state, reason, now)

    def _datapoints(self, alarm: Mapping[str, Any], now: dt.datetime) -> list[float | None]:
        """Return the statistic of each evaluated period, the latest first, None where there are no data."""
        period, count = alarm["Period"], alarm["EvaluationPeriods"]
        # The running period counts with what it has: an alarm need not wait for its end to fire.
        begin = now.timestamp() // period * period
        values: list[float | None] = []
        for number in range(count):
            start = dt.datetime.fromtimestamp(begin - number * period, dt.UTC)
            points: list[Any] = self._clients.cloudwatch.get_metric_statistics(
                Namespace=alarm["Namespace"],
                MetricName=alarm["MetricName"],
                Dimensions=alarm.get("Dimensions", []),
                StartTime=start,
                EndTime=start + dt.timedelta(seconds=period),
                Period=period,
                Statistics=[alarm["Statistic"]],
            )["Datapoints"]
            values.append(float(points[0][alarm["Statistic"]]) if points else None)
        return values

    def _change(self, alarm: Mapping[str, Any], state: Any, reason: str, now: dt.datetime) -> None:
        self._clients.cloudwatch.set_alarm_state(
            AlarmName=alarm["AlarmName"],
            StateValue=state,
            StateReason=reason,
        )
        self._activity.alarm(alarm["AlarmName"], alarm["StateValue"], state, reason)
        if not alarm.get("ActionsEnabled", True):
            self._incidents.report(f"alarm {alarm['AlarmName']} came to {state}, and its actions are disabled")
            return
        actions = {"ALARM": "AlarmActions", "OK": "OKActions"}.get(state, "InsufficientDataActions")
        for topic in alarm.get(actions, []):
            self._publish(alarm, topic, state, reason, now)

    def _publish(self, alarm: Mapping[str, Any], topic: str, state: str, reason: str, now: dt.datetime) -> None:
        try:
            self._authorization.require_service("cloudwatch.amazonaws.com", "sns:Publish", topic, alarm["AlarmArn"])
        except AccessDeniedError as error:
            self._incidents.report(f"alarm {alarm['AlarmName']} came to {state}, and nobody was told: {error}")
            return
        self._clients.sns.publish(
            TopicArn=topic,
            Subject=f'{state}: "{alarm["AlarmName"]}" in {self._where.region}'[:100],
            Message=json.dumps(_message(alarm, state, reason, now, self._where)),
        )


def decide(alarm: Mapping[str, Any], values: Sequence[float | None]) -> tuple[str, str]:
    """Return the state that datapoints call for, and the reason in CloudWatch's words.

    Args:
        alarm: as DescribeAlarms tells it.
        values: a datapoint for each evaluated period, the latest first, None where data are missing.
    """
    compare, words = COMPARISONS[alarm["ComparisonOperator"]]
    threshold, needed = alarm["Threshold"], alarm.get("DatapointsToAlarm", len(values))
    missing = alarm.get("TreatMissingData", "missing")
    present = [value for value in values if value is not None]
    absent = len(values) - len(present)
    breaching = sum(compare(value, threshold) for value in present)
    listed = ", ".join(f"{value}" for value in present)
    if breaching + (absent if missing == "breaching" else 0) >= needed:
        return "ALARM", (
            f"Threshold Crossed: {breaching} out of the last {len(values)} datapoints [{listed}] was {words} the "
            f"threshold ({threshold}) (minimum {needed} datapoint for OK -> ALARM transition)."
        )
    if not present and missing == "missing":
        return "INSUFFICIENT_DATA", f"Insufficient Data: {absent} datapoints were unknown."
    if not present and missing == "ignore":
        return alarm["StateValue"], alarm.get("StateReason", "")
    return "OK", (
        f"Threshold Crossed: {len(present) - breaching} datapoints [{listed}] were not {words} the threshold "
        f"({threshold}); {absent} missing datapoints were treated as [{missing}]."
    )


def _message(alarm: Mapping[str, Any], state: str, reason: str, now: dt.datetime, where: Environment) -> dict[str, Any]:
    return {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription"),
        "AWSAccountId": where.account,
        "NewStateValue": state,
        "NewStateReason": reason,
        "StateChangeTime": now.isoformat(timespec="milliseconds").replace("+00:00", "+0000"),
        "Region": where.region,
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": alarm["StateValue"],
        "Trigger": {
            "MetricName": alarm["MetricName"],
            "Namespace": alarm["Namespace"],
            "Statistic": alarm["Statistic"].upper(),
            "Dimensions": [{"value": d["Value"], "name": d["Name"]} for d in alarm.get("Dimensions", [])],
            "Period": alarm["Period"],
            "EvaluationPeriods": alarm["EvaluationPeriods"],
            "ComparisonOperator": alarm["ComparisonOperator"],
            "Threshold": alarm["Threshold"],
            "TreatMissingData": alarm.get("TreatMissingData", "missing"),
        },
    }
