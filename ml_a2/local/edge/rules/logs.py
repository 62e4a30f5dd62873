"""CloudWatch Logs: names and retention of log groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ml_a2.local.edge.rules.rule import Rulebook

BOOK = Rulebook("logs")
INVALID = "InvalidParameterException"
RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip


@BOOK.rule(
    "PutRetentionPolicy",
    INVALID,
    "days of retention are one of " + ", ".join(map(str, RETENTION_DAYS)),
    "CloudWatch Logs API reference, PutRetentionPolicy",
)
def _retention(request: Mapping[str, Any], region: str) -> Iterator[str]:
    if (days := request["retentionInDays"]) not in RETENTION_DAYS:
        allowed = ", ".join(map(str, RETENTION_DAYS))
        yield (
            f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: Member "
            f"must satisfy enum value set: [{allowed}]"
        )


@BOOK.rule(
    "CreateLogGroup",
    INVALID,
    "a log group's name does not begin with `aws/`",
    "CloudWatch Logs API reference, CreateLogGroup",
)
def _group_name(request: Mapping[str, Any], region: str) -> Iterator[str]:
    if request["logGroupName"].startswith("aws/"):
        yield "Log group names starting with aws/ are reserved for AWS."
