"""Which permissions are told as never used."""

from __future__ import annotations

from typing import Any

import pytest

from ml_a2.local.permissions import never_used

ROLE = "arn:aws:iam::123456789012:role/Jobs"
GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/sagemaker/TrainingJobs"
STREAM = f"{GROUP}:log-stream:job/algo-1"


class Authorization:
    """One role with one statement, and what was done under it."""

    def __init__(self, actions: list[str], resources: list[str], *used: tuple[str, str]) -> None:
        statement: dict[str, Any] = {"Effect": "Allow", "Action": actions, "Resource": resources}
        self._policy = {"Version": "2012-10-17", "Statement": [statement]}
        self.used = {(ROLE, *use) for use in used}

    def granted(self) -> dict[str, list[dict[str, Any]]]:
        return {ROLE: [self._policy]}


def _told(*arguments: Any) -> list[tuple[str, str]]:
    return [(each.action, each.resource) for each in never_used(Authorization(*arguments))]  # type: ignore[arg-type]


@pytest.mark.parametrize("touched", [GROUP, f"{GROUP}:*", STREAM])
def test_a_log_group_that_is_named_twice_is_one(touched: str) -> None:
    """As it is, and with `:*` behind it: which of them a call is decided by depends on the action."""
    use = ("logs:CreateLogStream", touched)
    assert _told(["logs:CreateLogStream"], [GROUP], use) == []
    if touched != GROUP:
        assert _told(["logs:CreateLogStream"], [GROUP, f"{GROUP}:*"], use) == []


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("logs:DeleteLogGroup", GROUP),
        ("logs:CreateLogStream", f"{GROUP}Other"),
        ("logs:CreateLogStream", f"{GROUP}Other:*"),
        ("s3:GetObject", "arn:aws:s3:::other/*"),
        ("logs:PutLogEvents", f"{GROUP}:log-stream:other/*"),
    ],
)
def test_what_nothing_used_is_told(action: str, resource: str) -> None:
    """Another action, another group, and a part of a group that was not touched."""
    used = ("logs:CreateLogStream", STREAM), ("logs:PutLogEvents", STREAM)
    told = _told(["logs:CreateLogStream", "logs:PutLogEvents"], [f"{GROUP}:*"], *used)
    assert told == []
    assert _told([action], [resource], *used) == [(action, resource)]
