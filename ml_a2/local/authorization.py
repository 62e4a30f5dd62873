"""Who may do what: the deployed roles and bucket policies, asked about one request at a time."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from ml_a2.local.clients import Clients
from ml_a2.local.policy import Decision, Policy, Request, decide


class AccessDeniedError(Exception):
    """A role may not do what was asked of it; the message has AWS's wording."""


@dataclass(frozen=True)
class Session:
    """A role assumed by a service for one execution or job."""

    role_arn: str
    name: str
    policies: tuple[Policy, ...] = field(repr=False)

    @property
    def arn(self) -> str:
        """Return the principal that denials name."""
        parts = self.role_arn.split(":")
        role = parts[5].rpartition("/")[2]
        return f"arn:{parts[1]}:sts::{parts[4]}:assumed-role/{role}/{self.name}"


class Authorization:
    """Decides by the policies that lie in the endpoint's own IAM and S3."""

    def __init__(self, clients: Clients) -> None:
        """Read policies through the clients, at each question: they may have been changed."""
        self._clients = clients

    def assume(self, role_arn: str, service: str, session_name: str) -> Session:
        """Let a service assume a role.

        Raises:
            AccessDeniedError: the role does not exist, or does not trust the service.
        """
        name = role_arn.rpartition("/")[2]
        iam = self._clients.iam
        try:
            role = iam.get_role(RoleName=name)["Role"]
        except ClientError as error:
            raise AccessDeniedError(f"The role {role_arn} does not exist or cannot be assumed") from error
        request = Request(service, "sts:AssumeRole", role_arn, service=service)
        trust = _document(role["AssumeRolePolicyDocument"])
        if not decide(request, (), [trust]).allowed:
            raise AccessDeniedError(
                f"The service principal {service} is not authorized to assume the role {role_arn} by its trust policy"
            )
        names = iam.list_role_policies(RoleName=name)["PolicyNames"]
        policies = [iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"] for policy in names]
        return Session(role["Arn"], session_name, tuple(_document(policy) for policy in policies))

    def require(
        self, session: Session, action: str, resource: str, context: Mapping[str, str] | None = None
    ) -> None:
        """Let the session proceed.

        Raises:
            AccessDeniedError: its policies, or those of the bucket it addresses, do not allow the action.
        """
        request = Request(session.role_arn, action, resource, {"aws:SecureTransport": "true", **(context or {})})
        decision = decide(request, session.policies, self._resource_policies(resource))
        if not decision.allowed:
            raise AccessDeniedError(_denial(session, request, decision))

    def _resource_policies(self, resource: str) -> list[Policy]:
        if not resource.split(":")[2] == "s3":
            return []
        bucket = resource.split(":::")[1].partition("/")[0]
        try:
            return [json.loads(self._clients.s3.get_bucket_policy(Bucket=bucket)["Policy"])]
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchBucketPolicy", "NoSuchBucket"):
                return []
            raise


def _denial(session: Session, request: Request, decision: Decision) -> str:
    return (
        f"User: {session.arn} is not authorized to perform: {request.action} on resource: {request.resource} "
        f"{decision.reason}"
    )


def _document(value: Any) -> Policy:
    document: Policy = json.loads(urllib.parse.unquote(value)) if isinstance(value, str) else value
    return document
