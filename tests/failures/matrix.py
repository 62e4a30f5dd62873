"""The ways to fail, each executed against the deployed template, and what came of it.

`make faults` runs them all, prints the table and writes docs/failures.md; tests/failures/test_matrix.py runs each as a
test.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from moto.cloudwatch.models import cloudwatch_backends

from ml_a2 import contract
from ml_a2.client import Outcome, Pipeline
from ml_a2.evaluation_code import evaluation_files
from ml_a2.local.assembly import find_assembly
from ml_a2.local.runtime import LocalRuntime
from tests.processes import below

PAGE = Path(__file__).parents[2] / "docs" / "failures.md"
FEW_ROUNDS = {"hyperparameters": {"num_round": "3"}}
FAILED_ALARM = ("ExecutionsFailed",)
NOT_AUTHORIZED = "is not authorized to perform: {}"


class Stage:
    """The deployed stack with data in place; cells run on it one after the other."""

    def __init__(self, runtime: LocalRuntime, assembly: Path) -> None:
        self.runtime = runtime
        self.outputs = runtime.deploy(assembly)
        runtime.collect_notifications(self.outputs[contract.OUTPUT_TOPIC])
        self.pipeline = Pipeline(runtime.clients, self.outputs)
        self.pipeline.upload(evaluation_files())
        self.put("train/t.csv", rows(1))
        self.put("validation/v.csv", rows(2))
        self.number = 0
        self.model = ""

    @property
    def bucket(self) -> str:
        return self.outputs[contract.OUTPUT_TRAINING_DATA_BUCKET]

    def put(self, key: str, text: str) -> None:
        self.runtime.clients.s3.put_object(Bucket=self.bucket, Key=key, Body=text.encode())

    def start(self, **more: Any) -> str:
        self.number += 1
        return self.pipeline.start(f"cell-{self.number}", {**FEW_ROUNDS, **more})

    def execute(self, **more: Any) -> str:
        arn = self.start(**more)
        self.wait(arn)
        return arn

    def wait(self, arn: str) -> None:
        for _ in self.pipeline.watch(arn, poll_seconds=0.05):
            pass

    def wait_for_job(self, kind: str) -> None:
        deadline = time.monotonic() + 120
        while not self.jobs(kind, "InProgress"):
            assert time.monotonic() < deadline, f"no {kind} job began"
            time.sleep(0.02)

    def jobs(self, kind: str, status: str) -> list[Any]:
        sagemaker = self.runtime.clients.sagemaker
        answer: Any = getattr(sagemaker, f"list_{kind}_jobs")(StatusEquals=status)
        return list(answer[f"{kind.title()}JobSummaries"])

    def without(self, action: str, role: str) -> Callable[[], None]:
        """Take an action away from a role; return what gives it back."""
        iam = self.runtime.clients.iam
        names = [r["RoleName"] for r in iam.list_roles()["Roles"] if role in r["RoleName"]]
        assert len(names) == 1, names
        (policy,) = iam.list_role_policies(RoleName=names[0])["PolicyNames"]
        document: Any = iam.get_role_policy(RoleName=names[0], PolicyName=policy)["PolicyDocument"]
        reduced = json.loads(json.dumps(document))
        for statement in reduced["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            statement["Action"] = [each for each in actions if each != action] or ["none:None"]
        assert reduced != document, action
        put = iam.put_role_policy
        put(RoleName=names[0], PolicyName=policy, PolicyDocument=json.dumps(reduced))
        return lambda: put(RoleName=names[0], PolicyName=policy, PolicyDocument=json.dumps(document)) and None


def rows(seed: int) -> str:
    """Return 100 rows that can be learned from: the label, then three features."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(100, 3))
    labels = (features[:, 0] + random.normal(size=100) / 3 > 0).astype(int)
    return "".join(f"{label},{a:.5f},{b:.5f},{c:.5f}\n" for label, (a, b, c) in zip(labels, features, strict=True))


@dataclass(frozen=True)
class Cell:
    """One way to fail, and what must come of it."""

    name: str
    act: Callable[[Stage], str]
    status: str = "FAILED"
    error: str = ""
    cause: str = ""
    messages: Sequence[str] = ()
    alarms: Sequence[str] = ()
    told: str = ""


