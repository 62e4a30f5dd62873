"""Permissions that were granted and never used: what a role could do without, as far as an execution shows."""

from __future__ import annotations

from dataclasses import dataclass

from ml_a2.local.authorization import Authorization
from ml_a2.local.policy import grants


@dataclass(frozen=True, order=True)
class Permission:
    """One action of a role on one pattern of resources."""

    role: str
    action: str
    resource: str


def never_used(authorization: Authorization) -> list[Permission]:
    """Return what the endpoint's roles may do and have not done, by role."""
    found = set()
    for role_arn, policies in authorization.granted().items():
        uses = [(action, resource) for role, action, resource in authorization.used if role == role_arn]
        for action, resource, matches in (grant for policy in policies for grant in grants(policy)):
            if not any(matches(*use) for use in uses):
                found.add(Permission(role_arn.rpartition("/")[2], action, resource))
    return sorted(found)
