"""CloudWatch: alarms and dashboards."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ml_a2.local.edge.json_text import read_json
from ml_a2.local.edge.rules.rule import Rulebook

BOOK = Rulebook("monitoring")
ALARM = "CloudWatch API reference, PutMetricAlarm"
DASHBOARD = "CloudWatch API reference, PutDashboard"
BODY = "CloudWatch API reference, Dashboard Body Structure and Syntax"
INVALID = "ValidationError"
MISSING = ("breaching", "notBreaching", "ignore", "missing")
SHORT_PERIODS = (10, 20, 30)
HOUR, DAY, WEEK = 3600, 86_400, 604_800
ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")
ARN = re.compile(
    r"arn:(?P<partition>[a-z-]+):(?P<service>[a-z0-9-]+):(?P<region>[a-z0-9-]*):(?P<account>[0-9]*|ec2):.+"
)
DASHBOARD_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
COLUMNS, ROWS = 24, 1000


@BOOK.rule("PutMetricAlarm", INVALID, "TreatMissingData is one of " + ", ".join(MISSING), ALARM)
def _missing_data(request: Mapping[str, Any], region: str) -> Iterator[str]:
    if (value := request.get("TreatMissingData", "missing")) not in MISSING:
        yield f"TreatMissingData {value!r:.80} is not one of {', '.join(MISSING)}"


@BOOK.rule("PutMetricAlarm", INVALID, "Period is 10, 20, 30 or a multiple of 60", ALARM)
def _period(request: Mapping[str, Any], region: str) -> Iterator[str]:
    period = request.get("Period", 60)
    if period not in SHORT_PERIODS and (period < 60 or period % 60):
        yield "Period must be 10, 20, 30 or a multiple of 60"


@BOOK.rule(
    "PutMetricAlarm",
    INVALID,
    "EvaluationPeriods times Period is at most a day, with a Period of an hour or more seven days",
    ALARM,
)
def _evaluation_time(request: Mapping[str, Any], region: str) -> Iterator[str]:
    period = request.get("Period", 60)
    longest = WEEK if period >= HOUR else DAY
    if request.get("EvaluationPeriods", 1) * period > longest:
        yield f"Metrics cannot be checked across more than {longest} seconds (EvaluationPeriods * Period)"


@BOOK.rule("PutMetricAlarm", INVALID, "DatapointsToAlarm is at most EvaluationPeriods", ALARM)
def _datapoints(request: Mapping[str, Any], region: str) -> Iterator[str]:
    if request.get("DatapointsToAlarm", 1) > request.get("EvaluationPeriods", request.get("DatapointsToAlarm", 1)):
        yield "DatapointsToAlarm must be less than or equal to EvaluationPeriods"


@BOOK.rule("PutMetricAlarm", "InvalidParameterCombination", "Statistic or ExtendedStatistic, not both", ALARM)
def _statistic(request: Mapping[str, Any], region: str) -> Iterator[str]:
    if {"Statistic", "ExtendedStatistic"} <= request.keys():
        yield "The parameters Statistic and ExtendedStatistic are mutually exclusive and you have specified both."


@BOOK.rule("PutMetricAlarm", "InvalidParameterCombination", "MetricName or Metrics, not both", ALARM)
def _metrics(request: Mapping[str, Any], region: str) -> Iterator[str]:
    if {"MetricName", "Metrics"} <= request.keys():
        yield "The parameters MetricName and Metrics are mutually exclusive and you have specified both."


@BOOK.rule("PutMetricAlarm", INVALID, "a name has no control characters", ALARM)
def _alarm_name(request: Mapping[str, Any], region: str) -> Iterator[str]:
    if re.search(r"[\x00-\x1f\x7f]", request["AlarmName"]):
        yield "AlarmName must not contain ASCII control characters"


@BOOK.rule(
    "PutMetricAlarm",
    INVALID,
    "actions are ARNs, of the alarm's own region where they have one",
    f"{ALARM}; errors in cds-snc/notification-terraform#128, aws-samples/amazon-cloudwatch-auto-alarms#61",
)
def _actions(request: Mapping[str, Any], region: str) -> Iterator[str]:
    for action in [action for member in ACTIONS for action in request.get(member, [])]:
        match = ARN.fullmatch(action)
        if not match:
            yield f"Invalid arn syntax: {action:.200}"
        elif match["service"] == "sns" and match["region"] != region:
            yield f"Invalid region {match['region']} specified. Only {region} is supported."


@BOOK.rule(
    "PutMetricAlarm PutMetricData",
    "InvalidParameterValue",
    "names and values of dimensions are printable ASCII and not blank, names do not begin with a colon",
    "CloudWatch API reference, Dimension",
)
def _dimensions(request: Mapping[str, Any], region: str) -> Iterator[str]:
    data = [request, *request.get("MetricData", [])]
    for dimension in [dimension for each in data for dimension in each.get("Dimensions", [])]:
        for text in (dimension["Name"], dimension["Value"]):
            if not text.strip() or not text.isascii() or not text.isprintable():
                yield f"The value {text!r:.80} of a dimension must be printable ASCII, and not blank."
        if dimension["Name"].startswith(":"):
            yield f"The name {dimension['Name']!r:.80} of a dimension must not begin with a colon."


@BOOK.rule(
    "PutDashboard",
    "InvalidParameterValue",
    "a name has 1 to 255 letters, digits, `-` and `_`",
    f"{DASHBOARD}; recorded answer",
)
def _dashboard_name(request: Mapping[str, Any], region: str) -> Iterator[str]:
    if not DASHBOARD_NAME.fullmatch(request["DashboardName"]):
        yield (
            "The value for field DashboardName contains invalid characters. It can only contain alphanumerics, dash "
            "(-) and underscore (_)."
        )


@BOOK.rule(
    "PutDashboard",
    "InvalidParameterInput",
    f"a body is a JSON object with a list `widgets`, each with a type and properties, and where it says so a place on "
    f"{COLUMNS} columns",
    BODY,
)
def _dashboard_body(request: Mapping[str, Any], region: str) -> Iterator[str]:
    try:
        body = read_json(request["DashboardBody"])
    except ValueError as error:
        yield f"The field DashboardBody must be a valid JSON object: {error}"
        return
    if not isinstance(body, dict) or not isinstance(body.get("widgets"), list):
        yield "The dashboard body is invalid: it must be an object with a list of widgets"
        return
    for number, widget in enumerate(body["widgets"]):
        if problem := _widget_problem(widget):
            yield f"The dashboard body is invalid: /widgets/{number} {problem}"


def _widget_problem(widget: Any) -> str | None:
    if not isinstance(widget, dict):
        return "must be an object"
    if not isinstance(widget.get("type"), str) or not isinstance(widget.get("properties"), dict):
        return "must have a type and properties"
    bounds = {"x": (0, COLUMNS - 1), "y": (0, None), "width": (1, COLUMNS), "height": (1, ROWS)}
    for name, (least, most) in bounds.items():
        value = widget.get(name, least)
        if not isinstance(value, int) or isinstance(value, bool) or value < least or (most and value > most):
            return f"{name} {value!r:.40} is no number that it may be"
    return None