@dataclass
class Result:
    """What came of it."""

    cell: Cell
    outcome: Outcome
    messages: list[str]
    alarms: list[str]
    bodies: str
    running_jobs: list[str]
    processes: list[int]
    kept: bool
    incidents: list[str] = field(default_factory=list)

    def problems(self) -> list[str]:
        """Return how it differs from what must come of it."""
        cell, failure = self.cell, self.outcome.failure
        checks = {
            f"status {self.outcome.status}": self.outcome.status == cell.status,
            f"error {failure and failure.error}": not cell.error or (failure and failure.error == cell.error),
            f"cause {failure and failure.cause}": not cell.cause or (failure and cell.cause in failure.cause),
            f"messages {self.messages}": self.messages == list(cell.messages),
            f"alarms {self.alarms}": self.alarms == list(cell.alarms),
            f"nobody is told {cell.told!r} in {self.bodies}": cell.told in self.bodies,
            f"jobs still run: {self.running_jobs}": not self.running_jobs,
            f"processes are left: {self.processes}": not self.processes,
            "what had been written is lost": self.kept,
            f"incidents {self.incidents}": not self.incidents,
        }
        return [words for words, holds in checks.items() if not holds]


def run(stage: Stage, cell: Cell) -> Result:
    """Execute one cell and gather what came of it."""
    runtime = stage.runtime
    before = _versions(stage)
    runtime.inject([])
    arn = cell.act(stage)
    runtime.settle()
    runtime.inject([])
    _await_stopping(stage)
    found = [(n["Subject"], n["Message"]) for n in runtime.notifications()]
    is_alarm = [subject.startswith("ALARM: ") for subject, _ in found]
    alarms = [
        json.loads(body)["Trigger"]["MetricName"] for (_, body), alarm in zip(found, is_alarm, strict=True) if alarm
    ]
    plain = [pair for pair, alarm in zip(found, is_alarm, strict=True) if not alarm]
    _quiet(stage)
    return Result(
        cell,
        stage.pipeline.outcome(arn),
        [subject.partition(": ")[2] for subject, _ in plain],
        alarms,
        "\n".join(body for _, body in plain),
        [
            job
            for kind in ("training", "processing")
            for status in ("InProgress", "Stopping")
            for job in stage.jobs(kind, status)
        ],
        below("ml_a2.local"),
        before <= _versions(stage),
        runtime.incidents.all(),
    )


def _await_stopping(stage: Stage) -> None:
    """Wait for jobs that were told to stop; one that runs on is found by the caller."""
    while any(stage.jobs(kind, "Stopping") for kind in ("training", "processing")):
        time.sleep(0.05)


def _quiet(stage: Stage) -> None:
    """Forget the metrics and bring every alarm back to OK, as time does, so that the next failure is a new one."""
    where = stage.runtime.environment
    cloudwatch_backends[where.account][where.region].metric_data.clear()
    cloudwatch = stage.runtime.clients.cloudwatch
    for alarm in cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"]:
        cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue="OK", StateReason="next cell")


def _versions(stage: Stage) -> set[tuple[str, str, str]]:
    s3 = stage.runtime.clients.s3
    return {
        (bucket["Name"], version["Key"], version["VersionId"])
        for bucket in s3.list_buckets()["Buckets"]
        for version in s3.list_object_versions(Bucket=bucket["Name"]).get("Versions", [])
    }


def _with(*faults: str, **execution_input: Any) -> Callable[[Stage], str]:
    def act(stage: Stage) -> str:
        stage.runtime.inject(faults)
        return stage.execute(**execution_input)

    return act


def _given_model(faults: Sequence[str]) -> Callable[[Stage], str]:
    """Evaluate the model of an earlier execution: no training is needed for what fails behind it."""

    def act(stage: Stage) -> str:
        if not stage.model:
            stage.model = stage.pipeline.outcome(stage.execute()).output["model_artifact"]
        stage.runtime.inject(faults)
        return stage.execute(model_artifact=stage.model)

    return act


def _with_object(key: str, text: str, prefix: str) -> Callable[[Stage], str]:
    def act(stage: Stage) -> str:
        stage.put(key, text)
        arn = stage.execute(**{prefix: key.rpartition("/")[0] + "/"})
        stage.runtime.clients.s3.delete_object(Bucket=stage.bucket, Key=key)
        return arn

    return act


def _denied(action: str, role: str, *faults: str) -> Callable[[Stage], str]:
    def act(stage: Stage) -> str:
        restore = stage.without(action, role)
        try:
            arn = _given_model(faults)(stage) if action in AFTER_TRAINING else _with(*faults)(stage)
            stage.runtime.settle()
        finally:
            restore()
        return arn

    return act


def _broken_script(stage: Stage) -> str:
    s3 = stage.runtime.clients.s3
    key = f"{contract.CODE_PREFIX}{contract.EVALUATION_SCRIPT}"
    original = s3.get_object(Bucket=stage.bucket, Key=key)["Body"].read().decode()
    stage.put(key, "raise RuntimeError('the script itself is broken')\n")
    try:
        return _given_model([])(stage)
    finally:
        stage.put(key, original)


