"""What the values of fields are: their types, words and bounds."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from ml_a2.local.states_language.paths import check_path, check_reference_path, check_result_path
from ml_a2.local.states_language.rules import InvalidDefinitionError, Rule
from ml_a2.local.states_language.templates import check_template, check_text_or_call

Check = Callable[[Any, str], None]

MOST = 99_999_999
MOST_DELAY_SECONDS = 31_622_400
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
ARN = re.compile(r"arn:[^:\s]+:[^:\s]+:[^:\s]*:[^:\s]*:\S+")


def _typed(types: tuple[type, ...], words: str) -> Check:
    def check(value: Any, where: str) -> None:
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise InvalidDefinitionError(Rule.TYPE, f"{value!r:.80} is not {words}", where)

    return check


text = _typed((str,), "text")
boolean = _typed((bool,), "true or false")
number = _typed((int, float), "a number")
array = _typed((list,), "a list")
mapping = _typed((dict,), "a JSON object")
_integer = _typed((int,), "a whole number")


def whole(least: int, most: int | None = MOST) -> Check:
    """Return what refuses other than whole numbers within bounds."""

    def check(value: Any, where: str) -> None:
        _integer(value, where)
        _within(value, least, most, where)

    return check


def between(least: float, most: float | None) -> Check:
    """Return what refuses other than numbers within bounds."""

    def check(value: Any, where: str) -> None:
        number(value, where)
        _within(value, least, most, where)

    return check


def one_of(*words: str) -> Check:
    """Return what refuses other texts than these."""

    def check(value: Any, where: str) -> None:
        text(value, where)
        if value not in words:
            problem = f"{value!r:.80} is not one of the following: [{', '.join(words)}]"
            raise InvalidDefinitionError(Rule.WORD, problem, where)

    return check


def timestamp(value: Any, where: str) -> None:
    """Refuse what is no timestamp of RFC 3339."""
    text(value, where)
    if read_timestamp(value) is None:
        raise InvalidDefinitionError(Rule.TIMESTAMP, f"String {value!r:.80} does not match RFC3339 timestamp", where)


def read_timestamp(value: Any) -> dt.datetime | None:
    """Return the time of a timestamp of RFC 3339, to the microsecond; None of what is none."""
    if not isinstance(value, str) or not TIMESTAMP.fullmatch(value):
        return None
    try:
        return dt.datetime.fromisoformat(value)
    except ValueError:
        return None


def nullable_path(value: Any, where: str) -> None:
    """Refuse other than a JSONPath and null."""
    if value is not None:
        check_path(value, where)


def template_object(value: Any, where: str) -> None:
    """Refuse a template that is no object."""
    mapping(value, where)
    check_template(value, where)


def resource(value: Any, where: str) -> None:
    """Refuse what is no ARN."""
    text(value, where)
    if not ARN.fullmatch(value):
        raise InvalidDefinitionError(Rule.RESOURCE, f"Value {value!r:.80} is not a valid resource ARN", where)


def anything(value: Any, where: str) -> None:
    """Take every value."""


def _within(value: float, least: float, most: float | None, where: str) -> None:
    if value < least:
        raise InvalidDefinitionError(Rule.BOUNDS, f"Minimum value is {least}, not {value!r:.80},", where)
    if most is not None and value > most:
        raise InvalidDefinitionError(Rule.BOUNDS, f"Maximum value is {most}, not {value!r:.80},", where)


# By name, wherever a field of that name stands; the machine's own TimeoutSeconds has another bound.
VALUES: Mapping[str, Check] = {
    **dict.fromkeys(("StartAt", "Comment", "Next", "Default", "Error", "Cause", "Label"), text),
    **dict.fromkeys(("InputPath", "OutputPath"), nullable_path),
    **dict.fromkeys(
        (
            "SecondsPath",
            "TimestampPath",
            "TimeoutSecondsPath",
            "HeartbeatSecondsPath",
            "ItemsPath",
            "MaxConcurrencyPath",
        ),
        check_reference_path,
    ),
    **dict.fromkeys(("ToleratedFailureCountPath", "ToleratedFailurePercentagePath", "Variable"), check_reference_path),
    **dict.fromkeys(("ErrorPath", "CausePath"), check_text_or_call),
    **dict.fromkeys(("Parameters", "ItemSelector"), check_template),
    **dict.fromkeys(("Choices", "Branches", "Retry", "Catch", "ErrorEquals"), array),
    **dict.fromkeys(("States", "ItemProcessor", "Iterator", "ProcessorConfig"), mapping),
    **dict.fromkeys(("ItemReader", "ItemBatcher", "ResultWriter", "Credentials", "Assign"), mapping),
    **dict.fromkeys(("TimeoutSeconds", "HeartbeatSeconds"), whole(1)),
    **dict.fromkeys(("Seconds", "IntervalSeconds", "MaxAttempts"), whole(0)),
    "Type": one_of("Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map"),
    "Version": one_of("1.0"),
    "QueryLanguage": one_of("JSONPath", "JSONata"),
    "JitterStrategy": one_of("FULL", "NONE"),
    "Mode": one_of("INLINE", "DISTRIBUTED"),
    "ExecutionType": one_of("STANDARD", "EXPRESS"),
    "End": boolean,
    "Result": anything,
    "ResultPath": check_result_path,
    "ResultSelector": template_object,
    "Resource": resource,
    "Timestamp": timestamp,
    "MaxConcurrency": whole(0, None),
    "ToleratedFailureCount": whole(0, None),
    "ToleratedFailurePercentage": between(0, 100),
    "MaxDelaySeconds": whole(1, MOST_DELAY_SECONDS),
    "BackoffRate": between(1, None),
}


def check_fields(value: Any, allowed: Collection[str], required: Collection[str], where: str) -> None:
    """Refuse what is no object, has other fields than it may, lacks one, or has one of another value than is taken."""
    check_object(value, where)
    if unknown := set(value) - set(allowed):
        raise InvalidDefinitionError(Rule.FIELDS, f"Field {min(unknown)!r:.80} is not supported", where)
    if missing := set(required) - set(value):
        raise InvalidDefinitionError(Rule.REQUIRED, f"These fields are required: [{', '.join(sorted(missing))}]", where)
    for name, item in value.items():
        VALUES[name](item, f"{where}/{name}")


def check_object(value: Any, where: str) -> None:
    """Refuse what is no object."""
    if not isinstance(value, dict):
        raise InvalidDefinitionError(Rule.OBJECT, f"{value!r:.80} is no JSON object", where)


def check_filled(value: Collection[Any], where: str) -> None:
    """Refuse what is empty."""
    if not value:
        raise InvalidDefinitionError(Rule.EMPTY, "Value cannot be empty", where)


def check_exclusive(value: Mapping[str, Any], names: Collection[str], where: str) -> int:
    """Refuse more than one of some fields; return how many there are."""
    given = [name for name in names if name in value]
    if len(given) > 1:
        problem = f"There should only be one of the following fields: [{', '.join(given)}]"
        raise InvalidDefinitionError(Rule.ONE_OF, problem, where)
    return len(given)
