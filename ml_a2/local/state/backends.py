"""The stores of moto, the embedded engine, as data: what they hold, and how it is put back in place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import moto.backends
from moto.s3.models import FakeDeleteMarker, s3_backends
from moto.s3.utils import _VersionedKeyStore
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from ml_a2.local.state import executions
from ml_a2.local.state.pickling import Reducers
from ml_a2.local.template import Environment

EXECUTIONS = "executions"
REGIONAL = ("sns", "sqs", "logs", "cloudwatch", "events", "stepfunctions", EXECUTIONS)
GLOBAL = ("s3", "iam", "sts")


def stores(where: Environment) -> dict[str, Any]:
    """Return moto's stores of the endpoint's account and region by name; they are live, and stay what they are."""
    found = {name: store(name, where.account, where.region) for name in REGIONAL}
    return found | {name: store(name, where.account, where.partition) for name in GLOBAL}


def store(name: str, account: str, region: str) -> Any:
    """Return one of moto's stores: what refers to it is written with its name, never with what it holds."""
    if name == EXECUTIONS:
        return stepfunctions_parser_backends[account][region]
    if name not in REGIONAL + GLOBAL:
        raise KeyError(name)
    return moto.backends.get_backend(name)[account][region]


def put_back(live: Mapping[str, Any], content: Mapping[str, Mapping[str, Any]]) -> None:
    """Let the stores hold what they held."""
    for name, fields in content.items():
        vars(live[name]).clear()
        vars(live[name]).update(fields)
    for name in live["s3"].buckets:
        s3_backends.bucket_accounts[name] = (live["s3"].partition, live["s3"].account_id)


def count_objects(content: Mapping[str, Mapping[str, Any]]) -> int:
    """Return how many objects can be seen in all buckets."""
    keys = [key for bucket in content["s3"]["buckets"].values() for key in bucket.keys.values()]
    return sum(not isinstance(key, FakeDeleteMarker) for key in keys)


def count_executions(content: Mapping[str, Mapping[str, Any]]) -> int:
    """Return how many executions are known."""
    return sum(len(machine.executions) for machine in content["executions"]["state_machines"])


def versions(lists: Iterable[tuple[str, list[Any]]]) -> Any:
    """Make a bucket's keys with every version of each: moto's own way back would keep the latest ones alone."""
    keys = _VersionedKeyStore()
    for name, found in lists:
        dict.__setitem__(keys, name, found)
    return keys


def reducers(live: Mapping[str, Any]) -> Reducers:
    """Return how what the stores hold is written, where that takes more than its fields."""
    return {**_OF_CONTENT, **{type(found): partial(_refer, name) for name, found in live.items()}}


def _refer(name: str, found: Any) -> tuple[Callable[..., Any], tuple[str, str, str]]:
    where = found.partition if name in GLOBAL else found.region_name
    return store, (name, found.account_id, where)


_OF_CONTENT: Reducers = {
    _VersionedKeyStore: lambda keys: (versions, (list(keys.lists()),)),
    threading.Condition: lambda _: (threading.Condition, ()),
    **executions.REDUCERS,
}
