"""Executions that wait for a job go on when it has ended: locally that is known, and the wait is shortened anyway."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

KINDS = ("TrainingJob", "ProcessingJob")
# A job that tells of its end needs no look at it before; each costs as much as a hundredth of a second of training.
LOOK_SECONDS = 1.0
ENDED = ("Completed", "Failed", "Stopped")


class JobWaits:
    """Which execution, by its ARN, waits for which job."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._lock = threading.Lock()
        self._jobs: dict[str, str] = {}
        # The event for which an execution waits; somebody sets and clears it when the execution is stopped.
        self._waiting: dict[str, threading.Event] = {}
        self._running: set[str] = set()
        self._ended: set[str] = set()

    def called(self, execution: str, request: Mapping[str, Any], answer: Any) -> None:
        """Take that an execution has made a call: it waits for the job that it has created, or found running."""
        job = _job(request)
        with self._lock:
            self._jobs.pop(execution, None)
            if job is not None and _status(answer) not in ENDED:
                self._jobs[execution] = job

    def wait(self, execution: str, stopped: threading.Event, is_running: Callable[[], bool], seconds: float) -> None:
        """Wait until the execution's job has ended or the execution is stopped; without such a job, these seconds."""
        with self._lock:
            job = self._jobs.get(execution)
            self._waiting[execution] = stopped
        with stopped._cond:  # type: ignore[attr-defined]  # or either end could come between look and wait
            if job not in self._ended and is_running():
                stopped._cond.wait(max(seconds, LOOK_SECONDS) if job in self._running else seconds)  # type: ignore[attr-defined]
        with self._lock:
            self._waiting.pop(execution, None)

    def changed(self, description: Mapping[str, Any]) -> None:
        """Take that a job has changed its status."""
        job, status = _job(description), _status(description)
        if job is None:
            return
        if status not in ENDED:
            self._running.add(job)
            return
        with self._lock:
            self._ended.add(job)
            self._running.discard(job)
            waiting = [event for execution, event in self._waiting.items() if self._jobs.get(execution) == job]
        for stopped in waiting:
            # Whoever waits for the event goes on, as when the execution is stopped: the event is never set for long.
            with stopped._cond:  # type: ignore[attr-defined]
                stopped._cond.notify_all()  # type: ignore[attr-defined]


def _job(description: Mapping[str, Any]) -> str | None:
    return next((description[f"{kind}Name"] for kind in KINDS if f"{kind}Name" in description), None)


def _status(description: Mapping[str, Any]) -> str | None:
    return next((description[f"{kind}Status"] for kind in KINDS if f"{kind}Status" in description), None)
