"""What the services refuse beyond what their models state.

Where a service model has a constraint, the model decides (`ml_a2/local/sagemaker/protocol.py`); here stands what only
the documentation says, or a recorded answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ml_a2.local.edge.rules import (
    bucket_policies,
    cloudwatch,
    events,
    iam,
    logs,
    s3,
    sagemaker,
    sns,
    sqs,
    stepfunctions,
    topic_policies,
)
from ml_a2.local.edge.rules.rule import Rule

BOOKS = (
    cloudwatch.BOOK, logs.BOOK, events.BOOK, iam.BOOK, s3.BOOK, bucket_policies.BOOK, sagemaker.BOOK, sns.BOOK,
    topic_policies.BOOK, sqs.BOOK, stepfunctions.BOOK,
)  # fmt: skip
RULES: tuple[Rule, ...] = tuple(rule for book in BOOKS for rule in book.rules)
_BY_OPERATION: dict[tuple[str, str], list[Rule]] = {}
for _rule in RULES:
    for _operation in _rule.operations:
        _BY_OPERATION.setdefault((_rule.service, _operation), []).append(_rule)


def broken(service: str, operation: str, request: Mapping[str, Any], region: str) -> Iterator[tuple[str, str]]:
    """Yield code and message of every rule that a request breaks.

    Args:
        service: the service, as requests are signed for it.
        operation: the operation, as its service model has it.
        request: one that fits the model.
        region: where it is sent.
    """
    for rule in _BY_OPERATION.get((service, operation), ()):
        for message in rule.check(request, region):
            yield rule.code, message
