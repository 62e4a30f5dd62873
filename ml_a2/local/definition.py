"""Refuse a state machine definition that Step Functions would refuse.

The interpreter of the embedded endpoint accepts transitions to states that do not exist; Step Functions does not:
CreateStateMachine answers InvalidDefinition with SCHEMA_VALIDATION_FAILED or MISSING_TRANSITION_TARGET.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ml_a2.errors import AssemblyError
from ml_a2.local.integration import UnknownIntegrationError, find_integration
from ml_a2.local.service_calls import PERMISSIONS

LONGEST_NAME = 80
PATHS = "InputPath OutputPath "
RESULTS = "Parameters ResultSelector ResultPath Retry Catch "
# What each type of state may have, beside Type, Comment, Next and End. Source: Amazon States Language.
STATE_TYPES = {
    "Task": PATHS + RESULTS + "Resource TimeoutSeconds TimeoutSecondsPath HeartbeatSeconds HeartbeatSecondsPath",
    "Pass": PATHS + "Parameters Result ResultPath",
    "Choice": PATHS + "Choices Default",
    "Wait": PATHS + "Seconds SecondsPath Timestamp TimestampPath",
    "Succeed": PATHS,
    "Fail": "Error ErrorPath Cause CausePath",
    "Parallel": PATHS + RESULTS + "Branches",
    "Map": PATHS + RESULTS + "ItemProcessor Iterator ItemsPath ItemSelector MaxConcurrency",
}
MACHINE_FIELDS = {"StartAt", "States", "Comment", "Version", "TimeoutSeconds", "QueryLanguage", "ProcessorConfig"}
HANDLER_FIELDS = {
    "Retry": "ErrorEquals Comment IntervalSeconds MaxAttempts BackoffRate MaxDelaySeconds JitterStrategy",
    "Catch": "ErrorEquals Comment Next ResultPath",
}
WITHOUT_NEXT = {"Succeed", "Fail", "Choice"}


def check_definition(text: str) -> None:
    """Check structure and transitions of a definition.

    Raises:
        AssemblyError: names the state and what is wrong with it.
    """
    try:
        definition = json.loads(text)
    except json.JSONDecodeError as error:
        raise AssemblyError(f"InvalidDefinition: the definition is no JSON: {error}") from error
    if not isinstance(definition, dict):
        raise AssemblyError("InvalidDefinition: the definition is no JSON object")
    if definition.get("QueryLanguage", "JSONPath") != "JSONPath":
        raise AssemblyError("InvalidDefinition: QueryLanguage 'JSONata' is not supported locally, only 'JSONPath'")
    _check_machine(definition, "")


def _check_machine(machine: Mapping[str, Any], where: str) -> None:
    _check_fields(machine, MACHINE_FIELDS, where)
    states = machine.get("States")
    if not isinstance(states, dict) or not states:
        raise AssemblyError(f"InvalidDefinition: {where}/States is missing or empty")
    start = str(machine.get("StartAt"))
    if start not in states:
        raise AssemblyError(
            f"InvalidDefinition: MISSING_TRANSITION_TARGET: StartAt {start!r} names no state at {where}/"
        )
    for name, state in states.items():
        if not isinstance(state, dict):
            raise AssemblyError(f"InvalidDefinition: state {name!r} is no JSON object")
        if len(name) > LONGEST_NAME:
            raise AssemblyError(
                f"InvalidDefinition: the name {name!r} has {len(name)} characters, {LONGEST_NAME} may be"
            )
        _check_state(name, state, states, f"{where}/States/{name}")
    for name in sorted(set(states) - _reachable(start, states)):
        raise AssemblyError(
            f"InvalidDefinition: MISSING_TRANSITION_TARGET: state {name!r} is not reachable at {where}/States/{name}"
        )


def _check_state(name: str, state: Mapping[str, Any], states: Mapping[str, Any], where: str) -> None:
    kind = state.get("Type")
    if kind not in STATE_TYPES:
        raise AssemblyError(f"InvalidDefinition: state {name!r} has Type {kind!r}, not one of {sorted(STATE_TYPES)}")
    onward = () if kind in WITHOUT_NEXT else ("Next", "End")
    _check_fields(state, {"Type", "Comment", *onward, *STATE_TYPES[kind].split()}, where)
    _check_payloads(state, where)
    _check_handlers(state, where)
    if kind == "Task":
        _check_call(name, state, where)
    for field, target in _transitions(state):
        if target not in states:
            raise AssemblyError(
                f"InvalidDefinition: MISSING_TRANSITION_TARGET: {field} {target!r} names no state at {where}"
            )
    if onward and ("Next" in state) == bool(state.get("End")):
        raise AssemblyError(f"InvalidDefinition: state {name!r} must have either Next or End")
    if kind == "Choice" and not state.get("Choices"):
        raise AssemblyError(f"InvalidDefinition: Choice state {name!r} has no Choices")
    _check_inner_machines(state, where)


def _check_handlers(state: Mapping[str, Any], where: str) -> None:
    for field, allowed in HANDLER_FIELDS.items():
        for index, handler in enumerate(state.get(field, [])):
            _check_fields(handler, set(allowed.split()), f"{where}/{field}[{index}]")
        _check_wildcards(state.get(field, []), f"{where}/{field}")


def _check_inner_machines(state: Mapping[str, Any], where: str) -> None:
    for machine in state.get("Branches", []):
        _check_machine(machine, f"{where}/Branches")
    if processor := state.get("ItemProcessor") or state.get("Iterator"):
        _check_machine(processor, f"{where}/ItemProcessor")


def _check_fields(value: Mapping[str, Any], allowed: Collection[str], where: str) -> None:
    if unknown := set(value) - set(allowed):
        raise AssemblyError(
            f"InvalidDefinition: SCHEMA_VALIDATION_FAILED: field {min(unknown)!r} is not supported at {where or '/'}"
        )


def _check_call(name: str, state: Mapping[str, Any], where: str) -> None:
    """Refuse a call whose members Step Functions does not know, and one whose permissions are not known here."""
    resource = str(state.get("Resource"))
    try:
        integration = find_integration(resource)
    except UnknownIntegrationError as error:
        raise AssemblyError(f"state {name!r}: Resource {resource!r} is not supported locally, {error}") from error
    if integration.call not in PERMISSIONS:
        raise AssemblyError(
            f"state {name!r}: the permissions of {':'.join(integration.call)} are not known here, so that nobody could "
            "tell whether the role has them; see docs/fidelity.md"
        )
    for problem in integration.problems(state.get("Parameters", {})):
        raise AssemblyError(f"InvalidDefinition: SCHEMA_VALIDATION_FAILED: {problem} at {where}/Parameters")


def _check_payloads(value: Any, where: str) -> None:
    """Refuse members whose name says that they are a path or a function, and whose value is neither."""
    if isinstance(value, list):
        for item in value:
            _check_payloads(item, where)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key.endswith(".$") and not (isinstance(item, str) and item.startswith(("$", "States."))):
                raise AssemblyError(
                    f"InvalidDefinition: SCHEMA_VALIDATION_FAILED: {key!r} is {item!r}, neither a path nor an "
                    f"intrinsic function, at {where}"
                )
            _check_payloads(item, where)


def _check_wildcards(handlers: list[Mapping[str, Any]], where: str) -> None:
    for index, handler in enumerate(handlers):
        names = handler.get("ErrorEquals", [])
        if not names:
            raise AssemblyError(
                f"InvalidDefinition: SCHEMA_VALIDATION_FAILED: ErrorEquals is empty at {where}[{index}]"
            )
        if "States.ALL" in names and (len(names) > 1 or index + 1 < len(handlers)):
            raise AssemblyError(
                f"InvalidDefinition: SCHEMA_VALIDATION_FAILED: States.ALL must stand alone and last at {where}[{index}]"
            )


def _transitions(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for field in ("Next", "Default"):
        if field in state:
            yield field, state[field]
    for index, rule in enumerate(state.get("Choices", [])):
        yield f"Choices[{index}].Next", rule.get("Next")
    for index, catcher in enumerate(state.get("Catch", [])):
        yield f"Catch[{index}].Next", catcher.get("Next")


def _reachable(start: str, states: Mapping[str, Any]) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += [target for _, target in _transitions(states[name])]
    return seen
