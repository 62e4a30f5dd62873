"""What CloudWatch refuses and takes."""

from __future__ import annotations

import json
from typing import Any

from tests.local.edge.rules.case import Case

SERVICE = "monitoring"
TOPIC = "arn:aws:sns:us-east-1:123456789012:t"
ALARM = {
    "AlarmName": "a",
    "MetricName": "m",
    "Namespace": "n",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanThreshold",
}


def _alarm(rule: str, refused: dict[str, Any], taken: dict[str, Any]) -> Case:
    return Case(rule, "PutMetricAlarm", {**ALARM, **refused}, {**ALARM, **taken})


def _dimension(name: str, value: str) -> dict[str, Any]:
    return {"Dimensions": [{"Name": name, "Value": value}]}


def _body(body: Any, name: str = "d") -> dict[str, Any]:
    return {"DashboardName": name, "DashboardBody": body if isinstance(body, str) else json.dumps(body)}


def _widget(**changes: Any) -> dict[str, Any]:
    widget = {"type": "text", "properties": {"markdown": "m"}, "x": 0, "y": 0, "width": 24, "height": 1, **changes}
    return _body({"widgets": [{name: value for name, value in widget.items() if value is not None}]})


CASES = [
    _alarm("missing_data", {"TreatMissingData": "NotBreaching"}, {"TreatMissingData": "notBreaching"}),
    _alarm("period", {"Period": 90}, {"Period": 120}),
    _alarm("period", {"Period": 15}, {"Period": 20}),
    _alarm("period", {"Period": 40}, {"Period": 10}),
    _alarm("evaluation_time", {"EvaluationPeriods": 1441}, {"EvaluationPeriods": 1440}),
    _alarm("evaluation_time", {"Period": 3600, "EvaluationPeriods": 169}, {"Period": 3600, "EvaluationPeriods": 168}),
    _alarm("evaluation_time", {"Period": 604_860}, {"Period": 604_800}),
    _alarm(
        "datapoints",
        {"EvaluationPeriods": 2, "DatapointsToAlarm": 3},
        {"EvaluationPeriods": 2, "DatapointsToAlarm": 2},
    ),
    _alarm("statistic", {"ExtendedStatistic": "p90"}, {}),
    _alarm("metrics", {"Metrics": [{"Id": "a", "Expression": "1"}]}, {}),
    _alarm("alarm_name", {"AlarmName": "a\nb"}, {"AlarmName": "a b é"}),
    _alarm("actions", {"AlarmActions": ["topic"]}, {"AlarmActions": [TOPIC]}),
    _alarm(
        "actions",
        {"AlarmActions": ["arn:aws:automate:us-east-1:ec2"]},
        {"AlarmActions": ["arn:aws:automate:us-east-1:ec2:stop"]},
    ),
    _alarm("actions", {"OKActions": [TOPIC.replace("us-east-1", "us-west-2")]}, {"OKActions": [TOPIC]}),
    _alarm("dimensions", _dimension("a", "\u00e9"), _dimension("a", "e")),
    _alarm("dimensions", _dimension(" ", "v"), _dimension("a b", "v")),
    _alarm("dimensions", _dimension(":a", "v"), _dimension("a:", ":v")),
    Case("dashboard_name", "PutDashboard", _body({"widgets": []}, "a b"), _body({"widgets": []}, "a-b_c")),
    Case("dashboard_name", "PutDashboard", _body({"widgets": []}, "d" * 256), _body({"widgets": []}, "d" * 255)),
    Case("dashboard_body", "PutDashboard", _body("{"), _body({"widgets": []})),
    Case("dashboard_body", "PutDashboard", _body({}), _body({"widgets": [], "start": "-PT3H"})),
    Case("dashboard_body", "PutDashboard", _widget(type=None), _widget()),
    Case("dashboard_body", "PutDashboard", _widget(properties=None), _widget(properties={})),
    Case("dashboard_body", "PutDashboard", _widget(width=25), _widget(width=1)),
    Case("dashboard_body", "PutDashboard", _widget(x=24), _widget(x=23)),
    Case("dashboard_body", "PutDashboard", _widget(height=1001), _widget(height=1000)),
]
