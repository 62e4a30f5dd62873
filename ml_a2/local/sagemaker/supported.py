"""The members of a request that are carried out here; one that is not, or another value, is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml_a2.local.sagemaker.protocol import ApiError

# ANY: every value that the service model allows. A tuple: these values only. A mapping: a structure, or a list of such.
ANY = None

S3_SOURCE = {"S3DataType": ("S3Prefix",), "S3Uri": ANY, "S3DataDistributionType": ANY}
S3_INPUT = {
    "S3Uri": ANY, "LocalPath": ANY, "S3DataType": ("S3Prefix",), "S3InputMode": ("File",),
    "S3DataDistributionType": ("FullyReplicated",), "S3CompressionType": ("None",),
}  # fmt: skip
CONTAINER = {
    "ContainerHostname": ANY, "Image": ANY, "ModelDataUrl": ANY, "Environment": ANY, "Framework": ANY,
    "FrameworkVersion": ANY,
}  # fmt: skip
LISTED = {
    "CreationTimeAfter": ANY, "CreationTimeBefore": ANY, "MaxResults": ANY, "NextToken": ANY, "SortBy": ANY,
    "SortOrder": ANY,
}  # fmt: skip
SUPPORTED: dict[str, Mapping[str, Any]] = {
    "CreateTrainingJob": {
        "TrainingJobName": ANY,
        "RoleArn": ANY,
        "HyperParameters": ANY,
        "AlgorithmSpecification": {"TrainingImage": ANY, "TrainingInputMode": ("File",), "MetricDefinitions": ANY},
        "InputDataConfig": {
            "ChannelName": ANY,
            "ContentType": ANY,
            "DataSource": {"S3DataSource": S3_SOURCE},
            "CompressionType": ("None",),
            "RecordWrapperType": ("None",),
            "InputMode": ("File",),
        },
        "OutputDataConfig": {"S3OutputPath": ANY, "KmsKeyId": ("",), "CompressionType": ("GZIP",)},
        "ResourceConfig": {"InstanceType": ANY, "InstanceCount": tuple(range(1, 21)), "VolumeSizeInGB": ANY},
        "StoppingCondition": {"MaxRuntimeInSeconds": ANY},
        "Environment": ANY,
        "Tags": ANY,
        "EnableNetworkIsolation": ANY,
        "EnableInterContainerTrafficEncryption": ANY,
        "EnableManagedSpotTraining": (False,),
        "CheckpointConfig": {"S3Uri": ANY, "LocalPath": ANY},
        # The SageMaker SDK switches both off in so many words.
        "DebugHookConfig": ({},),
        "ProfilerConfig": ({"DisableProfiler": True},),
    },
    "CreateProcessingJob": {
        "ProcessingJobName": ANY,
        "RoleArn": ANY,
        "AppSpecification": {"ImageUri": ANY, "ContainerEntrypoint": ANY, "ContainerArguments": ANY},
        "ProcessingInputs": {"InputName": ANY, "S3Input": S3_INPUT},
        "ProcessingOutputConfig": {
            "Outputs": {"OutputName": ANY, "S3Output": {"S3Uri": ANY, "LocalPath": ANY, "S3UploadMode": ("EndOfJob",)}}
        },
        "ProcessingResources": {"ClusterConfig": {"InstanceType": ANY, "InstanceCount": (1,), "VolumeSizeInGB": ANY}},
        "StoppingCondition": {"MaxRuntimeInSeconds": ANY},
        "NetworkConfig": {"EnableNetworkIsolation": ANY, "EnableInterContainerTrafficEncryption": ANY},
        "Environment": ANY,
        "Tags": ANY,
    },
    "CreateModelPackageGroup": {"ModelPackageGroupName": ANY, "ModelPackageGroupDescription": ANY, "Tags": ANY},
    "DescribeModelPackageGroup": {"ModelPackageGroupName": ANY},
    "ListModelPackageGroups": {**LISTED, "NameContains": ANY, "CrossAccountFilterOption": ("SameAccount",)},
    "DeleteModelPackageGroup": {"ModelPackageGroupName": ANY},
    "CreateModelPackage": {
        "ModelPackageGroupName": ANY,
        "ModelPackageDescription": ANY,
        "ModelApprovalStatus": ANY,
        "InferenceSpecification": {
            "Containers": CONTAINER,
            "SupportedContentTypes": ANY,
            "SupportedResponseMIMETypes": ANY,
            "SupportedTransformInstanceTypes": ANY,
            "SupportedRealtimeInferenceInstanceTypes": ANY,
        },
        "ModelMetrics": ANY,
        "MetadataProperties": ANY,
        "CustomerMetadataProperties": ANY,
        "Domain": ANY,
        "Task": ANY,
        "ClientToken": ANY,
        "CertifyForMarketplace": (False,),
    },
    # Without a model card, which is refused, both answers are the same.
    "DescribeModelPackage": {"ModelPackageName": ANY, "IncludedData": ANY},
    "ListModelPackages": {**LISTED, "ModelPackageGroupName": ANY, "ModelApprovalStatus": ANY, "ModelPackageType": ANY},
    "UpdateModelPackage": {
        "ModelPackageArn": ANY,
        "ModelApprovalStatus": ANY,
        "ApprovalDescription": ANY,
        "CustomerMetadataProperties": ANY,
        "CustomerMetadataPropertiesToRemove": ANY,
    },
    "DeleteModelPackage": {"ModelPackageName": ANY},
}


def check_supported(operation: str, request: Mapping[str, Any]) -> None:
    """Refuse a request that could be carried out only in part.

    Raises:
        ApiError: names the member by its path, and its value.
    """
    _check(request, SUPPORTED[operation], "")


def _check(value: Any, supported: Any, path: str) -> None:
    if isinstance(supported, tuple):
        if value not in supported:
            allowed = " or ".join(map(repr, supported))
            raise ApiError("ValidationException", f"{path} {value!r} is not supported locally, only {allowed}")
    elif isinstance(supported, Mapping):
        for item in value if isinstance(value, list) else [value]:
            for name, inner in item.items():
                inner_path = f"{path}.{name}" if path else name
                if name not in supported:
                    raise ApiError(
                        "ValidationException", f"{inner_path} is not supported locally; see docs/fidelity.md"
                    )
                _check(inner, supported[name], inner_path)
