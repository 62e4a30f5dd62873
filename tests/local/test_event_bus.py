"""Event patterns: which events they match."""

from __future__ import annotations

from typing import Any

import pytest

from ml_a2.local.event_pattern import check_pattern, matches

EVENT = {
    "source": "aws.states",
    "detail": {
        "status": "ABORTED", "stateMachineArn": "arn:x", "count": 1, "none": None, "ip": "10.1.2.3", "empty": [],
        "tags": [{"key": "team", "value": "a"}, {"key": "stage", "value": "b"}],
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ({"source": ["aws.states"]}, True),
        ({"source": ["aws.sagemaker"]}, False),
        ({"source": ["aws.sagemaker", "aws.states"]}, True),
        ({"source": ["aws.states"], "detail": {"status": ["FAILED", "ABORTED"]}}, True),
        ({"detail": {"status": ["FAILED"]}}, False),
        ({"detail": {"nothing": ["x"]}}, False),
        ({"detail.status": ["ABORTED"]}, True),
        ({"detail": {"stateMachineArn": [{"prefix": "arn:"}]}}, True),
        ({"detail": {"stateMachineArn": [{"prefix": "urn:"}]}}, False),
        ({"detail": {"stateMachineArn": [{"prefix": {"equals-ignore-case": "ARN:"}}]}}, True),
        ({"detail": {"stateMachineArn": [{"suffix": ":x"}]}}, True),
        ({"detail": {"stateMachineArn": [{"suffix": ":y"}]}}, False),
        ({"detail": {"stateMachineArn": [{"wildcard": "a*:*"}]}}, True),
        ({"detail": {"stateMachineArn": [{"wildcard": "arn:x"}]}}, True),
        ({"detail": {"stateMachineArn": [{"wildcard": "arn:*n:x"}]}}, False),
        ({"detail": {"stateMachineArn": [{"wildcard": "*r*:*x"}]}}, True),
        ({"detail": {"stateMachineArn": [{"wildcard": "*:*r*x"}]}}, False),
        ({"detail": {"stateMachineArn": [{"wildcard": "a\\**"}]}}, False),
        ({"detail": {"status": [{"equals-ignore-case": "aborted"}]}}, True),
        ({"detail": {"status": [{"anything-but": "FAILED"}]}}, True),
        ({"detail": {"status": [{"anything-but": ["FAILED", "ABORTED"]}]}}, False),
        ({"detail": {"status": [{"anything-but": {"prefix": "AB"}}]}}, False),
        ({"detail": {"nothing": [{"anything-but": "x"}]}}, False),
        ({"detail": {"none": [{"anything-but": "x"}]}}, True),
        ({"detail": {"none": [None]}}, True),
        ({"detail": {"nothing": [{"exists": False}]}}, True),
        ({"detail": {"status": [{"exists": False}]}}, False),
        ({"detail": {"status": [{"exists": True}]}}, True),
        ({"detail": {"empty": [{"exists": True}]}}, False),
        ({"detail": {"count": ["1"]}}, False),
        ({"detail": {"count": [1.0]}}, True),
        ({"detail": {"count": [True]}}, False),
        ({"detail": {"count": [{"numeric": [">", 0, "<=", 1]}]}}, True),
        ({"detail": {"count": [{"numeric": ["<", 1]}]}}, False),
        ({"detail": {"ip": [{"cidr": "10.0.0.0/8"}]}}, True),
        ({"detail": {"status": [{"cidr": "10.0.0.0/8"}]}}, False),
        ({"$or": [{"source": ["x"]}, {"detail": {"count": [1]}}]}, True),
        ({"$or": [{"source": ["x"]}, {"detail": {"count": [2]}}]}, False),
        ({"detail": {"tags": {"key": ["stage"], "value": ["b"]}}}, True),
        ({"detail": {"tags": {"key": ["stage"], "value": ["a"]}}}, False),
        ({"source": {"x": ["y"]}}, False),
    ],
)
def test_patterns_match_as_documented(pattern: dict[str, Any], matched: bool) -> None:
    """All fields of the pattern, each by any of its values; recorded answers say the same of each operator."""
    check_pattern(pattern)
    assert matches(pattern, EVENT) is matched
