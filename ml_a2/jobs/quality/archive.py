"""One file out of a model.tar.gz that may come from anybody: nothing else is unpacked, and that not without end."""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
import zlib
from typing import Any, List

from .errors import EvaluationError
from .model_file import check_archive
from .signatures import HEAD_BYTES

# A small archive can hold terabytes of zeros. Far above any model of trees, and what is read of an archive at most.
LARGEST_BYTES = 8 << 30
# Headers are read at once; those of an ordinary archive have some hundred bytes.
LARGEST_READ_BYTES = 16 << 20
# Of what lies in an archive in place of a model, as many names are told, and so much of each.
MOST_NAMES, LONGEST_NAME = 5, 80


def extract(archive: str, name: str, path: str) -> None:
    """Write an archive's file to a path.

    Raises:
        EvaluationError: there is no such file, or the archive cannot be read.
    """
    try:
        with open(archive, "rb") as raw:
            check_archive(archive, raw.read(HEAD_BYTES))
        with open(archive, "rb") as raw, gzip.open(raw) as unpacked:
            source: Any = _Bounded(archive, unpacked)
            with tarfile.open(fileobj=source, mode="r:") as tar:
                _extract(tar, _find(tar, archive, name), path)
    except (tarfile.TarError, zlib.error, OSError, EOFError) as error:
        message = "{} holds no model {!r}: it is damaged, or no tar archive compressed with gzip ({})"
        raise EvaluationError(message.format(archive, name, error)) from error


def _find(tar: tarfile.TarFile, archive: str, name: str) -> tarfile.TarInfo:
    others: List[str] = []
    for member in tar:
        if os.path.normpath(member.name) == name:
            if not member.isreg():  # a link may lead anywhere, a pipe would never end
                raise EvaluationError("{} holds no model: {!r} is no file".format(archive, name))
            _check_size(archive, member.size)  # of a sparse file it is more than what lies in the archive
            return member
        if member.isreg():
            others.append(repr(member.name[:LONGEST_NAME]))
    there = ", ".join(others[:MOST_NAMES]) + (" and others" if len(others) > MOST_NAMES else "")
    raise EvaluationError(
        "{} holds no model {!r}, {}".format(archive, name, "but " + there if others else "and no other file")
    )


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> None:
    source = tar.extractfile(member)
    assert source is not None  # it is a file
    with source, open(path, "wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)


class _Bounded:
    """What an archive unpacks to: up to a limit, and never much of it at once."""

    def __init__(self, archive: str, file: gzip.GzipFile) -> None:
        """Take the decompressed stream."""
        self._archive = archive
        self._file = file

    def tell(self) -> int:
        """Return the place."""
        return self._file.tell()

    def read(self, size: int) -> bytes:
        """Read some bytes."""
        if size > LARGEST_READ_BYTES:
            raise EvaluationError("{} is refused: a header of it has {} bytes".format(self._archive, size))
        _check_size(self._archive, self._file.tell() + size)
        return self._file.read(size)

    def seek(self, position: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        assert whence == os.SEEK_SET  # tarfile asks for nothing else
        _check_size(self._archive, position)
        return self._file.seek(position)


def _check_size(archive: str, size: int) -> None:
    if size > LARGEST_BYTES:
        message = "{} is refused: it unpacks to more than {} bytes, the most that is read of a model's archive"
        raise EvaluationError(message.format(archive, LARGEST_BYTES))
