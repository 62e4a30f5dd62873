"""The failure path: every way to fail ends in a notification and in an execution that FAILED."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

# Errors of one call: 3 repetitions within about half a minute, for throttling and faults of a service.
CALL_ATTEMPTS = 3
CALL_TIMEOUT = Duration.seconds(60)
# Account quotas: hours, since a quota is free again only when another job ends.
QUOTA_ATTEMPTS = 30
QUOTA_PATIENCE_SECONDS = 6 * 3600

NOTIFICATION = (
    "The {} stage of the ML-A2 pipeline failed; the execution ends FAILED.\n\n"
    "Execution: {}\nError: {}\nCause: {}\nJob: {}\nLog group: {}\n\n"
    "Next step: read the log stream that begins with the name of the job, mend the cause and start a new execution."
)


@dataclass(frozen=True)
class Stage:
    """A part of the pipeline that can fail: its name, and where the reason can be read."""

    name: str
    job_name_path: str
    log_group: str


class FailurePath(Construct):
    """NotifyFailure, then PipelineFailed; each stage's failures are brought into one shape first."""

    def __init__(self, scope: Construct, construct_id: str, *, topic: sns.ITopic) -> None:
        """Create the two final states."""
        super().__init__(scope, construct_id)
        self._failed = sfn.Fail(
            self,
            "PipelineFailed",
            state_name="PipelineFailed",
            error_path="$.failure.error",
            cause_path="$.failure.cause",
        )
        self._notify = self._notification(topic)

    def protect(self, task: sfn.TaskStateBase, stage: Stage, *, adopt: sfn.IChainable | None = None) -> None:
        """Give a task its retries and its way to the failure path.

        Args:
            task: the call to protect.
            stage: the stage that a notification names.
            adopt: for a create call, the state that goes on with a job that exists already: its name is ours
                alone, so it stems from an earlier attempt whose answer was lost.
        """
        if adopt:
            task.add_retry(errors=["SageMaker.ResourceInUseException"], max_attempts=0)
            self._wait_for_quota(task)
            task.add_catch(adopt, errors=["SageMaker.ResourceInUseException"], result_path="$.caught")
        self._repeat_call(task)
        task.add_catch(self.caught(stage), errors=["States.ALL"], result_path="$.caught")

    def caught(self, stage: Stage) -> sfn.State:
        """Return the state that reports an error which a call of this stage raised."""
        name = f"{stage.name}CallFailed"
        existing = self.node.try_find_child(name)
        if isinstance(existing, sfn.Pass):
            return existing
        return self.state(stage, name, {"error.$": "$.caught.Error", "cause.$": "$.caught.Cause"})

    def state(self, stage: Stage, name: str, reason: dict[str, str]) -> sfn.State:
        """Return a state that reports `reason` (error and cause, or paths to them) as this stage's failure."""
        where = {"stage": stage.name, "job_name.$": stage.job_name_path, "log_group": stage.log_group}
        state = sfn.Pass(self, name, state_name=name, parameters={**where, **reason}, result_path="$.failure")
        state.next(self._notify)
        return state

    def _notification(self, topic: sns.ITopic) -> sfn.State:
        fields = ("stage", None, "error", "cause", "job_name", "log_group")
        paths = ", ".join(f"$.failure.{field}" if field else "$$.Execution.Id" for field in fields)
        notify = tasks.CallAwsService(
            self,
            "NotifyFailure",
            state_name="NotifyFailure",
            service="sns",
            action="publish",
            parameters={
                "TopicArn": topic.topic_arn,
                "Subject.$": "States.Format('ML-A2: the {} stage failed', $.failure.stage)",
                "Message.$": f"States.Format('{NOTIFICATION}', {paths})",
            },
            iam_resources=[topic.topic_arn],
            iam_action="sns:Publish",
            result_path="$.notification",
            task_timeout=sfn.Timeout.duration(CALL_TIMEOUT),
        )
        self._repeat_call(notify)
        # A notification that cannot be sent must not hide the failure itself: the alarm still fires.
        notify.add_catch(self._failed, errors=["States.ALL"], result_path="$.caught")
        notify.next(self._failed)
        return notify

    @staticmethod
    def _wait_for_quota(task: sfn.TaskStateBase) -> None:
        task.add_retry(
            errors=["SageMaker.ResourceLimitExceededException"],
            interval=Duration.seconds(60),
            backoff_rate=1.5,
            max_delay=Duration.minutes(10),
            max_attempts=QUOTA_ATTEMPTS,
            jitter_strategy=sfn.JitterType.FULL,
        )

    @staticmethod
    def _repeat_call(task: sfn.TaskStateBase) -> None:
        # Throttling, validation and denied access share one error name in SDK integrations (contract, section 4),
        # so the one retrier is short enough for those that no repetition mends.
        task.add_retry(
            errors=["States.TaskFailed", "States.Timeout"],
            interval=Duration.seconds(2),
            backoff_rate=2,
            max_delay=Duration.seconds(20),
            max_attempts=CALL_ATTEMPTS,
            jitter_strategy=sfn.JitterType.FULL,
        )
