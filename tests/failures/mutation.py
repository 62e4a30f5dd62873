"""One change of a synthesized template: to a resource, a policy, a definition, or one of its states."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_a2.contract import STACK_NAME
from ml_a2.local.runtime import read_template

Template = dict[str, Any]
Change = Callable[[Template], None]


@dataclass(frozen=True)
class Mutation:
    """One change of a template."""

    kind: str
    name: str
    change: Change


def resource(template: Template, prefix: str, kind: str) -> dict[str, Any]:
    """Return the one resource of a type whose logical id begins with the prefix."""
    found: list[dict[str, Any]] = [
        r for name, r in template["Resources"].items() if name.startswith(prefix) and r["Type"] == f"AWS::{kind}"
    ]
    assert len(found) == 1, (prefix, kind, len(found))
    return found[0]


def statements(template: Template, role: str) -> list[dict[str, Any]]:
    """Return the statements of a role's policy."""
    listed: list[dict[str, Any]] = resource(template, role, "IAM::Policy")["Properties"]["PolicyDocument"]["Statement"]
    return listed


# The roles and state machines, by the beginning of their logical ids.
WORKFLOW, CLEAN_UP, EVENTS = "WorkflowStateMachineRole", "CleanUpStateMachineRole", "CleanUpStateMachineEventsRole"
TRAINING, EVALUATION = "TrainingRole", "EvaluationRole"
PIPELINE, CLEANER = "WorkflowStateMachine", "CleanUpStateMachine"


def replaced(old: str, new: str, prefix: str = "", kind: str = "") -> Change:
    """Replace a text everywhere in the template, or in one resource of it."""

    def change(template: Template) -> None:
        target = resource(template, prefix, kind) if kind else template
        before = json.dumps(target)
        after = before.replace(json.dumps(old)[1:-1], json.dumps(new)[1:-1])
        assert after != before, old
        target.clear()
        target.update(json.loads(after))

    return change


def without_action(role: str, action: str) -> Change:
    """Take one action away from a role."""

    def change(template: Template) -> None:
        for statement in statements(template, role):
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            if action in actions:
                statement["Action"] = [each for each in actions if each != action] or "none:None"
                return
        raise AssertionError(action)

    return change


def in_definition(machine: str, edit: Callable[[dict[str, Any]], None]) -> Change:
    """Edit a state machine's definition; what refers to other resources stays in its place."""

    def change(template: Template) -> None:
        properties = resource(template, machine, "StepFunctions::StateMachine")["Properties"]
        parts = properties["DefinitionString"]["Fn::Join"][1]
        text = "".join(part if isinstance(part, str) else f"@@{index}@@" for index, part in enumerate(parts))
        definition = json.loads(text)
        edit(definition)
        after = json.dumps(definition)
        assert after != json.dumps(json.loads(text))
        pieces = re.split(r"@@(\d+)@@", after)
        properties["DefinitionString"]["Fn::Join"][1] = [
            parts[int(piece)] if index % 2 else piece for index, piece in enumerate(pieces)
        ]

    return change


def in_state(machine: str, name: str, edit: Callable[[dict[str, Any]], object]) -> Change:
    """Edit one state."""

    def change(definition: dict[str, Any]) -> None:
        edit(definition["States"][name])

    return in_definition(machine, change)


def in_text(machine: str, state: str, old: str, new: str) -> Change:
    """Replace a text in one state."""

    def edit(definition: dict[str, Any]) -> None:
        before = json.dumps(definition["States"][state])
        definition["States"][state] = json.loads(before.replace(old, new))

    return in_definition(machine, edit)


def in_properties(prefix: str, kind: str, **changes: Any) -> Change:
    """Give properties of a resource other values; None takes one away."""

    def change(template: Template) -> None:
        properties = resource(template, prefix, kind)["Properties"]
        for name, value in changes.items():
            if value is None:
                del properties[name]
            else:
                properties[name] = value

    return change


def without(prefix: str, kind: str) -> Change:
    """Take a whole resource away."""

    def change(template: Template) -> None:
        target = resource(template, prefix, kind)
        name = next(name for name, r in template["Resources"].items() if r is target)
        del template["Resources"][name]

    return change


def in_json(old: str, new: str, prefix: str, kind: str = "IAM::Policy") -> Change:
    def change(template: Template) -> None:
        target = resource(template, prefix, kind)
        before = json.dumps(target)
        assert old in before, old
        after = json.loads(before.replace(old, new))
        target.clear()
        target.update(after)

    return change


def in_policy(prefix: str, edit: Callable[[list[dict[str, Any]]], object]) -> Change:
    """Edit the statements of a topic policy."""
    return lambda template: (
        edit(resource(template, prefix, "SNS::TopicPolicy")["Properties"]["PolicyDocument"]["Statement"]) and None
    )


def changed(assembly: Path, change: Change, folder: Path) -> Path:
    """Copy an assembly into a folder, with a changed template."""
    copy = folder / "cdk.out"
    shutil.copytree(assembly, copy)
    template = read_template(copy)
    change(template)
    (copy / f"{STACK_NAME}.template.json").write_text(json.dumps(template), encoding="utf-8")
    return copy
