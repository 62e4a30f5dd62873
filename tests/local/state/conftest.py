"""Endpoints that keep their state in a folder."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from moto.core import DEFAULT_ACCOUNT_ID

from ml_a2.local.runtime import LocalRuntime
from ml_a2.local.state.folder import SNAPSHOT, StateFolder

Serve = Callable[..., AbstractContextManager[LocalRuntime]]


def state_folder(path: Path, region: str = "us-east-1") -> StateFolder:
    return StateFolder(path, region=region, account=DEFAULT_ACCOUNT_ID)


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """Serve what is kept in a folder, by default always the same one."""

    @contextmanager
    def served(path: Path = tmp_path / "state", region: str = "us-east-1") -> Iterator[LocalRuntime]:
        with (
            state_folder(path, region) as folder,
            LocalRuntime(speed=1000, state=folder, region=region) as runtime,
        ):
            yield runtime

    return served


def wait_for_snapshot(runtime: LocalRuntime, path: Path) -> None:
    """Wait until everything that happened up to now has been kept: a bucket that is made now is in the snapshot."""
    mark = uuid.uuid4().hex
    runtime.clients.s3.create_bucket(Bucket=mark)
    deadline = time.monotonic() + 60
    while not (path / SNAPSHOT).exists() or mark.encode() not in (path / SNAPSHOT).read_bytes():
        assert time.monotonic() < deadline, "no snapshot was taken"
        time.sleep(0.05)
