"""Which commands are useful after a run on this machine."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from ml_a2.cli.synth import CDK

if TYPE_CHECKING:
    from ml_a2.local.run import RunResult


def commands_after(result: RunResult, assembly: Path, *, opened: bool) -> list[str]:
    """Return the commands, what is read first first.

    Args:
        result: what came of the run.
        assembly: what was executed.
        opened: whether the report is opened already.
    """
    from ml_a2.local.assembly import seen_from_here

    name = result.execution
    report = [] if opened else [f"ml-a2 report {name} --open"]
    if result.status != "SUCCEEDED":
        return [*report, f"ml-a2 show {name}"]
    earlier = _earlier(result)
    again = f"ml-a2 compare {shlex.quote(earlier)} {name}" if earlier else f"ml-a2 verify {name}"
    return [*report, again, f"{CDK} deploy --app {shlex.quote(str(seen_from_here(assembly)))}"]


def _earlier(result: RunResult) -> str | None:
    """Return the newest run before this one, of which there are metrics."""
    from ml_a2.records.record import RunDirectories

    records, _ = RunDirectories(result.run_directory.parent).newest()
    return next((record.name for record in records if record.name != result.execution and record.metrics), None)
