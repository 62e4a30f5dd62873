"""A whole run that is interrupted or killed in the middle of a training: what is left of it, and of runs before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ml_a2 import contract
from ml_a2.local.clients import Clients
from tests.processes import heed_ctrl_c

# Each with the exit status that a shell sees.
INTERRUPTIONS = {
    "the run is interrupted (Ctrl-C) during the training": (signal.SIGINT, 130),
    "the run is told to end (SIGTERM) during the training": (signal.SIGTERM, 130),
    "the endpoint is killed (SIGKILL) during the training": (signal.SIGKILL, -signal.SIGKILL),
}


@dataclass
class Interrupted:
    """What came of it."""

    exit_status: int
    error: str
    processes: list[int]
    run_directories: list[Path]
    temporary_folders: list[Path]
    kept: bool


def interrupt(folder: Path, number: signal.Signals) -> Interrupted:
    """Send a signal to a run that trains, and look at what is left.

    Args:
        folder: where the run is started; runs before lie in its `runs`.
        number: the signal.
    """
    before = contents(folder / "runs")
    with training(folder) as (process, children):
        process.send_signal(number)
        _, error = process.communicate(timeout=120)
        deadline = time.monotonic() + 20  # the kernel ends the orphans of a killed run at once
        while any(map(is_running, children)) and time.monotonic() < deadline:
            time.sleep(0.1)
        after = contents(folder / "runs")
        return Interrupted(
            process.returncode,
            error,
            [pid for pid in children if is_running(pid)],
            sorted({folder / "runs" / path.parts[0] for path in after if path not in before}),
            list(folder.glob("ml-a2-*")),
            all(after.get(path) == content for path, content in before.items()),
        )


def contents(folder: Path) -> dict[Path, bytes]:
    """Return every file below a folder, by its path there."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@contextmanager
def training(folder: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """Start a run that would train for hours, and give it with its training process; it ends with the caller."""
    heed_ctrl_c()
    process = subprocess.Popen(
        [sys.executable, "-m", "ml_a2.cli", "run", "--set", "num_round=1000000"],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = ""
        for line in process.stdout:
            url = line.split()[-1] if line.startswith("deployed ") else url
            if "WaitForTraining" in line:
                break
        _await_first_round(url, process)
        yield process, _children(process.pid)
    finally:
        process.kill()
        process.communicate()


def _await_first_round(url: str, process: subprocess.Popen[str]) -> None:
    """Wait until the training is in the middle of it: its first round stands in the log."""
    logs = Clients(url, "us-east-1").logs
    group = contract.TRAINING_LOG_GROUP
    while process.poll() is None:
        groups = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        for stream in logs.describe_log_streams(logGroupName=group)["logStreams"] if groups else []:
            events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], limit=10)["events"]
            if any(event["message"].startswith("[") for event in events):
                return
        time.sleep(0.1)
    raise AssertionError(f"the run ended before it trained: {process.communicate()}")


def is_running(pid: int) -> bool:
    """Tell whether a process is there and not just waiting to be buried."""
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def _children(pid: int) -> list[int]:
    """Return every process below one."""
    answer = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    found = [int(word) for word in answer.stdout.split()]
    return found + [below for child in found for below in _children(child)]
