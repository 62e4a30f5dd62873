"""The operations on jobs: create, describe, list, stop; names are unique and quotas bound what runs at once."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from ml_a2.local.authorization import AccessDeniedError
from ml_a2.local.images import Image, UnknownImageError, find_image
from ml_a2.local.sagemaker.container import ML_PATH
from ml_a2.local.sagemaker.ended_job import EndedJob, ended
from ml_a2.local.sagemaker.job import ENDED, Job, JobServices
from ml_a2.local.sagemaker.processing_job import ProcessingJob
from ml_a2.local.sagemaker.protocol import ApiError, Operation
from ml_a2.local.sagemaker.supported import check_supported
from ml_a2.local.sagemaker.training_job import TrainingJob

JOBS_AT_ONCE = 20
# AWS's words, as people who got them quote them.
OWN_METRIC_DEFINITIONS = (
    "You can't override the metric definitions for Amazon SageMaker algorithms. Please retry the request without "
    "specifying metric definitions."
)
KINDS: tuple[type[Job], ...] = (TrainingJob, ProcessingJob)


class Jobs:
    """All jobs of the endpoint, running and ended."""

    def __init__(self, services: JobServices, *, at_once: int = JOBS_AT_ONCE) -> None:
        """Start without jobs; `at_once` is the quota of either kind."""
        self._services = services
        self._at_once = at_once
        self._jobs: dict[tuple[type[Job], str], Job | EndedJob] = {}
        self._closed = False
        self._lock = threading.Lock()

    def operations(self) -> dict[str, Operation]:
        """Return what the API answers."""
        return {
            "CreateTrainingJob": self._create_training_job,
            "DescribeTrainingJob": lambda request: self._find(TrainingJob, request["TrainingJobName"]).describe(),
            "ListTrainingJobs": lambda request: self._list(TrainingJob, request),
            "StopTrainingJob": lambda request: self._stop(TrainingJob, request["TrainingJobName"]),
            "CreateProcessingJob": self._create_processing_job,
            "DescribeProcessingJob": lambda request: self._find(ProcessingJob, request["ProcessingJobName"]).describe(),
            "ListProcessingJobs": lambda request: self._list(ProcessingJob, request),
            "StopProcessingJob": lambda request: self._stop(ProcessingJob, request["ProcessingJobName"]),
        }

    def kept(self) -> list[EndedJob]:
        """Return every job as one that has ended, now where it still runs."""
        with self._lock:
            jobs = list(self._jobs.values())
        return [job if isinstance(job, EndedJob) else ended(job) for job in jobs]

    def restore(self, kept: list[EndedJob]) -> None:
        """Take the jobs of an earlier endpoint."""
        kinds = {kind.resource: kind for kind in KINDS}
        self._jobs = {(kinds[job.resource], job.name): job for job in kept}

    def close(self) -> None:
        """End every job's process now, and take no more."""
        with self._lock:
            self._closed = True
            jobs = list(self._jobs.values())
        for job in jobs:
            if isinstance(job, Job):
                job.kill()

    def _create_training_job(self, request: dict[str, Any]) -> dict[str, Any]:
        check_supported("CreateTrainingJob", request)
        if missing := {"InstanceType", "InstanceCount"} - set(request.get("ResourceConfig", {})):
            raise ApiError("ValidationException", f"ResourceConfig.{min(missing)} is required")
        for channel in request.get("InputDataConfig", []):
            if channel["ChannelName"] in (".", ".."):  # its folder would be another one
                raise ApiError("ValidationException", f"ChannelName {channel['ChannelName']!r} is no name of a folder")
        if "CheckpointConfig" in request:
            _check_local_path("CheckpointConfig", request["CheckpointConfig"].get("LocalPath", ML_PATH))
        image = self._image(request["AlgorithmSpecification"].get("TrainingImage", ""))
        if image.command is None:
            raise ApiError("ValidationException", f"image {image.repository}:{image.tag} cannot train")
        if image.metric_definitions and request["AlgorithmSpecification"].get("MetricDefinitions"):
            raise ApiError("ValidationException", OWN_METRIC_DEFINITIONS)
        job = self._add(TrainingJob, request["TrainingJobName"], request, image)
        return {"TrainingJobArn": job.arn}

    def _create_processing_job(self, request: dict[str, Any]) -> dict[str, Any]:
        check_supported("CreateProcessingJob", request)
        application = request["AppSpecification"]
        image = self._image(application["ImageUri"])
        if not application.get("ContainerEntrypoint"):
            raise ApiError("ValidationException", "AppSpecification.ContainerEntrypoint is required locally")
        for item in request.get("ProcessingInputs", []):
            _check_local_path(item["InputName"], item.get("S3Input", {}).get("LocalPath", ""))
        for item in request.get("ProcessingOutputConfig", {}).get("Outputs", []):
            _check_local_path(item["OutputName"], item.get("S3Output", {}).get("LocalPath", ""))
        job = self._add(ProcessingJob, request["ProcessingJobName"], request, image)
        return {"ProcessingJobArn": job.arn}

    def _image(self, uri: str) -> Image:
        try:
            return find_image(uri, self._services.environment)
        except UnknownImageError as error:
            raise ApiError("ValidationException", str(error)) from error

    def _add(self, kind: type[Job], name: str, request: Mapping[str, Any], image: Image) -> Job:
        role = request["RoleArn"]
        try:
            session = self._services.authorization.assume(role, "sagemaker.amazonaws.com", "SageMaker")
        except AccessDeniedError as error:
            raise ApiError(
                "ValidationException",
                f"Could not assume role {role}. Please ensure that the role exists and allows principal "
                f"'sagemaker.amazonaws.com' to assume the role.",
            ) from error
        with self._lock:
            if self._closed:
                raise ApiError("ServiceUnavailable", "the local runtime is being ended")
            if (kind, name) in self._jobs:
                arn = self._jobs[kind, name].arn
                raise ApiError(
                    "ResourceInUse", f"Job name must be unique within an AWS account and region: {arn} exists"
                )
            running = sum(isinstance(job, kind) and job.status not in ENDED for job in self._jobs.values())
            if running >= self._at_once:
                raise ApiError(
                    "ResourceLimitExceeded",
                    f"The account-level service limit for {kind.resource}s at once is {self._at_once} Instances, with "
                    f"current utilization of {running} Instances and a request delta of 1 Instances.",
                )
            job = kind(name, request, image, session, self._services)
            self._jobs[kind, name] = job
            job.start()
        return job

    def _find(self, kind: type[Job], name: str) -> Job | EndedJob:
        with self._lock:
            if (kind, name) not in self._jobs:
                raise ApiError("ValidationException", "Requested resource not found.")
            return self._jobs[kind, name]

    def _stop(self, kind: type[Job], name: str) -> dict[str, Any]:
        job = self._find(kind, name)
        if isinstance(job, EndedJob) or job.status in ENDED:
            raise ApiError(
                "ValidationException",
                f"The request was rejected because the {kind.resource.replace('-', ' ')} is in status {job.status}.",
            )
        job.stop()
        return {}

    def _list(self, kind: type[Job], request: Mapping[str, Any]) -> dict[str, Any]:
        word = kind.__name__
        if unknown := set(request) - {"MaxResults", "NameContains", "StatusEquals"}:
            raise ApiError("ValidationException", f"{min(unknown)} is not supported locally when jobs are listed")
        with self._lock:
            jobs = [job for (of, _), job in self._jobs.items() if of is kind]
        chosen = [
            job
            for job in sorted(jobs, key=lambda job: job.created, reverse=True)
            if request.get("NameContains", "") in job.name and request.get("StatusEquals", job.status) == job.status
        ]
        summaries = [_summary(job, word) for job in chosen[: request.get("MaxResults", 100)]]
        return {f"{word}Summaries": summaries}


def _summary(job: Job | EndedJob, word: str) -> dict[str, Any]:
    summary = {
        f"{word}Name": job.name,
        f"{word}Arn": job.arn,
        f"{word}Status": job.status,
        "CreationTime": job.created,
        "LastModifiedTime": job.modified,
    }
    if job.ended:
        summary["TrainingEndTime" if word == "TrainingJob" else "ProcessingEndTime"] = job.ended
    return summary


def _check_local_path(name: str, path: str) -> None:
    if ".." in PurePosixPath(path).parts or "\0" in path or not PurePosixPath(path).is_relative_to(ML_PATH):
        raise ApiError("ValidationException", f"{name!r}: LocalPath {path!r} is not below {ML_PATH}")
