"""Stops the jobs of an execution that ended without them, and tells the topic when nobody else does.

An SDK integration does not stop its job when the execution is aborted, times out or fails, and neither can the
execution itself any more: a rule on its status starts this second state machine.
"""

from __future__ import annotations

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from ml_a2 import contract
from ml_a2.infrastructure import notification
from ml_a2.infrastructure.calls import confine, job_call, service_call
from ml_a2.infrastructure.console import Console
from ml_a2.infrastructure.encryption import use_of
from ml_a2.infrastructure.execution_log import ExecutionLog

# A create call that was under way when the execution ended may still make its job.
SETTLING = Duration.seconds(30)
TIMEOUT = Duration.minutes(30)
# The execution's start, and how its first state was entered and left.
HEAD_OF_HISTORY = 3
NOT_FOUND = "Requested resource not found*"


class CleanUp(Construct):
    """The rule, and the state machine that it starts."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        pipeline: sfn.StateMachine,
        topic: sns.ITopic,
        retain: bool,
        key: kms.IKey | None = None,
    ) -> None:
        """Watch the pipeline's executions."""
        super().__init__(scope, construct_id)
        self._pipeline = pipeline
        self._topic = topic
        self._console = Console.of(self)
        self._failed = self._report_failure()
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            definition_body=sfn.DefinitionBody.from_chainable(self._definition()),
            timeout=TIMEOUT,
            tracing_enabled=True,
            logs=ExecutionLog(self, "Log", purpose="clean-up", retain=retain, key=key).options,
        )
        confine(self.state_machine)
        if key:
            self.state_machine.add_to_role_policy(use_of(key))
        self.rule = events.Rule(
            self,
            "Rule",
            description="An execution of the pipeline ended without success: stop its jobs.",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "stateMachineArn": [pipeline.state_machine_arn],
                    "status": ["FAILED", "TIMED_OUT", "ABORTED"],
                },
            ),
            targets=[targets.SfnStateMachine(self.state_machine)],
        )

    def _definition(self) -> sfn.IChainable:
        told = self._tell()
        stop_evaluation = self._stop("Evaluation", "ProcessingJob", "processing-job", then=told)
        stop_training = self._stop("Training", "TrainingJob", "training-job", then=stop_evaluation)
        names = sfn.Pass(
            self,
            "ReadNames",
            state_name="ReadNames",
            parameters={"jobs.$": "States.StringToJson($.history.Events[2].StateExitedEventDetails.Output)"},
            result_path="$.named",
        )
        names.next(stop_training)
        named = sfn.Choice(self, "JobsNamed?", state_name="JobsNamed?")
        named.when(sfn.Condition.is_present("$.history.Events[2].StateExitedEventDetails.Output"), names)
        named.otherwise(told)
        wait = sfn.Wait(self, "LetCallsSettle", state_name="LetCallsSettle", time=sfn.WaitTime.duration(SETTLING))
        history = self._execution_call(
            "ReadHistory",
            "GetExecutionHistory",
            {"MaxResults": HEAD_OF_HISTORY, "IncludeExecutionData": True},
            "$.history",
        )
        return wait.next(history).next(named)

    def _stop(self, stage: str, kind: str, resource: str, *, then: sfn.IChainable) -> sfn.IChainable:
        """Describe a job, and stop it when it runs."""
        field = contract.TRAINING_JOB_FIELD if kind == "TrainingJob" else contract.PROCESSING_JOB_FIELD
        request = {f"{kind}Name.$": f"$.named.jobs.{field}"}
        state = f"$.{stage.lower()}"
        describe = job_call(self, f"Describe{kind}", f"Describe{kind}", resource, request, result_path=state)
        exists = sfn.Choice(self, f"No{kind}?", state_name=f"No{kind}?")
        exists.when(sfn.Condition.string_matches("$.caught.Cause", NOT_FOUND), then)
        exists.otherwise(self._failed)
        describe.add_catch(exists, errors=["States.ALL"], result_path="$.caught")
        stop = job_call(self, f"Stop{kind}", f"Stop{kind}", resource, request, result_path=f"{state}_stopped")
        stop.add_catch(self._failed, errors=["States.ALL"], result_path="$.caught")
        stop.next(then)
        runs = sfn.Choice(self, f"{kind}Runs?", state_name=f"{kind}Runs?")
        runs.when(sfn.Condition.string_equals(f"{state}.{kind}Status", "InProgress"), stop)
        runs.otherwise(then)
        describe.next(runs)
        return describe

    def _tell(self) -> sfn.IChainable:
        """Tell the topic of an end that the pipeline could not tell of itself."""
        done = sfn.Succeed(self, "CleanedUp", state_name="CleanedUp")
        describe = self._execution_call("DescribeExecution", "DescribeExecution", {}, "$.execution")
        # StopExecution need not name them, and a time-out has none.
        unknown = sfn.Pass(
            self,
            "NoReason",
            state_name="NoReason",
            result=sfn.Result.from_object({"Error": "none given", "Cause": "none given"}),
            result_path="$.reason",
        )
        explain = sfn.Pass(
            self,
            "Explain",
            state_name="Explain",
            parameters={"execution.$": "States.JsonMerge($.reason, $.execution, false)"},
            result_path="$.ended",
        )
        notify = notification.publish(
            self,
            "NotifyEnd",
            topic=self._topic,
            subject=(f"{self._name}: an execution ended {{}}", "$.detail.status"),
            message=(
                (
                    "An execution of the pipeline ended {}; jobs of it that still ran are being stopped.\n\n",
                    "$.detail.status",
                ),
                ("Execution: {}\n", "$.detail.name"),
                ("Error:     {}\n", "$.ended.execution.Error"),
                ("Reason:    {}\n\n", "$.ended.execution.Cause"),
                (f"Console:   {self._console.execution_url('{}')}\n", "$.detail.executionArn"),
                (
                    "Next step: start a new execution when it is still wanted; after TIMED_OUT look in the history for "
                    "the state that took so long.\n"
                ),
            ),
        )
        notify.add_catch(self._failed, errors=["States.ALL"], result_path="$.caught")
        told = sfn.Choice(self, "ToldAlready?", state_name="ToldAlready?")
        told.when(sfn.Condition.string_equals("$.detail.status", "FAILED"), done)
        told.otherwise(describe.next(unknown).next(explain).next(notify).next(done))
        return told

    def _report_failure(self) -> sfn.IChainable:
        failed = sfn.Fail(
            self, "CleanUpFailed", state_name="CleanUpFailed", error="CleanUpFailed", cause_path="$.caught.Cause"
        )
        notify = notification.publish(
            self,
            "NotifyCleanUpFailed",
            topic=self._topic,
            subject=(f"{self._name}: jobs of an execution that ended {{}} may still run", "$.detail.status"),
            message=(
                ("The jobs of execution {} could not be stopped: they may go on, and cost.\n\n", "$.detail.name"),
                ("Reason:    {}\n\n", "$.caught.Cause"),
                (f"Console:   {self._console.execution_url('{}')}\n", "$.detail.executionArn"),
                (
                    "Next step: look for running training and processing jobs in the SageMaker console and stop those "
                    "of this execution.\n"
                ),
            ),
        )
        notify.add_catch(failed, errors=["States.ALL"], result_path="$.unsent")
        notify.next(failed)
        return notify

    def _execution_call(
        self, name: str, operation: str, more: dict[str, object], result_path: str
    ) -> sfn.TaskStateBase:
        executions = Stack.of(self).format_arn(
            service="states",
            resource="execution",
            resource_name=f"{self._pipeline.state_machine_name}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        call = service_call(
            self,
            name,
            service="sfn",
            parameters={"ExecutionArn.$": "$.detail.executionArn", **more},
            iam_action=f"states:{operation}",
            resources=[executions],
            result_path=result_path,
        )
        call.add_catch(self._failed, errors=["States.ALL"], result_path="$.caught")
        return call

    @property
    def _name(self) -> str:
        return Stack.of(self).stack_name[: notification.NAME_LENGTH - 20]
