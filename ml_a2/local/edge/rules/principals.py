"""Whether those whom a policy names are there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ml_a2.local.policy_grammar import statements_of, values_of

NAMED = re.compile(
    r"arn:(?P<partition>[a-z-]+):iam::(?P<account>[0-9]{12}):(?P<kind>role|user)/(?:.*/)?(?P<name>[^/]+)"
)


def missing_principals(policy: Mapping[str, Any]) -> Iterator[str]:
    """Yield the roles and users of this account that a policy names and that do not exist; other accounts are unknown.

    Source: IAM User Guide, "AWS JSON policy elements: Principal": an ARN is turned into an identifier on saving.

    Args:
        policy: one that has the grammar.
    """
    for statement in statements_of(policy):
        for element in ("Principal", "NotPrincipal"):
            principal = statement.get(element, {})
            for name in values_of(principal.get("AWS", [])) if isinstance(principal, dict) else []:
                match = NAMED.fullmatch(name)
                if match and not _exists(match):
                    yield f'Invalid principal in policy: "AWS":"{name}"'


def _exists(match: re.Match[str]) -> bool:
    from moto.core import DEFAULT_ACCOUNT_ID
    from moto.iam.models import iam_backends

    if match["account"] != DEFAULT_ACCOUNT_ID:
        return True
    backend = iam_backends[match["account"]][match["partition"]]
    if match["kind"] == "user":
        return match["name"] in backend.users
    return match["name"] in {role.name for role in backend.roles.values()}
