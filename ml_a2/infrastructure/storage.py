"""The three buckets: training data, model artifacts and evaluation results."""

from __future__ import annotations

from typing import cast

from aws_cdk import CfnResource, RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from ml_a2.infrastructure.acknowledged import acknowledge

CLEAN_UP_PROVIDER = "Custom::S3AutoDeleteObjectsCustomResourceProvider"


class Storage(Construct):
    """Versioned, encrypted, private buckets that take TLS only."""

    def __init__(
        self, scope: Construct, construct_id: str, *, retain: bool, key: kms.IKey | None = None, tell: bool = False
    ) -> None:
        """Create the buckets.

        Args:
            scope: where the construct belongs.
            construct_id: its name there.
            retain: whether they and their objects stay when the stack is deleted.
            key: what objects are encrypted with; without it, S3's own keys.
            tell: whether EventBridge hears of training data that is written.
        """
        super().__init__(scope, construct_id)
        self._retain = retain
        self._key = key
        self.training_data = self._bucket("TrainingData")
        self.model_artifacts = self._bucket("ModelArtifacts")
        self.evaluation_results = self._bucket("EvaluationResults")
        if tell:
            # The CDK's own way to say so is a function that configures the bucket; CloudFormation needs none.
            bucket = cast(CfnResource, self.training_data.node.default_child)
            setting = "NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled"
            bucket.add_property_override(setting, True)
        if not retain:
            self._renew_clean_up_runtime()

    def _renew_clean_up_runtime(self) -> None:
        """Run the function that empties the buckets on a runtime that Lambda still creates.

        aws-cdk-lib 2.160.0 asks for nodejs20.x, with which no function can be created since 2026-08-31.
        """
        stack = Stack.of(self)
        handler = stack.node.find_child(CLEAN_UP_PROVIDER).node.find_child("Handler")
        cast(CfnResource, handler).add_property_override("Runtime", "nodejs22.x")
        stack.node.try_remove_child("LatestNodeRuntimeMap")

    def _bucket(self, construct_id: str) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            construct_id,
            versioned=True,
            encryption=s3.BucketEncryption.KMS if self._key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=self._key,
            # One request to KMS for many objects.
            bucket_key_enabled=True if self._key else None,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            removal_policy=RemovalPolicy.RETAIN if self._retain else RemovalPolicy.DESTROY,
            auto_delete_objects=not self._retain,
        )
        reason = "access logs would need a fourth bucket; CloudTrail's data events tell the same"
        acknowledge(bucket, "AwsSolutions-S1", reason)
        return bucket
