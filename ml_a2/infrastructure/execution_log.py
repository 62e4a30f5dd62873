"""The log group that takes the state machine's execution history."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

# Under /aws/vendedlogs/ the account's log resource policy does not grow with every state machine.
LOG_GROUP_PREFIX = "/aws/vendedlogs/states/"


class ExecutionLog(Construct):
    """Every history event with its data, kept for half a year."""

    def __init__(
        self, scope: Construct, construct_id: str, *, retain: bool, purpose: str = "", key: kms.IKey | None = None
    ) -> None:
        """Create the log group; `purpose` tells the stack's second state machine from its first."""
        super().__init__(scope, construct_id)
        name = LOG_GROUP_PREFIX + Stack.of(self).stack_name + (f"-{purpose}" if purpose else "")
        group = logs.LogGroup(
            self,
            "Group",
            log_group_name=name,
            encryption_key=key,
            retention=logs.RetentionDays.SIX_MONTHS,
            removal_policy=RemovalPolicy.RETAIN if retain else RemovalPolicy.DESTROY,
        )
        self.options = sfn.LogOptions(destination=group, level=sfn.LogLevel.ALL, include_execution_data=True)
