"""The log group that takes the state machine's execution history."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct


class ExecutionLog(Construct):
    """Every history event with its data, kept for half a year."""

    def __init__(self, scope: Construct, construct_id: str, *, retain: bool) -> None:
        """Create the log group."""
        super().__init__(scope, construct_id)
        # Under /aws/vendedlogs/ the account's log resource policy does not grow with every state machine.
        group = logs.LogGroup(
            self,
            "Group",
            log_group_name=f"/aws/vendedlogs/states/{Stack.of(self).stack_name}",
            retention=logs.RetentionDays.SIX_MONTHS,
            removal_policy=RemovalPolicy.RETAIN if retain else RemovalPolicy.DESTROY,
        )
        self.options = sfn.LogOptions(destination=group, level=sfn.LogLevel.ALL, include_execution_data=True)
