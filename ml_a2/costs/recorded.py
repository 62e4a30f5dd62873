"""How long the jobs of a recorded run took, as its manifest has it: from start to end on their instances.

Of training the service model says "You are billed for the time interval between this time [TrainingStartTime] and the
value of TrainingEndTime"; that processing is billed alike is not written there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ml_a2.errors import UserError
from ml_a2.records.manifest import read_manifest

TIMES = {"training": "training_seconds", "processing": "evaluation_seconds"}


@dataclass(frozen=True)
class RecordedRun:
    """A run's name, the seconds of its jobs by kind, the states that it entered, and whether the laptop ran it."""

    name: str
    seconds: Mapping[str, float]
    transitions: int
    is_local: bool


def read_run(folder: Path) -> RecordedRun:
    """Read a run's directory.

    Raises:
        UserError: there is no manifest in it, or none that knows how long the evaluation took.
    """
    timings = read_manifest(folder).get("timings", {})
    seconds = {kind: float(timings[name]) for kind, name in TIMES.items() if timings.get(name) is not None}
    if "processing" not in seconds:
        raise UserError(
            f"run {folder.resolve().name!r} has no time of an evaluation in its manifest: it failed before, or an "
            "older version recorded it; choose another run, or give --training-minutes and --evaluation-minutes"
        )
    entered = sum(int(state["visits"]) for state in timings.get("states", []))
    return RecordedRun(folder.resolve().name, seconds, entered, "speed" in timings)
