"""The failure path: every way to fail ends in a notification for a person and in an execution that FAILED."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from ml_a2.infrastructure import notification
from ml_a2.infrastructure.calls import RESOURCE_IN_USE
from ml_a2.infrastructure.console import Console
from ml_a2.infrastructure.last_words import LastWords

# The parts of the message, each with the path that fills its place.
MESSAGE = (
    ("The {} stage of the pipeline failed; the execution ends FAILED and its jobs are stopped.\n\n", "$.failure.stage"),
    ("Execution:  {}\n", "$$.Execution.Name"),
    ("Error:      {}\n", "$.failure.error"),
    ("Reason:     {}\n\n", "$.failure.cause"),
    ("Job:        {}\n", "$.failure.job_name"),
    ("Log group:  {}\n", "$.failure.log_group"),
    ("Log stream: {}\n", "$.log.stream"),
    ("Last lines of the log:\n{}\n", "$.log.lines"),
)
CALL_ADVICE = (
    "the reason names the call that failed. Not authorized: add that permission to the role that is named. Rate "
    "exceeded: start the execution again. A limit: ask for a higher quota"
)
FAILED_ADVICE = (
    "read the last lines above and the whole log stream, mend the cause and start a new execution. Exit code 137 means "
    "that the container was killed, as a rule for want of memory: choose a larger instance type"
)
STATUS_ADVICE = "look at the job in the console: this pipeline has to learn that status"


@dataclass(frozen=True)
class Stage:
    """A part of the pipeline that can fail: its name, and where the reason can be read."""

    name: str
    job_name_path: str
    log_group: str


class FailurePath(Construct):
    """The log's last lines, NotifyFailure, PipelineFailed; each stage's failures are brought into one shape first."""

    def __init__(self, scope: Construct, construct_id: str, *, topic: sns.ITopic) -> None:
        """Create the states that every failure passes."""
        super().__init__(scope, construct_id)
        self._failed = sfn.Fail(
            self,
            "PipelineFailed",
            state_name="PipelineFailed",
            error_path="$.failure.error",
            cause_path="$.failure.cause",
        )
        self._last_words = LastWords(self, "LastWords", then=self._notification(topic))

    def protect(self, task: sfn.TaskStateBase, stage: Stage, *, adopt: sfn.IChainable | None = None) -> None:
        """Give a task its way to the failure path.

        Args:
            task: the call to protect.
            stage: the stage that a notification names.
            adopt: for a create call, the state that goes on with a job that exists already: its name is ours
                alone, so it stems from an earlier attempt whose answer was lost.
        """
        if adopt:
            task.add_catch(adopt, errors=[RESOURCE_IN_USE], result_path="$.caught")
        task.add_catch(self._caught(stage), errors=["States.ALL"], result_path="$.caught")

    def state(self, stage: Stage, name: str, reason: dict[str, str], next_step: str) -> sfn.State:
        """Return a state that reports `reason` (error and cause, or paths to them) as this stage's failure."""
        where = {"stage": stage.name, "job_name.$": stage.job_name_path, "log_group": stage.log_group}
        parameters = {**where, **reason, "next_step": next_step}
        state = sfn.Pass(self, name, state_name=name, parameters=parameters, result_path="$.failure")
        state.next(self._last_words.start)
        return state

    def _caught(self, stage: Stage) -> sfn.State:
        """Return the state that reports an error which a call of this stage raised."""
        name = f"{stage.name}CallFailed"
        existing = self.node.try_find_child(name)
        if isinstance(existing, sfn.Pass):
            return existing
        return self.state(stage, name, {"error.$": "$.caught.Error", "cause.$": "$.caught.Cause"}, CALL_ADVICE)

    def _notification(self, topic: sns.ITopic) -> sfn.State:
        console = Console.of(self)
        notify = notification.publish(
            self,
            "NotifyFailure",
            topic=topic,
            subject=(
                f"{Stack.of(self).stack_name[: notification.NAME_LENGTH]}: the {{}} stage failed",
                "$.failure.stage",
            ),
            message=(
                *MESSAGE,
                (f"Console:    {console.execution_url('{}')}\n", "$$.Execution.Id"),
                ("Next step:  {}.\n", "$.failure.next_step"),
            ),
        )
        # A notification that cannot be sent must not hide the failure itself: the alarm still fires.
        notify.add_catch(self._failed, errors=["States.ALL"], result_path="$.caught")
        notify.next(self._failed)
        return notify
