"""The key that everything is encrypted with, when the settings want one, and who may use it."""

from __future__ import annotations

from aws_cdk import ArnFormat, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from ml_a2.infrastructure.execution_log import LOG_GROUP_PREFIX


class Encryption(Construct):
    """A key of the stack's own, or one that somebody else keeps."""

    def __init__(self, scope: Construct, construct_id: str, *, kms_key: str, retain: bool) -> None:
        """Create the key, or find it.

        Args:
            scope: where the construct belongs.
            construct_id: its name there.
            kms_key: `create`, or the ARN of a key whose policy allows what docs/settings.md names.
            retain: whether a key that is created stays when the stack is deleted, as what it encrypted does.
        """
        super().__init__(scope, construct_id)
        if kms_key != "create":
            self.key: kms.IKey = kms.Key.from_key_arn(self, "Key", kms_key)
            return
        self.key = kms.Key(
            self,
            "Key",
            description=f"Data, models, logs and messages of {Stack.of(self).stack_name}",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN if retain else RemovalPolicy.DESTROY,
        )
        self._let_logs_be_written()
        self._let_alarms_publish()

    def _let_logs_be_written(self) -> None:
        stack = Stack.of(self)
        groups = stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"{LOG_GROUP_PREFIX}{stack.stack_name}*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(f"logs.{stack.region}.{stack.url_suffix}")],
                actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
                resources=["*"],  # in a key's policy, the key itself
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
            )
        )

    def _let_alarms_publish(self) -> None:
        # Without it an alarm cannot publish to the encrypted topic, and nobody is told that it could not.
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
            )
        )


def use_of(key: kms.IKey) -> iam.PolicyStatement:
    """Return what a role needs that reads or writes objects, or publishes to the topic."""
    return iam.PolicyStatement(actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=[key.key_arn])