def _abort(kind: str) -> Callable[[Stage], str]:
    def act(stage: Stage) -> str:
        job = "evaluation" if kind == "processing" else "training"
        stage.runtime.inject([f"{job}=hang"])
        arn = stage.start()
        stage.wait_for_job(kind)
        stage.runtime.clients.stepfunctions.stop_execution(
            executionArn=arn, error="ByHand", cause="a person changed their mind"
        )
        stage.wait(arn)
        return arn

    return act


def _time_out(stage: Stage) -> str:
    stage.runtime.inject(["training=hang"])
    arn = stage.start()
    stage.wait_for_job("training")
    stage.runtime.expire(arn)
    stage.wait(arn)
    return arn


AFTER_TRAINING = {
    "sagemaker:CreateProcessingJob",
    "sagemaker:DescribeProcessingJob",
    "s3:GetObject",
    "sns:Publish",
    "logs:DescribeLogStreams",
    "logs:GetLogEvents",
}
TRAINING_FAILED = "the Training stage failed"
EVALUATION_FAILED = "the Evaluation stage failed"
CALLS = (
    ("sagemaker:CreateTrainingJob", TRAINING_FAILED, "SageMaker.SageMakerException"),
    ("sagemaker:DescribeTrainingJob", TRAINING_FAILED, "SageMaker.SageMakerException"),
    ("sagemaker:CreateProcessingJob", EVALUATION_FAILED, "SageMaker.SageMakerException"),
    ("sagemaker:DescribeProcessingJob", EVALUATION_FAILED, "SageMaker.SageMakerException"),
    ("s3:GetObject", EVALUATION_FAILED, "S3.S3Exception"),
)


def cells() -> Iterable[Cell]:
    """Yield every way to fail."""
    for call, message, error in CALLS:
        act = _given_model if call in AFTER_TRAINING else lambda faults: _with(*faults)
        fault = f"{call}=ThrottlingException"
        yield Cell(f"{call} throttled once", act([fault]), status="SUCCEEDED")
        yield Cell(
            f"{call} throttled four times", act([f"{fault}*4"]), error=error, cause="Rate exceeded",
            messages=[message], alarms=FAILED_ALARM, told="Rate exceeded",
        )  # fmt: skip
    for call, told in (
        ("sns:Publish", ""),
        ("logs:DescribeLogStreams", "ValueError"),
        ("logs:GetLogEvents", "ValueError"),
    ):
        yield Cell(
            f"{call} throttled once, while a failure is reported",
            _with(f"{call}=ThrottlingException", "training=crash"), error="TrainingJobFailed",
            messages=[TRAINING_FAILED], alarms=FAILED_ALARM, told=told,
        )  # fmt: skip
    yield Cell(
        "sns:Publish throttled four times", _with("sns:Publish=ThrottlingException*4", "training=crash"),
        error="TrainingJobFailed", alarms=FAILED_ALARM,
    )  # fmt: skip
    for call in ("logs:DescribeLogStreams", "logs:GetLogEvents"):
        yield Cell(
            f"{call} throttled four times", _with(f"{call}=ThrottlingException*4", "training=crash"),
            error="TrainingJobFailed", messages=[TRAINING_FAILED], alarms=FAILED_ALARM, told="not read: Rate exceeded",
        )  # fmt: skip
    for call in ("CreateTrainingJob", "CreateProcessingJob"):
        act = _given_model if call == "CreateProcessingJob" else lambda faults: _with(*faults)
        yield Cell(f"{call}: the answer is lost", act([f"sagemaker:{call}=lost-answer"]), status="SUCCEEDED")
        yield Cell(
            f"{call}: quota exceeded ten times", act([f"sagemaker:{call}=ResourceLimitExceeded*10"]), status="SUCCEEDED"
        )
    yield Cell(
        "quota exceeded for good", _with("sagemaker:CreateTrainingJob=ResourceLimitExceeded*40"),
        error="SageMaker.ResourceLimitExceededException", cause="account-level service limit",
        messages=[TRAINING_FAILED], alarms=FAILED_ALARM,
    )  # fmt: skip
    yield from _job_cells()
    yield from _denial_cells()
    stopped = "an execution ended ABORTED"
    aborted = ("ExecutionsAborted",)
    for kind in ("training", "processing"):
        yield Cell(
            f"aborted during the {kind} job", _abort(kind), status="ABORTED", error="ByHand", cause="changed their",
            messages=[stopped], alarms=aborted, told="a person changed their mind",
        )  # fmt: skip
    yield Cell(
        "timed out during the training job", _time_out, status="TIMED_OUT", messages=["an execution ended TIMED_OUT"],
        alarms=("ExecutionsTimedOut",),
    )  # fmt: skip


