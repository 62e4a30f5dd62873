"""Model package groups and model packages through SageMaker's API: kept, listed, decided about, refused."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import XGBOOST, Account

ARN = "arn:aws:sagemaker:us-east-1:123456789012"
MODEL = "s3://data/models/job/output/model.tar.gz"


class Registry:
    """An account's registry, with a model to register."""

    def __init__(self, account: Account) -> None:
        account.put(MODEL.removeprefix("s3://data/"), "a model")
        self.api = account.runtime.clients.sagemaker

    def group(self, name: str = "churn", **more: Any) -> str:
        return self.api.create_model_package_group(ModelPackageGroupName=name, **more)["ModelPackageGroupArn"]

    def package(self, group: str = "churn", **more: Any) -> str:
        request = {"ModelPackageGroupName": group, "InferenceSpecification": _inference(), **more}
        arn: str = self.api.create_model_package(**request)["ModelPackageArn"]
        return arn

    def describe(self, arn: str) -> dict[str, Any]:
        answer: Any = self.api.describe_model_package(ModelPackageName=arn)
        del answer["ResponseMetadata"]
        return dict(answer)

    def versions(self, **filters: Any) -> list[int]:
        summaries = self.api.list_model_packages(**filters)["ModelPackageSummaryList"]
        return [summary["ModelPackageVersion"] for summary in summaries]


@pytest.fixture
def registry(account: Account) -> Registry:
    return Registry(account)


def _inference(**changes: Any) -> dict[str, Any]:
    return {
        "Containers": [{"Image": XGBOOST, "ModelDataUrl": MODEL, **changes}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }


def test_a_package_is_told_as_it_was_registered(registry: Registry) -> None:
    """With the fields that the Developer Guide shows of a version, and no other."""
    registry.group()
    told = {
        "ModelPackageDescription": "the first",
        "InferenceSpecification": _inference(),
        "ModelApprovalStatus": "Approved",
        "ModelMetrics": {
            "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": "s3://data/evaluation.json"}}
        },
        "MetadataProperties": {"GeneratedBy": "arn:aws:states:us-east-1:123456789012:execution:a:b!"},
        "CustomerMetadataProperties": {"TrainingData": "s3://data/train/año 1/"},
    }
    arn = registry.package(**told)
    assert arn == f"{ARN}:model-package/churn/1"
    described = registry.describe(arn)
    created = described.pop("CreationTime")
    assert abs(created - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=10)
    assert described == {
        **told,
        "ModelPackageGroupName": "churn",
        "ModelPackageVersion": 1,
        "ModelPackageArn": arn,
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CertifyForMarketplace": False,
        "LastModifiedTime": created,
    }


def test_versions_count_up_and_are_not_used_again(registry: Registry) -> None:
    """Each group counts for itself; a version that was deleted leaves a gap."""
    registry.group()
    registry.group("other")
    first, second = registry.package(), registry.package(f"{ARN}:model-package-group/churn")
    assert (first, second) == (f"{ARN}:model-package/churn/1", f"{ARN}:model-package/churn/2")
    assert registry.package("other") == f"{ARN}:model-package/other/1"
    registry.api.delete_model_package(ModelPackageName=second)
    assert registry.package() == f"{ARN}:model-package/churn/3"
    assert registry.versions(ModelPackageGroupName="churn") == [1, 3]


def test_a_repeated_call_registers_once(registry: Registry) -> None:
    """The same client token gives the package that there is; another request under it is refused."""
    registry.group()
    first = registry.package(ClientToken="one")
    assert registry.package(ClientToken="one") == first
    assert registry.package(ClientToken="two") != first
    with pytest.raises(ClientError, match="ClientToken 'one' came with another request before"):
        registry.package(ClientToken="one", ModelApprovalStatus="Approved")
    assert registry.versions(ModelPackageGroupName="churn") == [1, 2]


def test_a_person_decides_about_a_package(registry: Registry) -> None:
    """The status is pending by default; a decision, its reason and properties are kept, one thing at a time."""
    registry.group()
    arn = registry.package(CustomerMetadataProperties={"a": "1", "b": "2"})
    before = registry.describe(arn)
    assert before["ModelApprovalStatus"] == "PendingManualApproval"
    update = registry.api.update_model_package
    answer = update(ModelPackageArn=arn, ModelApprovalStatus="Rejected", ApprovalDescription="too slow (twice) & dear")
    assert answer["ModelPackageArn"] == arn
    update(
        ModelPackageArn=arn,
        CustomerMetadataProperties={"b": "3", "c": "4"},
        CustomerMetadataPropertiesToRemove=["a"],
    )
    after = registry.describe(arn)
    changed = {key for key in after if after[key] != before.get(key)}
    assert changed <= {
        "ModelApprovalStatus", "ApprovalDescription", "CustomerMetadataProperties", "LastModifiedTime",
    }  # fmt: skip
    assert (after["ModelApprovalStatus"], after["ApprovalDescription"]) == ("Rejected", "too slow (twice) & dear")
    assert after["CustomerMetadataProperties"] == {"b": "3", "c": "4"}
    assert after["LastModifiedTime"] >= after["CreationTime"] == before["CreationTime"]


