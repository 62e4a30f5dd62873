"""S3: what a bucket's policy may say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ml_a2.local.edge.rules.principals import missing_principals
from ml_a2.local.edge.rules.rule import Rulebook
from ml_a2.local.edge.rules.s3_actions import BUCKET_ACTIONS, OBJECT_ACTIONS
from ml_a2.local.policy import matches
from ml_a2.local.policy_grammar import problems_of_policy, read_policy, statements_of, values_of

BOOK = Rulebook("s3")
GUIDE = "S3 User Guide, "
MALFORMED = "MalformedPolicy"
LARGEST_POLICY_BYTES = 20_480
# Keys that keep a statement from being public where they have fixed values. Source: "The meaning of public".
NARROWING = {
    "aws:sourcearn", "aws:sourceaccount", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceip",
    "aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn", "aws:userid",
    "aws:resourceorgid", "s3:dataaccesspointaccount", "s3:dataaccesspointarn",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
}  # fmt: skip
NARROW = ("StringEquals", "StringLike", "StringEqualsIgnoreCase", "ArnEquals", "ArnLike", "IpAddress")


def _policy(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a policy that has the grammar, an empty one for any other."""
    try:
        policy = read_policy(request["Policy"])
    except ValueError:
        return {}
    return {} if list(problems_of_policy(policy, principal=True, resource=True)) else policy


@BOOK.rule(
    "PutBucketPolicy",
    MALFORMED,
    "a policy has statements with Effect, Action, Resource and Principal; a service is named by its domain, an AWS "
    "principal by `*`, an account's number or an ARN; operators of conditions are IAM's",
    "IAM User Guide, Grammar of the IAM JSON policy language; recorded answer for what is no JSON",
)
def _bucket_policy(request: Mapping[str, Any], region: str) -> Iterator[str]:
    try:
        yield from problems_of_policy(read_policy(request["Policy"]), principal=True, resource=True)
    except ValueError as error:
        yield f"Policies must be valid JSON and the first byte must be '{{' ({error})"


@BOOK.rule(
    "PutBucketPolicy",
    MALFORMED,
    "a role or user of this account that is named exists; those of other accounts are not looked for",
    "IAM User Guide, AWS JSON policy elements: Principal",
)
def _bucket_policy_principals(request: Mapping[str, Any], region: str) -> Iterator[str]:
    yield from missing_principals(_policy(request))


@BOOK.rule(
    "PutBucketPolicy",
    MALFORMED,
    "actions are S3's, of buckets or objects",
    "Service Authorization Reference, Amazon S3",
)
def _bucket_policy_actions(request: Mapping[str, Any], region: str) -> Iterator[str]:
    for statement in statements_of(_policy(request)):
        for action in values_of(statement.get("Action", statement.get("NotAction", []))):
            if action != "*" and not _named(action, BUCKET_ACTIONS | OBJECT_ACTIONS):
                yield f"Policy has invalid action ({action:.80})"


def _named(action: str, actions: frozenset[str]) -> bool:
    """Tell whether an action, which may have wildcards, is one of several."""
    service, _, name = action.lower().partition(":")
    return action == "*" or (service == "s3" and any(matches(name, each) for each in actions))


@BOOK.rule(
    "PutBucketPolicy",
    MALFORMED,
    "resources are the bucket itself and its objects, in the region's partition; `*` is none",
    f"{GUIDE}Bucket policies; errors in noobaa/noobaa-core#10058, aws-samples/aws-serverless-appsync-app#4",
)
def _bucket_policy_resources(request: Mapping[str, Any], region: str) -> Iterator[str]:
    arn = f"arn:{_partition(region)}:s3:::{request['Bucket']}"
    for statement in statements_of(_policy(request)):
        for resource in values_of(statement.get("Resource", statement.get("NotResource", []))):
            if resource != arn and not resource.startswith((f"{arn}/", f"{arn}*", f"{arn}?")):
                yield f"Policy has invalid resource ({resource:.200})"


def _partition(region: str) -> str:
    return "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"


@BOOK.rule(
    "PutBucketPolicy",
    MALFORMED,
    "each action applies to one of the resources of its statement: those of objects to keys, those of buckets to the "
    "bucket",
    "Service Authorization Reference, Amazon S3; errors in humanmade/S3-Uploads#239, versity/versitygw#645",
)
def _bucket_policy_applies(request: Mapping[str, Any], region: str) -> Iterator[str]:
    for statement in statements_of(_policy(request)):
        resources = values_of(statement.get("Resource", []))
        wild = [resource for resource in resources if "/" not in resource and resource.endswith(("*", "?"))]
        objects = [*wild, *(resource for resource in resources if "/" in resource)]
        buckets = [*wild, *(resource for resource in resources if "/" not in resource)]
        for action in values_of(statement.get("Action", [])):
            fits = (objects and _named(action, OBJECT_ACTIONS)) or (buckets and _named(action, BUCKET_ACTIONS))
            if resources and not fits:
                yield f"Action does not apply to any resource(s) in statement ({action:.80})"


@BOOK.rule(
    "PutBucketPolicy",
    "PolicyTooLarge",
    f"a policy has at most {LARGEST_POLICY_BYTES} bytes without white space",
    f"{GUIDE}Adding a bucket policy; code **unverified**",
)
def _bucket_policy_size(request: Mapping[str, Any], region: str) -> Iterator[str]:
    if len("".join(request["Policy"].split()).encode()) > LARGEST_POLICY_BYTES:
        yield "Policy exceeds the maximum allowed document size."


@BOOK.rule(
    "PutBucketPolicy",
    "AccessDenied",
    "a policy that allows the public something is refused, unless the bucket's BlockPublicPolicy is off; it is on in "
    "new buckets",
    f"{GUIDE}Blocking public access to your Amazon S3 storage",
)
def _bucket_policy_public(request: Mapping[str, Any], region: str) -> Iterator[str]:
    if _blocks_public_policies(request["Bucket"]) and any(map(_is_public, statements_of(_policy(request)))):
        yield (
            "User is not authorized to perform: s3:PutBucketPolicy on resource: "
            f'"arn:{_partition(region)}:s3:::{request["Bucket"]}" because public policies are blocked by the '
            "BlockPublicPolicy block public access setting."
        )


def _blocks_public_policies(bucket: str) -> bool:
    """Tell what the bucket's configuration says; one that was never given has everything blocked, since April 2023."""
    from moto.core import DEFAULT_ACCOUNT_ID
    from moto.s3.models import s3_backends

    for backend in s3_backends[DEFAULT_ACCOUNT_ID].values():
        if bucket in backend.buckets and (block := backend.buckets[bucket].public_access_block):
            return str(block.block_public_policy).lower() == "true"
    return True


def _is_public(statement: Mapping[str, Any]) -> bool:
    if statement["Effect"] != "Allow":
        return False
    principal = statement.get("Principal", "*")  # without one it has NotPrincipal: everybody else
    named = [name for names in principal.values() for name in values_of(names)] if principal != "*" else ["*"]
    if "*" not in named:
        return False
    return not any(
        key.lower() in NARROWING and not any("*" in str(value) for value in values_of(values))
        for operator, block in statement.get("Condition", {}).items()
        for key, values in block.items()
        if operator in NARROW
    )
