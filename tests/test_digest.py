"""Hashes of files, and of what lies in an archive."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from ml_a2.digest import HashedFile, file_sha256, members_sha256
from ml_a2.errors import UserError


def _archive(path: Path, time: int) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        folder = tarfile.TarInfo("./folder")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        info = tarfile.TarInfo("./folder/model")
        info.size, info.mtime = 5, time
        tar.addfile(info, io.BytesIO(b"model"))
    return path


def test_members_have_the_same_hash_whenever_the_archive_was_made(tmp_path: Path) -> None:
    """Folders have none, names are those that tar gives without the leading dot."""
    one, other = _archive(tmp_path / "1.tar.gz", 1), _archive(tmp_path / "2.tar.gz", 2)
    assert file_sha256(one) != file_sha256(other)
    assert members_sha256(one) == members_sha256(other)
    assert members_sha256(one) == {"folder/model": hashlib.sha256(b"model").hexdigest()}


def test_a_file_is_hashed_while_it_is_written(tmp_path: Path) -> None:
    """Block by block in their order, also where their memory is used again for the next one."""
    digests = [hashlib.sha256(), hashlib.sha1(usedforsecurity=False)]
    block = bytearray(1 << 20)
    with HashedFile(tmp_path / "file", digests) as file:
        for number in range(40):
            block[:] = bytes([number]) * len(block)
            assert file.write(memoryview(block)[: len(block) - number]) == len(block) - number
    content = (tmp_path / "file").read_bytes()
    assert len(content) == 40 * len(block) - 780
    assert [each.digest() for each in digests] == [
        hashlib.sha256(content).digest(), hashlib.sha1(content, usedforsecurity=False).digest(),
    ]  # fmt: skip


def test_a_file_is_written_once(tmp_path: Path) -> None:
    """What is there already is left as it is."""
    (tmp_path / "file").write_text("kept")
    with pytest.raises(FileExistsError):
        HashedFile(tmp_path / "file", [hashlib.sha256()])
    assert (tmp_path / "file").read_text() == "kept"


def test_fails_on_what_is_no_archive(tmp_path: Path) -> None:
    """Text, a cut one, and nothing at all."""
    (tmp_path / "text").write_text("text")
    (tmp_path / "cut").write_bytes(_archive(tmp_path / "whole", 1).read_bytes()[:40])
    for name in ("text", "cut", "nowhere"):
        with pytest.raises(UserError, match=f"{name} cannot be read as a .tar.gz"):
            members_sha256(tmp_path / name)