def test_packages_are_listed_by_group_status_and_time(registry: Registry) -> None:
    """In the order of their creation or the other way round; without a group, versions must be asked for."""
    registry.group()
    registry.group("other")
    for status in ("Approved", "Rejected", "Approved"):
        registry.package(ModelApprovalStatus=status)
    registry.package("other")
    churn = {"ModelPackageGroupName": "churn"}
    assert registry.versions(**churn) == [1, 2, 3]
    assert registry.versions(**churn, SortOrder="Descending") == [3, 2, 1]
    assert registry.versions(**churn, SortBy="Name", SortOrder="Descending") == [3, 2, 1]
    assert registry.versions(**churn, ModelApprovalStatus="Approved") == [1, 3]
    assert registry.versions() == []
    assert registry.versions(ModelPackageType="Versioned") == [1, 2, 3, 1]
    assert registry.versions(ModelPackageType="Both", ModelApprovalStatus="PendingManualApproval") == [1]
    hour = dt.timedelta(hours=1)
    now = dt.datetime.now(dt.UTC)
    assert registry.versions(**churn, CreationTimeAfter=now - hour, CreationTimeBefore=now + hour) == [1, 2, 3]
    assert registry.versions(**churn, CreationTimeAfter=now + hour) == []
    assert registry.versions(**churn, CreationTimeBefore=now - hour) == []
    (summary,) = registry.api.list_model_packages(ModelPackageGroupName="other")["ModelPackageSummaryList"]
    assert set(summary) == {
        "ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn", "CreationTime", "ModelPackageStatus",
        "ModelApprovalStatus",
    }  # fmt: skip


def test_lists_come_in_pages(registry: Registry) -> None:
    """boto3's paginators find everything once, in order."""
    registry.group()
    for _ in range(5):
        registry.package()
    pages = list(
        registry.api.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName="churn", PaginationConfig={"PageSize": 2}
        )
    )
    assert [[s["ModelPackageVersion"] for s in page["ModelPackageSummaryList"]] for page in pages] == [
        [1, 2],
        [3, 4],
        [5],
    ]
    with pytest.raises(ClientError, match="NextToken 'x' is not one of this list's"):
        registry.api.list_model_packages(ModelPackageGroupName="churn", NextToken="x")


def test_groups_are_described_and_listed(registry: Registry) -> None:
    """By a part of their name, in either order."""
    arn = registry.group("churn-eu", ModelPackageGroupDescription="in Europe")
    registry.group("churn-us")
    registry.group("fraud")
    group: Any = registry.api.describe_model_package_group(ModelPackageGroupName=arn)
    assert group.pop("CreationTime") <= dt.datetime.now(dt.UTC)
    del group["ResponseMetadata"]
    assert group == {
        "ModelPackageGroupName": "churn-eu",
        "ModelPackageGroupArn": f"{ARN}:model-package-group/churn-eu",
        "ModelPackageGroupDescription": "in Europe",
        "ModelPackageGroupStatus": "Completed",
        "CreatedBy": {},
    }

    def names(**filters: Any) -> list[str]:
        summaries = registry.api.list_model_package_groups(**filters)["ModelPackageGroupSummaryList"]
        return [summary["ModelPackageGroupName"] for summary in summaries]

    assert names() == ["churn-eu", "churn-us", "fraud"]
    assert names(NameContains="us") == ["churn-us"]
    assert names(SortBy="Name", SortOrder="Descending", MaxResults=2) == ["fraud", "churn-us"]


