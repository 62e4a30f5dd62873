"""What would go wrong with a stack that is deployed: found by calls that only read, on AWS and locally alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ml_a2 import contract
from ml_a2.account import Account
from ml_a2.deployed.machine import check_machine
from ml_a2.deployed.objects import Bucket, check_channels, check_files, check_keys, check_leftovers
from ml_a2.deployed.stack import check_buckets, check_status, check_template, check_topic
from ml_a2.finding import Finding


def examine_deployed(
    account: Account,
    stack: str,
    *,
    template: Mapping[str, Any] | None,
    code: Mapping[str, Path],
    data: Mapping[str, Path] | None = None,
    tell: Callable[[str], None],
) -> Iterator[Finding]:
    """Yield what would go wrong with a deployed stack and with what lies in its buckets.

    Args:
        account: where it is deployed.
        stack: its name.
        template: the one that ought to be deployed; None when there is none to compare with.
        code: what ought to lie beside evaluate.py, by key.
        data: what ought to be trained and evaluated on, by key; None when nobody said so.
        tell: hears what is looked at.

    Raises:
        UserError: there is no such stack, or it is not one of ours.
    """
    outputs = account.outputs(stack)
    tell(f"looking at stack {stack}")
    yield from check_status(account, stack)
    if template is not None:
        yield from check_template(account, stack, template)
    tell("looking at the state machine, its images, and who hears of a failure")
    yield from check_machine(account, outputs[contract.OUTPUT_STATE_MACHINE])
    yield from check_topic(account, outputs[contract.OUTPUT_TOPIC])
    missing = list(check_buckets(account, outputs))
    yield from missing
    if missing:
        return
    bucket = Bucket(account.s3, outputs[contract.OUTPUT_TRAINING_DATA_BUCKET])
    tell("looking at the evaluation's code and at the data")
    # The rows first: Arrow's threads may abort a process that ends as soon as they have read (apache/arrow#34314).
    yield from check_channels(bucket)
    yield from check_keys(bucket)
    yield from check_files(bucket, code)
    if data is not None:
        yield from check_files(bucket, data)
        yield from check_leftovers(bucket, data)
