"""The three buckets: training data, model artifacts and evaluation results."""

from __future__ import annotations

from typing import cast

from aws_cdk import CfnResource, RemovalPolicy, Stack
from aws_cdk import aws_s3 as s3
from constructs import Construct

CLEAN_UP_PROVIDER = "Custom::S3AutoDeleteObjectsCustomResourceProvider"


class Storage(Construct):
    """Versioned, encrypted, private buckets that take TLS only."""

    def __init__(self, scope: Construct, construct_id: str, *, retain: bool) -> None:
        """Create the buckets; `retain` keeps them and their objects when the stack is deleted."""
        super().__init__(scope, construct_id)
        self._retain = retain
        self.training_data = self._bucket("TrainingData")
        self.model_artifacts = self._bucket("ModelArtifacts")
        self.evaluation_results = self._bucket("EvaluationResults")
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
        return s3.Bucket(
            self,
            construct_id,
            versioned=True,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            removal_policy=RemovalPolicy.RETAIN if self._retain else RemovalPolicy.DESTROY,
            auto_delete_objects=not self._retain,
        )
