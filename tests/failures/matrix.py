"""The ways to fail, each executed against the deployed template, and what came of it.

`make faults` runs them all, prints the table and writes docs/failures.md; tests/failures/test_matrix.py runs each as a
test.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ml_a2 import contract
from ml_a2.local.assembly import find_assembly
from ml_a2.local.rehearsal import Result, Scenario, Stage
from ml_a2.local.runtime import LocalRuntime
from ml_a2.local.scenarios import FAILED_ALARM, INJECTED, Act, abort, evaluate, time_out, train, while_running
from tests.failures.interruptions import INTERRUPTIONS, interrupt
from tests.failures.page import renew_table
from tests.processes import below

PAGE = Path(__file__).parents[2] / "docs" / "failures.md"
NOT_AUTHORIZED = "is not authorized to perform: {}"


def without(stage: Stage, action: str, role: str) -> Callable[[], None]:
    """Take an action away from a role; return what gives it back."""
    iam = stage.runtime.clients.iam
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


def run(stage: Stage, cell: Scenario) -> tuple[Result, list[int]]:
    """Execute one cell; return what came of it, and the processes of jobs that are left."""
    result = Result.of(stage, cell)
    return result, below("ml_a2.local")


def _with_object(key: str, text: str, prefix: str) -> Act:
    def act(stage: Stage) -> str:
        stage.put(key, text)
        arn = stage.execute(**{prefix: key.rpartition("/")[0] + "/"})
        stage.runtime.clients.s3.delete_object(Bucket=stage.bucket, Key=key)
        return arn

    return act


def _denied(action: str, role: str, *faults: str) -> Act:
    def act(stage: Stage) -> str:
        after_training = action in AFTER_TRAINING
        if after_training:
            stage.model()  # one is trained for it as long as that is allowed
        restore = without(stage, action, role)
        try:
            arn = (evaluate if after_training else train)(*faults)(stage)
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
        return evaluate()(stage)
    finally:
        stage.put(key, original)


AFTER_TRAINING = {
    "sagemaker:CreateProcessingJob",
    "sagemaker:DescribeProcessingJob",
    "s3:GetObject",
    "sns:Publish",
    "logs:DescribeLogStreams",
    "logs:GetLogEvents",
}
# A job that nobody may look at must still run when it is stopped: one that ended just before could not be stopped.
LOOKED_AT = {
    "sagemaker:DescribeTrainingJob": ("training=hang",),
    "sagemaker:DescribeProcessingJob": ("evaluation=hang",),
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


def cells() -> Iterable[Scenario]:
    """Yield every way to fail."""
    for call, message, error in CALLS:
        act = evaluate if call in AFTER_TRAINING else train
        fault = f"{call}=ThrottlingException"
        yield Scenario(f"{call} throttled once", act(fault), status="SUCCEEDED")
        yield Scenario(
            f"{call} throttled four times", act(f"{fault}*4"), error=error, cause="Rate exceeded",
            messages=[message], alarms=FAILED_ALARM, told="Rate exceeded",
        )  # fmt: skip
    for call, told in (
        ("sns:Publish", ""),
        ("logs:DescribeLogStreams", "ValueError"),
        ("logs:GetLogEvents", "ValueError"),
    ):
        yield Scenario(
            f"{call} throttled once, while a failure is reported",
            train(f"{call}=ThrottlingException", "training=crash"), error="TrainingJobFailed",
            messages=[TRAINING_FAILED], alarms=FAILED_ALARM, told=told,
        )  # fmt: skip
    yield Scenario(
        "sns:Publish throttled four times", train("sns:Publish=ThrottlingException*4", "training=crash"),
        error="TrainingJobFailed", alarms=FAILED_ALARM,
    )  # fmt: skip
    for call in ("logs:DescribeLogStreams", "logs:GetLogEvents"):
        yield Scenario(
            f"{call} throttled four times", train(f"{call}=ThrottlingException*4", "training=crash"),
            error="TrainingJobFailed", messages=[TRAINING_FAILED], alarms=FAILED_ALARM, told="not read: Rate exceeded",
        )  # fmt: skip
    for call in ("CreateTrainingJob", "CreateProcessingJob"):
        act = evaluate if call == "CreateProcessingJob" else train
        yield Scenario(f"{call}: the answer is lost", act(f"sagemaker:{call}=lost-answer"), status="SUCCEEDED")
        yield Scenario(
            f"{call}: quota exceeded ten times", act(f"sagemaker:{call}=ResourceLimitExceeded*10"), status="SUCCEEDED"
        )
    yield Scenario(
        "quota exceeded for good", train("sagemaker:CreateTrainingJob=ResourceLimitExceeded*200"),
        error="SageMaker.ResourceLimitExceededException", cause="account-level service limit",
        messages=[TRAINING_FAILED], alarms=FAILED_ALARM,
    )  # fmt: skip
    yield from _job_cells()
    yield from _denial_cells()
    stopped = "an execution ended ABORTED"
    aborted = ("ExecutionsAborted",)
    for kind in ("training", "processing"):
        yield Scenario(
            f"aborted during the {kind} job", while_running(kind, abort), status="ABORTED",
            error="ByHand", cause="changed their", messages=[stopped], alarms=aborted,
            told="a person changed their mind",
        )  # fmt: skip
    yield Scenario(
        "timed out during the training job", while_running("training", time_out), status="TIMED_OUT",
        messages=["an execution ended TIMED_OUT"],
        alarms=("ExecutionsTimedOut",),
    )  # fmt: skip


def _job_cells() -> Iterable[Scenario]:
    causes = {
        "capacity": ("JobFailed", "CapacityError"),
        "crash": ("JobFailed", "exit code: 1"),
        "oom": ("JobFailed", "exit code: 137"),
        "stopped": ("JobStopped", "was stopped"),
        "timeout": ("JobStopped", "MaxRuntimeInSeconds"),
        "missing-data": ("JobFailed", "No S3 objects found under S3 URL"),
    }
    for kind, (ending, cause) in causes.items():
        told = INJECTED if kind == "crash" else ""
        yield Scenario(
            f"training: {kind}", train(f"training={kind}"), error=f"Training{ending}", cause=cause,
            messages=[TRAINING_FAILED], alarms=FAILED_ALARM, told=told,
        )  # fmt: skip
        yield Scenario(
            f"evaluation: {kind}", evaluate(f"evaluation={kind}"), error=f"Evaluation{ending}", cause=cause,
            messages=[EVALUATION_FAILED], alarms=FAILED_ALARM, told=told,
        )  # fmt: skip
    failed = {"error": "EvaluationJobFailed", "messages": [EVALUATION_FAILED], "alarms": FAILED_ALARM}
    yield Scenario("training: corrupt model", train("training=corrupt-model"), **failed)
    yield Scenario("evaluation: corrupt model archive", evaluate("evaluation=corrupt-model"), **failed)
    yield Scenario(
        "evaluation script raises", _broken_script, told="RuntimeError: the script itself is broken", **failed
    )
    training = {"error": "TrainingJobFailed", "messages": [TRAINING_FAILED], "alarms": FAILED_ALARM}
    yield Scenario("training data is an empty file", _with_object("train/empty/t.csv", "", "train_prefix"), **training)
    yield Scenario(
        "validation data is an empty file", _with_object("validation/empty/v.csv", "", "validation_prefix"), **training
    )
    missing = "No S3 objects found under S3 URL"
    yield Scenario("no training data", train(train_prefix="train/nowhere/"), cause=missing, **training)
    yield Scenario("no validation data", train(validation_prefix="validation/nowhere/"), cause=missing, **training)


def _denial_cells() -> Iterable[Scenario]:
    role = "WorkflowStateMachine"
    for call, message, error in (
        *CALLS,
        ("iam:PassRole", TRAINING_FAILED, "SageMaker.SageMakerException"),
    ):
        words = NOT_AUTHORIZED.format(call)
        yield Scenario(
            f"{call} denied", _denied(call, role, *LOOKED_AT.get(call, ())), error=error,
            cause=words, messages=[message], alarms=FAILED_ALARM,
            told=words, denied=call,
        )  # fmt: skip
    yield Scenario(
        "sns:Publish denied", _denied("sns:Publish", role, "evaluation=crash"), error="EvaluationJobFailed",
        alarms=FAILED_ALARM, denied="sns:Publish",
    )  # fmt: skip
    for call in ("logs:DescribeLogStreams", "logs:GetLogEvents"):
        yield Scenario(
            f"{call} denied", _denied(call, role, "evaluation=crash"), error="EvaluationJobFailed",
            messages=[EVALUATION_FAILED], alarms=FAILED_ALARM, told=NOT_AUTHORIZED.format(call),
            denied=call,
        )  # fmt: skip


def main() -> int:
    """Run every cell, print the table, write the page."""
    assembly, _ = find_assembly(None)
    lines, failed = [], 0
    with LocalRuntime(speed=5000) as runtime:
        stage = Stage(runtime, assembly)
        for cell in cells():
            result, processes = run(stage, cell)
            problems = [*result.problems(), *(f"process {pid} is left" for pid in processes)]
            failed += bool(problems)
            lines.append(_row(result, processes))
            print(lines[-1], flush=True)
            for problem in problems:
                print(f"    NOT AS IT MUST BE: {problem}", flush=True)
    for name in INTERRUPTIONS:
        lines.append(_interruption(name))
        failed += lines[-1].endswith("BE |")
        print(lines[-1], flush=True)
    print(f"{len(lines)} ways to fail, {failed} not as they must be")
    if not failed:
        renew_table(PAGE, TABLE_HEAD, lines)
    return 1 if failed else 0


def _interruption(name: str) -> str:
    """Return the row of a whole run that is interrupted; what earlier runs wrote must still be there."""
    number, expected = INTERRUPTIONS[name]
    with tempfile.TemporaryDirectory(prefix="ml-a2-faults-") as folder:
        earlier = Path(folder, "runs", "earlier", "manifest.json")
        earlier.parent.mkdir(parents=True)
        earlier.write_text("{}", encoding="utf-8")
        left = interrupt(Path(folder), number)
    status = f"exit status {left.exit_status}"
    good = left.kept and left.exit_status == expected and not left.processes
    cause = "history and logs until then are in the run directory" if left.run_directories else ""
    lost = "0" if good else "NOT AS IT MUST BE"
    return f"| {name} | {status} |  | {cause} | none | none | {len(left.processes)} | {lost} |"


TABLE_HEAD = (
    "| what happens | status | error | cause | messages | alarms | jobs and processes left | objects lost |\n"
    "|---|---|---|---|---|---|---|---|\n"
)
SHOWN_OF_A_CAUSE = 120


def _row(result: Result, processes: list[int]) -> str:
    failure = result.outcome.failure
    left = len(result.running_jobs) + len(processes)
    values = (
        result.scenario.name,
        result.outcome.status,
        failure.error if failure else "",
        _shown(failure.cause if failure else ""),
        ", ".join(result.messages) or "none",
        ", ".join(result.alarms) or "none",
        str(left),
        str(len(result.lost)),
    )
    return "| " + " | ".join(values) + " |"


def _shown(cause: str) -> str:
    """Return a cause as it fits into a table: its end, where the reason stands, of a traceback."""
    words = re.sub(r"arn:aws:\S*[/:]", "", " ".join(cause.split())).replace("|", "\\|")
    if len(words) <= SHOWN_OF_A_CAUSE:
        return words
    return f"... {words[-SHOWN_OF_A_CAUSE:]}" if "Traceback" in words else f"{words[:SHOWN_OF_A_CAUSE]} ..."


if __name__ == "__main__":
    sys.exit(main())
