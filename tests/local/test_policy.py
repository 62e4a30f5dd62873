"""Policy evaluation, against the documented logic."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_a2.errors import AssemblyError
from ml_a2.local.policy import Request, check_policy, decide, matches

ROLE = "arn:aws:iam::123456789012:role/worker"


def _policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def _deny(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {**_allow(action, resource, **more), "Effect": "Deny"}


def _get(key: str = "b/train/x", **context: str) -> Request:
    return Request(ROLE, "s3:GetObject", f"arn:aws:s3:::{key}", context)


@pytest.mark.parametrize(
    ("identity", "resource", "allowed"),
    [
        ([], [], False),
        ([_allow("s3:GetObject")], [], True),
        ([], [_allow("s3:GetObject", Principal={"AWS": ROLE})], True),
        ([_allow("s3:GetObject")], [_deny("s3:*", Principal="*")], False),
        ([_deny("s3:GetObject"), _allow("s3:*")], [], False),
        ([_deny("s3:GetObject")], [_allow("s3:*", Principal="*")], False),
        ([_allow("S3:getOBJECT")], [], True),
        ([_allow("s3:Get*", "arn:aws:s3:::b/train/*")], [], True),
        ([_allow("s3:Get*", "arn:aws:s3:::b/validation/*")], [], False),
        ([{"Effect": "Allow", "NotAction": "s3:Put*", "Resource": "*"}], [], True),
        ([{"Effect": "Allow", "NotAction": "s3:Get*", "Resource": "*"}], [], False),
        ([{"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::b/train/*"}], [], False),
        ([_allow("s3:GetObject")], [_deny("s3:*", Principal={"AWS": "arn:aws:iam::123456789012:role/other"})], True),
        ([], [_allow("s3:*", Principal={"AWS": "123456789012"})], False),
        ([], [_allow("s3:*", Principal={"AWS": "arn:aws:iam::123456789012:root"})], False),
        ([_allow("s3:*")], [_deny("s3:*", Principal={"AWS": "arn:aws:iam::123456789012:root"})], False),
        ([_allow("s3:*")], [_deny("s3:*", Principal={"AWS": "arn:aws:iam::999999999999:root"})], True),
        ([_allow("s3:*")], [{"Effect": "Deny", "NotPrincipal": {"AWS": ROLE}, "Action": "*", "Resource": "*"}], True),
        ([], [_allow("s3:*", Principal={"AWS": "999999999999"})], False),
        ([], [_allow("s3:*", Principal={"Service": "sagemaker.amazonaws.com"})], False),
    ],
)
def test_decision_follows_the_truth_table(
    identity: list[dict[str, Any]], resource: list[dict[str, Any]], allowed: bool
) -> None:
    """An explicit deny wins, one allow on either side suffices, everything else is denied."""
    assert decide(_get(), [_policy(*identity)], [_policy(*resource)]).allowed is allowed


@pytest.mark.parametrize(
    ("condition", "context", "holds"),
    [
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:SecureTransport": "true"}, False),
        ({"Bool": {"aws:SecureTransport": False}}, {"aws:securetransport": "false"}, True),
        ({"StringEquals": {"k": ["a", "b"]}}, {"k": "b"}, True),
        ({"StringEquals": {"k": "a"}}, {}, False),
        ({"StringEqualsIfExists": {"k": "a"}}, {}, True),
        ({"StringNotEquals": {"k": "a"}}, {}, True),
        ({"StringNotEquals": {"k": ["a", "b"]}}, {"k": "b"}, False),
        ({"StringLike": {"s3:prefix": ["train/*", "x?"]}}, {"s3:prefix": "train/"}, True),
        ({"StringLike": {"s3:prefix": ["train/*"]}}, {"s3:prefix": "training"}, False),
        ({"ArnLike": {"k": "arn:aws:sns:*:*:t"}}, {"k": "arn:aws:sns:r:a:t"}, True),
        ({"StringEquals": {"k": "a"}, "Bool": {"x": "true"}}, {"k": "a", "x": "false"}, False),
    ],
)
def test_conditions_hold_as_documented(condition: Any, context: dict[str, str], holds: bool) -> None:
    """Operators are joined by and, values by or, keys are compared in any case, missing keys by the operator."""
    decision = decide(_get(**context), [_policy(_allow("s3:GetObject", Condition=condition))])
    assert decision.allowed is holds


def test_denials_say_why() -> None:
    """AWS's wording: no policy allows it, or one denies it explicitly."""
    assert decide(_get(), []).reason == "because no identity-based policy allows the s3:GetObject action"
    denied = decide(_get(), [_policy(_allow("*"))], [_policy(_deny("*", Principal="*"))])
    assert denied.reason == "with an explicit deny in a resource-based policy"


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (_allow("*", Condition={"NumericLessThan": {"k": 1}}), "condition operator 'NumericLessThan'"),
        (_allow("*", "arn:aws:s3:::b/${aws:username}"), "policy variables"),
        (_allow("*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o"}}), "condition key 'aws:PrincipalOrgID'"),
        ({**_allow("*"), "Effekt": "x"}, "statement element 'Effekt'"),
        ({**_allow("*"), "Effect": "allow"}, "Effect 'allow' is not one of Allow, Deny"),
    ],
)
def test_fails_on_what_it_cannot_decide(statement: dict[str, Any], words: str) -> None:
    """An element that is not understood is refused by name, never skipped."""
    with pytest.raises(AssemblyError) as caught:
        check_policy(_policy(statement), "Role")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [("a*c", "abbc", True), ("a?c", "abc", True), ("a?c", "ac", False), ("a.c", "abc", False), ("*", "", True)],
)
def test_wildcards_are_iams(pattern: str, value: str, expected: bool) -> None:
    """A star is any number of characters, a question mark exactly one, all else literal."""
    assert matches(pattern, value) is expected


STATEMENTS = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        "Action": st.sampled_from(["s3:GetObject", "s3:*", "S3:get*", "s3:PutObject", "sns:Publish"]),
        "Resource": st.sampled_from(["*", "arn:aws:s3:::b/train/*", "arn:aws:s3:::b/other/*"]),
    }
)
# By hand: which of the actions and resources above fit s3:GetObject on arn:aws:s3:::b/train/x.
FITTING_ACTIONS = {"s3:GetObject", "s3:*", "S3:get*"}
FITTING_RESOURCES = {"*", "arn:aws:s3:::b/train/*"}


@given(st.lists(STATEMENTS, max_size=5), st.lists(STATEMENTS, max_size=5))
def test_any_policies_are_decided_by_the_documented_logic(
    identity: list[dict[str, Any]], resource: list[dict[str, Any]]
) -> None:
    """Whatever the statements and their order: denied by any fitting deny, else allowed by any fitting allow."""
    named = [{**statement, "Principal": {"AWS": ROLE}} for statement in resource]
    effects = {
        statement["Effect"]
        for statement in [*identity, *resource]
        if statement["Action"] in FITTING_ACTIONS and statement["Resource"] in FITTING_RESOURCES
    }
    allowed = decide(_get(), [_policy(*identity)], [_policy(*named)]).allowed
    assert allowed is (effects == {"Allow"})
