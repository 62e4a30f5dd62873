"""Intrinsic functions give what the language says, and texts of a definition are what their JSON says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ml_a2.local.patches.functions import Template, fill
from ml_a2.local.runtime import LocalRuntime
from tests.local.test_state_machines import _execute

CALLS = {
    "States.Array(1.5, null, -1e3, true, 'a')": [1.5, None, -1000.0, True, "a"],
    "States.Array(null)": [None],
    "States.Array()": [],
    "States.Array('it\\'s \\\\ \\{\\}')": ["it's \\ {}"],
    "States.Array('grün 😀', 'x\ny')": ["grün 😀", "x\ny"],
    "States.Format('Welcome to {}\\'s \\{\\} list {x}', $.a)": "Welcome to A's {} list {x}",
    "States.Format('{} {}', $.list, null)": "[1, 2] null",
    "States.Format($.template, 1)": "{0.__class__} \\ 1",
    'States.StringToJson(\'{"a": [1, "b"]}\')': {"a": [1, "b"]},
    "States.ArrayGetItem($.items[?(@.n == 'b, c')].v, 0)": 7,
    "States.MathAdd(States.ArrayLength($.list), -1)": 1,
    "States.Format('{}', $$.State.Name)": 'grün "P"\n',
}
INPUT = {"a": "A", "list": [1, 2], "template": "{0.__class__} \\ {}", "items": [{"n": "b, c", "v": 7}]}


def test_functions_give_what_the_language_says(runtime: LocalRuntime) -> None:
    """Literals of every kind, escapes, and nothing of what Python's own formats would do."""
    members = {f"m{number}.$": call for number, call in enumerate(CALLS)}
    state = {"Type": "Pass", "Parameters": members, "End": True}
    output: dict[str, Any] = json.loads(_execute(runtime, {'grün "P"\n': state}, INPUT)["output"])
    assert dict(zip(CALLS, output.values(), strict=True)) == CALLS


def test_names_and_reasons_are_what_their_json_says(runtime: LocalRuntime) -> None:
    """The history has no escapes in them."""
    states = {"Schlüssel": {"Type": "Pass", "Next": "Ende"}, "Ende": {"Type": "Fail", "Error": "ä", "Cause": 'a\n"b"'}}
    answer = _execute(runtime, states)
    assert (answer["error"], answer["cause"]) == ("ä", 'a\n"b"')
    history = runtime.clients.stepfunctions.get_execution_history(executionArn=answer["executionArn"])["events"]
    assert history[1]["stateEnteredEventDetails"]["name"] == "Schlüssel"


@pytest.mark.parametrize("template", [Template("{} {}"), "{} {}", "none"])
def test_fails_where_values_and_places_do_not_match(template: str) -> None:
    """A template that comes with the input is known only when it runs."""
    with pytest.raises(ValueError, match="values for them"):
        fill(template, ["a"])
