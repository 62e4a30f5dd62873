"""Executions that wait for a job go on when it has ended: locally that is known, and the wait is shortened anyway.

A job takes the time that it takes, so waiting for it counts as that, however often the execution looks; with the job
the wait counts to the end of the pause in which AWS would have seen it end.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

from ml_a2.local.patches.clock import Lane, Time

KINDS = ("TrainingJob", "ProcessingJob")
# A job that tells of its end needs no look at it before; each costs as much as a hundredth of a second of training.
LOOK_SECONDS = 1.0
ENDED = ("Completed", "Failed", "Stopped")


class JobWaits:
    """Which branch of an execution, by the owner of its calls, waits for which job."""

    def __init__(self, time: Time | None = None) -> None:
        """Begin with nobody waiting."""
        self._time = time or Time()
        self._lock = threading.Lock()
        self._jobs: dict[object, str] = {}
        # When it first waited for its job.
        self._began: dict[object, float] = {}
        # The event for which a branch waits; somebody sets and clears it when the execution is stopped.
        self._waiting: dict[object, threading.Event] = {}
        self._running: set[str] = set()
        self._ended: set[str] = set()

    def called(self, owner: object, request: Mapping[str, Any], answer: Any) -> None:
        """Take that a branch has made a call: it waits for the job that it has created, or found running."""
        job = _job(request)
        with self._lock:
            if self._jobs.pop(owner, None) != job:
                self._began.pop(owner, None)
            if job is not None and _status(answer) not in ENDED:
                self._jobs[owner] = job

    def wait(
        self, lane: Lane, stopped: threading.Event, is_running: Callable[[], bool], seconds: float, speed: float
    ) -> None:
        """Wait until the branch's job has ended or the execution is stopped; without such a job, these seconds.

        Args:
            lane: the time of the branch, which learns how long that was.
            stopped: is set when the execution is stopped.
            is_running: tells whether the execution is not stopped yet.
            seconds: that the state waits.
            speed: by which they are divided.
        """
        with self._lock:
            job = self._jobs.get(lane.owner)
            self._waiting[lane.owner] = stopped
            began = self._began.setdefault(lane.owner, self._time.now()) if job else 0.0
        pause = max(seconds / speed, LOOK_SECONDS) if job in self._running else seconds / speed
        passing = nullcontext() if job else lane.passing(seconds, speed)
        with passing, stopped._cond:  # type: ignore[attr-defined]  # or either end could come between look and wait
            if job not in self._ended and is_running():
                self._time.wait(stopped._cond, pause)  # type: ignore[attr-defined]
        with self._lock:
            self._waiting.pop(lane.owner, None)
        if job in self._ended:
            waited = self._time.now() - began
            lane.skip(max(math.ceil(waited / seconds), 1) * seconds - waited)

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
            waiting = [event for owner, event in self._waiting.items() if self._jobs.get(owner) == job]
        for stopped in waiting:
            # Whoever waits for the event goes on, as when the execution is stopped: the event is never set for long.
            with stopped._cond:  # type: ignore[attr-defined]
                stopped._cond.notify_all()  # type: ignore[attr-defined]


def _job(description: Mapping[str, Any]) -> str | None:
    return next((description[f"{kind}Name"] for kind in KINDS if f"{kind}Name" in description), None)


def _status(description: Mapping[str, Any]) -> str | None:
    return next((description[f"{kind}Status"] for kind in KINDS if f"{kind}Status" in description), None)
