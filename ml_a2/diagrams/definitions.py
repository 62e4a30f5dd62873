"""The states of a state machine, read from its definition."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ml_a2.diagrams.architecture import Machine, State, Step
from ml_a2.diagrams.expressions import properties, text_of
from ml_a2.errors import AssemblyError

# Service names of the SDK integrations that are other ones in IAM.
IAM_PREFIXES = {"cloudwatchlogs": "logs", "sfn": "states", "cloudwatch": "cloudwatch"}


@dataclass(frozen=True)
class Definition:
    """A definition with its references as text, and the role under which it runs."""

    id: str
    role: str
    states: Mapping[str, Any]
    start: str

    def machine(self) -> Machine:
        """Return its states and transitions."""
        states = tuple(State(name, str(s["Type"]), _note(s), call_of(s)) for name, s in self.states.items())
        return Machine(self.id, self.start, states, tuple(dict.fromkeys(self._steps())))

    def _steps(self) -> Iterator[Step]:
        for name, state in self.states.items():
            rules = [rule["Next"] for rule in state.get("Choices", [])]
            for target in (state.get("Next"), *rules, state.get("Default")):
                if target:
                    yield Step(name, target)
            for catcher in state.get("Catch", []):
                yield Step(name, catcher["Next"], fails=True)


def read_definition(logical_id: str, resource: Mapping[str, Any]) -> Definition:
    """Read the definition of a state machine in a template.

    Raises:
        AssemblyError: it is no definition.
    """
    try:
        content = json.loads(text_of(properties(resource)["DefinitionString"]), strict=False)
        states, start = content["States"], content["StartAt"]
        definition = Definition(logical_id, text_of(properties(resource)["RoleArn"]).strip("{}"), states, start)
        known = {start, *(step.target for step in definition.machine().steps)}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AssemblyError(f"resource {logical_id!r} has no definition that can be drawn: {error!r}") from error
    if unknown := known - set(states):
        raise AssemblyError(f"resource {logical_id!r}: {min(unknown)!r} names no state of its definition")
    return definition


def call_of(state: Mapping[str, Any]) -> str:
    """Return what a Task state calls as IAM spells it, `sagemaker:CreateTrainingJob`; nothing for other states."""
    if state.get("Type") != "Task":
        return ""
    found = re.search(r":states:::(?:aws-sdk:)?(\w+):(\w+)", str(state.get("Resource")))
    if not found:
        return ""
    service, action = found.groups()
    return f"{IAM_PREFIXES.get(service, service)}:{action[:1].upper()}{action[1:]}"


def _note(state: Mapping[str, Any]) -> str:
    if "Seconds" in state:
        return f"{state['Seconds']} s"
    return "retried" if any(retrier.get("MaxAttempts", 3) for retrier in state.get("Retry", [])) else ""
