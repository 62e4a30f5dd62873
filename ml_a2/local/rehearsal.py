"""The deployed stack, with a little data in place: scenarios are executed on it, and what came of each is gathered."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Self

import numpy as np

from ml_a2 import contract
from ml_a2.client import Outcome, Pipeline
from ml_a2.errors import PlatformError
from ml_a2.evaluation_code import evaluation_files
from ml_a2.local.runtime import LocalRuntime

FEW_ROUNDS = {"hyperparameters": {"num_round": "3"}}
KINDS = ("training", "processing")
# A job that is awaited, or told to stop, does so within this time: the longest is a grace time of 120 s.
PATIENCE_SECONDS = 150


class NoModelError(PlatformError):
    """A scenario needs a model, and the training of one fails."""


class Stage:
    """A deployed stack with data; scenarios run on it one after the other."""

    def __init__(self, runtime: LocalRuntime, assembly: Path) -> None:
        """Deploy the assembly and upload data and code.

        Raises:
            AssemblyError: the assembly cannot be deployed.
        """
        self.runtime = runtime
        self.outputs = runtime.deploy(assembly)
        runtime.collect_notifications(self.outputs[contract.OUTPUT_TOPIC])
        self.pipeline = Pipeline(runtime.clients, self.outputs)
        self.pipeline.upload(evaluation_files())
        self.put(f"{contract.TRAIN_PREFIX}t.csv", rows(1))
        self.put(f"{contract.VALIDATION_PREFIX}v.csv", rows(2))
        self._number = 0
        self._model = ""

    @property
    def bucket(self) -> str:
        """Return the bucket of training data."""
        return self.outputs[contract.OUTPUT_TRAINING_DATA_BUCKET]

    def put(self, key: str, text: str) -> None:
        """Write an object of the training data bucket."""
        self.runtime.clients.s3.put_object(Bucket=self.bucket, Key=key, Body=text.encode())

    def start(self, **more: Any) -> str:
        """Start a short execution and return its ARN."""
        self._number += 1
        return self.pipeline.start(f"rehearsal-{self._number}", {**FEW_ROUNDS, **more})

    def execute(self, **more: Any) -> str:
        """Start a short execution, wait for its end and return its ARN."""
        arn = self.start(**more)
        self.wait(arn)
        self._model = self._model or self.pipeline.outcome(arn).output.get("model_artifact", "")
        return arn

    def wait(self, arn: str) -> None:
        """Wait for the end of an execution."""
        for _ in self.pipeline.watch(arn, poll_seconds=0.05):
            pass

    def model(self) -> str:
        """Return the model of an earlier execution, for which a first one trains."""
        if not self._model:
            outcome = self.pipeline.outcome(self.execute())
            if not self._model:
                raise NoModelError(f"no model could be trained to evaluate: {outcome.failure}")
        return self._model

    def wait_for_job(self, kind: str, arn: str) -> None:
        """Wait until a job of a kind runs, or the execution that should create it has ended."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        describe = self.runtime.clients.stepfunctions.describe_execution
        while not self.jobs(kind, "InProgress") and describe(executionArn=arn)["status"] == "RUNNING":
            if time.monotonic() > deadline:
                raise PlatformError(f"no {kind} job began within {PATIENCE_SECONDS} s")
            time.sleep(0.02)

    def jobs(self, kind: str, status: str) -> list[str]:
        """Return the names of the jobs of a kind that have a status."""
        answer: Any = getattr(self.runtime.clients.sagemaker, f"list_{kind}_jobs")(StatusEquals=status)
        return [job[f"{kind.title()}JobName"] for job in answer[f"{kind.title()}JobSummaries"]]

    def stop_jobs(self) -> None:
        """Stop what a scenario left running, so that the next one starts with nothing."""
        for kind in KINDS:
            for name in self.jobs(kind, "InProgress"):
                stop = getattr(self.runtime.clients.sagemaker, f"stop_{kind}_job")
                stop(**{f"{kind.title()}JobName": name})
        self.await_stopping()

    def await_stopping(self) -> None:
        """Wait for jobs that were told to stop."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while any(self.jobs(kind, "Stopping") for kind in KINDS):
            if time.monotonic() > deadline:
                raise PlatformError(f"a job that was told to stop has not within {PATIENCE_SECONDS} s")
            time.sleep(0.05)

    def versions(self) -> set[tuple[str, str, str]]:
        """Return bucket, key and id of every object version."""
        s3 = self.runtime.clients.s3
        return {
            (bucket["Name"], version["Key"], version["VersionId"])
            for bucket in s3.list_buckets()["Buckets"]
            for version in s3.list_object_versions(Bucket=bucket["Name"]).get("Versions", [])
        }


def rows(seed: int) -> str:
    """Return 100 rows that can be learned from: the label, then three features."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(100, 3))
    labels = (features[:, 0] + random.normal(size=100) / 3 > 0).astype(int)
    return "".join(f"{label},{a:.5f},{b:.5f},{c:.5f}\n" for label, (a, b, c) in zip(labels, features, strict=True))


