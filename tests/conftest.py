"""What tests share: one synth a session, one local runtime at a time in a process."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ml_a2.infrastructure.node import use_supported_node
from ml_a2.local.assembly import PLACE, PROJECT, find_assembly
from ml_a2.local.runtime import LocalRuntime, read_template
from tests.processes import heed_ctrl_c

heed_ctrl_c()
use_supported_node()  # before any test imports aws_cdk
# A person's AWS configuration plays no part in any test.
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
# Nor do the assemblies of somebody who uses the clone meanwhile.
os.environ[PLACE] = str(PROJECT / ".ml-a2" / "test-assemblies")


def pytest_configure(config: pytest.Config) -> None:
    """Synthesize before the workers start, so that each finds the assembly made."""
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        find_assembly(None, tell=lambda _: None)


@pytest.fixture(scope="session")
def assembly() -> Path:
    """The project's own cloud assembly."""
    return find_assembly(None, tell=lambda _: None)[0]


@pytest.fixture(scope="session")
def template(assembly: Path) -> dict[str, Any]:
    """The synthesized template; tests copy what they change."""
    return read_template(assembly)


@pytest.fixture
def runtime() -> Iterator[LocalRuntime]:
    """A local runtime without a stack."""
    with LocalRuntime(speed=1000) as running:
        yield running


def definition_of(template: dict[str, Any]) -> dict[str, Any]:
    """Return the state machine's definition with references replaced by their names."""
    machine = next(r for r in template["Resources"].values() if r["Type"] == "AWS::StepFunctions::StateMachine")
    parts = machine["Properties"]["DefinitionString"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else _name(part) for part in parts)
    definition: dict[str, Any] = json.loads(text)
    return definition


def _name(reference: dict[str, Any]) -> str:
    argument = next(iter(reference.values()))
    return "<" + (argument if isinstance(argument, str) else ".".join(map(str, map(_flat, argument)))) + ">"


def _flat(part: Any) -> Any:
    return next(iter(part.values())) if isinstance(part, dict) else part
