"""The stack that is deployed while the data is read: taken when it is wanted, ended when it is not."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ml_a2.cli.ahead import DeploymentAhead
from ml_a2.errors import AssemblyError, DataError
from ml_a2.local.sagemaker.warm_containers import WarmContainers


def _ahead(assembly: Path) -> DeploymentAhead:
    return DeploymentAhead(None, assembly, region="us-east-1", speed=1000, warm=WarmContainers())


def _answers(url: str) -> bool:
    address = urlsplit(url)
    assert address.hostname
    assert address.port
    try:
        socket.create_connection((address.hostname, address.port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


def test_an_error_ends_what_was_deployed(assembly: Path) -> None:
    """Endpoint and threads, before the error is told."""
    before = set(threading.enumerate())
    url = ""

    def fail() -> None:
        nonlocal url
        with _ahead(assembly) as ahead:
            url = ahead.result(print).runtime.url
            assert _answers(url)
            raise DataError("a file that cannot be read")

    with pytest.raises(DataError, match="a file that cannot be read"):
        fail()
    assert not _answers(url)
    assert set(threading.enumerate()) <= before


def test_what_cannot_be_deployed_is_told_when_it_is_wanted(tmp_path: Path) -> None:
    """And never where something else is wrong."""
    with _ahead(tmp_path) as ahead, pytest.raises(AssemblyError, match="cannot be read"):
        ahead.result(print)
    with pytest.raises(DataError), _ahead(tmp_path):
        raise DataError("a file that cannot be read")


def test_it_can_be_ended_before(assembly: Path) -> None:
    """So that nothing is told as done that may still be interrupted."""
    with _ahead(assembly) as ahead:
        url = ahead.result(print).runtime.url
        ahead.end()
        assert not _answers(url)
