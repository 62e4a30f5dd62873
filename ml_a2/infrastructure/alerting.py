"""The topic that hears of failures, and the alarms that need no workflow to speak."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

Metric = Callable[..., cloudwatch.Metric]


class Alerting(Construct):
    """Brings a failure to people, also one that the workflow itself cannot report."""

    def __init__(
        self, scope: Construct, construct_id: str, *, emails: Sequence[str], key: kms.IKey | None = None
    ) -> None:
        """Create the topic and subscribe the addresses."""
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Topic", display_name="ML-A2 pipeline", master_key=key)
        self.alarms: list[cloudwatch.Alarm] = []
        self._let_alarms_publish()
        self._refuse_plain_text()
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
        self._alarm("CleanUpNotStarted", _failed_invocations(rule), f"The clean-up could not be started: {advice}")

    def watch_start(self, occasion: str, rule: events.Rule) -> None:
        """Alarm when an execution that a rule is there to start could not be started."""
        description = f"{occasion}: an execution of the pipeline could not be started; start one by hand."
        self._alarm(f"{occasion}NotStarted", _failed_invocations(rule), description)

    def _let_alarms_publish(self) -> None:
        # A topic with a policy has no longer its default one, under which alarms of the account could publish;
        # without this statement they would fall silent.
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="0",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )

    def _refuse_plain_text(self) -> None:
        # As the topic's enforce_ssl does, whose place among the statements depends on the CDK's version.
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AllowPublishThroughSSLOnly",
                effect=iam.Effect.DENY,
                principals=[iam.StarPrincipal()],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"Bool": {"aws:SecureTransport": "false"}},
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


def _failed_invocations(rule: events.Rule) -> Metric:
    """Return the metric that counts how often a rule's target could not be started."""

    def metric(**how: object) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/Events",
            metric_name="FailedInvocations",
            dimensions_map={"RuleName": rule.rule_name},
            **how,  # type: ignore[arg-type]  # period and statistic
        )

    return metric
