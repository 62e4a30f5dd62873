"""The fields of states, retriers and catchers.

Source: Amazon States Language, "State Types" and "Errors"; which field stands on which type was measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml_a2.local.states_language import values
from ml_a2.local.states_language.choices import check_choices
from ml_a2.local.states_language.rules import InvalidDefinitionError, Rule

INPUT_AND_OUTPUT = "InputPath OutputPath "
ONWARD = "Next End "
RESULT = "Parameters ResultSelector ResultPath Retry Catch "
# Beside Type, Comment and QueryLanguage.
STATE_FIELDS = {
    "Task": INPUT_AND_OUTPUT
    + ONWARD
    + RESULT
    + "Resource Credentials TimeoutSeconds TimeoutSecondsPath HeartbeatSeconds HeartbeatSecondsPath Assign",
    "Pass": INPUT_AND_OUTPUT + ONWARD + "Parameters Result ResultPath Assign",
    "Wait": INPUT_AND_OUTPUT + ONWARD + "Seconds SecondsPath Timestamp TimestampPath Assign",
    "Choice": INPUT_AND_OUTPUT + "Choices Default Assign",
    "Succeed": INPUT_AND_OUTPUT,
    "Fail": "Error ErrorPath Cause CausePath",
    "Parallel": INPUT_AND_OUTPUT + ONWARD + RESULT + "Branches Assign",
    "Map": INPUT_AND_OUTPUT
    + ONWARD
    + RESULT
    + "ItemProcessor Iterator ItemsPath ItemSelector ItemReader ItemBatcher ResultWriter Label MaxConcurrency "
    "MaxConcurrencyPath ToleratedFailureCount ToleratedFailureCountPath ToleratedFailurePercentage "
    "ToleratedFailurePercentagePath Assign",
}
REQUIRED = {"Task": ["Resource"], "Choice": ["Choices"], "Parallel": ["Branches"]}
EXCLUSIVE = (
    ("TimeoutSeconds", "TimeoutSecondsPath"),
    ("HeartbeatSeconds", "HeartbeatSecondsPath"),
    ("MaxConcurrency", "MaxConcurrencyPath"),
    ("ToleratedFailureCount", "ToleratedFailureCountPath"),
    ("ToleratedFailurePercentage", "ToleratedFailurePercentagePath"),
    ("Error", "ErrorPath"),
    ("Cause", "CausePath"),
)
# Of these there is exactly one.
ALTERNATIVES: dict[str, tuple[str, ...]] = {
    "Wait": ("Seconds", "SecondsPath", "Timestamp", "TimestampPath"),
    "Map": ("ItemProcessor", "Iterator"),
}
HANDLER_FIELDS = {
    "Retry": (
        "ErrorEquals Comment IntervalSeconds MaxAttempts BackoffRate MaxDelaySeconds JitterStrategy",
        "ErrorEquals",
    ),
    "Catch": ("ErrorEquals Comment Next ResultPath Assign", "ErrorEquals Next"),
}
WILDCARD = "States.ALL"


def check_state(state: Any, where: str) -> None:
    """Refuse a state whose fields or their values are not those of its type; not the machines within it."""
    values.check_object(state, where)
    if "Type" not in state:
        raise InvalidDefinitionError(Rule.REQUIRED, "These fields are required: [Type]", where)
    values.VALUES["Type"](state["Type"], f"{where}/Type")
    kind = state["Type"]
    allowed = {"Type", "Comment", "QueryLanguage", *STATE_FIELDS[kind].split()}
    values.check_fields(state, allowed, REQUIRED.get(kind, ()), where)
    _check_alternatives(kind, state, where)
    if "End" in allowed and ("Next" in state) == state.get("End", False):
        problem = "This object should have only one of the following fields: [Next, End]"
        raise InvalidDefinitionError(Rule.NEXT_OR_END, problem, where)
    if kind == "Choice":
        check_choices(state["Choices"], f"{where}/Choices")
    for field in HANDLER_FIELDS.keys() & state.keys():
        _check_handlers(state[field], field, f"{where}/{field}")


def _check_alternatives(kind: str, state: Mapping[str, Any], where: str) -> None:
    for pair in EXCLUSIVE:
        values.check_exclusive(state, pair, where)
    if kind == "Map":
        values.check_exclusive(state, ("Parameters", "ItemSelector"), where)
    names = ALTERNATIVES.get(kind, ())
    if names and not values.check_exclusive(state, names, where):
        problem = f"This object should have only one of the following fields: [{', '.join(names)}]"
        raise InvalidDefinitionError(Rule.ONE_OF, problem, where)
    heartbeat, timeout = state.get("HeartbeatSeconds"), state.get("TimeoutSeconds")
    if heartbeat is not None and timeout is not None and heartbeat >= timeout:
        problem = f"HeartbeatSeconds {heartbeat} is not smaller than TimeoutSeconds {timeout}"
        raise InvalidDefinitionError(Rule.HEARTBEAT, problem, where)


def _check_handlers(handlers: list[Any], field: str, where: str) -> None:
    allowed, required = HANDLER_FIELDS[field]
    for index, handler in enumerate(handlers):
        place = f"{where}[{index}]"
        values.check_fields(handler, allowed.split(), required.split(), place)
        names = handler["ErrorEquals"]
        values.check_filled(names, f"{place}/ErrorEquals")
        for name in names:
            values.text(name, f"{place}/ErrorEquals")
        if WILDCARD in names and (len(names) > 1 or index + 1 < len(handlers)):
            problem = f"{WILDCARD} must appear alone and at end of list"
            raise InvalidDefinitionError(Rule.STATES_ALL, problem, f"{place}/ErrorEquals")