def test_a_group_with_packages_cannot_be_deleted(registry: Registry) -> None:
    """Nor be created again; without packages it goes, and its name is free."""
    registry.group()
    package = registry.package()
    delete = registry.api.delete_model_package_group
    with pytest.raises(ClientError, match="has model packages") as caught:
        delete(ModelPackageGroupName="churn")
    assert caught.value.response["Error"]["Code"] == "ConflictException"
    with pytest.raises(ClientError, match=r"ValidationException.*Model Package Group already exists"):
        registry.group()
    registry.api.delete_model_package(ModelPackageName=package)
    with pytest.raises(ClientError, match=r"ValidationException.*ModelPackage arn.*/churn/1 does not exist\."):
        registry.describe(package)
    delete(ModelPackageGroupName="churn")
    with pytest.raises(ClientError, match=r"ValidationException.*ModelPackageGroup arn.*/churn does not exist\."):
        delete(ModelPackageGroupName="churn")
    registry.group()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ModelPackageGroupName": "nobody"}, f"ModelPackageGroup {ARN}:model-package-group/nobody does not exist."),
        ({"ModelPackageGroupName": f"{ARN.replace('east', 'west')}:model-package-group/churn"}, "only ARNs that begin"),
        ({"ModelPackageGroupName": "a_b"}, "at 'modelPackageGroupName' failed to satisfy constraint"),
        ({"ModelPackageName": "a"}, "Both ModelPackageName and ModelPackageGroupName are provided"),
        ({"Tags": [{"Key": "k", "Value": "v"}]}, "Tags are not allowed on a model package in a group"),
        ({"ModelApprovalStatus": "Maybe"}, "enum value set: [Approved, Rejected, PendingManualApproval]"),
        ({"ClientToken": "x" * 37}, "less than or equal to 36"),
        ({"CustomerMetadataProperties": {"a": "b!"}}, "at 'customerMetadataProperties.a.value' failed to satisfy"),
        ({"CustomerMetadataProperties": {"a": "x" * 257}}, "less than or equal to 256"),
        ({"ModelPackageDescription": "a\nb"}, "at 'modelPackageDescription' failed to satisfy"),
        ({"CertifyForMarketplace": True}, "CertifyForMarketplace True is not supported locally"),
        ({"SkipModelValidation": "All"}, "SkipModelValidation is not supported locally"),
        ({"InferenceSpecification": _inference(ProductId="p")}, "Containers.ProductId is not supported locally"),
        (
            {"InferenceSpecification": _inference(Image="public.ecr.aws/x:1")},
            "is not the URI of an image in Amazon ECR",
        ),
        (
            {"InferenceSpecification": _inference(Image=XGBOOST.replace("6833", "1111"))},
            "account '111113688378' is not that of SageMaker's images in us-east-1",
        ),
        (
            {"InferenceSpecification": _inference(ModelDataUrl="s3://data/nothing.tar.gz")},
            "Could not find model data at s3://data/nothing.tar.gz",
        ),
        ({"InferenceSpecification": _inference(ModelDataUrl="https://data/m")}, "'https://data/m' is no S3 URI"),
    ],
)
def test_fails_naming_the_member_of_a_bad_request(registry: Registry, changes: dict[str, Any], words: str) -> None:
    """What AWS refuses, and what is not carried out here; nothing is registered then."""
    registry.group()
    with pytest.raises(ClientError) as caught:
        registry.package(**changes)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert words in str(caught.value)
    assert registry.versions(ModelPackageGroupName="churn") == []


@pytest.mark.parametrize(
    ("request_without_group", "words"),
    [
        ({"ModelPackageName": "a"}, "unversioned model packages are not supported locally"),
        ({}, "Missing ARN."),
        ({"ModelPackageGroupName": "churn"}, "InferenceSpecification is required locally"),
    ],
)
def test_fails_for_what_is_no_version(registry: Registry, request_without_group: dict[str, str], words: str) -> None:
    """A package belongs to a group, and has something to serve."""
    registry.group()
    with pytest.raises(ClientError, match=words):
        registry.api.create_model_package(**request_without_group)


def test_fails_for_what_is_not_there(registry: Registry) -> None:
    """Every operation on an unknown group or package has the service's answer."""
    unknown = f"{ARN}:model-package/churn/1"
    api = registry.api
    for call in (
        lambda: api.describe_model_package_group(ModelPackageGroupName="churn"),
        lambda: api.list_model_packages(ModelPackageGroupName="churn"),
        lambda: api.describe_model_package(ModelPackageName="churn/1"),
        lambda: api.describe_model_package(ModelPackageName="churn"),
        lambda: api.update_model_package(ModelPackageArn=unknown, ModelApprovalStatus="Approved"),
        lambda: api.delete_model_package(ModelPackageName=unknown),
    ):
        with pytest.raises(ClientError, match=r"ValidationException.*does not exist\.$"):
            call()
