"""What the services refuse beyond what their models say, and what the engine would break on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ml_a2.local.alarms import COMPARISONS
from ml_a2.local.edge import states_checks
from ml_a2.local.edge.json_text import is_number, problem_with_json

# The engine's own versions of these break on requests that are in order; the pipeline and its clients need none.
NOT_OFFERED = {
    "states": re.compile(r".*(MapRun|MapRuns|StateMachineAlias|StateMachineAliases|Activity|Activities|SyncExecution)"),
    "logs": re.compile(r".*(Quer(y|ies|yResults|yDefinitions?)|Deliver(y|ies)\w*|Destinations?\w*|LiveTail|Export\w*)"),
    "events": re.compile(r".*(Partner\w*|Archives?|Replays?|Connections?|ApiDestinations?|Endpoints?)"),
    "sns": re.compile(r".*(Platform\w*|SMS\w*|Phone\w*)"),
}
# Code and message of what is wrong.
Problem = tuple[str, str]
TOPIC_ARN = re.compile(r"arn:[a-z-]+:sns:[a-z0-9-]+:\d+:.+")
TOPIC_ARNS = ("TopicArn", "TargetArn", "ResourceArn", "SubscriptionArn")
QUEUE_NUMBERS = (
    "DelaySeconds", "KmsDataKeyReusePeriodSeconds", "MaximumMessageSize", "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds", "VisibilityTimeout",
)  # fmt: skip
ALARM_MEMBERS = {"MetricName", "Namespace", "Statistic", "Period", "Threshold"}
ALARM_UNSUPPORTED = {
    "Metrics", "ExtendedStatistic", "EvaluateLowSampleCountPercentile", "ThresholdMetricId", "Unit",
}  # fmt: skip
NO_METRIC = {"Namespace": "", "MetricName": ""}
QUEUE_ATTRIBUTES = {
    *QUEUE_NUMBERS, "Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId", "SqsManagedSseEnabled",
    "FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit",
}  # fmt: skip


def is_offered(service: str, operation: str) -> bool:
    """Tell whether an operation is one that the engine is asked for."""
    return service not in NOT_OFFERED or not NOT_OFFERED[service].fullmatch(operation)


def problems(service: str, operation: str, request: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with a request that fits its service's model."""
    for check in CHECKS.get(service, ()):
        yield from check(operation, request)


def _topic_arns(operation: str, request: Mapping[str, Any]) -> Iterator[Problem]:
    for member in TOPIC_ARNS:
        value = request.get(member)
        if value is not None and not TOPIC_ARN.fullmatch(value):
            yield "InvalidParameter", f"Invalid parameter: {member} Reason: {value!r:.80} is no ARN of SNS"
    if operation == "Publish" and not {"TopicArn", "TargetArn", "PhoneNumber"} & request.keys():
        yield "InvalidParameter", "Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter"
    if not is_number(request.get("NextToken", "0")):
        yield (
            "InvalidParameter",
            f"Invalid parameter: NextToken Reason: {request['NextToken']!r:.80} was not given here",
        )


def _queue_attributes(operation: str, request: Mapping[str, Any]) -> Iterator[Problem]:
    if operation not in ("CreateQueue", "SetQueueAttributes"):
        return
    for name, value in request.get("Attributes", {}).items():
        if name not in QUEUE_ATTRIBUTES:
            yield "InvalidAttributeName", f"{name} is not an attribute that can be set"
        if name in QUEUE_NUMBERS and not is_number(value):
            yield "InvalidAttributeValue", f"{name} {value!r:.80} is no number"
        if name in ("Policy", "RedrivePolicy", "RedriveAllowPolicy") and (problem := problem_with_json(value)):
            yield "InvalidAttributeValue", f"{name} is no JSON: {problem}"


def _alarm(operation: str, request: Mapping[str, Any]) -> Iterator[Problem]:
    """Refuse an alarm that the evaluation here could not decide."""
    if operation != "PutMetricAlarm":
        return
    if missing := ALARM_MEMBERS - request.keys():
        yield "ValidationError", f"{min(missing)} must be there; alarms on expressions are not supported locally"
        return
    if unknown := ALARM_UNSUPPORTED & request.keys():
        yield "ValidationError", f"{min(unknown)} is not supported locally; see docs/fidelity.md"
    if request["ComparisonOperator"] not in COMPARISONS:
        yield "ValidationError", f"ComparisonOperator must be one of {', '.join(COMPARISONS)} locally"


def _metrics(operation: str, request: Mapping[str, Any]) -> Iterator[Problem]:
    for query in request.get("MetricDataQueries", []):
        if not {"Namespace", "MetricName"} <= query.get("MetricStat", {"Metric": NO_METRIC})["Metric"].keys():
            yield "ValidationError", "MetricStat.Metric must have Namespace and MetricName"


def _marker(operation: str, request: Mapping[str, Any]) -> Iterator[Problem]:
    if not is_number(request.get("Marker", "0")):
        yield "ValidationError", f"Marker {request['Marker']!r:.80} was not given here"


CHECKS: Mapping[str, tuple[Callable[[str, Mapping[str, Any]], Iterator[Problem]], ...]] = {
    "states": states_checks.CHECKS,
    "sns": (_topic_arns,),
    "sqs": (_queue_attributes,),
    "monitoring": (_metrics, _alarm),
    "iam": (_marker,),
}
