"""A state machine, and the machines within it: their states and the ways between them.

Source: Amazon States Language, "Structure of a State Machine" and "Transitions".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ml_a2.execution_name import LONGEST_NAME
from ml_a2.local.states_language import values
from ml_a2.local.states_language.rules import InvalidDefinitionError, Rule
from ml_a2.local.states_language.states import check_state

# Of the whole machine, of a branch, and of what processes the items of a Map.
MACHINE = ("StartAt", "States", "Comment", "Version", "TimeoutSeconds", "QueryLanguage")
BRANCH = ("StartAt", "States", "Comment")
PROCESSOR = (*BRANCH, "ProcessorConfig")
REQUIRED = ("StartAt", "States")
ENDING = ("Succeed", "Fail")
TIMEOUT = "TimeoutSeconds"


def check_machine(definition: Any) -> None:
    """Refuse a definition of JSONPath states that CreateStateMachine would refuse.

    Raises:
        InvalidDefinitionError: the rule, and the state that breaks it.
    """
    values.check_object(definition, "")
    if TIMEOUT in definition:
        values.whole(0)(definition[TIMEOUT], f"/{TIMEOUT}")
    timed = {name: value for name, value in definition.items() if name != TIMEOUT}
    _Walk().check(timed, MACHINE, "")


@dataclass
class _Walk:
    """Goes through a machine and those within it; names are unique in all of them."""

    seen: dict[str, str] = field(default_factory=dict)

    def check(self, machine: Any, allowed: tuple[str, ...], where: str) -> None:
        values.check_fields(machine, allowed, REQUIRED, where)
        states = machine["States"]
        values.check_filled(states, f"{where}/States")
        for name, state in states.items():
            self._check_name(name, f"{where}/States/{name}")
            check_state(state, f"{where}/States/{name}")
        _check_transitions(machine["StartAt"], states, where)
        for name, state in states.items():
            self._check_inner(state, f"{where}/States/{name}")

    def _check_name(self, name: str, where: str) -> None:
        if not 1 <= len(name) <= LONGEST_NAME:
            problem = f"the name has {len(name)} characters, 1 to {LONGEST_NAME} may be"
            raise InvalidDefinitionError(Rule.STATE_NAME, problem, where)
        if name in self.seen:
            raise InvalidDefinitionError(
                Rule.UNIQUE_NAME, f"Duplicate State name: {name}, as {self.seen[name]},", where
            )
        self.seen[name] = where

    def _check_inner(self, state: Mapping[str, Any], where: str) -> None:
        if "Branches" in state:
            values.check_filled(state["Branches"], f"{where}/Branches")
        for index, branch in enumerate(state.get("Branches", [])):
            self.check(branch, BRANCH, f"{where}/Branches[{index}]")
        for name in ("ItemProcessor", "Iterator"):
            if name in state:
                self.check(state[name], PROCESSOR, f"{where}/{name}")
                _check_processor(state[name].get("ProcessorConfig", {}), f"{where}/{name}/ProcessorConfig")


def states_of(machine: Mapping[str, Any], where: str = "") -> Iterator[tuple[Mapping[str, Any], str]]:
    """Yield every state of a checked machine and of those within it, with its place."""
    for name, state in machine["States"].items():
        place = f"{where}/States/{name}"
        yield state, place
        for index, branch in enumerate(state.get("Branches", [])):
            yield from states_of(branch, f"{place}/Branches[{index}]")
        for inner in ("ItemProcessor", "Iterator"):
            if inner in state:
                yield from states_of(state[inner], f"{place}/{inner}")


def transitions(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the fields of a state that name another one, with its name."""
    for name in ("Next", "Default"):
        if name in state:
            yield name, state[name]
    for name in ("Choices", "Catch"):
        for index, rule in enumerate(state.get(name, [])):
            yield f"{name}[{index}]/Next", rule["Next"]


def _check_processor(config: Mapping[str, Any], where: str) -> None:
    values.check_fields(config, ("Mode", "ExecutionType"), (), where)
    is_distributed = config.get("Mode") == "DISTRIBUTED"
    if is_distributed != ("ExecutionType" in config):
        problem = (
            "These fields are required: [ExecutionType]" if is_distributed else "Field 'ExecutionType' is not supported"
        )
        raise InvalidDefinitionError(Rule.EXECUTION_TYPE, problem, where)


def _check_transitions(start: str, states: Mapping[str, Any], where: str) -> None:
    if start not in states:
        raise InvalidDefinitionError(Rule.TARGET, f"Missing 'Next' target: {start}", f"{where}/StartAt")
    for name, state in states.items():
        for place, target in transitions(state):
            if target not in states:
                problem = f"Missing 'Next' target: {target}"
                raise InvalidDefinitionError(Rule.TARGET, problem, f"{where}/States/{name}/{place}")
    for name in sorted(set(states) - _reachable(start, states)):
        raise InvalidDefinitionError(Rule.REACHABLE, f'State "{name}" is not reachable', f"{where}/States/{name}")
    if not any(state["Type"] in ENDING or state.get("End") for state in states.values()):
        raise InvalidDefinitionError(Rule.TERMINAL, "Workflow has no terminal state", where)


def _reachable(start: str, states: Mapping[str, Any]) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += [target for _, target in transitions(states[name])]
    return seen
