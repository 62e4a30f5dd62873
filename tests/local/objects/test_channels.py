"""Objects become the files of a job's channel, and only those."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml_a2.local.sagemaker.transfer import Transfer, TransferError
from tests.local.conftest import Account


@pytest.fixture
def transfer(account: Account) -> Transfer:
    session = account.runtime.authorization.assume(account.role, "sagemaker.amazonaws.com", "job")
    return Transfer(account.runtime.clients, account.runtime.authorization, session)


def test_a_host_may_write_into_its_copy(account: Account, transfer: Transfer, tmp_path: Path) -> None:
    """Neither the object nor another host's copy changes."""
    account.put("data/some/file", "content")
    transfer.download("s3://data/data/", tmp_path / "a", tmp_path / "b")
    (tmp_path / "a" / "some" / "file").write_text("changed")
    assert (tmp_path / "b" / "some" / "file").read_text() == "content"
    assert account.get("data/some/file") == b"content"


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        (["data/../../x"], r"the key 'data/../../x' leads outside its channel"),
        (["data/a\0b"], r"the key 'data/a\\x00b' cannot be a file's name"),
        (["data/" + "x" * 300], r"the object 'data/x+' could not be written: File name too long"),
        (["data/a", "data/a/b"], r"the object 'data/a/b' could not be written: (Not a directory|File exists)"),
    ],
)
def test_fails_for_keys_that_cannot_be_files(
    account: Account, transfer: Transfer, tmp_path: Path, keys: list[str], problem: str
) -> None:
    """The job ends with a reason that names the key."""
    for key in keys:
        account.put(key, "content")
    with pytest.raises(TransferError, match=problem):
        transfer.download("s3://data/data/", tmp_path / "channel")
    assert [path.name for path in tmp_path.iterdir()] == ["channel"]
