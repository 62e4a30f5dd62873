"""What SageMaker refuses and takes."""

from __future__ import annotations

from typing import Any

from tests.local.edge.rules.case import Case

SERVICE = "sagemaker"
SOURCE = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/train/"}}


def _job(**changes: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": "j",
        "RoleArn": "arn:aws:iam::123456789012:role/r",
        "AlgorithmSpecification": {"TrainingImage": "i", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://b/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **changes,
    }


def _channels(*names: str) -> dict[str, Any]:
    return _job(InputDataConfig=[{"ChannelName": name, "DataSource": SOURCE} for name in names])


def _spot(**condition: int) -> dict[str, Any]:
    return _job(EnableManagedSpotTraining=True, StoppingCondition={"MaxRuntimeInSeconds": 60, **condition})


def _resources(**resources: Any) -> dict[str, Any]:
    return _job(ResourceConfig={"InstanceCount": 1, **resources})


def _tags(*keys: str) -> dict[str, Any]:
    return _job(Tags=[{"Key": key, "Value": "v"} for key in keys])


def _case(rule: str, refused: dict[str, Any], taken: dict[str, Any]) -> Case:
    return Case(rule, "CreateTrainingJob", refused, taken)


CASES = [
    _case("channels", _channels("train", "train"), _channels("train", "Train")),
    _case("spot", _spot(), _spot(MaxWaitTimeInSeconds=60)),
    _case("spot", _spot(MaxWaitTimeInSeconds=59), _spot(MaxWaitTimeInSeconds=61)),
    _case(
        "runtime",
        _job(StoppingCondition={"MaxRuntimeInSeconds": 2_419_201}),
        _job(StoppingCondition={"MaxRuntimeInSeconds": 2_419_200}),
    ),
    _case("volume", _resources(InstanceType="ml.m5.large"), _resources(InstanceType="ml.m5.large", VolumeSizeInGB=1)),
    _case(
        "volume",
        _resources(InstanceType="ml.c5.xlarge", VolumeSizeInGB=0),
        _resources(InstanceType="ml.g4dn.xlarge", VolumeSizeInGB=0),
    ),
    _case("tags", _tags("a", "a"), _tags("a", "A")),
    _case("tags", _tags("aws:a"), _tags("awsa")),
]
