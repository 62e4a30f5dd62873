"""Upload, start, watch, fetch: the pipeline as its clients use it, on AWS and locally alike, through boto3 alone."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from ml_a2 import contract
from ml_a2.execution_events import Event
from ml_a2.execution_history import failed_stage, job_name, last_known, next_step
from ml_a2.job_logs import STAGES, JobLog, last_words
from ml_a2.service_errors import code_of
from ml_a2.uploads import Uploaded, Uploads, not_written
from ml_a2.watching import RUNNING, Watch, watch

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient

__all__ = [
    "AwsClients", "Failure", "Outcome", "Pipeline", "Uploaded", "job_name", "last_known", "last_words", "metric_values",
]  # fmt: skip


class AwsClients(Protocol):
    """The boto3 clients that the pipeline's client needs."""

    @property
    def s3(self) -> S3Client:
        """Amazon S3."""

    @property
    def stepfunctions(self) -> SFNClient:
        """AWS Step Functions."""

    @property
    def logs(self) -> CloudWatchLogsClient:
        """Amazon CloudWatch Logs."""


@dataclass(frozen=True)
class Failure:
    """Why an execution did not succeed."""

    stage: str
    error: str
    cause: str


@dataclass(frozen=True)
class Outcome:
    """How an execution ended."""

    status: str
    failure: Failure | None
    output: Mapping[str, Any]
    started: dt.datetime | None = None
    ended: dt.datetime | None = None

    @property
    def gate(self) -> str:
        """Return what the quality gate said: passed, failed, or none when nobody asked it."""
        if self.failure and self.failure.error == contract.GATE_FAILED:
            return "failed"
        return "passed" if contract.GATE_FIELD in self.output else "none"


