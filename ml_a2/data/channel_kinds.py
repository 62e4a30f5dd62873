"""Files of a channel that are not in the format that its content type names."""

from __future__ import annotations

from pathlib import Path

from ml_a2.data.file_kind import EMPTY, TEXT, FileKind, kind_of, wrong_byte_of
from ml_a2.finding import Finding
from ml_a2.jobs.quality.signatures import PARQUET, RECORDIO

# What the first bytes of a file are whose format is another than text.
BINARY_FORMATS = {"parquet": PARQUET, "recordio-protobuf": RECORDIO}
CONTENT_TYPES = {"csv": "text/csv", "parquet": "application/x-parquet", RECORDIO: "application/x-recordio-protobuf"}
NOT_UNPACKED = ": nothing is unpacked for the image, the channel has no CompressionType"


def check_kind(path: Path, data_format: str) -> Finding | None:
    """Find that a file of a channel, which is not empty, is something else than its format: by its first bytes.

    Text is looked at to its end: whoever reads it must not meet a byte that is no character.

    Raises:
        OSError: it cannot be read.
    """
    kind = kind_of(path)
    wanted = BINARY_FORMATS.get(data_format, TEXT)
    if kind.name in (EMPTY, wanted):
        wrong = wrong_byte_of(path) if wanted == TEXT else None
        return _no_text(path, wrong) if wrong else None
    if wanted == TEXT:
        return _no_text(path, kind)
    problem = f"{kind.words}, not {wanted}: the image fails"
    return Finding("error", _where(path, kind), problem, _content_type(kind) or kind.remedy)


def _no_text(path: Path, kind: FileKind) -> Finding:
    problem = f"{kind.words}: the image takes the bytes for text, and fails or trains on something else"
    return Finding("error", _where(path, kind), problem, _content_type(kind) or kind.remedy + _unpacking(kind))


def _unpacking(kind: FileKind) -> str:
    return NOT_UNPACKED if kind.remedy.startswith("unpack") else ""


def _content_type(kind: FileKind) -> str | None:
    """Return the remedy for a file that is right for another content type."""
    content_type = CONTENT_TYPES.get({PARQUET: "parquet", TEXT: "csv"}.get(kind.name, kind.name))
    return (
        f"name the right content type, --content-type {content_type}, or write the rows anew" if content_type else None
    )


def _where(path: Path, kind: FileKind) -> str:
    return f"{path}, line {kind.line}" if kind.line else str(path)
