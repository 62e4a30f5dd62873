"""Refuse a state machine definition that Step Functions would refuse.

The interpreter of the embedded endpoint accepts transitions to states that do not exist; Step Functions does not:
CreateStateMachine answers InvalidDefinition with SCHEMA_VALIDATION_FAILED or MISSING_TRANSITION_TARGET.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ml_a2.errors import AssemblyError
from ml_a2.local.edge.json_text import read_json
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
# What the values of fields are. A path may be null where it may say that nothing is taken.
FIELD_TYPES: dict[tuple[type, ...], str] = {
    (str,): "StartAt Type Comment Version QueryLanguage Resource Next Default Error Cause Timestamp Variable ErrorPath "
    "CausePath SecondsPath TimestampPath TimeoutSecondsPath HeartbeatSecondsPath ItemsPath JitterStrategy",
    (str, type(None)): "InputPath OutputPath ResultPath",
    (int,): "Seconds TimeoutSeconds HeartbeatSeconds IntervalSeconds MaxAttempts MaxDelaySeconds MaxConcurrency",
    (int, float): "BackoffRate",
    (bool,): "End",
    (list,): "Choices Retry Catch Branches ErrorEquals",
    (dict,): "States ResultSelector ItemProcessor Iterator ItemSelector ProcessorConfig",
}
TYPES = {field: types for types, fields in FIELD_TYPES.items() for field in fields.split()}
JSON_NAMES = {str: "text", int: "a whole number", float: "a number", bool: "true or false", list: "a list"}
# Fields whose members ending in `.$` are paths or functions; those of a Pass state's Result are what they are.
TEMPLATES = {"Parameters", "ResultSelector", "ItemSelector"}
LARGEST_NUMBER = 99_999_999


def check_definition(text: str) -> None:
    """Check structure and transitions of a definition.

    Raises:
        AssemblyError: names the state and what is wrong with it.
    """
    try:
        definition = read_json(text)
    except ValueError as error:
        raise AssemblyError(f"InvalidDefinition: the definition is no JSON: {error}") from error
    _check_types(definition, "")
    if definition.get("QueryLanguage", "JSONPath") != "JSONPath":
        raise AssemblyError("InvalidDefinition: QueryLanguage 'JSONata' is not supported locally, only 'JSONPath'")
    _check_machine(definition, "")


def _check_machine(machine: Mapping[str, Any], where: str) -> None:
    _check_fields(machine, MACHINE_FIELDS, where)
    states = machine.get("States")
    if not states:
        raise AssemblyError(f"InvalidDefinition: {where}/States is missing or empty")
    start = machine.get("StartAt", "")
    if start not in states:
        raise AssemblyError(
            f"InvalidDefinition: MISSING_TRANSITION_TARGET: StartAt {start!r} names no state at {where}/"
        )
    for name, state in states.items():
        _check_types(state, f"{where}/States/{name}")
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
    for field in TEMPLATES & state.keys():
        _check_payloads(state[field], where)
    for index, rule in enumerate(state.get("Choices", [])):
        _check_types(rule, f"{where}/Choices[{index}]")
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


def _check_types(value: Any, where: str) -> None:
    """Refuse what is no object, and fields whose values are of another type than theirs."""
    if not isinstance(value, dict):
        raise _schema_error(f"{value!r:.80} is no JSON object", where)
    for field in TYPES.keys() & value.keys():
        item, types = value[field], TYPES[field]
        if not isinstance(item, types) or (isinstance(item, bool) and bool not in types):
            wanted = " or ".join(JSON_NAMES.get(kind, "null" if kind is type(None) else "an object") for kind in types)
            raise _schema_error(f"field {field!r} is {item!r:.80}, not {wanted}", where)
        if isinstance(item, int | float) and not 0 <= item <= LARGEST_NUMBER:
            raise _schema_error(f"field {field!r} is {item!r:.80}, not within 0 and {LARGEST_NUMBER}", where)


def _schema_error(problem: str, where: str) -> AssemblyError:
    return AssemblyError(f"InvalidDefinition: SCHEMA_VALIDATION_FAILED: {problem} at {where or '/'}")


def _check_fields(value: Mapping[str, Any], allowed: Collection[str], where: str) -> None:
    _check_types(value, where)
    if unknown := set(value) - set(allowed):
        raise _schema_error(f"field {min(unknown)!r} is not supported", where)


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
    parameters = state.get("Parameters", {})
    if not isinstance(parameters, dict):
        raise _schema_error(f"field 'Parameters' is {parameters!r:.80}, not an object", where)
    for problem in integration.problems(parameters):
        raise _schema_error(problem, f"{where}/Parameters")


def _check_payloads(value: Any, where: str) -> None:
    """Refuse members whose name says that they are a path or a function, and whose value is neither."""
    if isinstance(value, list):
        for item in value:
            _check_payloads(item, where)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key.endswith(".$") and not (isinstance(item, str) and item.startswith(("$", "States."))):
                raise _schema_error(f"{key!r} is {item!r}, neither a path nor an intrinsic function,", where)
            _check_payloads(item, where)


def _check_wildcards(handlers: list[Mapping[str, Any]], where: str) -> None:
    for index, handler in enumerate(handlers):
        names = handler.get("ErrorEquals", [])
        if not names or not all(isinstance(name, str) for name in names):
            raise _schema_error("ErrorEquals is empty, or holds something other than names", f"{where}[{index}]")
        if "States.ALL" in names and (len(names) > 1 or index + 1 < len(handlers)):
            raise _schema_error("States.ALL must stand alone and last", f"{where}[{index}]")


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
