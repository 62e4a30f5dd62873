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
        (["data/a/"], r"the object 'data/a/' has 7 bytes and the name of a folder"),
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


@pytest.mark.parametrize(
    ("key", "prefix"),
    [
        ("data//day1/t.csv", "data/"),
        ("data//day1/t.csv", "data"),
        ("data//t.csv", "data//"),
        ("data//t.csv", "data//t.csv"),
        ("shared//data/t.csv", "shared//data/"),
        ("data/day1//t.csv", "data/"),
        ("data///t.csv", "data/"),
    ],
)
def test_fails_for_two_slashes_in_a_row(
    account: Account, transfer: Transfer, tmp_path: Path, key: str, prefix: str
) -> None:
    """Wherever they stand in the key, and though the files beside it are in order."""
    account.put("data/t.csv", "content")
    account.put(key, "content")
    reason = f"ClientError: Data download failed:Failed to download data. S3 key: s3://data/{key} has an illegal char"
    with pytest.raises(TransferError, match=rf"^{reason} sub-sequence '//' in it$"):
        transfer.download(f"s3://data/{prefix}", tmp_path / "channel")


def test_keys_elsewhere_do_not_matter(account: Account, transfer: Transfer, tmp_path: Path) -> None:
    """Only what lies under the prefix is looked at; a folder's marker is no file."""
    for key in ("other//t.csv", "data", "data/", "data/day1/", "data/day1/t.csv"):
        account.put(key, "" if key.endswith("/") else "content")
    transfer.download("s3://data/data/", tmp_path / "channel")
    assert [path.name for path in sorted((tmp_path / "channel").rglob("*"))] == ["day1", "t.csv"]


def test_an_output_goes_where_the_request_says(account: Account, transfer: Transfer, tmp_path: Path) -> None:
    """A slash at the end is the folder's own; a second one is part of the key."""
    (tmp_path / "file").write_text("content")
    for uri in ("s3://data/a", "s3://data/b/", "s3://data/c//"):
        transfer.upload_folder(tmp_path, uri)
    assert [account.get(key) for key in ("a/file", "b/file", "c//file")] == [b"content"] * 3