@dataclass(frozen=True)
class Scenario:
    """One way for an execution to go, and what must come of it.

    `act` starts the execution and waits for its end. Messages are patterns of their subjects (after the stack's name)
    with `*` for any text; `cause` and `told` are parts of the execution's cause and of the messages' texts; `denied` is
    the one action that may be denied to a role.
    """

    name: str
    act: Callable[[Stage], str]
    status: str = "FAILED"
    error: str = ""
    cause: str = ""
    messages: Sequence[str] = ()
    alarms: Sequence[str] = ()
    told: str = ""
    denied: str = ""


@dataclass
class Result:
    """What came of it."""

    scenario: Scenario
    outcome: Outcome
    messages: list[str]
    alarms: list[str]
    bodies: str
    running_jobs: list[str]
    lost: set[tuple[str, str, str]]
    incidents: list[str]
    denials: list[str]

    @classmethod
    def of(cls, stage: Stage, scenario: Scenario) -> Self:
        """Execute a scenario and gather what came of it."""
        runtime = stage.runtime
        before, known, denied = stage.versions(), runtime.incidents.all(), len(runtime.authorization.denied)
        runtime.inject([])
        arn = scenario.act(stage)
        runtime.settle()
        runtime.inject([])
        stage.await_stopping()
        found = [(n["Subject"], n["Message"]) for n in runtime.notifications()]
        told = [pair for pair in found if not pair[0].startswith("ALARM: ")]
        result = cls(
            scenario,
            stage.pipeline.outcome(arn),
            [subject.partition(": ")[2] for subject, _ in told],
            [json.loads(body)["Trigger"]["MetricName"] for pair in found if pair not in told for body in pair[1:]],
            "\n".join(body for _, body in told),
            [job for kind in KINDS for job in stage.jobs(kind, "InProgress")],
            before - stage.versions(),
            [incident for incident in runtime.incidents.all() if incident not in known],
            runtime.authorization.denied[denied:],
        )
        stage.stop_jobs()
        runtime.quieten_alarms()
        return result

    def problems(self) -> list[str]:
        """Return how it differs from what must come of it."""
        wanted, failure = self.scenario, self.outcome.failure
        error, cause = (failure.error, failure.cause) if failure else ("", "")
        unexpected = [each for each in self.denials if not wanted.denied or f"perform: {wanted.denied} on" not in each]
        checks = {
            "; ".join(dict.fromkeys(unexpected)): not unexpected,
            f"ended {self.outcome.status}, not {wanted.status}: {error}: {cause}": self.outcome.status == wanted.status,
            f"the definition itself is wrong: {cause}": error != "States.Runtime",
            f"the error is {error!r}, not {wanted.error!r}: {cause}": not wanted.error or error == wanted.error,
            f"the cause does not say {wanted.cause!r}: {cause}": wanted.cause in cause,
            f"the topic was told {self.messages}, not {list(wanted.messages)}": self._told_as_wanted(),
            f"the alarms were {self.alarms}, not {list(wanted.alarms)}": self.alarms == list(wanted.alarms),
            f"nobody is told {wanted.told!r}, only {self.bodies!r}": wanted.told in self.bodies,
            f"jobs still run: {self.running_jobs}": not self.running_jobs,
            f"nothing denied {wanted.denied}": not wanted.denied or bool(self.denials),
            f"what had been written is lost: {self.lost}": not self.lost,
            "; ".join(self.incidents): not self.incidents,
        }
        return [words for words, holds in checks.items() if not holds]

    def _told_as_wanted(self) -> bool:
        wanted = self.scenario.messages
        return len(self.messages) == len(wanted) and all(map(fnmatchcase, self.messages, wanted))
