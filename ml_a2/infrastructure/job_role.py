"""The role under which a SageMaker job reads, writes, logs and pulls its image."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from ml_a2.infrastructure.acknowledged import acknowledge


class JobRole(iam.Role):
    """A role that SageMaker assumes for one kind of job; it starts with no access to any object."""

    def __init__(
        self, scope: Construct, construct_id: str, *, log_group: str, metric_namespace: str, repository_arn: str
    ) -> None:
        """Grant what every job needs: its own log group, its metrics, its image."""
        super().__init__(scope, construct_id, assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
        reason = (
            "objects and log streams are named by prefix, network interfaces have no name before there is one; looking "
            "up networks, metrics and the registry's token know no resources"
        )
        acknowledge(self, "AwsSolutions-IAM5", reason)
        self._may_log(log_group)
        self._may_publish_metrics(metric_namespace)
        self._may_pull(repository_arn)

    def may_read(self, bucket: s3.IBucket, prefixes: Sequence[str]) -> None:
        """Allow the objects under the prefixes to be listed and read, and no others."""
        patterns = [f"{prefix}*" for prefix in prefixes]
        self.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:ListBucket"],
                resources=[bucket.bucket_arn],
                conditions={"StringLike": {"s3:prefix": patterns}},
            )
        )
        self.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:GetObject"], resources=[bucket.arn_for_objects(pattern) for pattern in patterns]
            )
        )

    def may_write(self, bucket: s3.IBucket, prefix: str) -> None:
        """Allow objects to be written under the prefix."""
        self.add_to_policy(
            iam.PolicyStatement(actions=["s3:PutObject"], resources=[bucket.arn_for_objects(f"{prefix}*")])
        )

    def _may_log(self, log_group: str) -> None:
        group_arn = Stack.of(self).format_arn(
            service="logs", resource="log-group", resource_name=log_group, arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
        self.add_to_policy(
            iam.PolicyStatement(
                actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
                resources=[group_arn, f"{group_arn}:log-stream:*"],
            )
        )

    def _may_publish_metrics(self, namespace: str) -> None:
        # PutMetricData knows no resources; the namespace is what can be narrowed.
        self.add_to_policy(
            iam.PolicyStatement(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={"StringEquals": {"cloudwatch:namespace": namespace}},
            )
        )

    def _may_pull(self, repository_arn: str) -> None:
        # GetAuthorizationToken knows no resources.
        self.add_to_policy(iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]))
        self.add_to_policy(
            iam.PolicyStatement(
                actions=["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
                resources=[repository_arn],
            )
        )
