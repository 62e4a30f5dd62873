"""A job that has ended, without its process: all that is told of the jobs of an earlier endpoint."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ml_a2.local.sagemaker.job import ENDED, Job, now
from ml_a2.local.sagemaker.training_job import STATUS_MESSAGES


@dataclass(frozen=True)
class EndedJob:
    """The answer of its Describe operation; `kind` is TrainingJob or ProcessingJob."""

    kind: str
    resource: str
    description: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Return its name."""
        return str(self.description[f"{self.kind}Name"])

    @property
    def arn(self) -> str:
        """Return its ARN."""
        return str(self.description[f"{self.kind}Arn"])

    @property
    def status(self) -> str:
        """Return how it ended."""
        return str(self.description[f"{self.kind}Status"])

    @property
    def created(self) -> dt.datetime:
        """Return when it was created."""
        time: dt.datetime = self.description["CreationTime"]
        return time

    @property
    def modified(self) -> dt.datetime:
        """Return when it changed last."""
        time: dt.datetime = self.description["LastModifiedTime"]
        return time

    @property
    def ended(self) -> dt.datetime:
        """Return when it ended."""
        time: dt.datetime = self.description[_end_time(self.kind)]
        return time

    def describe(self) -> dict[str, Any]:
        """Return the answer of the Describe operation."""
        return dict(self.description)


def ended(job: Job) -> EndedJob:
    """Return a job as one that has ended; one that runs as if it were stopped now, as its endpoint's end does."""
    kind, description = type(job).__name__, job.describe()
    if description[f"{kind}Status"] not in ENDED:
        description |= _stopped(kind, description)
    return EndedJob(kind, job.resource, description)


def _stopped(kind: str, description: Mapping[str, Any]) -> dict[str, Any]:
    time = now()
    changes = {f"{kind}Status": "Stopped", "LastModifiedTime": time, _end_time(kind): time}
    if kind != "TrainingJob":
        return changes
    *before, last = description["SecondaryStatusTransitions"]
    stopped = {"Status": "Stopped", "StartTime": time, "StatusMessage": STATUS_MESSAGES["Stopped"]}
    changes |= {
        "SecondaryStatus": "Stopped",
        "SecondaryStatusTransitions": [*before, {**last, "EndTime": time}, stopped],
    }
    if started := description.get("TrainingStartTime"):
        changes["TrainingTimeInSeconds"] = int((time - started) / dt.timedelta(seconds=1))
    return changes


def _end_time(kind: str) -> str:
    return f"{kind.removesuffix('Job')}EndTime"
