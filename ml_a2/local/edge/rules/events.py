"""EventBridge: patterns, schedules and targets of rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ml_a2.local.edge.json_text import problem_with_json
from ml_a2.local.edge.rules.rule import Rulebook
from ml_a2.local.event_pattern import PatternError, read_pattern
from ml_a2.schedule_expression import check_schedule_expression

BOOK = Rulebook("events")
API = "EventBridge API reference, "
RECORDED = "recorded answer"
MOST_TARGETS = 5
TARGET_ARN = re.compile(r"arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:[0-9]*:.+")
# Targets that EventBridge starts under a role of the target's own.
WITH_ROLE = {"states", "kinesis", "ecs", "batch", "codepipeline", "codebuild"}
# In place of a path of the map, what EventBridge knows itself.
PREDEFINED = {
    "aws.events.rule-arn", "aws.events.rule-name", "aws.events.event", "aws.events.event.ingestion-time",
    "aws.events.event.json",
}  # fmt: skip
PLACEHOLDER = re.compile("<([A-Za-z0-9_.-]+)>")


@BOOK.rule(
    "PutRule TestEventPattern",
    "InvalidEventPatternException",
    "a pattern is a JSON object of objects and of lists of values or known operators, none of them empty, each "
    "operator with an operand of its kind",
    f"EventBridge User Guide, Event patterns; aws/event-ruler; {RECORDED}s",
)
def _pattern(request: Mapping[str, Any], region: str) -> Iterator[str]:
    try:
        read_pattern(request.get("EventPattern", '{"source": ["any"]}'))
    except PatternError as error:
        yield f"Event pattern is not valid. Reason: {error}"


@BOOK.rule(
    "PutRule",
    "ValidationException",
    "a schedule is `rate(VALUE UNIT)` or `cron()` with six fields that fit one another",
    f"EventBridge User Guide, Cron and rate expressions; {RECORDED}s",
)
def _schedule(request: Mapping[str, Any], region: str) -> Iterator[str]:
    if expression := request.get("ScheduleExpression"):
        try:
            check_schedule_expression(expression)
        except ValueError as error:
            yield f"Parameter ScheduleExpression is not valid. ({error})"


@BOOK.rule(
    "PutTargets", "LimitExceededException", f"a rule has at most {MOST_TARGETS} targets", f"{API}PutTargets; {RECORDED}"
)
def _number_of_targets(request: Mapping[str, Any], region: str) -> Iterator[str]:
    if len({target["Id"] for target in request["Targets"]}) > MOST_TARGETS:
        yield "The requested resource exceeds the maximum number allowed."


@BOOK.rule("PutTargets", "ValidationException", "the Arn of a target is one", f"{API}PutTargets")
def _target_arn(request: Mapping[str, Any], region: str) -> Iterator[str]:
    for target in request["Targets"]:
        if not TARGET_ARN.fullmatch(target["Arn"]):
            yield f"Parameter {target['Arn']} is not valid. Reason: Provided Arn is not in correct format."


@BOOK.rule(
    "PutTargets",
    "ValidationException",
    "a state machine is a target with a RoleArn only, the ARN of a role",
    f"{API}PutTargets",
)
def _target_role(request: Mapping[str, Any], region: str) -> Iterator[str]:
    for target in request["Targets"]:
        if target["Arn"].split(":")[2:3] != [] and target["Arn"].split(":")[2] in WITH_ROLE:
            role = target.get("RoleArn")
            if role is None:
                yield f"RoleArn is required for target {target['Arn']}."
            elif not re.fullmatch(r"arn:[a-z-]+:iam::[0-9]{12}:role/.+", role):
                yield f"Parameter RoleArn is not valid for target {target['Id']}: {role} is no ARN of a role."


@BOOK.rule(
    "PutTargets",
    "ValidationException",
    "a target has one of Input, InputPath and InputTransformer at most",
    RECORDED,
)
def _one_input(request: Mapping[str, Any], region: str) -> Iterator[str]:
    for target in request["Targets"]:
        if len({"Input", "InputPath", "InputTransformer"} & target.keys()) > 1:
            yield f"Only one of Input, InputPath, or InputTransformer must be provided for target {target['Id']}."


@BOOK.rule("PutTargets", "ValidationException", "Input is JSON, InputPath a JSONPath", f"{API}Target")
def _target_input(request: Mapping[str, Any], region: str) -> Iterator[str]:
    for target in request["Targets"]:
        if "Input" in target and (problem := problem_with_json(target["Input"])):
            yield f"JSON syntax error in input for target {target['Id']}: {problem}"
        paths = [target["InputPath"]] if "InputPath" in target else []
        paths += target.get("InputTransformer", {}).get("InputPathsMap", {}).values()
        for path in paths:
            if path and not path.startswith("$"):
                yield f"Invalid InputPath for target {target['Id']}: {path}"


@BOOK.rule(
    "PutTargets",
    "ValidationException",
    "a placeholder of InputTemplate is in InputPathsMap, or one of EventBridge's own",
    RECORDED,
)
def _template(request: Mapping[str, Any], region: str) -> Iterator[str]:
    for target in request["Targets"]:
        transformer = target.get("InputTransformer", {})
        known = {*transformer.get("InputPathsMap", {}), *PREDEFINED}
        for name in PLACEHOLDER.findall(transformer.get("InputTemplate", "")):
            if name not in known:
                yield f"InputTemplate for target {target['Id']} contains invalid placeholder {name}."
