"""What was asked for: kept, read again, and found again from elsewhere."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path

import pytest

from ml_a2.digest import file_sha256
from ml_a2.errors import DataError, UserError
from ml_a2.records import request
from ml_a2.records.request import Request


def test_a_request_comes_back_from_json_as_it_was() -> None:
    """Every option, with its type."""
    asked = Request(
        directory="/x",
        train="a.csv",
        target_column="y",
        hyperparameters={"eta": "0.1"},
        faults=("training=crash",),
        hosts=2,
    )
    assert Request.from_json(json.loads(json.dumps(asked.as_json()))) == asked


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"directory": None}, "request.directory"),
        ({"hosts": "many"}, "request.hosts"),
        ({"colour": "red"}, "request.colour"),
        ({"hyperparameters": ["eta"]}, "request.hyperparameters"),
    ],
)
def test_fails_on_a_broken_request(change: dict[str, object], words: str) -> None:
    """The option that is wrong is named."""
    with pytest.raises(UserError, match=words):
        Request.from_json({"directory": "/", **change})


def _rows(folder: Path) -> Path:
    folder.mkdir()
    path = folder / "rows.csv"
    path.write_text("a,b,y\n" + "".join(f"{i},{i % 3},{i % 2}\n" for i in range(40)))
    return path


def test_files_are_found_from_another_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From where they were given, or from here when they have moved along."""
    path = _rows(tmp_path / "there")
    asked = Request(directory=str(tmp_path / "there"), train="rows.csv", target_column="y")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert asked.prepare().sources == ({"path": "rows.csv", "sha256": sha256},)
    (tmp_path / "there").rename(tmp_path / "moved")
    with pytest.raises(DataError, match=r"rows\.csv does not exist"):
        asked.prepare()
    monkeypatch.chdir(tmp_path / "moved")
    assert len(asked.prepare().dataset.validation) == 8


def test_writes_channels_and_the_names_of_columns(tmp_path: Path) -> None:
    """The person's own names, the classes by their numbers."""
    prepared = Request(directory=str(_rows(tmp_path / "d").parent), train="rows.csv", target_column="y").prepare()
    files = prepared.write(tmp_path, hosts=2)
    assert list(files) == [
        "train/train-01.csv", "train/train-02.csv", "validation/validation.csv", "evaluation/columns.json",
    ]  # fmt: skip
    columns = json.loads(files["evaluation/columns.json"].read_text())
    assert columns == {"target": "y", "features": ["a", "b"], "classes": ["0", "1"]}


def test_values_have_no_classes(tmp_path: Path) -> None:
    """A regression's columns."""
    assert Request(directory="/", sample="diabetes").prepare().dataset.columns()["classes"] is None


def test_fails_on_what_cannot_be_read_twice(tmp_path: Path) -> None:
    """A pipe would give one part of its rows to the hash, and train on the other."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match=r"pipe is a pipe or a device, and data is read twice"):
        Request(directory=str(tmp_path), train="pipe", target_column="y").prepare()
    with pytest.raises(DataError, match=r"is a folder; name a CSV or Parquet file"):
        Request(directory=str(tmp_path), train=".", target_column="y").prepare()


def test_hashing_ends_when_nobody_waits_for_it(tmp_path: Path) -> None:
    """Data that is refused, or an interrupt, does not wait until a large file is read to its end."""
    path = tmp_path / "large.csv"
    path.write_bytes(b"1" * 100)
    with pytest.raises(InterruptedError):
        file_sha256(path, lambda: True)
    assert file_sha256(path) == hashlib.sha256(b"1" * 100).hexdigest()


def test_a_file_that_cannot_be_read_any_more_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its hash is taken beside its rows, and may fail where they did not."""

    def fail(*_: object) -> str:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(request, "file_sha256", fail)
    asked = Request(directory=str(tmp_path), train=str(_rows(tmp_path / "there")), target_column="y")
    with pytest.raises(DataError, match=r"rows\.csv cannot be read: Input/output error"):
        asked.prepare()
