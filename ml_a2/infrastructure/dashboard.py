"""One page of CloudWatch: executions by result, their duration, the two kinds of job, the alarms."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from ml_a2.infrastructure.calls import camel_case

WIDTH = 24
PERIOD = Duration.minutes(5)


class Dashboard(Construct):
    """What a person looks at first."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        pipeline: sfn.StateMachine,
        clean_up: sfn.StateMachine,
        alarms: Sequence[cloudwatch.IAlarm],
    ) -> None:
        """Lay out the widgets, top down."""
        super().__init__(scope, construct_id)
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            widgets=[
                [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms), width=WIDTH, height=3)],
                [self._executions(pipeline), self._duration(pipeline)],
                [
                    self._jobs("Training jobs", "CreateTrainingJob"),
                    self._jobs("Evaluation jobs", "CreateProcessingJob"),
                ],
                [self._clean_ups(clean_up)],
            ],
        )

    def _executions(self, machine: sfn.StateMachine) -> cloudwatch.IWidget:
        metrics = [
            machine.metric_started,
            machine.metric_succeeded,
            machine.metric_failed,
            machine.metric_timed_out,
            machine.metric_aborted,
        ]
        return _graph("Executions by result", [metric(period=PERIOD, statistic="Sum") for metric in metrics])

    def _duration(self, machine: sfn.StateMachine) -> cloudwatch.IWidget:
        return _graph(
            "Duration of executions (ms)",
            [machine.metric_time(period=PERIOD, statistic=statistic) for statistic in ("Average", "Maximum")],
        )

    def _jobs(self, title: str, operation: str) -> cloudwatch.IWidget:
        """Draw how often a kind of job was created; the call is what every job begins with."""
        arn = f"arn:{Aws.PARTITION}:states:::aws-sdk:sagemaker:{camel_case(operation)}"
        names = ("ServiceIntegrationsSucceeded", "ServiceIntegrationsFailed", "ServiceIntegrationsTimedOut")
        return _graph(
            title,
            [
                cloudwatch.Metric(
                    namespace="AWS/States",
                    metric_name=name,
                    dimensions_map={"ServiceIntegrationResourceArn": arn},
                    period=PERIOD,
                    statistic="Sum",
                )
                for name in names
            ],
        )

    def _clean_ups(self, machine: sfn.StateMachine) -> cloudwatch.IWidget:
        metrics = [machine.metric_started, machine.metric_failed]
        return _graph("Clean-ups", [metric(period=PERIOD, statistic="Sum") for metric in metrics], width=WIDTH)


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric], width: int = WIDTH // 2) -> cloudwatch.IWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=width, height=6)
