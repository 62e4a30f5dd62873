"""Permissions that were granted and never used: what a role could do without, as far as an execution shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ml_a2.local.authorization import Authorization
from ml_a2.local.policy import grants

# A log group, in the ARN of what lies in it too. Policies name one as it is and with `:*` behind it: the Service
# Authorization Reference gives the first form, the CloudWatch Logs User Guide asks for the second with most actions
# (What Is Amazon CloudWatch Logs, "Using identity-based policies", log group ARNs). Who grants both grants one thing.
LOG_GROUP = re.compile(r"arn:[\w-]+:logs:[^:]*:\d*:log-group:[^:]+")


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
            if not any(matches(used, name) for used, touched in uses for name in _names(touched)):
                found.add(Permission(role_arn.rpartition("/")[2], action, resource))
    return sorted(found)


def _names(resource: str) -> Iterator[str]:
    """Yield the ARNs by which a policy may name what a call touched."""
    yield resource
    if group := LOG_GROUP.match(resource):
        yield group[0]
