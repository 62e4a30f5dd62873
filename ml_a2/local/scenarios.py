"""How an execution may go: the acts of which scenarios are made, and those that `ml-a2 doctor` rehearses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ml_a2.local.rehearsal import Scenario, Stage

Act = Callable[[Stage], str]

FAILED_ALARM = ("ExecutionsFailed",)
INJECTED = "could not convert string to float: 'injected'"
FOR_GOOD = "ThrottlingException*99"
# One more than a call is repeated: the clean-up, which makes some of these calls too, is then spared.
TOO_OFTEN = "ThrottlingException*4"
HARDSHIPS = (
    "sagemaker:CreateTrainingJob=ResourceLimitExceeded*10",
    "sagemaker:CreateTrainingJob=lost-answer",
    "sagemaker:DescribeTrainingJob=ThrottlingException*3",
    "sagemaker:CreateProcessingJob=ResourceLimitExceeded*10",
    "sagemaker:CreateProcessingJob=lost-answer",
    "sagemaker:DescribeProcessingJob=ThrottlingException*3",
    "s3:GetObject=ThrottlingException*3",
)


def train(*faults: str, **execution_input: Any) -> Act:
    """Execute with a training, meeting faults."""

    def act(stage: Stage) -> str:
        stage.runtime.inject(faults)
        return stage.execute(**execution_input)

    return act


def evaluate(*faults: str) -> Act:
    """Evaluate the model of an earlier execution, meeting faults: no training is needed for what fails behind it."""

    def act(stage: Stage) -> str:
        model = stage.model()
        stage.runtime.inject(faults)
        return stage.execute(model_artifact=model)

    return act


def while_running(kind: str, then: Callable[[Stage, str], object], *faults: str) -> Act:
    """Do something to an execution while its `training` or `processing` job runs."""

    def act(stage: Stage) -> str:
        evaluating = kind == "processing"
        given = {"model_artifact": stage.model()} if evaluating else {}
        stage.runtime.inject(["evaluation=hang" if evaluating else "training=hang", *faults])
        arn = stage.start(**given)
        stage.wait_for_job(kind, arn)
        then(stage, arn)
        stage.wait(arn)
        return arn

    return act


def abort(stage: Stage, arn: str) -> None:
    """Stop an execution as a person would."""
    stop = stage.runtime.clients.stepfunctions.stop_execution
    stop(executionArn=arn, error="ByHand", cause="a person changed their mind")


def time_out(stage: Stage, arn: str) -> None:
    """Let an execution's time run out now."""
    stage.runtime.expire(arn)


def rehearsed() -> Iterator[Scenario]:
    """Yield what every assembly of this pipeline must come through, what is quick first."""
    yield Scenario("an execution succeeds", train(hyperparameters={}), status="SUCCEEDED")
    yield _failure("the training crashes", train("training=crash"), told=INJECTED)
    yield from _interrupted()
    yield _failure("the evaluation crashes", evaluate("evaluation=crash"), told=INJECTED)
    for call, execute, job in (
        ("sagemaker:CreateTrainingJob", train, ()),
        ("sagemaker:DescribeTrainingJob", train, ("training=hang",)),
        ("sagemaker:CreateProcessingJob", evaluate, ()),
        ("sagemaker:DescribeProcessingJob", evaluate, ("evaluation=hang",)),
        ("s3:GetObject", evaluate, ()),
    ):
        yield _failure(f"{call} fails for good", execute(*job, f"{call}={TOO_OFTEN}"), told="Rate exceeded")
    for call in ("logs:DescribeLogStreams", "logs:GetLogEvents"):
        yield _failure(f"{call} fails for good", train("training=crash", f"{call}={FOR_GOOD}"))
    yield Scenario(
        "the message of a failure cannot be sent", train("training=crash", f"sns:Publish={FOR_GOOD}"),
        alarms=FAILED_ALARM,
    )  # fmt: skip
    for stage, act in (("training", train), ("evaluation", evaluate)):
        yield _failure(f"the {stage} job is stopped", act(f"{stage}=stopped"), cause="stopped")
    yield _failure("the model is corrupt", evaluate("evaluation=corrupt-model"))
    yield Scenario("quotas, throttling and lost answers are overcome", train(*HARDSHIPS), status="SUCCEEDED")


def _interrupted() -> Iterator[Scenario]:
    aborted = ("ExecutionsAborted",)
    for kind in ("training", "processing"):
        yield Scenario(
            f"an execution is aborted during its {kind} job", while_running(kind, abort),
            status="ABORTED", messages=["*"], alarms=aborted, told="a person changed their mind",
        )  # fmt: skip
    yield Scenario(
        "an execution times out", while_running("training", time_out),
        status="TIMED_OUT", messages=["*"], alarms=("ExecutionsTimedOut",),
    )  # fmt: skip
    yield Scenario(
        "an execution is aborted, and its job cannot be stopped",
        while_running("training", _abort_and_stop, f"sagemaker:StopTrainingJob={FOR_GOOD}"),
        status="ABORTED", messages=["*"], alarms=(*aborted, *FAILED_ALARM), told="Rate exceeded",
    )  # fmt: skip


def _abort_and_stop(stage: Stage, arn: str) -> None:
    """Abort, and do by hand what the clean-up then asks a person for."""
    abort(stage, arn)
    stage.wait(arn)
    stage.runtime.settle()
    stage.stop_jobs()


def _failure(name: str, act: Act, *, cause: str = "", told: str = "") -> Scenario:
    return Scenario(name, act, cause=cause, messages=["*"], alarms=FAILED_ALARM, told=told)
