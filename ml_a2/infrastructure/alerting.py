"""The topic that hears of failures, and the alarms that need no workflow to speak."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

Metric = Callable[..., cloudwatch.Metric]


class Alerting(Construct):
    """Brings a failure to people, also one that the workflow itself cannot report."""

    def __init__(self, scope: Construct, construct_id: str, *, emails: Sequence[str]) -> None:
        """Create the topic and subscribe the addresses."""
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Topic", display_name="ML-A2 pipeline", enforce_ssl=True)
        self.alarms: list[cloudwatch.Alarm] = []
        self._let_alarms_publish()
        for email in emails:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))

    def watch(self, state_machine: sfn.StateMachine) -> None:
        """Alarm on executions that failed, timed out or were aborted."""
        about = "Executions of the training and evaluation pipeline"
        self._alarm("ExecutionsFailed", state_machine.metric_failed, f"{about} failed.")
        self._alarm("ExecutionsTimedOut", state_machine.metric_timed_out, f"{about} timed out.")
        self._alarm("ExecutionsAborted", state_machine.metric_aborted, f"{about} were aborted.")

    def watch_clean_up(self, state_machine: sfn.StateMachine, rule: events.Rule) -> None:
        """Alarm when the jobs of an execution that ended could not be stopped: they may go on, and cost."""
        advice = "stop the jobs of executions that ended by hand."
        self._alarm("CleanUpFailed", state_machine.metric_failed, f"The clean-up failed: {advice}")
        self._alarm("CleanUpTimedOut", state_machine.metric_timed_out, f"The clean-up timed out: {advice}")

        def failed_invocations(**how: object) -> cloudwatch.Metric:
            return cloudwatch.Metric(
                namespace="AWS/Events",
                metric_name="FailedInvocations",
                dimensions_map={"RuleName": rule.rule_name},
                **how,  # type: ignore[arg-type]  # period and statistic
            )

        self._alarm("CleanUpNotStarted", failed_invocations, f"The clean-up could not be started: {advice}")

    def _let_alarms_publish(self) -> None:
        # enforce_ssl replaces the topic's default policy, under which alarms of the account could publish;
        # without this statement they would fall silent.
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )

    def _alarm(self, construct_id: str, metric: Metric, description: str) -> None:
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            metric=metric(period=Duration.minutes(1), statistic="Sum"),
            threshold=1,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=description,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        self.alarms.append(alarm)
