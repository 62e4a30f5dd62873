"""Upload, start, watch, fetch: the pipeline as its clients use it, on AWS and locally alike, through boto3 alone."""

from __future__ import annotations

import datetime as dt
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError

from ml_a2 import contract
from ml_a2.digest import file_sha256
from ml_a2.errors import PlatformError
from ml_a2.execution_events import Event, StateEntered, TrainingPlanned, training_round

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient

RUNNING = "RUNNING"
# A traceback's last line, or the container's own last words.
EXCEPTION_LINE = re.compile(r"(?:\w+\.)*\w*(?:Error|Exception|Interrupt|Exit)\b:? ?")
LAST_LINES = 5
# The metadata in which an object tells the SHA-256 of the file that it is a copy of.
HASH = "sha256"
LINES_SEARCHED = 60


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


@dataclass(frozen=True)
class Uploaded:
    """An object as it was written: the version that a bucket gave it, and the hash of the file that it is a copy of."""

    key: str
    version_id: str | None
    sha256: str
    size: int
    # Whether the object was there already, of the same content.
    kept: bool = False


class Pipeline:
    """A deployed stack, found by its outputs."""

    def __init__(self, clients: AwsClients, outputs: Mapping[str, str]) -> None:
        """Take the clients and the stack's outputs."""
        self._clients = clients
        self._outputs = outputs

    def upload(
        self, data: Mapping[str, Path], *, again: bool = True, tell: Callable[[str, int], None] | None = None
    ) -> dict[str, Uploaded]:
        """Copy files to the training data bucket, by key; return what was written, by key.

        Args:
            data: the files.
            again: whether to copy a file also where the object has its content already.
            tell: hears of each part that is done: the key and the number of bytes.

        Raises:
            PlatformError: the bucket does not take one.
        """
        bucket = self._outputs[contract.OUTPUT_TRAINING_DATA_BUCKET]
        hear = tell or (lambda key, size: None)
        return {
            key: self._upload(path, bucket, key, again=again, tell=partial(hear, key)) for key, path in data.items()
        }

    def upload_model(self, archive: Path, name: str) -> str:
        """Copy a model to the model artifacts bucket, where evaluations may read it; return its URI.

        Raises:
            PlatformError: the bucket does not take it.
        """
        uri = self.model_uri(name)
        self._upload(archive, *_bucket_and_key(uri), again=True, tell=lambda size: None)
        return uri

    def name_champion(self, model_uri: str) -> None:
        """Name the model that the next one must not fall behind, as the state machine itself does.

        Raises:
            PlatformError: the bucket does not take it.
        """
        bucket = self._outputs[contract.OUTPUT_MODEL_ARTIFACTS_BUCKET]
        self._put(f"s3://{bucket}/{contract.CHAMPION_KEY}", json.dumps({"model_artifact": model_uri}).encode())

    def _upload(self, path: Path, bucket: str, key: str, *, again: bool, tell: Callable[[int], None]) -> Uploaded:
        sha256, size = file_sha256(path), path.stat().st_size
        uri = f"s3://{bucket}/{key}"
        if not again and self._metadata(uri).get(HASH) == sha256:
            tell(size)
            return Uploaded(key, self.version_id(uri), sha256, size, kept=True)
        try:
            # Large files go up in parts, several at a time.
            extra = {"Metadata": {HASH: sha256}}
            self._clients.s3.upload_file(str(path), bucket, key, ExtraArgs=extra, Callback=tell)
        except (S3UploadFailedError, ClientError) as error:
            raise _not_written(uri, error) from error
        return Uploaded(key, self.version_id(uri), sha256, size)

    def _metadata(self, uri: str) -> Mapping[str, str]:
        bucket, key = _bucket_and_key(uri)
        try:
            return self._clients.s3.head_object(Bucket=bucket, Key=key)["Metadata"]
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "403", "NoSuchKey"):
                return {}  # there is none, or it cannot be told
            raise

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

    def watch(self, execution_arn: str, *, poll_seconds: float) -> Iterator[Event]:
        """Yield what happens until the execution has ended, each thing once."""
        last, training_log = 0, None
        while True:
            status = self._clients.stepfunctions.describe_execution(executionArn=execution_arn)["status"]
            events = self._news(execution_arn, after=last)
            for event in events:
                last = event["id"]
                if entered := event.get("stateEnteredEventDetails"):
                    yield StateEntered(entered["name"], event["timestamp"])
            if training_log is None and (planned := _output_of(events, contract.PLANNING_STATE)):
                yield TrainingPlanned(planned["hyperparameters"])
                job = planned[contract.TRAINING_JOB_FIELD]
                training_log = self._follow(contract.TRAINING_LOG_GROUP, job)
            if training_log is not None:
                yield from filter(None, map(training_round, next(training_log)))
            if status != RUNNING:
                return
            time.sleep(poll_seconds)

    def outcome(self, execution_arn: str) -> Outcome:
        """Return how an execution ended, with the failure that its last state names."""
        answer = self._clients.stepfunctions.describe_execution(executionArn=execution_arn)
        output = json.loads(answer.get("output", "{}"))
        times = (answer["startDate"], answer.get("stopDate"))
        if answer["status"] in ("SUCCEEDED", RUNNING):
            return Outcome(answer["status"], None, output, *times)
        stage = _failed_stage(self.history(execution_arn))
        failure = Failure(stage, answer.get("error", answer["status"]), answer.get("cause", ""))
        return Outcome(answer["status"], failure, output, *times)

    def history(self, execution_arn: str) -> list[dict[str, Any]]:
        """Return every event of an execution."""
        pages = self._clients.stepfunctions.get_paginator("get_execution_history").paginate(executionArn=execution_arn)
        return [dict(event) for page in pages for event in page["events"]]

    def _news(self, execution_arn: str, *, after: int) -> list[dict[str, Any]]:
        """Return the events since one: from the end, as a history of hours is not read anew each time."""
        pages = self._clients.stepfunctions.get_paginator("get_execution_history").paginate(
            executionArn=execution_arn, reverseOrder=True, PaginationConfig={"PageSize": 1000 if after == 0 else 100}
        )
        found: list[dict[str, Any]] = []
        for page in pages:
            new = [dict(event) for event in page["events"] if event["id"] > after]
            found += new
            if len(new) < len(page["events"]):
                break
        return found[::-1]

    def waits(self, execution_arn: str) -> dict[str, int]:
        """Return how many seconds each Wait state of an execution's definition waits."""
        answer = self._clients.stepfunctions.describe_state_machine_for_execution(executionArn=execution_arn)
        states: dict[str, Any] = json.loads(answer["definition"])["States"]
        return {name: state["Seconds"] for name, state in states.items() if "Seconds" in state}

    def log(self, group: str, job: str) -> list[str]:
        """Return all lines that a job wrote."""
        lines: list[str] = []
        follower = self._follow(group, job)
        while batch := next(follower):
            lines += batch
        return lines

    def fetch(self, uri: str, path: Path) -> bool:
        """Copy an object to a file; tell whether there is one."""
        bucket, key = _bucket_and_key(uri)
        try:
            self._clients.s3.download_file(bucket, key, str(path))
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
                return False
            raise
        return True

    def version_id(self, uri: str) -> str | None:
        """Return the version of an object that stands there now; None where the bucket keeps none, or no object."""
        bucket, key = _bucket_and_key(uri)
        try:
            return self._clients.s3.head_object(Bucket=bucket, Key=key).get("VersionId")
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
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
            raise _not_written(uri, error) from error

    def evaluation(self, execution_name: str) -> dict[str, Any]:
        """Return an execution's evaluation.json, an empty one where there is none."""
        bucket, key = _bucket_and_key(self.evaluation_uri(execution_name))
        try:
            body = self._clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
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

    def _follow(self, group: str, job: str) -> Iterator[list[str]]:
        """Yield the lines that came since the last time, for ever; none while the stream is not there."""
        stream, token = None, None
        while True:
            stream = stream or self._stream(group, job)
            if stream is None:
                yield []
                continue
            position: Any = {"nextToken": token} if token else {}
            answer = self._clients.logs.get_log_events(
                logGroupName=group, logStreamName=stream, startFromHead=True, **position
            )
            token = answer["nextForwardToken"]
            yield [event["message"] for event in answer["events"]]

    def _stream(self, group: str, job: str) -> str | None:
        try:
            answer = self._clients.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None  # the first job of the account makes the group
            raise
        return answer["logStreams"][0]["logStreamName"] if answer["logStreams"] else None