class Pipeline:
    """A deployed stack, found by its outputs."""

    def __init__(self, clients: AwsClients, outputs: Mapping[str, str]) -> None:
        """Take the clients and the stack's outputs."""
        self._clients = clients
        self._outputs = outputs

    def upload(
        self,
        data: Mapping[str, Path],
        *,
        again: bool = True,
        hashes: Mapping[str, str] | None = None,
        tell: Callable[[str, int], None] | None = None,
        state: Path | None = None,
    ) -> dict[str, Uploaded]:
        """Copy files to the training data bucket, by key; return what was written, by key.

        Args:
            data: the files.
            again: whether to copy a file also where the object has its content already.
            hashes: the SHA-256 of files of which it is known already, by key.
            tell: hears of each part that is done: the key and the number of bytes.
            state: where this machine writes down which uploads of large files it has begun.

        Raises:
            PlatformError: the bucket does not take one.
        """
        uploads = Uploads(self._clients.s3, self._outputs[contract.OUTPUT_TRAINING_DATA_BUCKET], state=state)
        hear = tell or (lambda key, size: None)
        known = hashes or {}
        return {
            key: uploads.send(path, key, again=again, tell=partial(hear, key), sha256=known.get(key))
            for key, path in data.items()
        }

    def upload_model(self, archive: Path, name: str) -> str:
        """Copy a model to the model artifacts bucket, where evaluations may read it; return its URI.

        Raises:
            PlatformError: the bucket does not take it.
        """
        uri = self.model_uri(name)
        bucket, key = _bucket_and_key(uri)
        Uploads(self._clients.s3, bucket).send(archive, key, again=True, tell=lambda size: None)
        return uri

    def name_champion(self, model_uri: str) -> None:
        """Name the model that the next one must not fall behind, as the state machine itself does.

        Raises:
            PlatformError: the bucket does not take it.
        """
        bucket = self._outputs[contract.OUTPUT_MODEL_ARTIFACTS_BUCKET]
        self._put(f"s3://{bucket}/{contract.CHAMPION_KEY}", json.dumps({"model_artifact": model_uri}).encode())

    def execution_arn(self, name: str) -> str:
        """Return the ARN of an execution by its name; an ARN is returned as it is."""
        machine = self._outputs[contract.OUTPUT_STATE_MACHINE]
        return name if name.startswith("arn:") else f"{machine.replace(':stateMachine:', ':execution:')}:{name}"

    def start(self, name: str, execution_input: Mapping[str, Any]) -> str:
        """Start an execution and return its ARN."""
        answer = self._clients.stepfunctions.start_execution(
            stateMachineArn=self._outputs[contract.OUTPUT_STATE_MACHINE],
            name=name,
            input=json.dumps(execution_input),
        )
        return answer["executionArn"]

    def stop(self, execution_arn: str, error: str, cause: str) -> None:
        """Stop an execution."""
        self._clients.stepfunctions.stop_execution(executionArn=execution_arn, error=error, cause=cause)

    def watch(
        self,
        execution_arn: str,
        *,
        poll_seconds: float,
        slowest_seconds: float = 0.0,
        lines: bool = False,
        patient: bool = False,
        sleep: Callable[[float], object] = time.sleep,
    ) -> Iterator[Event]:
        """Yield what happens until the execution has ended, each thing once.

        Args:
            execution_arn: of the execution.
            poll_seconds: from look to look.
            slowest_seconds: from look to look at most, when it takes long; 0 to look as often as at the beginning.
            lines: whether every line of the jobs' logs is told.
            patient: whether throttling, and for ten minutes a lost connection, is told once and waited for.
            sleep: waits from look to look.
        """
        seen = Watch(self._clients.stepfunctions, self._clients.logs, execution_arn, lines=lines)
        yield from watch(seen, poll_seconds=poll_seconds, slowest_seconds=slowest_seconds, patient=patient, sleep=sleep)

    def outcome(self, execution_arn: str) -> Outcome:
        """Return how an execution ended, with the failure that its last state names."""
        answer = self._clients.stepfunctions.describe_execution(executionArn=execution_arn)
        output = json.loads(answer.get("output", "{}"))
        times = (answer["startDate"], answer.get("stopDate"))
        if answer["status"] in ("SUCCEEDED", RUNNING):
            return Outcome(answer["status"], None, output, *times)
        stage = failed_stage(self.history(execution_arn))
        failure = Failure(stage, answer.get("error", answer["status"]), answer.get("cause", ""))
        return Outcome(answer["status"], failure, output, *times)

    def history(self, execution_arn: str) -> list[dict[str, Any]]:
        """Return every event of an execution."""
        pages = self._clients.stepfunctions.get_paginator("get_execution_history").paginate(executionArn=execution_arn)
        return [dict(event) for page in pages for event in page["events"]]

    def next_step(self, execution_arn: str) -> str:
        """Return what the message of a failure advises; empty where there was none."""
        return next_step(self.history(execution_arn))

    def waits(self, execution_arn: str) -> dict[str, int]:
        """Return how many seconds each Wait state of an execution's definition waits."""
        answer = self._clients.stepfunctions.describe_state_machine_for_execution(executionArn=execution_arn)
        states: dict[str, Any] = json.loads(answer["definition"])["States"]
        return {name: state["Seconds"] for name, state in states.items() if "Seconds" in state}

    def log(self, group: str, job: str) -> list[str]:
        """Return all lines that a job wrote; where several hosts did, in the order of time and with their names."""
        log = JobLog(self._clients.logs, group, job)
        lines = log.news()
        return [log.text(line) for line in lines]

    def last_words(self, execution_arn: str, stage: str) -> list[str]:
        """Return the lines of a stage's log that say why its job failed; none where the stage has no log."""
        job = job_name(self.history(execution_arn), STAGES[stage].field) if stage in STAGES else None
        if job is None:
            return []
        log = JobLog(self._clients.logs, STAGES[stage].log_group, job)
        lines = log.last()
        return last_words([log.text(line) for line in lines])

    def fetch(self, uri: str, path: Path) -> bool:
        """Copy an object to a file; tell whether there is one."""
        bucket, key = _bucket_and_key(uri)
        try:
            self._clients.s3.download_file(bucket, key, str(path))
        except ClientError as error:
            if code_of(error) in ("404", "NoSuchKey"):
                return False
            raise
        return True

    def version_id(self, uri: str) -> str | None:
        """Return the version of an object that stands there now; None where the bucket keeps none, or no object."""
        bucket, key = _bucket_and_key(uri)
        try:
            return self._clients.s3.head_object(Bucket=bucket, Key=key).get("VersionId")
        except ClientError as error:
            if code_of(error) in ("404", "NoSuchKey"):
                return None
            raise

    def put_manifest(self, execution_name: str, manifest: bytes) -> None:
        """Write an execution's manifest beside its evaluation, for everybody who reads the bucket.

        Raises:
            PlatformError: the bucket does not take it.
        """
        self._put(self._result_uri(execution_name, contract.MANIFEST_FILE), manifest)

    def _put(self, uri: str, content: bytes) -> None:
        bucket, key = _bucket_and_key(uri)
        try:
            self._clients.s3.put_object(Bucket=bucket, Key=key, Body=content, ContentType="application/json")
        except ClientError as error:
            raise not_written(uri, error) from error

    def evaluation(self, execution_name: str) -> dict[str, Any]:
        """Return an execution's evaluation.json, an empty one where there is none."""
        bucket, key = _bucket_and_key(self.evaluation_uri(execution_name))
        try:
            body = self._clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            if code_of(error) == "NoSuchKey":
                return {}
            raise
        evaluation: dict[str, Any] = json.loads(body)
        return evaluation

    def evaluation_uri(self, execution_name: str) -> str:
        """Return where an execution's evaluation.json lies."""
        return self._result_uri(execution_name, contract.EVALUATION_FILE)

    def curves_uri(self, execution_name: str) -> str:
        """Return where an execution's curves.json lies."""
        return self._result_uri(execution_name, contract.CURVES_FILE)

    def model_uri(self, training_job: str) -> str:
        """Return where a training job's model lies."""
        bucket = self._outputs[contract.OUTPUT_MODEL_ARTIFACTS_BUCKET]
        return f"s3://{bucket}/{contract.MODELS_PREFIX}{training_job}/output/{contract.MODEL_ARCHIVE}"

    def _result_uri(self, execution_name: str, file: str) -> str:
        bucket = self._outputs[contract.OUTPUT_EVALUATION_RESULTS_BUCKET]
        return f"s3://{bucket}/{contract.EVALUATIONS_PREFIX}{execution_name}/{file}"


def _bucket_and_key(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def metric_values(evaluation: Mapping[str, Any]) -> dict[str, float]:
    """Return the metrics of an evaluation.json by name; those that are not defined are left out."""
    for key, metrics in evaluation.items():
        if key.endswith("_metrics"):
            return {
                name: metric["value"]
                for name, metric in metrics.items()
                if isinstance(metric.get("value"), int | float)
            }
    return {}
