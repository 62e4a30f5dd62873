"""Containers that are started ahead, one for a training and one for an evaluation: their interpreters are warm.

A job whose container waits already is the same job: the same program in the same namespaces with the same variables.
Only what it would import first is there. Where that cannot be so, the job starts its container itself.

The second starts when the first job does. Its imports would take their time from everything that the first job waits
for; beside a training there is more of it, since XGBoost reads its data on one core.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

PACKAGE_ROOT = Path(__file__).parents[3]
TRAINING_PROGRAM = "ml_a2.local.images.xgboost"
# What the programs import, in the order of time.
MODULES = {
    "training": ("ml_a2.local.images.xgboost.training",),
    "evaluation": ("numpy", "pandas", "ml_a2.local.images.xgboost.engine"),
}
# Variables that libraries read when they are loaded, which is past here.
READ_AT_LOAD = ("OMP_", "GOMP_", "KMP_", "OPENBLAS_", "MKL_", "NUMEXPR_", "LD_", "PYTHON", "MALLOC_")


class WarmContainers:
    """A context manager that leaves no process behind."""

    def __init__(self, kinds: Sequence[str] = tuple(MODULES)) -> None:
        """Start nothing yet.

        Args:
            kinds: the jobs that there will be, "training" or "evaluation", in their order.
        """
        self._kinds: Iterator[str] = iter(kinds)
        self._waiting: dict[str, Future[subprocess.Popen[str]]] = {}
        self._lock = threading.Lock()
        # A container dies with the thread that started it, as that of a job would at the job's end.
        self._starter = ThreadPoolExecutor(1, "containers")

    def __enter__(self) -> Self:
        """Start the first, where there can be any, and return at once."""
        if sys.platform == "linux":
            self._start_next()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End those that nobody took."""
        with self._lock:
            self._kinds = iter(())
            left, self._waiting = self._waiting, {}
        try:
            for started in left.values():
                if started.exception() is None:
                    _end(started.result())
        finally:
            self._starter.shutdown()

    def _start_next(self) -> None:
        with self._lock:
            if kind := next(self._kinds, None):
                self._waiting[kind] = self._starter.submit(_start, MODULES[kind])

    def take(
        self, base: Path, command: Sequence[str], environment: Mapping[str, str], *, isolated: bool
    ) -> subprocess.Popen[str] | None:
        """Return a process that runs the command from now on; None where none waits for such a job."""
        self._start_next()
        kind = _kind(command)
        if kind is None or not isolated or any(_differs(name, environment) for name in environment):
            return None
        with self._lock:
            started = self._waiting.pop(kind, None)
        if started is None or started.exception():  # which the container that the job starts itself will meet, and tell
            return None
        process = started.result()
        order = {"base": str(base), "environment": dict(environment), "command": list(command)}
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.close()
            process.stdin = None
        except BrokenPipeError:  # the host has no namespaces, or the process was killed
            _end(process)
            return None
        return process


def base_environment() -> dict[str, str]:
    """Return what a container starts with: this Python first on the path, and our package importable."""
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP", "TMP") if name in os.environ}
    path = os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"])
    return {
        **kept,
        "PATH": path,
        "PYTHONPATH": str(PACKAGE_ROOT),
        "PYTHONUNBUFFERED": "1",
        "LANG": "C.UTF-8",
        # Threads that wait for one another sleep at once. To look 100,000 times before would save a training that is
        # alone a fourteenth of its time, and make one beside other jobs take five times as long.
        "OMP_WAIT_POLICY": "PASSIVE",
    }


def _start(modules: Sequence[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        # -P: what lies in the person's folder is nothing that a job could import.
        [sys.executable, "-P", "-m", "ml_a2.local.sagemaker.waiting", "isolated", *modules],
        env=base_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )


def _end(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):  # it ended by itself
        os.killpg(process.pid, signal.SIGKILL)
    with process:
        pass  # waits, and closes its pipes


def _kind(command: Sequence[str]) -> str | None:
    if command[:1] != [sys.executable]:
        return None
    if command[1:3] == ["-m", TRAINING_PROGRAM]:
        return "training"
    return "evaluation" if command[1:2] and command[1].endswith(".py") else None


def _differs(name: str, environment: Mapping[str, str]) -> bool:
    return name.startswith(READ_AT_LOAD) and environment[name] != base_environment().get(name)
