"""Alarms: states by datapoints, and who is told."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from ml_a2.local.alarms import Alarms, decide
from ml_a2.local.runtime import LocalRuntime


def _alarm(**changes: Any) -> dict[str, Any]:
    return {
        "AlarmName": "a",
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Threshold": 1.0,
        "TreatMissingData": "notBreaching",
        "StateValue": "OK",
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "values", "state"),
    [
        ({}, [1.0], "ALARM"),
        ({}, [0.0], "OK"),
        ({}, [None], "OK"),
        ({"ComparisonOperator": "GreaterThanThreshold"}, [1.0], "OK"),
        ({"ComparisonOperator": "LessThanThreshold"}, [0.0], "ALARM"),
        ({"TreatMissingData": "breaching"}, [None], "ALARM"),
        ({"TreatMissingData": "missing"}, [None], "INSUFFICIENT_DATA"),
        ({"TreatMissingData": "ignore", "StateValue": "ALARM"}, [None], "ALARM"),
        ({}, [1.0, 0.0], "OK"),
        ({"DatapointsToAlarm": 1}, [0.0, 1.0, None], "ALARM"),
        ({"DatapointsToAlarm": 2}, [2.0, None, 3.0], "ALARM"),
        ({"DatapointsToAlarm": 2, "TreatMissingData": "breaching"}, [None, None, 0.0], "ALARM"),
    ],
)
def test_state_follows_the_datapoints(changes: dict[str, Any], values: list[float | None], state: str) -> None:
    """Threshold, datapoints to alarm and the treatment of missing data decide."""
    assert decide(_alarm(**changes), values)[0] == state


@pytest.mark.parametrize("may_publish", [True, False])
def test_an_alarm_speaks_only_when_the_topic_lets_it(runtime: LocalRuntime, may_publish: bool) -> None:
    """The message has CloudWatch's form; a topic that refuses it is an incident, since AWS would say nothing."""
    clients = runtime.clients
    topic = clients.sns.create_topic(Name="topic")["TopicArn"]
    runtime.collect_notifications(topic)
    principal = "cloudwatch.amazonaws.com" if may_publish else "events.amazonaws.com"
    statement = {"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sns:Publish", "Resource": topic}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    clients.sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    clients.cloudwatch.put_metric_alarm(
        AlarmName="a", Namespace="AWS/States", MetricName="ExecutionsFailed", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanOrEqualToThreshold", AlarmActions=[topic],
    )  # fmt: skip
    now = dt.datetime.now(dt.UTC)
    datum: Any = {"MetricName": "ExecutionsFailed", "Value": 1.0, "Timestamp": now}
    clients.cloudwatch.put_metric_data(Namespace="AWS/States", MetricData=[datum])
    Alarms(clients, runtime.authorization, runtime.environment, runtime.incidents).evaluate(now)
    found = runtime.notifications()
    if may_publish:
        assert [json.loads(message["Message"])["NewStateValue"] for message in found] == ["ALARM"]
        assert runtime.incidents.all() == []
    else:
        assert found == []
        assert (
            "alarm a came to ALARM, and nobody was told: User: cloudwatch.amazonaws.com" in runtime.incidents.all()[0]
        )
