"""Killing or interrupting a whole run leaves nothing running, and takes nothing that was written."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest

from tests.failures.interruptions import interrupt


def _earlier_run(folder: Path) -> Path:
    run = folder / "runs" / "earlier"
    run.mkdir(parents=True)
    (run / "manifest.json").write_text("{}")
    return run


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupting_keeps_what_was_written(tmp_path: Path, number: signal.Signals) -> None:
    """Exit status 130, no process, no temporary folder; history and log until then are in the run directory."""
    earlier = _earlier_run(tmp_path)
    left = interrupt(tmp_path, number)
    assert (left.exit_status, left.processes, left.temporary_folders, left.kept) == (130, [], [], True)
    assert "interrupted" in left.error
    assert "Traceback" not in left.error
    assert earlier.exists()
    (run,) = left.run_directories
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["execution"]["status"] == "ABORTED"
    assert (run / "logs" / "training.log").read_text().startswith("[0]\ttrain-auc:")
    assert json.loads((run / "history.json").read_text())[0]["type"] == "ExecutionStarted"


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends orphans on Linux only; see docs/fidelity.md")
def test_killing_the_run_kills_its_jobs(tmp_path: Path) -> None:
    """Even after SIGKILL no training goes on in the background, and what other runs wrote is untouched."""
    _earlier_run(tmp_path)
    left = interrupt(tmp_path, signal.SIGKILL)
    assert (left.exit_status, left.processes, left.run_directories, left.kept) == (-signal.SIGKILL, [], [], True)
