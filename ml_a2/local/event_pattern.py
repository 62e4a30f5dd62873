"""Event patterns of EventBridge: what is one, and which events it matches.

Source: EventBridge User Guide, "Creating Amazon EventBridge event patterns"; the published source of its matcher,
github.com/aws/event-ruler; recorded answers to TestEventPattern. That EventBridge refuses patterns with too many
wildcards is not followed: how it counts is not documented.
"""

from __future__ import annotations

import ipaddress
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from ml_a2.local.edge.json_text import read_json

OR = "$or"
COMPARISONS = {
    "=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
# A lower bound may be followed by an upper one.
LOWER, UPPER = (">", ">="), ("<", "<=")
CASE = "equals-ignore-case"


class PatternError(ValueError):
    """A pattern that EventBridge refuses; the message is its reason."""


def read_pattern(text: str) -> dict[str, Any]:
    """Return the pattern that a text holds.

    Raises:
        PatternError: it is none, in EventBridge's words where they are known.
    """
    try:
        pattern = read_json(text)
    except ValueError as error:
        raise PatternError(f"the pattern is no JSON: {error}") from error
    if not isinstance(pattern, dict):
        raise PatternError("Filter is not an object")
    check_pattern(pattern)
    return pattern


def check_pattern(pattern: Mapping[str, Any]) -> None:
    """Refuse a pattern that EventBridge would not take.

    Raises:
        PatternError: names the field or the operator.
    """
    if not pattern:
        raise PatternError("Empty objects are not allowed")
    for name, value in pattern.items():
        if isinstance(value, Mapping):
            check_pattern(value)
        elif _is_alternative(name, value):
            for each in value:
                check_pattern(each)
        elif not isinstance(value, list):
            raise PatternError(f'"{name}" must be an object or an array')
        elif not value:
            raise PatternError("Empty arrays are not allowed")
        else:
            for item in value:
                _check_value(item)


def _is_alternative(name: str, value: Any) -> bool:
    """Tell whether a field is the list of alternatives, and not one that is called so."""
    if name != OR or not isinstance(value, list) or len(value) < 2:
        return False
    return all(isinstance(each, Mapping) and not OPERATORS.keys() & each.keys() for each in value)


def _check_value(item: Any) -> None:
    if isinstance(item, list):
        raise PatternError("Match value must be String, number, true, false, or null")
    if isinstance(item, Mapping):
        name, operand = _only(item)
        if name not in OPERATORS:
            raise PatternError(f"Unrecognized match type {name}")
        CHECKS[name](operand)


def _only(expression: Mapping[str, Any]) -> tuple[str, Any]:
    if len(expression) != 1:
        raise PatternError("Only one key allowed in match expression")
    return next(iter(expression.items()))


def _check_text(name: str, *, may_ignore_case: bool = False) -> Callable[[Any], None]:
    def check(operand: Any) -> None:
        if may_ignore_case and isinstance(operand, Mapping):
            inner, operand = _only(operand)
            if inner != CASE:
                raise PatternError(f"Unsupported {name} pattern: {inner}")
        if not isinstance(operand, str):
            raise PatternError(f"{name} match pattern must be a string")

    return check


def _check_wildcard(operand: Any) -> None:
    _check_text("wildcard")(operand)
    rest = re.sub(r"\\[*\\]", "", operand)
    if "\\" in rest:
        raise PatternError("Invalid escape character")
    if "**" in rest:
        raise PatternError("Consecutive wildcard characters")


def _check_exists(operand: Any) -> None:
    if not isinstance(operand, bool):
        raise PatternError("exists match pattern must be either true or false.")


def _check_cidr(operand: Any) -> None:
    if not isinstance(operand, str) or operand.count("/") != 1:
        raise PatternError("Malformed CIDR, one '/' required")
    try:
        ipaddress.ip_network(operand, strict=False)
    except ValueError as error:
        raise PatternError(f"Malformed CIDR: {error}") from error


def _check_numeric(operand: Any) -> None:
    if not isinstance(operand, list):
        raise PatternError("Value of numeric must be an array.")
    operators, numbers = operand[::2], operand[1::2]
    if len(operators) != len(numbers) or not 1 <= len(operators) <= 2 or not all(map(_is_number, numbers)):
        raise PatternError("numeric must be one or two operators, each with its number")
    if any(not isinstance(each, str) or each not in COMPARISONS for each in operators):
        raise PatternError(f"Unrecognized numeric range operator: {operators[0]}")
    if len(operators) == 2 and (operators[0] not in LOWER or operators[1] not in UPPER or numbers[0] >= numbers[1]):
        raise PatternError(f"Bad numeric range operator: {operators[1]}")


def _check_anything_but(operand: Any) -> None:
    if isinstance(operand, Mapping):
        name, inner = _only(operand)
        if name not in ANYTHING_BUT:
            raise PatternError(f"Unsupported anything-but pattern: {name}")
        values = inner if isinstance(inner, list) else [inner]
        if not values or not all(isinstance(each, str) for each in values):
            raise PatternError(f"Inside anything-but/{name} list, number|start|null|boolean is not supported.")
        if name in ("prefix", "suffix") and "" in values:
            raise PatternError("Null prefix/suffix not allowed")
        for each in values:
            CHECKS[name](each)
        return
    values = operand if isinstance(operand, list) else [operand]
    if not all(isinstance(each, str) or _is_number(each) for each in values):
        raise PatternError("Value of anything-but must be an array or single string/number value.")
    if not values or len({isinstance(each, str) for each in values}) > 1:
        raise PatternError("Inside anything but list, either all values are number or string")


ANYTHING_BUT = ("prefix", "suffix", CASE, "wildcard")
CHECKS: Mapping[str, Callable[[Any], None]] = {
    "exactly": _check_text("exact"),
    "prefix": _check_text("prefix", may_ignore_case=True),
    "suffix": _check_text("suffix", may_ignore_case=True),
    CASE: _check_text(CASE),
    "wildcard": _check_wildcard,
    "exists": _check_exists,
    "cidr": _check_cidr,
    "numeric": _check_numeric,
    "anything-but": _check_anything_but,
}


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Tell whether an event fits a pattern that was checked: every field of it, by any of the values given."""
    return all(_field_matches(name, wanted, event) for name, wanted in pattern.items())


def _field_matches(name: str, wanted: Any, event: Mapping[str, Any]) -> bool:
    if _is_alternative(name, wanted):
        return any(matches(each, event) for each in wanted)
    head, dot, rest = name.partition(".")
    if dot and name not in event:  # names are joined by dots where one looks into another
        return _field_matches(head, {rest: wanted}, event)
    value = event.get(name)
    if isinstance(wanted, Mapping):
        if isinstance(value, list):  # of objects one must have all of it
            return any(isinstance(each, Mapping) and matches(wanted, each) for each in value)
        return matches(wanted, value if isinstance(value, Mapping) else {})
    values = value if isinstance(value, list) else [value] if name in event else []
    leaves = [each for each in values if not isinstance(each, Mapping | list)]
    return any(_value_matches(one, leaves) for one in wanted)


def _value_matches(wanted: Any, leaves: list[Any]) -> bool:
    if not isinstance(wanted, Mapping):
        return any(_equals(wanted, leaf) for leaf in leaves)
    name, operand = _only(wanted)
    if name == "exists":
        return bool(leaves) is operand
    return any(OPERATORS[name](operand, leaf) for leaf in leaves)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equals(wanted: Any, value: Any) -> bool:
    if _is_number(wanted) and _is_number(value):
        return bool(wanted == value)
    return type(wanted) is type(value) and bool(wanted == value)


def _text(compare: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    """Return an operator on texts, which may be told to ignore their case."""

    def holds(operand: Any, value: Any) -> bool:
        if not isinstance(value, str):
            return False
        if isinstance(operand, Mapping):
            return compare(value.lower(), operand[CASE].lower())
        return compare(value, operand)

    return holds


def _in_network(operand: str, value: Any) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(operand, strict=False)
    except ValueError:
        return False


def _in_range(operand: list[Any], value: Any) -> bool:
    pairs = zip(operand[::2], operand[1::2], strict=True)
    return _is_number(value) and all(COMPARISONS[name](value, number) for name, number in pairs)


def _like(value: str, wildcard: str) -> bool:
    """Tell whether a text has its parts in their order; without going back, so that many wildcards cost nothing."""
    first, *parts = _between_wildcards(wildcard)
    if not parts:
        return value == first
    *middle, last = parts
    if not value.startswith(first) or not value[len(first) :].endswith(last):
        return False
    place, end = len(first), len(value) - len(last)
    for part in middle:
        place = value.find(part, place, end)
        if place < 0:
            return False
        place += len(part)
    return True


def _between_wildcards(wildcard: str) -> list[str]:
    parts = [""]
    for each in re.findall(r"\\.|.", wildcard, re.DOTALL):
        if each == "*":
            parts.append("")
        else:
            parts[-1] += each[-1]
    return parts


def _is_anything_but(operand: Any, value: Any) -> bool:
    name, inner = _only(operand) if isinstance(operand, Mapping) else ("", operand)
    unwanted = inner if isinstance(inner, list) else [inner]
    test = OPERATORS[name] if name else _equals
    return not any(test(each, value) for each in unwanted)


OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "exactly": _equals,
    "prefix": _text(str.startswith),
    "suffix": _text(str.endswith),
    CASE: _text(lambda value, operand: value.lower() == operand.lower()),
    "wildcard": _text(_like),
    "exists": lambda operand, value: bool(operand),
    "cidr": _in_network,
    "numeric": _in_range,
    "anything-but": _is_anything_but,
}
