"""IAM: policies of roles, and whom a role trusts."""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ml_a2.local.edge.rules.principals import missing_principals
from ml_a2.local.edge.rules.rule import Rulebook
from ml_a2.local.policy_grammar import problems_of_policy, read_policy, statements_of, values_of

BOOK = Rulebook("iam")
GRAMMAR = "IAM User Guide, Grammar of the IAM JSON policy language"
ELEMENTS = "IAM User Guide, IAM JSON policy elements reference"
QUOTAS = "IAM User Guide, IAM and STS quotas"
MALFORMED, TOO_LARGE = "MalformedPolicyDocument", "LimitExceeded"
TRUST = "CreateRole UpdateAssumeRolePolicy"
INLINE = "PutRolePolicy PutUserPolicy PutGroupPolicy"
MANAGED = "CreatePolicy CreatePolicyVersion"
LARGEST_TRUST, LARGEST_INLINE, LARGEST_MANAGED = 2048, 10_240, 6144
# What a trust policy may allow. Source: Service Authorization Reference, AWS Security Token Service.
TRUST_ACTIONS = {
    "sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity", "sts:assumeroot",
    "sts:decodeauthorizationmessage", "sts:getaccesskeyinfo", "sts:getcalleridentity", "sts:getfederationtoken",
    "sts:getservicebearertoken", "sts:getsessiontoken", "sts:setcontext", "sts:setsourceidentity", "sts:tagsession",
}  # fmt: skip
POLICY_ARN = re.compile(r"arn:[a-z-]+:iam::([0-9]{12}|aws):policy/.+")
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
    "an AWS principal by `*`, an account's number or an ARN; operators of conditions are IAM's",
    f"{GRAMMAR}; errors in terraform-aws-modules/terraform-aws-iam#47",
)
def _trust_policy(request: Mapping[str, Any], region: str) -> Iterator[str]:
    yield from _grammar(request, principal=True)


@BOOK.rule(
    TRUST,
    MALFORMED,
    "a trust policy is about actions of STS, or wildcards for some of them",
    "Service Authorization Reference, AWS Security Token Service; wildcards **unverified**",
)
def _trust_actions(request: Mapping[str, Any], region: str) -> Iterator[str]:
    if not list(_grammar(request, principal=True)):
        for statement in statements_of(read_policy(_text(request))):
            actions = [action.lower() for action in values_of(statement.get("Action", []))]
            if not all(fnmatch.filter(TRUST_ACTIONS, action) for action in actions):
                yield "AssumeRole policy may only specify STS AssumeRole actions."


@BOOK.rule(
    TRUST,
    MALFORMED,
    "a role or user of this account that a trust policy names exists; those of other accounts are not looked for",
    "IAM User Guide, AWS JSON policy elements: Principal; errors in hashicorp/terraform-provider-aws#8905",
)
def _trusted(request: Mapping[str, Any], region: str) -> Iterator[str]:
    if not list(_grammar(request, principal=True)):
        yield from missing_principals(read_policy(_text(request)))


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


@BOOK.rule(
    "AttachRolePolicy AttachUserPolicy AttachGroupPolicy",
    "ValidationError",
    "what is attached is the ARN of a policy",
    "recorded answer",
)
def _policy_arn(request: Mapping[str, Any], region: str) -> Iterator[str]:
    if not POLICY_ARN.fullmatch(request["PolicyArn"]):
        yield f"Invalid ARN:  Could not be parsed! ({request['PolicyArn']:.100})"
