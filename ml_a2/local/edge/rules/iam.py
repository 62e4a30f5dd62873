"""IAM: policies of roles, and whom a role trusts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ml_a2.local.edge.rules.rule import Rulebook
from ml_a2.local.policy_grammar import problems_of_policy, read_policy, statements_of

BOOK = Rulebook("iam")
GRAMMAR = "IAM User Guide, Grammar of the IAM JSON policy language"
ELEMENTS = "IAM User Guide, IAM JSON policy elements reference"
QUOTAS = "IAM User Guide, IAM and STS quotas"
MALFORMED, TOO_LARGE = "MalformedPolicyDocument", "LimitExceeded"
TRUST = "CreateRole UpdateAssumeRolePolicy"
INLINE = "PutRolePolicy PutUserPolicy PutGroupPolicy"
MANAGED = "CreatePolicy CreatePolicyVersion"
LARGEST_TRUST, LARGEST_INLINE, LARGEST_MANAGED = 2048, 10_240, 6144
SID = re.compile("[0-9A-Za-z]*")


def _text(request: Mapping[str, Any]) -> str:
    text: str = request.get("AssumeRolePolicyDocument") or request["PolicyDocument"]
    return text


def _grammar(request: Mapping[str, Any], *, principal: bool) -> Iterator[str]:
    try:
        yield from problems_of_policy(read_policy(_text(request)), principal=principal, resource=not principal)
    except ValueError as error:
        yield f"This policy contains invalid Json: {error}"


@BOOK.rule(
    TRUST,
    MALFORMED,
    "a trust policy has statements with Effect, Action and Principal, no Resource; a service is named by its domain, "
    "an AWS principal by `*`, an account's number or an ARN; operators of conditions are IAM's; that a named role is "
    "there is not checked",
    f"{GRAMMAR}; errors in terraform-aws-modules/terraform-aws-iam#47",
)
def _trust_policy(request: Mapping[str, Any], region: str) -> Iterator[str]:
    yield from _grammar(request, principal=True)


@BOOK.rule(
    f"{INLINE} {MANAGED}",
    MALFORMED,
    "an identity's policy has statements with Effect, Action and Resource, no Principal; operators of conditions are "
    "IAM's",
    f"{GRAMMAR}; error in hashicorp/terraform#13449",
)
def _identity_policy(request: Mapping[str, Any], region: str) -> Iterator[str]:
    yield from _grammar(request, principal=False)


@BOOK.rule(
    f"{TRUST} {INLINE} {MANAGED}",
    MALFORMED,
    "a Sid has letters and digits, and stands once",
    f"{ELEMENTS}: Sid",
)
def _sid(request: Mapping[str, Any], region: str) -> Iterator[str]:
    try:
        statements = statements_of(read_policy(_text(request)))
    except ValueError:
        return
    sids = [str(statement.get("Sid", "")) for statement in statements if isinstance(statement, dict)]
    if not all(SID.fullmatch(sid) for sid in sids):
        yield (
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
            + SID.pattern
        )
    if any(count > 1 for sid, count in Counter(sids).items() if sid):
        yield "Statement IDs (SID) in a single policy must be unique."


def _size(request: Mapping[str, Any]) -> int:
    """Return how many characters IAM counts: all but white space."""
    return len("".join(_text(request).split()))


@BOOK.rule(TRUST, TOO_LARGE, f"a trust policy has at most {LARGEST_TRUST} characters without white space", QUOTAS)
def _trust_size(request: Mapping[str, Any], region: str) -> Iterator[str]:
    if _size(request) > LARGEST_TRUST:
        yield f"Cannot exceed quota for ACLSizePerRole: {LARGEST_TRUST}"


@BOOK.rule(
    "PutRolePolicy",
    TOO_LARGE,
    f"a role's inline policy has at most {LARGEST_INLINE} characters without white space; AWS counts all of a role's "
    "together",
    f"{QUOTAS}; error in HumanCellAtlas/data-store#1963",
)
def _inline_size(request: Mapping[str, Any], region: str) -> Iterator[str]:
    if _size(request) > LARGEST_INLINE:
        yield f"Maximum policy size of {LARGEST_INLINE} bytes exceeded for role {request['RoleName']}"


@BOOK.rule(
    MANAGED,
    TOO_LARGE,
    f"a managed policy has at most {LARGEST_MANAGED} characters without white space",
    f"{QUOTAS}; error in LBHackney-IT/Data-Platform#2116",
)
def _managed_size(request: Mapping[str, Any], region: str) -> Iterator[str]:
    if _size(request) > LARGEST_MANAGED:
        yield f"Cannot exceed quota for PolicySize: {LARGEST_MANAGED}"
