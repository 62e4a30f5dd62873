"""Time and an account that are simulated: hours pass in seconds, jobs end by themselves, quotas and rates say no."""

from __future__ import annotations

import heapq
import itertools
import json
import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ml_a2.local.faults import error_answer
from ml_a2.local.patches.clock import Time

SEED = 20261125
# Medians in seconds, and the standard deviation of the logarithm: half of the jobs lie within a factor of 1.4.
RUN_TIMES = {"training": (600, 0.5), "processing": (180, 0.5)}
EVALUATION = json.dumps({"binary_classification_metrics": {"auc": {"value": 0.9}}})


class Clock:
    """Time that goes on when everybody sleeps; those who wake are woken one after the other."""

    def __init__(self) -> None:
        """Begin at 0."""
        self.now = 0.0
        self._busy = 0
        self._sleepers: list[tuple[float, int, threading.Event]] = []
        self._order = itertools.count()
        self._lock = threading.Lock()

    def enter(self) -> None:
        """Take that one more is busy."""
        with self._lock:
            self._busy += 1

    def leave(self) -> None:
        """Take that one will never be busy again."""
        with self._lock:
            self._busy -= 1
            self._go_on()

    def sleep(self, seconds: float) -> None:
        """Sleep."""
        woken = threading.Event()
        with self._lock:
            heapq.heappush(self._sleepers, (self.now + seconds, next(self._order), woken))
            self._busy -= 1
            self._go_on()
        woken.wait()

    def time(self) -> Time:
        """Return this time as executions take it."""
        return Time(lambda: self.now, lambda _, seconds: self.sleep(seconds))

    def _go_on(self) -> None:
        if self._busy == 0 and self._sleepers:
            self.now, _, woken = heapq.heappop(self._sleepers)
            self._busy += 1
            woken.set()


@dataclass
class Account:
    """Jobs that end by themselves, a quota for those at once of each kind, a rate for calls that create them."""

    clock: Clock
    exceptions: Any
    quota: int
    # Create calls a second of each kind; None where all are taken.
    create_rate: float | None
    times: random.Random = field(default_factory=lambda: random.Random(SEED))  # noqa: S311  # a simulation
    ends: dict[str, dict[str, float]] = field(default_factory=lambda: {kind: {} for kind in RUN_TIMES})
    job_seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(RUN_TIMES, 0.0))
    calls: dict[str, Counter[int]] = field(default_factory=dict)
    most_jobs: Counter[str] = field(default_factory=Counter)
    _next_create: dict[str, float] = field(default_factory=dict)

    def call(self, service: str, operation: str, parameters: dict[str, Any], role: str, machine: str) -> Any:
        """Answer a call of a state machine."""
        self.calls.setdefault(operation, Counter())[int(self.clock.now)] += 1
        answers: dict[str, Callable[[dict[str, Any]], Any]] = {
            "create_training_job": lambda p: self._create("training", p["TrainingJobName"]),
            "create_processing_job": lambda p: self._create("processing", p["ProcessingJobName"]),
            "describe_training_job": self._training,
            "describe_processing_job": lambda p: {
                "ProcessingJobStatus": self._status("processing", p["ProcessingJobName"])
            },
            "get_object": lambda _: {"Body": EVALUATION},
            "publish": lambda _: {"MessageId": "simulated"},
            "describe_log_streams": lambda _: {"LogStreams": []},
        }
        return answers[operation](parameters)

    def running(self, kind: str) -> int:
        """Return how many jobs of a kind run."""
        return sum(end > self.clock.now for end in self.ends[kind].values())

    def _create(self, kind: str, name: str) -> dict[str, Any]:
        if self.create_rate is not None:
            if self.clock.now < self._next_create.get(kind, 0):
                raise self._error("ThrottlingException", "Rate exceeded")
            self._next_create[kind] = self.clock.now + 1 / self.create_rate
        if self.running(kind) >= self.quota:
            raise self._error("ResourceLimitExceeded", f"the quota is {self.quota} instances")
        median, deviation = RUN_TIMES[kind]
        seconds = median * self.times.lognormvariate(0, deviation)
        self.ends[kind][name] = self.clock.now + seconds
        self.most_jobs[kind] = max(self.most_jobs[kind], self.running(kind))
        self.job_seconds[kind] += seconds
        return {"JobArn": name}

    def _training(self, parameters: dict[str, Any]) -> dict[str, Any]:
        name = parameters["TrainingJobName"]
        artifact = f"s3://models/{name}/output/model.tar.gz"
        return {
            "TrainingJobStatus": self._status("training", name),
            "ModelArtifacts": {"S3ModelArtifacts": artifact},
        }

    def _status(self, kind: str, name: str) -> str:
        return "InProgress" if self.ends[kind][name] > self.clock.now else "Completed"

    def _error(self, code: str, message: str) -> Exception:
        answer = error_answer(code)
        error: Exception = self.exceptions.from_code(code)({**answer, "Error": {"Code": code, "Message": message}}, "")
        return error