def _job_cells() -> Iterable[Cell]:
    causes = {
        "capacity": ("JobFailed", "CapacityError"),
        "crash": ("JobFailed", "exit code: 1"),
        "oom": ("JobFailed", "exit code: 137"),
        "stopped": ("JobStopped", "was stopped"),
        "timeout": ("JobStopped", "MaxRuntimeInSeconds"),
        "missing-data": ("JobFailed", "No S3 objects found under S3 URL"),
    }
    for kind, (ending, cause) in causes.items():
        told = "could not convert string to float: 'injected'" if kind == "crash" else ""
        yield Cell(
            f"training: {kind}", _with(f"training={kind}"), error=f"Training{ending}", cause=cause,
            messages=[TRAINING_FAILED], alarms=FAILED_ALARM, told=told,
        )  # fmt: skip
        yield Cell(
            f"evaluation: {kind}", _given_model([f"evaluation={kind}"]), error=f"Evaluation{ending}", cause=cause,
            messages=[EVALUATION_FAILED], alarms=FAILED_ALARM, told=told,
        )  # fmt: skip
    failed = {"error": "EvaluationJobFailed", "messages": [EVALUATION_FAILED], "alarms": FAILED_ALARM}
    yield Cell("training: corrupt model", _with("training=corrupt-model"), **failed)
    yield Cell("evaluation: corrupt model archive", _given_model(["evaluation=corrupt-model"]), **failed)
    yield Cell("evaluation script raises", _broken_script, told="RuntimeError: the script itself is broken", **failed)
    training = {"error": "TrainingJobFailed", "messages": [TRAINING_FAILED], "alarms": FAILED_ALARM}
    yield Cell("training data is an empty file", _with_object("train/empty/t.csv", "", "train_prefix"), **training)
    yield Cell(
        "validation data is an empty file", _with_object("validation/empty/v.csv", "", "validation_prefix"), **training
    )
    missing = "No S3 objects found under S3 URL"
    yield Cell("no training data", _with(train_prefix="train/nowhere/"), cause=missing, **training)
    yield Cell("no validation data", _with(validation_prefix="validation/nowhere/"), cause=missing, **training)


def _denial_cells() -> Iterable[Cell]:
    role = "WorkflowStateMachine"
    for call, message, error in (
        *CALLS,
        ("iam:PassRole", TRAINING_FAILED, "SageMaker.SageMakerException"),
    ):
        words = NOT_AUTHORIZED.format(call)
        yield Cell(
            f"{call} denied", _denied(call, role), error=error, cause=words, messages=[message], alarms=FAILED_ALARM,
            told=words,
        )  # fmt: skip
    yield Cell(
        "sns:Publish denied", _denied("sns:Publish", role, "evaluation=crash"), error="EvaluationJobFailed",
        alarms=FAILED_ALARM,
    )  # fmt: skip
    for call in ("logs:DescribeLogStreams", "logs:GetLogEvents"):
        yield Cell(
            f"{call} denied", _denied(call, role, "evaluation=crash"), error="EvaluationJobFailed",
            messages=[EVALUATION_FAILED], alarms=FAILED_ALARM, told=NOT_AUTHORIZED.format(call),
        )  # fmt: skip


def main() -> int:
    """Run every cell, print the table, write the page."""
    assembly, _ = find_assembly(None)
    lines, failed = [], 0
    with LocalRuntime(speed=1000) as runtime:
        stage = Stage(runtime, assembly)
        for cell in cells():
            result = run(stage, cell)
            problems = result.problems()
            failed += bool(problems)
            lines.append(_row(result))
            print(lines[-1], flush=True)
            for problem in problems:
                print(f"    NOT AS IT MUST BE: {problem}", flush=True)
    print(f"{len(lines)} ways to fail, {failed} not as they must be")
    if not failed:
        text = PAGE.read_text(encoding="utf-8")
        head = text[: text.index(TABLE_HEAD)]
        PAGE.write_text(head + TABLE_HEAD + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    return 1 if failed else 0


TABLE_HEAD = (
    "| what happens | status | error | messages | alarms | jobs and processes left |\n|---|---|---|---|---|---|\n"
)


def _row(result: Result) -> str:
    failure = result.outcome.failure
    left = len(result.running_jobs) + len(result.processes)
    values = (
        result.cell.name,
        result.outcome.status,
        failure.error if failure else "",
        ", ".join(result.messages) or "none",
        ", ".join(result.alarms) or "none",
        str(left),
    )
    return "| " + " | ".join(values) + " |"


if __name__ == "__main__":
    sys.exit(main())
