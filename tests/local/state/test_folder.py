"""The state's folder: it belongs to one process, to one version, and is never half written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ml_a2.errors import PlatformError, UserError
from ml_a2.local.state.folder import LOCK, OBJECTS, SNAPSHOT, UNFINISHED
from tests.local.state.conftest import state_folder


def _write(path: Path, payload: bytes = b"payload") -> None:
    with state_folder(path) as folder:
        folder.write(payload)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """In a folder that is made with its parents; the last snapshot counts."""
    path = tmp_path / "new" / "state"
    with state_folder(path) as folder:
        assert folder.read() is None
        folder.write(b"one")
        folder.write(b"two\nlines")
    with state_folder(path) as folder:
        snapshot = folder.read()
        assert snapshot
        assert snapshot.payload == b"two\nlines"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ml-a2", "0.0.1", "was written with ml-a2 0.0.1, not "),
        ("moto", "5.0.0", "was written with moto 5.0.0, not "),
        ("Python", "3.10", "was written with Python 3.10, not "),
        ("format", 0, "was written with format 0, not "),
        ("account", "1", "was written with account 1, not "),
        ("saved", "yesterday", "is damaged: it has no header"),
        ("bytes", 6, "is damaged: its content is not what was written"),
    ],
)
def test_fails_on_what_another_one_wrote(tmp_path: Path, name: str, value: object, words: str) -> None:
    """It says which version can read it, and what to do."""
    _write(tmp_path)
    file = tmp_path / SNAPSHOT
    line, _, payload = file.read_bytes().partition(b"\n")
    file.write_bytes(json.dumps({**json.loads(line), name: value}).encode() + b"\n" + payload)
    with state_folder(tmp_path) as folder, pytest.raises(UserError, match=f"{words}.*choose a new --state DIR"):
        folder.read()


def test_fails_on_another_region(tmp_path: Path) -> None:
    """What lies there has ARNs of the region that it was made in."""
    _write(tmp_path)
    with (
        state_folder(tmp_path, "eu-west-1") as folder,
        pytest.raises(UserError, match="with region us-east-1, not eu-"),
    ):
        folder.read()


@pytest.mark.parametrize("content", [b"", b"[1]\n", b"\xff\n", b"{}\n", b"truncated"])
def test_fails_on_damage(tmp_path: Path, content: bytes) -> None:
    """Where the header is gone."""
    _write(tmp_path)
    (tmp_path / SNAPSHOT).write_bytes(content)
    with state_folder(tmp_path) as folder, pytest.raises(UserError, match=r"is damaged|was written with"):
        folder.read()


def test_fails_on_a_flipped_bit(tmp_path: Path) -> None:
    """Before anything of it is used."""
    _write(tmp_path)
    content = bytearray((tmp_path / SNAPSHOT).read_bytes())
    content[-1] ^= 1
    (tmp_path / SNAPSHOT).write_bytes(content)
    with state_folder(tmp_path) as folder, pytest.raises(UserError, match="its content is not what was written"):
        folder.read()


def test_fails_on_a_folder_with_something_else(tmp_path: Path) -> None:
    """And touches nothing in it."""
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match=r"holds something else, such as 'thesis.txt'"), state_folder(tmp_path):
        pass
    assert [item.name for item in tmp_path.iterdir()] == ["thesis.txt"]


def test_fails_on_what_is_no_folder(tmp_path: Path) -> None:
    """A file, or a place where none can be made."""
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(UserError, match="is no folder"), state_folder(file):
        pass
    with pytest.raises(UserError, match=r"cannot be used: Not a directory"), state_folder(file / "below"):
        pass


@pytest.mark.parametrize("name", [SNAPSHOT, OBJECTS, UNFINISHED])
def test_fails_on_links_that_lead_elsewhere(tmp_path: Path, name: str) -> None:
    """What is not needed any more is removed from there."""
    other, path = tmp_path / "other", tmp_path / "state"
    other.mkdir()
    (other / "file").write_text("mine")
    _write(path)
    if name == OBJECTS:
        (path / name).rmdir()
    (path / name).unlink(missing_ok=True)
    (path / name).symlink_to(other)
    with pytest.raises(UserError, match=f"{name} is a symbolic link"), state_folder(path):
        pass
    assert (other / "file").exists()


def test_fails_where_another_one_serves_it(tmp_path: Path) -> None:
    """Two would overwrite each other's changes; after the first has ended, the second may."""
    with state_folder(tmp_path), pytest.raises(UserError, match="another process serves it"), state_folder(tmp_path):
        pass
    with state_folder(tmp_path):
        assert (tmp_path / LOCK).exists()


def test_fails_where_it_cannot_be_written(tmp_path: Path) -> None:
    """The snapshot before stays, and the next one may succeed."""
    _write(tmp_path, b"before")
    with state_folder(tmp_path) as folder:
        (tmp_path / UNFINISHED).mkdir()
        with pytest.raises(PlatformError, match=r"cannot be written: .*; what was kept before is still there"):
            folder.write(b"after")
        snapshot = folder.read()
        assert snapshot
        assert snapshot.payload == b"before"
        (tmp_path / UNFINISHED).rmdir()
        folder.write(b"after")
        assert [path.name for path in tmp_path.iterdir() if path.name == UNFINISHED] == []


def test_what_a_killed_process_left_is_no_obstacle(tmp_path: Path) -> None:
    """Neither half a snapshot, nor a folder in which there is only the lock."""
    (tmp_path / LOCK).touch()
    (tmp_path / UNFINISHED).write_bytes(b"hal")
    with state_folder(tmp_path) as folder:
        assert folder.read() is None
        folder.write(b"whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [SNAPSHOT, LOCK, OBJECTS]
