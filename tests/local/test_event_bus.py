"""Rules: which events they match, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from ml_a2.errors import AssemblyError
from ml_a2.local.event_bus import check_pattern, matches

EVENT = {"source": "aws.states", "detail": {"status": "ABORTED", "stateMachineArn": "arn:x", "count": 1}}


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ({"source": ["aws.states"]}, True),
        ({"source": ["aws.sagemaker"]}, False),
        ({"source": ["aws.sagemaker", "aws.states"]}, True),
        ({"source": ["aws.states"], "detail": {"status": ["FAILED", "ABORTED"]}}, True),
        ({"detail": {"status": ["FAILED"]}}, False),
        ({"detail": {"nothing": ["x"]}}, False),
        ({"detail": {"stateMachineArn": [{"prefix": "arn:"}]}}, True),
        ({"detail": {"stateMachineArn": [{"prefix": "urn:"}]}}, False),
        ({"detail": {"count": ["1"]}}, False),
        ({"source": {"x": ["y"]}}, False),
    ],
)
def test_patterns_match_as_documented(pattern: dict[str, Any], matched: bool) -> None:
    """All fields of the pattern, each by any of its values."""
    assert matches(pattern, EVENT) is matched


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ({"source": "aws.states"}, "source: 'aws.states' is no list"),
        ({"detail": {"status": []}}, "detail.status"),
        ({"detail": {"status": [{"anything-but": "x"}]}}, "anything-but"),
    ],
)
def test_fails_on_a_pattern_that_it_cannot_match(pattern: dict[str, Any], words: str) -> None:
    """What is not understood is refused by name."""
    with pytest.raises(AssemblyError, match="Rule: EventPattern") as caught:
        check_pattern(pattern, "Rule")
    assert words in str(caught.value)
