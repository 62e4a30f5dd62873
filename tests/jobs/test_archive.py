"""Archives that are meant to do harm: they are refused, with a reason, before they can."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from ml_a2.jobs.quality.archive import LARGEST_BYTES, extract
from ml_a2.jobs.quality.errors import EvaluationError


def _pack(path: Path, *members: tuple[str, bytes, bytes, str]) -> Path:
    """Write an archive of (name, type, content, link target)."""
    with tarfile.open(path, "w:gz") as tar:
        for name, kind, content, target in members:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(content), target
            tar.addfile(info, io.BytesIO(content))
    return path


def _extract(archive: Path) -> bytes:
    target = archive.parent / "target"
    extract(str(archive), "xgboost-model", str(target))
    return target.read_bytes()


def test_takes_the_file_and_nothing_else(tmp_path: Path) -> None:
    """Whatever else lies in the archive stays there, wherever it would lead."""
    regular = tarfile.REGTYPE
    archive = _pack(
        tmp_path / "a",
        ("../../outside", regular, b"no", ""),
        ("/tmp/absolute", regular, b"no", ""),
        ("link", tarfile.SYMTYPE, b"", "/etc"),
        ("link/passwd", regular, b"no", ""),
        ("./xgboost-model", regular, b"model", ""),
    )
    assert _extract(archive) == b"model"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "target"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE])
def test_fails_where_the_model_is_no_file(tmp_path: Path, kind: bytes) -> None:
    """A link to a file of the machine, a pipe that never ends, a device."""
    with pytest.raises(EvaluationError, match="'xgboost-model' is no file"):
        _extract(_pack(tmp_path / "a", ("xgboost-model", kind, b"", "/etc/passwd")))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: b"text",
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content[:40] + bytes(20) + content[60:],
        lambda content: gzip.compress(b"no tar" * 200),
    ],
)
def test_fails_on_what_is_no_archive(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    """Cut off, damaged, empty, or something else."""
    archive = _pack(tmp_path / "a", ("xgboost-model", tarfile.REGTYPE, bytes(range(256)) * 400, ""))
    archive.write_bytes(spoil(archive.read_bytes()))
    with pytest.raises(EvaluationError, match="holds no model"):
        _extract(archive)


def _claim(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    """Return a header that claims a size."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


def _claim_sparse(name: str, size: int) -> bytes:
    """Return the header of a file that has nothing but holes."""
    header = bytearray(_claim(name, 0, tarfile.GNUTYPE_SPARSE))
    header[483:495] = f"{size:012o}".encode()
    header[148:156] = f"{tarfile.calc_chksums(header)[0]:06o}\0 ".encode()  # type: ignore[attr-defined]  # not public
    return bytes(header)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (_claim("xgboost-model", 50 << 30), f"it unpacks to more than {LARGEST_BYTES} bytes"),
        (_claim("before", 50 << 30), f"it unpacks to more than {LARGEST_BYTES} bytes"),
        (_claim_sparse("xgboost-model", 50 << 30), f"it unpacks to more than {LARGEST_BYTES} bytes"),
        (_claim("long name", 1 << 30, tarfile.GNUTYPE_LONGNAME), "a header of it has 1073741824 bytes"),
        (_claim("header", 1 << 30, tarfile.XHDTYPE), "a header of it has 1073741824 bytes"),
    ],
)
def test_fails_on_a_bomb_before_it_is_unpacked(tmp_path: Path, header: bytes, words: str) -> None:
    """A small archive that holds gigabytes of zeros takes neither disk nor memory."""
    archive = tmp_path / "a"
    packer = zlib.compressobj(9, wbits=31)
    zeros = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64))
    archive.write_bytes(gzip.compress(header) + zeros + packer.flush())
    assert archive.stat().st_size < 100_000
    tracemalloc.start()
    try:
        with pytest.raises(EvaluationError, match=words):
            _extract(archive)
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()
    assert not (tmp_path / "target").exists()
