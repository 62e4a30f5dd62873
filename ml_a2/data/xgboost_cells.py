"""What XGBoost's reader makes of a cell, and the cells of a channel of which that is not the number that stands there.

Source: ParseFloat in dmlc-core's strtonum.h, and csv_parser.h.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ml_a2.data.number_texts import DECIMALS, number_texts
from ml_a2.finding import Finding
from ml_a2.jobs.quality.cells import BLANKS, LAST_BLANKS, NOTHING, Defect, without_blanks
from ml_a2.jobs.quality.files import Block, same_ends

GRAMMAR = re.compile(
    rb"[ \t\r\n\f]*(?P<sign>[-+]?)(?:(?P<inf>infinity|inf(?!init))|(?P<nan>nan)(?P<text>\(\w*(?P<end>\))?)?|"
    rb"(?P<whole>[0-9]*)(?:\.(?P<behind>[0-9]*))?(?P<scale>e(?P<down>[-+]?)(?P<exponent>[0-9]*))?)f?",
    re.IGNORECASE,
)
SINGLE = np.float32
LARGEST_EXPONENT = 38
LARGEST_SIZE, SMALLEST_SIZE = SINGLE(3.402823466), SINGLE(1.175494351)
# Off by more than its last bits, a number is another one.
NEAR = 1e-6
DIGITS, ALIKE = b"0123456789", b"0" * 10
# Whole numbers that may overflow, digits that may be lost, exponents that may be clipped.
LONG, SMALL = re.compile(rb"(?<![0-9.])[0-9]{19}"), re.compile(rb"\.0{9}")
SCALED = {mark: re.compile(mark + rb"[-+]?0*(?:[2-9][0-9]|[0-9]{3})") for mark in (b"e", b"E")}


def read_cell(cell: bytes) -> float | None:
    """Return what XGBoost reads of a cell, None where it reads nothing: then the value is missing.

    Raises:
        ValueError: it fails.
    """
    match = GRAMMAR.match(cell)
    if not match or not match[0]:
        return None
    sign = -1 if match["sign"] == b"-" else 1
    if match["inf"]:
        return sign * float("inf")
    if match["nan"]:
        if match["text"] and not match["end"]:
            raise ValueError("invalid NaN literal")
        return float("nan")
    return sign * float(_size(match))


def _size(match: re.Match[bytes]) -> SINGLE:
    size = SINGLE(int(match["whole"] or b"0") % 2**64)
    behind = (match["behind"] or b"")[:DECIMALS]
    size += SINGLE(float(int(behind or b"0")) / float(10 ** len(behind)))
    return _scaled(size, int(match["exponent"] or b"0") % 2**32, match["down"] == b"-") if match["scale"] else size


def _scaled(size: SINGLE, exponent: int, down: bool) -> SINGLE:
    exponent = min(exponent, LARGEST_EXPONENT)
    if exponent == LARGEST_EXPONENT:
        size = max(size, SMALLEST_SIZE) if down else min(size, LARGEST_SIZE)
    scale = SINGLE(1)
    for factor in [1e8] * (exponent // 8) + [10.0] * (exponent % 8):
        scale *= SINGLE(factor)
    with np.errstate(over="ignore", under="ignore"):
        return size / scale if down else size * scale


def as_plain(text: bytes, delimiter: str) -> bytes:
    """Write lines without a defect so that every reader of CSV takes them: no blanks, no words, no plus signs."""
    ends = b"[\r\n" + re.escape(delimiter.encode()) + b"]"
    return re.sub(b"(?:(?<=" + ends + b")|\\A)\\+", b"", without_blanks(text, delimiter))


def cell_finding(where: str, column: str, defect: Defect, next_line: bytes = b"") -> Finding:
    """Say of a cell that is no number what the image makes of it, and what to write instead.

    Args:
        where: file and line.
        column: the column, for a person.
        defect: the cell.
        next_line: the row after it, into which XGBoost reads on where a line ends in blanks.
    """
    shown = f"{column} is {defect.cell!r}, "
    if defect.kind == LAST_BLANKS:
        made = _made(next_line.decode(errors="replace")) if next_line else "the image reads 0"
        read = f"{made}, the label of the next line" if next_line else made
        return Finding("error", where, f"{shown}only blanks: {read}, not a missing value", EMPTY)
    if defect.kind == BLANKS:
        problem = "only blanks: the image reads 0, not a missing value"
        return Finding("error", where, shown + problem, EMPTY)
    if defect.kind == NOTHING:
        problem = "nothing between two blanks: the image takes the next cell in its place"
        return Finding("error", where, shown + problem, "delimit the columns by commas, or write nan")
    return Finding("error", where, f"{shown}no number: {_made(defect.cell)}", _remedy(defect.cell))


EMPTY = "leave the cell empty where the value is missing"


def _made(cell: str) -> str:
    """Say what the image makes of text."""
    try:
        read = read_cell(cell.encode())
    except ValueError:
        return "the image fails"
    return "the image takes it for missing" if read is None else f"the image reads {read:.9g}"


def _remedy(cell: str) -> str:
    word = cell.strip().lower()
    if word in {"true", "false", "yes", "no", "t", "f"}:
        return "write 1 and 0"
    if re.fullmatch(r"[-+]?0x[0-9a-f]+|[-+]?[0-9.]+d[-+]?[0-9]+|[-+]?[0-9]+([_'][0-9]+)+|\W*[0-9.]+\W*", word):
        return "write the bare number in decimals, as 1234.5 or 1e5"
    if word in MISSING_WORDS:
        return EMPTY
    return "encode text as numbers, leave missing values empty"


MISSING_WORDS = {"?", "-", "--", ".", "missing", "unknown", "nil", "#ref!", "#value!", "#div/0!"}


class OtherNumber(NamedTuple):
    """A cell that is a number, and another one for XGBoost."""

    line: int
    column: int
    cell: str
    read: float

    @property
    def is_tiny(self) -> bool:
        """Whether it is so near to 0 that 32 bits hardly hold it."""
        return abs(float(self.cell)) < float(np.finfo(SINGLE).tiny)

    def written(self) -> str:
        """Return a text that XGBoost reads as that number."""
        if not _is_other(short := f"{float(self.cell):.9g}".encode()):
            return short.decode()
        text: str = pc.cast(number_texts(np.array([float(self.cell)])), pa.string())[0].as_py()
        return text


def other_numbers(block: Block, delimiter: str, told: set[int]) -> Iterator[OtherNumber]:
    """Yield the first such cell of each column, and add the column to those that are told."""
    for pattern in _patterns(block.text):
        text = same_ends(block.text)  # so that the end of a line is found at once
        yield from _other_numbers(block._replace(text=text), delimiter.encode(), pattern, told)


def _patterns(text: bytes) -> list[re.Pattern[bytes]]:
    """Return what a text is to be searched for: for nothing, nearly always, which is told far sooner than searched."""
    found = [pattern for mark, pattern in SCALED.items() if mark in text]
    if b".000000000" in text:
        found.append(SMALL)
    if ALIKE + ALIKE[1:] in text.translate(bytes.maketrans(DIGITS, ALIKE)):
        found.append(LONG)
    return found


def _other_numbers(block: Block, mark: bytes, pattern: re.Pattern[bytes], told: set[int]) -> Iterator[OtherNumber]:
    text, place, line = block.text, 0, block.first_line
    for match in pattern.finditer(text):
        row = text.rfind(b"\n", 0, match.start()) + 1
        begin = max(row, text.rfind(mark, row, match.start()) + 1)
        found = re.compile(rb"[^\n" + re.escape(mark) + rb"]*").match(text, begin)
        cell = found[0].strip() if found else b""
        column = text.count(mark, row, begin) + 1
        if column not in told and _is_other(cell):
            told.add(column)
            line, place = line + text.count(b"\n", place, row), row
            yield OtherNumber(line, column, cell.decode(), read_cell(cell) or 0.0)


def _is_other(cell: bytes) -> bool:
    try:
        meant, read = float(cell), read_cell(cell)
    except ValueError:
        return False
    # What is beyond 32 bits is told as that.
    if read is None or abs(meant) > float(np.finfo(SINGLE).max):
        return False
    with np.errstate(under="ignore"):
        return abs(read - float(SINGLE(meant))) > NEAR * abs(meant)
