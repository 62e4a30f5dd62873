"""Comparisons of a Choice state decide as the language has it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ml_a2.local.patches.comparisons import pattern_of
from ml_a2.local.runtime import LocalRuntime
from tests.local.test_state_machines import _execute

NOON = "2012-10-09T19:00:55"
# Operator, the variable, the literal or the other variable, and what comes of it.
DECISIONS: list[tuple[str, Any, Any, bool]] = [
    ("TimestampEquals", f"{NOON}Z", f"{NOON}Z", True),
    ("TimestampEquals", f"{NOON}.000Z", f"{NOON}Z", True),
    ("TimestampEquals", f"{NOON}+01:00", "2012-10-09T18:00:55Z", True),
    ("TimestampLessThan", f"{NOON}.1Z", f"{NOON}.25Z", True),
    ("TimestampLessThan", NOON, f"{NOON}Z", False),
    ("TimestampLessThanPath", f"{NOON}Z", "soon", False),
    ("IsTimestamp", f"{NOON}.123456789+01:00", True, True),
    ("IsTimestamp", "2012-10-09", True, False),
    ("NumericLessThanPath", 1, "2", False),
    ("NumericEqualsPath", 1, True, False),
    ("NumericEquals", True, 1, False),
    ("NumericEquals", 1.0, 1, True),
    ("StringLessThanPath", "a", 1, False),
    ("StringEquals", "grün\n", "grün\n", True),
    ("StringMatches", "foo23.log", "foo*.log", True),
    ("StringMatches", "a\nb", "a*b", True),
    ("StringMatches", "fooX", "foo?", False),
    ("StringMatches", "a[b]", "a[b]", True),
    ("StringMatches", "a*b", "a\\*b", True),
    ("StringMatches", "axb", "a\\*b", False),
    ("StringMatches", 1, "*", False),
]


def _choice(number: int, operator: str, value: Any) -> dict[str, Any]:
    given = f"$.v{number}[1]" if operator.endswith("Path") else value
    rule = {"Variable": f"$.v{number}[0]", operator: given, "Next": f"Y{number}"}
    found = {"Type": "Pass", "Result": True, "ResultPath": f"$.d{number}", "End": False, "Next": f"C{number + 1}"}
    return {
        f"C{number}": {"Type": "Choice", "Choices": [rule], "Default": f"C{number + 1}"},
        f"Y{number}": found,
    }


def test_choices_decide_as_the_language_has_it(runtime: LocalRuntime) -> None:
    """One after another, in one execution."""
    states: dict[str, Any] = {}
    for number, (operator, _, value, _) in enumerate(DECISIONS):
        states |= _choice(number, operator, value)
    states[f"C{len(DECISIONS)}"] = {"Type": "Succeed"}
    data = {f"v{number}": [variable, value] for number, (_, variable, value, _) in enumerate(DECISIONS)}
    output = json.loads(_execute(runtime, states, data)["output"])
    decided = [(*decision[:3], f"d{number}" in output) for number, decision in enumerate(DECISIONS)]
    assert decided == DECISIONS


@pytest.mark.parametrize("pattern", ["a\\", "\\a", "*\\?"])
def test_fails_for_a_pattern_with_an_open_escape(pattern: str) -> None:
    """As the language has it: the error comes when it is used."""
    with pytest.raises(ValueError, match="open escape sequence"):
        pattern_of(pattern)
