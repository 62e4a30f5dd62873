"""Hashes of files, and of what lies in an archive."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from ml_a2.digest import file_sha256, members_sha256
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


def test_fails_on_what_is_no_archive(tmp_path: Path) -> None:
    """Text, a cut one, and nothing at all."""
    (tmp_path / "text").write_text("text")
    (tmp_path / "cut").write_bytes(_archive(tmp_path / "whole", 1).read_bytes()[:40])
    for name in ("text", "cut", "nowhere"):
        with pytest.raises(UserError, match=f"{name} cannot be read as a .tar.gz"):
            members_sha256(tmp_path / name)