def _bucket_and_key(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def _not_written(uri: str, error: Exception) -> PlatformError:
    return PlatformError(
        f"{uri} could not be written: {error}; look at the bucket's policy and at your own permissions"
    )


def job_name(events: list[dict[str, Any]], field: str) -> str | None:
    """Return the name that the execution gave to a job, once it has: `training_job_name` or `processing_job_name`."""
    return _output_of(events, contract.NAMING_STATE).get(field)


def last_known(events: list[dict[str, Any]], field: str) -> dict[str, Any]:
    """Return what stood last in a field of the execution's state, `training` say; nothing when it never was there."""
    for event in reversed(events):
        text = event.get("stateExitedEventDetails", {}).get("output") or event.get("stateEnteredEventDetails", {}).get(
            "input"
        )
        state = json.loads(text) if text else None
        if isinstance(state, dict) and isinstance(state.get(field), dict):
            return dict(state[field])
    return {}


def _output_of(events: list[dict[str, Any]], state: str) -> dict[str, Any]:
    for event in events:
        exited = event.get("stateExitedEventDetails", {})
        if exited.get("name") == state:
            output: dict[str, Any] = json.loads(exited["output"])
            return output
    return {}


def last_words(log: list[str]) -> list[str]:
    """Return the lines of a failed job's log that say why: from the last exception on, or simply the last ones."""
    for index in range(len(log) - 1, max(-1, len(log) - 1 - LINES_SEARCHED), -1):
        if EXCEPTION_LINE.match(log[index]):
            return log[index : index + LAST_LINES]
    return log[-LAST_LINES:]


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


def _failed_stage(events: list[dict[str, Any]]) -> str:
    """Return the stage that the failure path names, or the state that the execution was in."""
    entered = [event["stateEnteredEventDetails"] for event in events if "stateEnteredEventDetails" in event]
    if not entered:
        return "start"
    state = json.loads(entered[-1].get("input") or "{}")
    failure = state.get("failure") if isinstance(state, dict) else None
    return str(failure["stage"] if isinstance(failure, dict) and "stage" in failure else entered[-1]["name"])
