"""What IAM refuses and takes."""

from __future__ import annotations

from typing import Any

from tests.local.edge.rules.case import Case
from tests.local.edge.rules.policies import MISSING, ROLE, document

SERVICE = "iam"
TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
IDENTITY = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def _role(text: str) -> dict[str, Any]:
    return {"RoleName": "r", "AssumeRolePolicyDocument": text}


def _policy(text: str) -> dict[str, Any]:
    return {"RoleName": "r", "PolicyName": "p", "PolicyDocument": text}


def _trust(refused: dict[str, Any], taken: dict[str, Any]) -> Case:
    return Case("trust_policy", "CreateRole", _role(document(TRUST, **refused)), _role(document(TRUST, **taken)))


def _identity(refused: dict[str, Any], taken: dict[str, Any]) -> Case:
    rule = "identity_policy"
    return Case(rule, "PutRolePolicy", _policy(document(IDENTITY, **refused)), _policy(document(IDENTITY, **taken)))


def _padded(statement: dict[str, Any], size: int) -> str:
    """Return a policy of so many characters without white space, and with as much of that again."""
    rest = len("".join(document(statement, Sid="").split()))
    return document(statement, Sid="x" * (size - rest)).replace(":", ":  ", 1) + " " * size


ANYBODY = {"AWS": "*"}
CASES = [
    Case("trust_policy", "CreateRole", _role("{"), _role(document(TRUST))),
    Case("trust_policy", "CreateRole", _role("[]"), _role(document(TRUST))),
    _trust({"Principal": None}, {"Principal": ANYBODY}),
    _trust({"Principal": {}}, {"Principal": "*"}),
    _trust({"Principal": {"Service": []}}, {"Principal": {"Service": ["states.amazonaws.com"]}}),
    _trust({"Principal": {"Service": "sagemaker"}}, {"Principal": {"Service": "states.us-east-1.amazonaws.com"}}),
    _trust({"Principal": {"Service": "sagemaker.amazonaws.co"}}, {"Principal": {"Service": "logs.amazonaws.com.cn"}}),
    _trust({"Principal": {"AWS": "12345678901"}}, {"Principal": {"AWS": "123456789012"}}),
    _trust({"Principal": {"AWS": "arn:aws:iam::123456789012:group/g"}}, {"Principal": {"AWS": ROLE}}),
    _trust({"Principal": {"aws": ROLE}}, {"Principal": {"AWS": ["arn:aws:iam::123456789012:root"]}}),
    _trust({"Principal": "sagemaker.amazonaws.com"}, {"Principal": {"Service": "sagemaker.amazonaws.com"}}),
    _trust({"Resource": "*"}, {"Sid": "Trust"}),
    _trust({"Action": None}, {"Action": ["sts:AssumeRole"]}),
    _trust({"Effect": "allow"}, {"Effect": "Deny"}),
    _trust({"Condition": {"StringIs": {"a": "b"}}}, {"Condition": {"StringEquals": {"a": "b"}}}),
    _trust({"Condition": {"ArnLike": "a"}}, {"Condition": {"ForAnyValue:ArnLikeIfExists": {"aws:SourceArn": ["a"]}}}),
    _trust({"Conditions": {}}, {"Condition": {"Bool": {"aws:SecureTransport": True}}}),
    Case(
        "trust_policy",
        "UpdateAssumeRolePolicy",
        {"RoleName": "r", "PolicyDocument": document(TRUST, Principal=None)},
        {"RoleName": "r", "PolicyDocument": document(TRUST)},
    ),
    *(
        Case(
            "trust_actions", "CreateRole", _role(document(TRUST, Action=refused)), _role(document(TRUST, Action=taken))
        )
        for refused, taken in (("s3:GetObject", "STS:assumerole"), ("sts:Fly*", ["sts:Assume*", "sts:TagSession"]))
    ),
    Case(
        "policy_arn",
        "AttachRolePolicy",
        {"RoleName": "r", "PolicyArn": "AmazonSageMakerFullAccess"},
        {"RoleName": "r", "PolicyArn": "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"},
    ),
    Case(
        "trusted",
        "CreateRole",
        _role(document(TRUST, Principal={"AWS": [MISSING]})),
        _role(document(TRUST, Principal={"AWS": [ROLE]})),
    ),
    _identity({"Principal": "*"}, {"Sid": "A1"}),
    _identity({"Resource": None}, {"Resource": None, "NotResource": "arn:aws:s3:::b"}),
    _identity({"Resource": []}, {"Resource": ["*"]}),
    _identity({"Action": None}, {"Action": None, "NotAction": "s3:*"}),
    _identity({"NotAction": "s3:*"}, {"Action": ["s3:Get*", "s3:List*"]}),
    _identity({"Effect": None}, {"Effect": "Deny"}),
    _identity({"Condition": {"NumericEqual": {"a": 1}}}, {"Condition": {"NumericEquals": {"a": 1}}}),
    _identity({"document_changes": {"Version": "2012-10-18"}}, {"document_changes": {"Id": "policy"}}),
    _identity({"document_changes": {"Statement": []}}, {"document_changes": {"Statement": IDENTITY}}),
    _identity({"document_changes": {"Statements": []}}, {}),
    Case(
        "identity_policy",
        "CreatePolicy",
        {"PolicyName": "p", "PolicyDocument": document(IDENTITY, Principal="*")},
        {"PolicyName": "p", "PolicyDocument": document(IDENTITY)},
    ),
    Case("sid", "PutRolePolicy", _policy(document(IDENTITY, Sid="a b")), _policy(document(IDENTITY, Sid="aB1"))),
    Case("sid", "CreateRole", _role(document(TRUST, Sid="a-b")), _role(document(TRUST, Sid=""))),
    Case(
        "sid",
        "PutRolePolicy",
        _policy(document({}, {"Statement": [{**IDENTITY, "Sid": "A"}] * 2})),
        _policy(document({}, {"Statement": [{**IDENTITY, "Sid": sid} for sid in ("A", "B")]})),
    ),
    Case("trust_size", "CreateRole", _role(_padded(TRUST, 2049)), _role(_padded(TRUST, 2048))),
    Case("inline_size", "PutRolePolicy", _policy(_padded(IDENTITY, 10_241)), _policy(_padded(IDENTITY, 10_240))),
    Case(
        "managed_size",
        "CreatePolicy",
        {"PolicyName": "p", "PolicyDocument": _padded(IDENTITY, 6145)},
        {"PolicyName": "p", "PolicyDocument": _padded(IDENTITY, 6144)},
    ),
]
