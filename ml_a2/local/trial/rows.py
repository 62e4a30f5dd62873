"""The rows that are tried: the first of a channel, and later ones until nothing is missing that all rows have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from io import RawIOBase
from pathlib import Path
from typing import Any

from ml_a2.dataset import Rows

FIRST_ROWS = 400
FIRST_BYTES = 4 << 20
# Beyond so many bytes of a channel nothing is looked for any more.
MOST_BYTES = 64 << 20


class _EnoughError(Exception):
    """Nothing is missing any more: whoever writes may end."""


@dataclass(eq=False)
class FirstRows(RawIOBase):
    """Keeps lines of CSV, the label first, as a file that is written to: the first, and those with something new.

    A class that is missing, a feature without any value or weights that are all 0 would be refused, or trained on
    otherwise, where the whole channel is not.
    """

    delimiter: bytes = b","
    weighted: bool = False
    # How many classes there are; 0 where labels are values.
    classes: int = 0
    lines: list[bytes] = field(default_factory=list)
    _read: int = 0
    _rest: bytes = b""
    _labels: set[bytes] = field(default_factory=set)
    _empty: set[int] | None = None
    _weightless: bool = True
    _has_enough: bool = False

    def writable(self) -> bool:
        """Tell that it is written to."""
        return True

    def write(self, block: Any, /) -> int:
        """Take a block of whole or broken lines.

        Raises:
            _EnoughError: no more are needed.
        """
        whole = self._rest + bytes(block)
        *lines, self._rest = whole.split(b"\n")
        for line in lines:
            self._take(line)
        return len(block)

    def end(self) -> bytes:
        """Return the rows that were kept; the last line may lack its end."""
        if self._rest and not self._has_enough:  # otherwise it may be the first half of a line
            with suppress(_EnoughError):
                self._take(self._rest)
        return b"".join(line + b"\n" for line in self.lines)

    def _take(self, line: bytes) -> None:
        self._read += len(line) + 1
        if not line.strip():
            return
        is_first = len(self.lines) < FIRST_ROWS and self._read <= FIRST_BYTES
        if self._is_new(line) or is_first:
            self.lines.append(line)
        if not is_first and (self._read > MOST_BYTES or not self._misses_something()):
            self._has_enough = True
            raise _EnoughError

    def _is_new(self, line: bytes) -> bool:
        """Tell whether a row has what no row before it had, and write that down."""
        label, _, rest = line.partition(self.delimiter)
        is_new = self.classes > len(self._labels) and label not in self._labels
        if is_new:
            self._labels.add(label)
        if self._empty == set() and not (self.weighted and self._weightless):
            return is_new
        cells = rest.split(self.delimiter)
        if self._empty is None:
            self._empty = set(range(len(cells)))
        filled = {number for number in self._empty if number < len(cells) and cells[number].strip()}
        self._empty -= filled
        has_weight = self.weighted and self._weightless and cells[0].strip(b"0. ") != b""
        self._weightless = self._weightless and not has_weight
        return is_new or bool(filled) or has_weight

    def _misses_something(self) -> bool:
        return bool(self._empty) or len(self._labels) < self.classes or (self.weighted and self._weightless)


def first_rows_of(rows: Rows, classes: int) -> bytes:
    """Return the first rows of a channel that is not written yet, as CSV."""
    kept = FirstRows(classes=classes)
    with suppress(_EnoughError):
        rows.write([kept])
    return kept.end()


def first_rows_of_files(paths: Iterable[Path], delimiter: str, *, weighted: bool, classes: int) -> bytes:
    """Return the first rows of a channel's CSV files."""
    kept = FirstRows(delimiter.encode(), weighted, classes)
    with suppress(_EnoughError):
        for path in paths:
            for block in _blocks(path):
                kept.write(block)
            kept.write(b"\n")  # the last line may lack its end
    return kept.end()


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            yield block
