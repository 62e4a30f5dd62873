"""Who may do what: the deployed roles and bucket policies, asked about one request at a time."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field

from moto.iam.models import iam_backends
from moto.s3.models import s3_backends
from moto.sns.models import sns_backends

from ml_a2.local.policy import Decision, Policy, Request, decide
from ml_a2.local.template import Environment


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
    """Decides by the policies that lie in the endpoint's own IAM and S3, as they are at that moment."""

    def __init__(self, environment: Environment) -> None:
        """Read the stores of moto in this process: over HTTP every call of an execution would cost five."""
        self._iam = iam_backends[environment.account][environment.partition]
        self._s3 = s3_backends[environment.account][environment.partition]
        self._environment = environment
        # Role, action and resource of every request that was allowed.
        self.used: set[tuple[str, str, str]] = set()
        # What was denied, in AWS's words.
        self.denied: list[str] = []
        self._sns = sns_backends[environment.account][environment.region]

    def assume(self, role_arn: str, service: str, session_name: str, source_arn: str = "") -> Session:
        """Let a service assume a role, on behalf of the resource that the source ARN names.

        Raises:
            AccessDeniedError: the role does not exist, or does not trust the service.
        """
        role = next((role for role in self._iam.roles.values() if role.arn == role_arn), None)
        if role is None:
            raise AccessDeniedError(f"The role {role_arn} does not exist or cannot be assumed")
        source = {"aws:SourceAccount": self._environment.account}
        if source_arn:
            source["aws:SourceArn"] = source_arn
        request = Request(service, "sts:AssumeRole", role_arn, {**self._circumstances(), **source}, service=service)
        if not decide(request, (), [_document(role.assume_role_policy_document)]).allowed:
            raise AccessDeniedError(
                f"The service principal {service} is not authorized to assume the role {role_arn} by its trust policy"
            )
        return Session(role.arn, session_name, tuple(_document(policy) for policy in role.policies.values()))

    def require(self, session: Session, action: str, resource: str, context: Mapping[str, str] | None = None) -> None:
        """Let the session proceed.

        Raises:
            AccessDeniedError: its policies, or those of the bucket or topic it addresses, do not allow the action.
        """
        principal = {"aws:PrincipalArn": session.role_arn, "aws:PrincipalAccount": self._environment.account}
        circumstances = {**self._circumstances(), **principal, **(context or {})}
        request = Request(session.role_arn, action, resource, circumstances)
        decision = decide(request, session.policies, self._resource_policies(resource))
        if not decision.allowed:
            self.denied.append(_denial(session.arn, request, decision))
            raise AccessDeniedError(self.denied[-1])
        self.used.add((session.role_arn, action, resource))

    def require_service(self, service: str, action: str, resource: str, source_arn: str) -> None:
        """Let a service proceed that acts on its own behalf, as an alarm does.

        Raises:
            AccessDeniedError: the resource's policy does not allow it.
        """
        source = {"aws:SourceAccount": self._environment.account, "aws:SourceArn": source_arn}
        request = Request(service, action, resource, {**self._circumstances(), **source}, service=service)
        decision = decide(request, (), self._resource_policies(resource))
        if not decision.allowed:
            raise AccessDeniedError(_denial(service, request, decision))

    def kept(self) -> tuple[set[tuple[str, str, str]], list[str]]:
        """Return what was allowed and what was denied."""
        return set(self.used), list(self.denied)

    def restore(self, kept: tuple[set[tuple[str, str, str]], list[str]]) -> None:
        """Take what was allowed and denied in an earlier endpoint."""
        self.used, self.denied = kept

    def granted(self) -> dict[str, list[Policy]]:
        """Return the identity policies of every role, by its ARN."""
        return {role.arn: [_document(policy) for policy in role.policies.values()] for role in self._iam.roles.values()}

    def _circumstances(self) -> dict[str, str]:
        """Return the condition keys that every request carries; roles and resources share one account here."""
        where = self._environment
        return {
            "aws:SecureTransport": "true",
            "aws:RequestedRegion": where.region,
            "aws:ResourceAccount": where.account,
        }

    def _resource_policies(self, resource: str) -> list[Policy]:
        service = (
            resource.split(":")[2] if resource.startswith("arn:") else ""
        )  # "*": an action that knows no resources
        holder = None
        if service == "s3":
            holder = self._s3.buckets.get(resource.split(":::")[1].partition("/")[0])
        elif service == "sns":
            holder = self._sns.topics.get(resource)
        return [_document(holder.policy)] if holder is not None and holder.policy else []


def _denial(principal: str, request: Request, decision: Decision) -> str:
    return (
        f"User: {principal} is not authorized to perform: {request.action} on resource: {request.resource} "
        f"{decision.reason}"
    )


def _document(text: str | bytes) -> Policy:
    """Read a stored policy: IAM keeps it URL-encoded or not, as it came."""
    document: Policy = json.loads(urllib.parse.unquote(text.decode() if isinstance(text, bytes) else text))
    return document
