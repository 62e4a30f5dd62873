"""Refuse a state machine definition that Step Functions would refuse, or that cannot be executed here as it is there.

The interpreter of the embedded endpoint accepts much of the first, and executes some of the second otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ml_a2.errors import AssemblyError
from ml_a2.local.edge.json_text import read_json
from ml_a2.local.integration import UnknownIntegrationError, find_integration
from ml_a2.local.service_calls import PERMISSIONS
from ml_a2.local.states_language.machine import check_machine, states_of
from ml_a2.local.states_language.rules import InvalidDefinitionError, Rule

# Of the language, and not executed here.
NOT_EXECUTED = {
    "Assign", "Credentials", "ItemReader", "ItemBatcher", "ResultWriter", "Label", "ToleratedFailureCount",
    "ToleratedFailureCountPath", "ToleratedFailurePercentage", "ToleratedFailurePercentagePath",
}  # fmt: skip


def check_definition(text: str) -> None:
    """Check a definition.

    Raises:
        InvalidDefinitionError: CreateStateMachine would refuse it; names the state and the rule that it breaks.
        AssemblyError: names what is not supported here.
    """
    try:
        definition = read_json(text)
    except ValueError as error:
        raise InvalidDefinitionError(Rule.JSON, f"the definition is no JSON: {error}", "") from error
    json.loads(text, object_pairs_hook=_without_repetition)
    _check_language(definition)
    check_machine(definition)
    for state, where in states_of(definition):
        _check_fields(state, where)
        for handler in (*state.get("Choices", ()), *state.get("Catch", ())):
            _check_fields(handler, where)
        if state["Type"] == "Task":
            _check_call(state, where)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a state that stands twice in one object, of which a reader of JSON keeps the last."""
    names = [name for name, value in pairs if isinstance(value, dict) and "Type" in value]
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise InvalidDefinitionError(Rule.UNIQUE_NAME, f"Duplicate State name: {repeated}", "")
    return dict(pairs)


def _check_language(value: Any) -> None:
    """Refuse JSONata: its states have other fields, and neither those nor its expressions are known here."""
    if isinstance(value, dict):
        if value.get("QueryLanguage") == "JSONata":
            raise AssemblyError("InvalidDefinition: QueryLanguage 'JSONata' is not supported locally, only 'JSONPath'")
        for name, item in value.items():
            if name not in ("Parameters", "Result", "ResultSelector", "ItemSelector"):
                _check_language(item)
    elif isinstance(value, list):
        for item in value:
            _check_language(item)


def _check_fields(value: Mapping[str, Any], where: str) -> None:
    if unsupported := NOT_EXECUTED & value.keys():
        raise AssemblyError(f"{min(unsupported)!r} is not supported locally, at {where}; see docs/fidelity.md")
    if value.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("ExecutionType") == "EXPRESS":
        raise AssemblyError(f"ExecutionType 'EXPRESS' is not supported locally, at {where}")
    for name in ("Parameters", "ItemSelector"):
        if not isinstance(value.get(name, {}), dict):
            raise AssemblyError(f"{name} is not supported locally unless it is a JSON object, at {where}")


def _check_call(state: Mapping[str, Any], where: str) -> None:
    """Refuse a call whose members Step Functions does not know, and one whose permissions are not known here."""
    resource = state["Resource"]
    try:
        integration = find_integration(resource)
    except UnknownIntegrationError as error:
        raise AssemblyError(f"Resource {resource!r} is not supported locally, {error}, at {where}") from error
    if integration.call not in PERMISSIONS:
        raise AssemblyError(
            f"the permissions of {':'.join(integration.call)} are not known here, so that nobody could tell whether "
            f"the role has them, at {where}; see docs/fidelity.md"
        )
    for problem in integration.problems(state.get("Parameters", {})):
        raise InvalidDefinitionError(Rule.REQUEST, problem, f"{where}/Parameters")
