"""Which addresses lead to this machine."""

from __future__ import annotations

import pytest

from ml_a2.loopback import is_loopback


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:4566", True),
        ("http://127.8.9.1", True),
        ("http://[::1]:4566/", True),
        ("http://localhost:4566", True),
        ("http://LOCALHOST", True),
        ("http://bucket.localhost:4566", True),
        ("https://s3.amazonaws.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://localhost.example.com", False),
        ("http://10.0.0.1", False),
        ("http://0.0.0.0:4566", False),
        ("not a URL", False),
    ],
)
def test_addresses_of_this_machine_are_told_apart(url: str, expected: bool) -> None:
    """By the host alone."""
    assert is_loopback(url) is expected
