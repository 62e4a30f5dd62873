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
from ml_a2.jobs.quality.files import Block

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
SUSPECTS = re.compile(rb"(?<![0-9.])[0-9]{19}|\.0{9}|e[-+]?0*(?:[2-9][0-9]|[0-9]{3})", re.IGNORECASE)


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
    text, mark, place, line = block.text, delimiter.encode(), 0, block.first_line
    if not _may_have_any(text):
        return
    for match in SUSPECTS.finditer(text):
        begin = max(text.rfind(end, 0, match.start()) for end in (mark, b"\n", b"\r")) + 1
        found = re.compile(rb"[^\r\n" + re.escape(mark) + rb"]*").match(text, begin)
        cell = found[0].strip() if found else b""
        if not _is_other(cell):
            continue
        line, place = line + _lines(text[place:begin]), begin
        column = text.count(mark, max(text.rfind(b"\n", 0, begin), text.rfind(b"\r", 0, begin)) + 1, begin) + 1
        if column not in told:
            told.add(column)
            yield OtherNumber(line, column, cell.decode(), read_cell(cell) or 0.0)


def _may_have_any(text: bytes) -> bool:
    """Tell at once that a text has none, as nearly every text: a search for the pattern takes far longer."""
    if b"e" in text or b"E" in text or b".000000000" in text:
        return True
    return ALIKE + ALIKE[1:] in text.translate(bytes.maketrans(DIGITS, ALIKE))


def _lines(text: bytes) -> int:
    return text.count(b"\n") + text.count(b"\r") - text.count(b"\r\n")


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
