"""Step Functions: what stands beside the definition of a state machine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ml_a2.local.edge.rules.rule import Rulebook

BOOK = Rulebook("states")
API = "Step Functions API reference, "
CHANGES = "CreateStateMachine UpdateStateMachine"
ROLE = re.compile(r"arn:[a-z-]+:iam::[0-9]{12}:role/.+")
LOG_GROUP = re.compile(r"arn:[a-z-]+:logs:[a-z0-9-]+:[0-9]{12}:log-group:[^:]+:\*")
MOST_TAGS = 50


@BOOK.rule(CHANGES, "InvalidArn", "roleArn is the ARN of a role", f"{API}CreateStateMachine")
def _role(request: Mapping[str, Any], region: str) -> Iterator[str]:
    if "roleArn" in request and not ROLE.fullmatch(request["roleArn"]):
        yield f"Invalid Role Arn: '{request['roleArn']:.300}'"


@BOOK.rule(
    CHANGES,
    "InvalidLoggingConfiguration",
    "logs have one destination at most, and one unless their level is OFF",
    f"{API}LoggingConfiguration",
)
def _number_of_destinations(request: Mapping[str, Any], region: str) -> Iterator[str]:
    configuration = request.get("loggingConfiguration", {})
    count = len(configuration.get("destinations", []))
    if count > 1 or (count == 0 and configuration.get("level", "OFF") != "OFF"):
        yield "Invalid Logging Configuration: Must specify exactly one Log Destination."


@BOOK.rule(
    CHANGES,
    "InvalidLoggingConfiguration",
    "a destination is the ARN of a log group that ends in `:*`",
    f"{API}CloudWatchLogsLogGroup",
)
def _destination(request: Mapping[str, Any], region: str) -> Iterator[str]:
    for destination in request.get("loggingConfiguration", {}).get("destinations", []):
        arn = destination.get("cloudWatchLogsLogGroup", {}).get("logGroupArn", "")
        if not LOG_GROUP.fullmatch(arn):
            yield f"Invalid Logging Configuration: Log Destination '{arn:.300}' is not valid."


@BOOK.rule(CHANGES, "ValidationException", "versionDescription is for publish = true", f"{API}CreateStateMachine")
def _version(request: Mapping[str, Any], region: str) -> Iterator[str]:
    if "versionDescription" in request and not request.get("publish"):
        yield "Version description can only be set when publish is set to true."


@BOOK.rule(
    "CreateStateMachine TagResource",
    "TooManyTags",
    f"a resource has at most {MOST_TAGS} tags",
    f"{API}TagResource; Step Functions Developer Guide, Quotas",
)
def _tags(request: Mapping[str, Any], region: str) -> Iterator[str]:
    if len(request.get("tags", [])) > MOST_TAGS:
        yield f"The number of tags exceeds the limit of {MOST_TAGS}."
