"""The model registry: model package groups, and the model packages that are their versions.

Source: SageMaker API reference; the answers have the fields of the Developer Guide's "View the Details of a Model
Version". A package is carried out by nobody here: image, model and metrics are kept, and told as they were given.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from ml_a2.errors import UserError
from ml_a2.local.clients import Clients
from ml_a2.local.images import UnknownImageError, find_image
from ml_a2.local.sagemaker.job import now
from ml_a2.local.sagemaker.protocol import ApiError, Operation
from ml_a2.local.sagemaker.supported import check_supported
from ml_a2.local.sagemaker.transfer import split_uri
from ml_a2.local.template import Environment

PACKAGE, GROUP = "model-package", "model-package-group"
# The most that a list may have.
LARGEST_PAGE = 100
# What Describe repeats from the request.
REPEATED = (
    "ModelPackageDescription", "InferenceSpecification", "MetadataProperties", "ModelMetrics", "Domain", "Task",
)  # fmt: skip


@dataclass
class ModelPackageGroup:
    """A group and the number of its last version."""

    name: str
    arn: str
    description: str | None
    created: dt.datetime = field(default_factory=now)
    last_version: int = 0

    @property
    def position(self) -> tuple[str, int]:
        """Return by what groups of one moment are sorted."""
        return self.name, 0

    def summary(self) -> dict[str, Any]:
        """Return what lists tell of it."""
        answer = {
            "ModelPackageGroupName": self.name,
            "ModelPackageGroupArn": self.arn,
            "ModelPackageGroupDescription": self.description,
            "CreationTime": self.created,
            "ModelPackageGroupStatus": "Completed",
        }
        return {key: value for key, value in answer.items() if value is not None}


@dataclass
class ModelPackage:
    """One version of a group, as it was registered and as it was changed since."""

    group: str
    version: int
    arn: str
    request: Mapping[str, Any]
    approval_status: str
    properties: dict[str, str]
    approval_description: str | None = None
    created: dt.datetime = field(default_factory=now)
    modified: dt.datetime = field(default_factory=now)

    @property
    def position(self) -> tuple[str, int]:
        """Return by what packages of one moment are sorted."""
        return self.group, self.version

    def summary(self) -> dict[str, Any]:
        """Return what lists tell of it; a version has no ModelPackageName."""
        answer = {
            "ModelPackageGroupName": self.group,
            "ModelPackageVersion": self.version,
            "ModelPackageArn": self.arn,
            "ModelPackageDescription": self.request.get("ModelPackageDescription"),
            "CreationTime": self.created,
            "ModelPackageStatus": "Completed",
            "ModelApprovalStatus": self.approval_status,
        }
        return {key: value for key, value in answer.items() if value is not None}

    def describe(self) -> dict[str, Any]:
        """Return the answer of DescribeModelPackage."""
        changed = {"ApprovalDescription": self.approval_description, "CustomerMetadataProperties": self.properties}
        return {
            **self.summary(),
            **{key: self.request[key] for key in REPEATED if key in self.request},
            **{key: value for key, value in changed.items() if value},
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            "CertifyForMarketplace": False,
            "LastModifiedTime": self.modified,
        }

    def update(self, request: Mapping[str, Any]) -> None:
        """Take a decision about the package, and properties beside those that it has."""
        self.approval_status = request.get("ModelApprovalStatus", self.approval_status)
        self.approval_description = request.get("ApprovalDescription", self.approval_description)
        removed = request.get("CustomerMetadataPropertiesToRemove", [])
        properties = {**self.properties, **request.get("CustomerMetadataProperties", {})}
        self.properties = {key: value for key, value in properties.items() if key not in removed}
        self.modified = now()


class ModelRegistry:
    """All groups and packages of the endpoint."""

    def __init__(self, clients: Clients, environment: Environment) -> None:
        """Start empty; the clients tell whether a model is there."""
        self._clients = clients
        self._where = environment
        self._groups: dict[str, ModelPackageGroup] = {}
        # By group and version, as they stand in the ARN.
        self._packages: dict[str, ModelPackage] = {}
        # The request that came with a client token, and what came of it.
        self._tokens: dict[str, tuple[Mapping[str, Any], ModelPackage]] = {}
        self._lock = threading.Lock()

    def operations(self) -> dict[str, Operation]:
        """Return what the API answers."""
        answered = {
            "CreateModelPackageGroup": self._create_group,
            "DescribeModelPackageGroup": self._describe_group,
            "ListModelPackageGroups": self._list_groups,
            "DeleteModelPackageGroup": self._delete_group,
            "CreateModelPackage": self._create_package,
            "DescribeModelPackage": lambda request: self._package(request["ModelPackageName"]).describe(),
            "ListModelPackages": self._list_packages,
            "UpdateModelPackage": self._update_package,
            "DeleteModelPackage": self._delete_package,
        }
        return {name: self._alone(name, operation) for name, operation in answered.items()}

    def kept(self) -> tuple[dict[str, Any], ...]:
        """Return groups, packages and tokens."""
        return self._groups, self._packages, self._tokens

    def restore(self, kept: tuple[dict[str, Any], ...]) -> None:
        """Take those of an earlier endpoint."""
        self._groups, self._packages, self._tokens = kept

    def _alone(self, name: str, operation: Callable[[dict[str, Any]], dict[str, Any]]) -> Operation:
        """Carry out one request after the other, and none that could be carried out only in part."""

        def answer(request: dict[str, Any]) -> dict[str, Any]:
            if name == "CreateModelPackage":
                self._check_kind(request)
            check_supported(name, request)
            with self._lock:
                return operation(request)

        return answer

    def _create_group(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request["ModelPackageGroupName"]
        arn = self._arn(GROUP, name)
        if name in self._groups:
            raise ApiError("ValidationException", f"Model Package Group already exists: {arn}")
        self._groups[name] = ModelPackageGroup(name, arn, request.get("ModelPackageGroupDescription"))
        return {"ModelPackageGroupArn": arn}

    def _describe_group(self, request: dict[str, Any]) -> dict[str, Any]:
        # Who created it is not known here.
        return {**self._group(request["ModelPackageGroupName"]).summary(), "CreatedBy": {}}

    def _list_groups(self, request: dict[str, Any]) -> dict[str, Any]:
        wanted = request.get("NameContains", "")
        page, more = _page((group for group in self._groups.values() if wanted in group.name), request)
        return {"ModelPackageGroupSummaryList": [group.summary() for group in page], **more}

    def _delete_group(self, request: dict[str, Any]) -> dict[str, Any]:
        group = self._group(request["ModelPackageGroupName"])
        if any(package.group == group.name for package in self._packages.values()):
            raise ApiError(
                "ConflictException", f"Model Package Group {group.arn} has model packages; delete them first"
            )
        del self._groups[group.name]
        return {}

    def _create_package(self, request: dict[str, Any]) -> dict[str, Any]:
        token = request.pop("ClientToken", None)
        if token in self._tokens:
            return self._repeated(token, request)
        group = self._group(request["ModelPackageGroupName"])
        for container in request["InferenceSpecification"]["Containers"]:
            self._check_container(container)
        group.last_version += 1
        package = ModelPackage(
            group.name,
            group.last_version,
            self._arn(PACKAGE, f"{group.name}/{group.last_version}"),
            request,
            request.get("ModelApprovalStatus", "PendingManualApproval"),
            request.get("CustomerMetadataProperties", {}),
        )
        self._packages[f"{group.name}/{package.version}"] = package
        if token:
            self._tokens[token] = (request, package)
        return {"ModelPackageArn": package.arn}

    def _repeated(self, token: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a request that was carried out before."""
        earlier, package = self._tokens[token]
        if earlier != request:
            raise ApiError(
                "ValidationException",
                f"ClientToken {token!r} came with another request before, which is not supported locally",
            )
        return {"ModelPackageArn": package.arn}

    def _list_packages(self, request: dict[str, Any]) -> dict[str, Any]:
        named = request.get("ModelPackageGroupName")
        group = self._group(named).name if named else None
        # Without a group named, unversioned packages are listed by default: there are none here.
        kind = request.get("ModelPackageType", "Versioned" if group else "Unversioned")
        found = [
            package
            for package in self._packages.values()
            if kind != "Unversioned"
            and group in (None, package.group)
            and request.get("ModelApprovalStatus", package.approval_status) == package.approval_status
        ]
        page, more = _page(found, request)
        return {"ModelPackageSummaryList": [package.summary() for package in page], **more}

    def _update_package(self, request: dict[str, Any]) -> dict[str, Any]:
        package = self._package(request["ModelPackageArn"])
        package.update(request)
        return {"ModelPackageArn": package.arn}

    def _delete_package(self, request: dict[str, Any]) -> dict[str, Any]:
        package = self._package(request["ModelPackageName"])
        del self._packages[f"{package.group}/{package.version}"]
        self._tokens = {token: pair for token, pair in self._tokens.items() if pair[1] is not package}
        return {}

    @staticmethod
    def _check_kind(request: Mapping[str, Any]) -> None:
        """Refuse what is no version of a group, and what a version may not have."""
        name, group = request.get("ModelPackageName"), request.get("ModelPackageGroupName")
        problem = None
        if name and group:
            problem = (
                "Both ModelPackageName and ModelPackageGroupName are provided in the input. Cannot determine which "
                "one to use."
            )
        elif name:
            problem = f"ModelPackageName {name!r}: unversioned model packages are not supported locally"
        elif not group:
            problem = "Missing ARN."
        elif request.get("Tags"):
            problem = "Tags are not allowed on a model package in a group, which has the group's"
        elif "InferenceSpecification" not in request:
            problem = "InferenceSpecification is required locally"
        if problem:
            raise ApiError("ValidationException", problem)

    def _check_container(self, container: Mapping[str, Any]) -> None:
        """Refuse an image that nobody could pull, and a model that is not there."""
        try:
            find_image(container.get("Image", ""), self._where)
        except UnknownImageError as error:
            raise ApiError("ValidationException", str(error)) from error
        if "ModelDataUrl" not in container:
            return
        url = container["ModelDataUrl"]
        try:
            bucket, key = split_uri(url)
            self._clients.s3.head_object(Bucket=bucket, Key=key)
        except (ClientError, UserError) as error:
            raise ApiError("ValidationException", f"Could not find model data at {url}: {error}") from error

    def _group(self, name_or_arn: str) -> ModelPackageGroup:
        name = self._name(GROUP, name_or_arn)
        if name not in self._groups:
            raise ApiError("ValidationException", f"ModelPackageGroup {self._arn(GROUP, name)} does not exist.")
        return self._groups[name]

    def _package(self, name_or_arn: str) -> ModelPackage:
        name = self._name(PACKAGE, name_or_arn)
        if name not in self._packages:
            raise ApiError("ValidationException", f"ModelPackage {self._arn(PACKAGE, name)} does not exist.")
        return self._packages[name]

    def _name(self, resource: str, name_or_arn: str) -> str:
        own = self._arn(resource, "")
        name = name_or_arn.removeprefix(own)
        if name.startswith("arn:"):
            raise ApiError(
                "ValidationException", f"{name_or_arn!r} is not supported locally, only ARNs that begin {own}"
            )
        return name

    def _arn(self, resource: str, name: str) -> str:
        where = self._where
        return f"arn:{where.partition}:sagemaker:{where.region}:{where.account}:{resource}/{name}"


_Entry = TypeVar("_Entry", ModelPackageGroup, ModelPackage)


def _page(entries: Iterable[_Entry], request: Mapping[str, Any]) -> tuple[list[_Entry], dict[str, str]]:
    """Return the page of a list that the request asks for, and the token of the next one when there is one."""
    after, before = request.get("CreationTimeAfter", 0), request.get("CreationTimeBefore", float("inf"))
    by_name = request.get("SortBy") == "Name"
    chosen = sorted(
        (entry for entry in entries if after < entry.created.timestamp() < before),
        key=lambda entry: entry.position if by_name else (entry.created, *entry.position),
        reverse=request.get("SortOrder") == "Descending",
    )
    token = request.get("NextToken", "0")
    if not token.isdecimal():
        raise ApiError("ValidationException", f"NextToken {token!r} is not one of this list's")
    last = int(token) + request.get("MaxResults", LARGEST_PAGE)
    return chosen[int(token) : last], {"NextToken": str(last)} if last < len(chosen) else {}
