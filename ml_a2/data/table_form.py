"""How a table is written: compressed or not, by which delimiter, with which decimal mark; told by the file itself."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from ml_a2.data.file_kind import EMPTY, TEXT, UNPACK, FileKind, kind_of, kind_of_head, wrong_byte_in
from ml_a2.errors import DataError
from ml_a2.jobs.quality import signatures
from ml_a2.jobs.quality.signatures import HEAD_BYTES

OTHER_DELIMITERS = {";": "';'", "\t": "tabs", "|": "'|'"}
LINES_LOOKED_AT = 200
FOR_EXCEL = re.compile(r'("?sep=.?"?)\r?\n', re.IGNORECASE)
# Each with what opens it; the names are pandas' own.
OPENERS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    signatures.GZIP: ("gzip", gzip.open),
    signatures.BZIP2: ("bz2", bz2.open),
    signatures.XZ: ("xz", lzma.open),
}
DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError, NotImplementedError)


@dataclass(frozen=True)
class TableForm:
    """The form of a table: CSV with commas and decimal points, unless the file shows others; or Parquet."""

    is_parquet: bool = False
    compression: str | None = None
    delimiter: str = ","
    decimal: str = "."

    @property
    def options(self) -> dict[str, Any]:
        """Return how pandas reads it."""
        return {"sep": self.delimiter, "decimal": self.decimal, "compression": self.compression}

    def describe(self, path: Path) -> str:
        """Return what a person might not expect of a file of this name; nothing where it is as usual."""
        named_parquet = path.suffix.lower() in (".parquet", ".pq")
        words = []
        if self.is_parquet != named_parquet and not path.is_dir():
            words.append("read as Parquet" if self.is_parquet else "read as CSV")
        if self.delimiter != ",":
            words.append(f"delimited by {OTHER_DELIMITERS[self.delimiter]}")
        if self.decimal == ",":
            words.append("with decimal commas")
        return ", ".join(words)


def form_of(path: Path, target: str | None = None) -> TableForm:
    """Return how a file is to be read.

    Args:
        path: the file.
        target: a column that it must have, by which delimiters are told apart.

    Raises:
        DataError: it is no table that can be read; says what it is.
        OSError: it cannot be read at all.
    """
    kind = kind_of(path)
    if kind.name == signatures.PARQUET:
        return TableForm(is_parquet=True)
    if kind.name in OPENERS:
        compression, opened = OPENERS[kind.name]
        return _compressed(path, compression, lambda: opened(path), target)
    if kind.name == signatures.ZIP and (name := _only_member(path)):
        return _compressed(path, "zip", lambda: _member(path, name), target)
    if kind.name not in (TEXT, EMPTY):
        raise refusal(path, kind)
    with path.open("rb") as file:
        return TableForm(delimiter=_delimiter(path, file.read(HEAD_BYTES), target))


def refusal(path: Path, kind: FileKind) -> DataError:
    """Return the error for a file of another kind."""
    return DataError(f"{path} {kind.words}; {kind.remedy}")


def wrong_byte_of_table(path: Path, form: TableForm) -> FileKind | None:
    """Return the first byte of a table, unpacked, that is not UTF-8; None where it is.

    Raises:
        OSError: it cannot be read.
    """
    with _unpacked(path, form) as file:
        return wrong_byte_in(file)


def uneven_line(path: Path, form: TableForm) -> str:
    """Return which line has more cells than the header has columns.

    Raises:
        OSError: it cannot be read.
    """
    with _unpacked(path, form) as file, io.TextIOWrapper(file, "utf-8-sig", "replace", newline="") as text:
        rows = csv.reader(text, delimiter=form.delimiter)
        with suppress(csv.Error):  # a cell that is too long for this reader
            header = next(rows, [])
            for row in rows:
                if len(row) > len(header):
                    return f"line {rows.line_num} has {len(row)} cells, the header {len(header)} columns"
    return "rows have more cells than the header has columns"


def _unpacked(path: Path, form: TableForm) -> IO[bytes]:
    if form.compression == "zip":
        return _member(path, _only_member(path))
    opened = dict(OPENERS.values()).get(form.compression or "")
    return opened(path) if opened else path.open("rb")


def _compressed(path: Path, compression: str, opened: Callable[[], IO[bytes]], target: str | None) -> TableForm:
    try:
        with opened() as file:
            head = file.read(HEAD_BYTES)
    except DAMAGED as error:
        reason = f"is compressed with {compression}, and damaged or encrypted ({str(error)[:100]})"
        raise DataError(f"{path} {reason}; write it again") from error
    kind = kind_of_head(head)
    if kind.name not in (TEXT, EMPTY):
        remedy = UNPACK if kind.name == signatures.PARQUET else kind.remedy
        raise DataError(f"{path} is compressed with {compression}, and what is in it {kind.words}; {remedy}")
    return TableForm(compression=compression, delimiter=_delimiter(path, head, target))


def _only_member(path: Path) -> str:
    """Return the name of the only file of a zip archive; empty where there are several, or none."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
    except DAMAGED:
        return ""
    return names[0] if len(names) == 1 and len(archive.namelist()) == 1 else ""


def _member(path: Path, name: str) -> IO[bytes]:
    with zipfile.ZipFile(path) as archive:
        return archive.open(name)


def _delimiter(path: Path, head: bytes, target: str | None) -> str:
    """Return the delimiter: the comma, unless the target, or every line, is found by one other delimiter only."""
    text = head.decode("utf-8", "ignore").removeprefix("\ufeff")
    if match := FOR_EXCEL.match(text):
        raise DataError(f"{path} begins with {match[1]!r}, which only Excel takes for no row; remove that line")
    if len(head) == HEAD_BYTES:
        text = text[: text.rfind("\n") + 1] or text
    rows = {delimiter: _rows(text, delimiter) for delimiter in (",", *OTHER_DELIMITERS)}
    with_target = [delimiter for delimiter, found in rows.items() if found and target in found[0]]
    if "," in with_target:
        return ","
    candidates = with_target or [delimiter for delimiter, found in rows.items() if _is_even(found)]
    return candidates[0] if len(candidates) == 1 else ","


def _rows(text: str, delimiter: str) -> list[list[str]]:
    try:
        return [row for row in islice(csv.reader(io.StringIO(text), delimiter=delimiter), LINES_LOOKED_AT) if row]
    except csv.Error:
        return []


def _is_even(rows: list[list[str]]) -> bool:
    return bool(rows) and len(rows[0]) > 1 and len({len(row) for row in rows}) == 1
