"""A store in a folder of the test's own, and S3 clients of a runtime: over HTTP and in the same process."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml_a2.local.clients import Clients
from ml_a2.local.objects.store import ObjectStore, active
from ml_a2.local.runtime import LocalRuntime


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path / "objects")


@pytest.fixture
def over_http(runtime: LocalRuntime) -> Clients:
    """What another process would use."""
    clients = Clients(runtime.url, "us-east-1")
    clients.s3.create_bucket(Bucket="bucket")
    return clients


@pytest.fixture(params=["over HTTP", "in process"])
def clients(request: pytest.FixtureRequest, runtime: LocalRuntime, over_http: Clients) -> Clients:
    """Both ways to the endpoint."""
    return over_http if request.param == "over HTTP" else runtime.clients


def files() -> list[int]:
    """Return the sizes of the files that objects have at present."""
    return sorted(path.stat().st_size for path in active().folder.iterdir())
