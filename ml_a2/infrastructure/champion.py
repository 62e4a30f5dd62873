"""The champion: the last accepted model, which the next one must not fall behind, named by one object."""

from __future__ import annotations

from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from ml_a2 import contract
from ml_a2.infrastructure.calls import service_call
from ml_a2.infrastructure.failure import FailurePath, Stage
from ml_a2.infrastructure.storage import Storage


class Champion(Construct):
    """Finds the champion before an evaluation, and names the accepted model the next one."""

    def __init__(
        self, scope: Construct, construct_id: str, *, storage: Storage, stage: Stage, failure: FailurePath
    ) -> None:
        """Take what both calls need: where the models lie, and where failures go."""
        super().__init__(scope, construct_id)
        self._bucket = storage.model_artifacts
        self._stage = stage
        self._failure = failure

    def find(self, *, then: sfn.IChainable) -> sfn.IChainable:
        """Return what puts the champion's artifact under `$.champion.model_artifact`.

        Before there is one, that is the new model's own: the evaluation sees that both are the same file.
        """
        none_yet = sfn.Pass(
            self,
            "NoChampionYet",
            state_name="NoChampionYet",
            parameters={"model_artifact.$": "$.model_artifact"},
            result_path="$.champion",
        )
        none_yet.next(then)
        is_there = sfn.Choice(self, "ChampionFound?", state_name="ChampionFound?")
        is_there.when(sfn.Condition.number_greater_than("$.champion.count", 0), self._read(then))
        is_there.otherwise(none_yet)
        search = self._search()
        search.next(is_there)
        return search

    def _search(self) -> tasks.CallAwsService:
        """Ask whether there is the object: reading one that is not there is denied to whoever may not list."""
        bucket = self._bucket
        search = service_call(
            self,
            "FindChampion",
            service="s3",
            parameters={"Bucket": bucket.bucket_name, "Prefix": contract.CHAMPION_KEY, "MaxKeys": 1},
            operation="ListObjectsV2",
            iam_action="s3:ListBucket",
            resources=[bucket.bucket_arn],
            result_selector={"count.$": "$.KeyCount"},
            result_path="$.champion",
        )
        self._failure.protect(search, self._stage)
        return search

    def _read(self, then: sfn.IChainable) -> sfn.IChainable:
        read = self._call(
            "ReadChampion",
            "GetObject",
            {},
            result_selector={"content.$": "States.StringToJson($.Body)"},
            result_path="$.champion",
        )
        self._failure.protect(read, self._stage)
        use = sfn.Pass(
            self,
            "UseChampion",
            state_name="UseChampion",
            parameters={"model_artifact.$": "$.champion.content.model_artifact"},
            result_path="$.champion",
        )
        read.next(use)
        use.next(then)
        return read

    def name(self, *, then: sfn.IChainable) -> sfn.IChainable:
        """Return what makes the model at `$.model_artifact` the champion."""
        content = {
            "model_artifact.$": "$.model_artifact",
            "execution.$": "$$.Execution.Id",
            "accepted.$": "$$.State.EnteredTime",
        }
        write = self._call(
            "NameChampion",
            "PutObject",
            {"Body": content, "ContentType": "application/json"},
            result_path=sfn.JsonPath.DISCARD,
        )
        self._failure.protect(write, self._stage)
        write.next(then)
        return write

    def _call(
        self, name: str, operation: str, parameters: dict[str, object], **options: object
    ) -> tasks.CallAwsService:
        return service_call(
            self,
            name,
            service="s3",
            parameters={"Bucket": self._bucket.bucket_name, "Key": contract.CHAMPION_KEY, **parameters},
            iam_action=f"s3:{operation}",
            resources=[self._bucket.arn_for_objects(contract.CHAMPION_KEY)],
            **options,  # type: ignore[arg-type]  # passed through
        )
