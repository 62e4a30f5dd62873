"""Two executions to look at: what the services tell of one that succeeds, and of one whose training crashes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_a2.local.rehearsal import Stage
from ml_a2.local.runtime import LocalRuntime

# Each is shown with what was made to go wrong.
FAULTS: tuple[tuple[str, ...], ...] = ((), ("training=crash",))


@dataclass(frozen=True)
class Execution:
    """One execution of one state machine: which states that has, how long they wait, and the history."""

    states: tuple[str, ...]
    waits: dict[str, float]
    history: list[dict[str, Any]]


@dataclass(frozen=True)
class Take:
    """What happened: the pipeline's execution, those that it led to, and the subjects of what the topic sent."""

    faults: tuple[str, ...]
    status: str
    execution: Execution
    others: tuple[Execution, ...]
    subjects: tuple[str, ...]


def record(assembly: Path, *, region: str, speed: float, tell: Callable[[str], None]) -> list[Take]:
    """Deploy an assembly and execute it on small data, once with each of the faults.

    Raises:
        AssemblyError: the assembly cannot be deployed.
        PlatformError: something that an execution needs is not to be had.
    """
    with LocalRuntime(region=region, speed=speed) as runtime:
        tell("deploying the template onto the embedded endpoint")
        stage = Stage(runtime, assembly)
        return [_take(stage, faults, tell) for faults in FAULTS]


def _take(stage: Stage, faults: tuple[str, ...], tell: Callable[[str], None]) -> Take:
    tell(f"executing it{f' with {faults[0]}' if faults else ''}")
    runtime = stage.runtime
    known = set(_executions(runtime))
    runtime.inject(faults)
    arn = stage.execute()
    runtime.settle()
    runtime.inject([])
    others = sorted(set(_executions(runtime)) - known - {arn})
    return Take(
        faults,
        stage.pipeline.outcome(arn).status,
        _execution(stage, arn),
        tuple(_execution(stage, other) for other in others),
        tuple(str(message.get("Subject", "")) for message in runtime.notifications()),
    )


def _executions(runtime: LocalRuntime) -> list[str]:
    client = runtime.clients.stepfunctions
    machines = client.list_state_machines()["stateMachines"]
    found = [client.list_executions(stateMachineArn=m["stateMachineArn"])["executions"] for m in machines]
    return [execution["executionArn"] for of_machine in found for execution in of_machine]


def _execution(stage: Stage, arn: str) -> Execution:
    answer = stage.runtime.clients.stepfunctions.describe_state_machine_for_execution(executionArn=arn)
    states = json.loads(answer["definition"])["States"]
    return Execution(tuple(states), dict(stage.pipeline.waits(arn)), stage.pipeline.history(arn))
