"""Whether the cells of some lines are numbers for every reader, told from their bytes.

XGBoost's reader takes what it can of any cell: `12 %` is 12, `true` is missing, a blank is 0 or, at the end of a line,
the label of the next. So a cell is looked at before XGBoost reads it: the bytes all at once, then, where they are not
plain, cell by cell.
"""

from __future__ import annotations

import re
from typing import Iterator, NamedTuple, Pattern

import numpy as np

from .errors import EvaluationError
from .files import Block

DIGIT, SIGN, DOT, EXPONENT, DELIMITER, END, OTHER = range(7)
LEADING_DOTS = {SIGN * 8 + DOT, DELIMITER * 8 + DOT, END * 8 + DOT}
TRAILING_DOTS = {DOT * 8 + EXPONENT, DOT * 8 + DELIMITER, DOT * 8 + END}
# What may follow what; a dot without a digit on one side is told apart below. A line that begins with a delimiter has
# no label.
FOLLOWING = {
    DIGIT: (DIGIT, DOT, EXPONENT, DELIMITER, END),
    SIGN: (DIGIT,),
    DOT: (DIGIT,),
    EXPONENT: (DIGIT, SIGN),
    DELIMITER: (DIGIT, SIGN, DELIMITER, END),
    END: (DIGIT, SIGN, END),
}
# The same without digits, and without the sign of an exponent.
FOLLOWING_BUT_DIGITS = {
    SIGN: (DOT, EXPONENT, DELIMITER, END),
    DOT: (EXPONENT, DELIMITER, END),
    EXPONENT: (DELIMITER, END),
    DELIMITER: (SIGN, DOT, EXPONENT, DELIMITER, END),
    END: (SIGN, DOT, EXPONENT, DELIMITER, END),
}
NUMBER = rb"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
# Words for a missing value of which XGBoost reads nothing, or not a number.
MISSING = rb"[-+]?[nN][aA][nN]|#N/A|#N/A N/A|#NA|<NA>|N/A|NA|NULL|n/a|null|None"
INFINITE = rb"[-+]?(?i:inf|infinity)"
TEXT, BLANKS, LAST_BLANKS, NOTHING, LABEL, WEIGHT, INFINITE_CELL = range(7)
WORDS = {
    TEXT: "is not a number",
    INFINITE_CELL: "is not a number that can be trained on",
    BLANKS: "is only blanks, which the training reads as 0; leave the cell empty",
    LAST_BLANKS: "is only blanks, which the training reads as the label of the next row; leave the cell empty",
    NOTHING: "is nothing between two blanks, for which the training takes the next cell",
}
MISSING_LABEL = "the label is missing or infinite"
MISSING_WEIGHT = "the weight is missing, infinite or below 0"
MARK = b"\xef\xbb\xbf"


class Defect(NamedTuple):
    """A cell that is no number, where it stands (from 1), and in which way."""

    row: int
    column: int
    cell: str
    kind: int


def check_cells(block: Block, delimiter: str, weighted: bool) -> None:
    """Refuse lines with a cell that is no number, and no label or weight.

    Raises:
        EvaluationError: names file, row and column of the first.
    """
    if not are_plain(block.text, delimiter) and not are_plain(without_blanks(block.text, delimiter), delimiter):
        check_lines(block, delimiter, weighted)


def are_plain(text: bytes, delimiter: str) -> bool:
    """Tell whether lines, the last one ended, consist of a label and then numbers or nothing; a no may be wrong."""
    codes = bytes([END]) + text.translate(_classes(delimiter))
    pairs = set(_pairs(codes, FOLLOWING, delimiter))
    if not pairs <= LEADING_DOTS and not pairs <= TRAILING_DOTS:
        return False
    shapes = codes.translate(None, bytes([DIGIT])).replace(bytes([EXPONENT, SIGN]), bytes([EXPONENT]))
    return not _pairs(shapes, FOLLOWING_BUT_DIGITS)


def _pairs(codes: bytes, following: dict[int, tuple[int, ...]], delimiter: str = ",") -> bytes:
    """Return the pairs of neighbours that are not among these, each as 8 times the first and the second."""
    known = {first * 8 + second for first, others in following.items() for second in others}
    if delimiter.isspace():  # XGBoost passes over blanks, to the next cell
        known.discard(DELIMITER * 8 + DELIMITER)
    values = np.frombuffer(codes, np.uint8)
    pairs = values[:-1] << 3
    pairs |= values[1:]
    return pairs.tobytes().translate(None, bytes(known))


def _classes(delimiter: str) -> bytes:
    classes = bytearray([OTHER]) * 256
    for code, characters in ((DIGIT, b"0123456789"), (SIGN, b"+-"), (DOT, b"."), (EXPONENT, b"eE"), (END, b"\r\n")):
        for character in characters:
            classes[character] = code
    classes[ord(delimiter)] = DELIMITER
    return bytes(classes)


def without_blanks(text: bytes, delimiter: str) -> bytes:
    """Leave out blanks around numbers, words for a missing value, and the mark of UTF-8 at the beginning of a line."""
    blank, ends = _blank(delimiter), b"[\r\n" + re.escape(delimiter.encode()) + b"]"
    before, after = b"(?:(?<=" + ends + b")|\\A)", b"(?=" + ends + b")"
    missing = before + blank + b"*(?:" + MISSING + b")" + blank + b"*" + after
    leading, trailing = before + blank + b"+(?=[-+.0-9])", b"(?<=[.0-9])" + blank + b"+" + after
    text = re.sub(rb"(?:(?<=[\r\n])|\A)" + MARK, b"", text) if MARK in text else text
    return re.sub(leading + b"|" + trailing, b"", re.sub(missing, b"", text))


def _blank(delimiter: str) -> bytes:
    return "[{}]".format(" \t".replace(delimiter, "")).encode()


def check_lines(block: Block, delimiter: str, weighted: bool) -> None:
    """Look at every cell.

    Raises:
        EvaluationError: names file, row and column of the first that is no number.
    """
    for defect in defects(block, delimiter, weighted):
        where = "{}, row {}".format(block.name, defect.row)
        if defect.kind in (LABEL, WEIGHT):
            raise EvaluationError("{}: {}".format(where, MISSING_LABEL if defect.kind == LABEL else MISSING_WEIGHT))
        raise EvaluationError("{}, column {}: {!r} {}".format(where, defect.column, defect.cell, WORDS[defect.kind]))


def defects(block: Block, delimiter: str, weighted: bool) -> Iterator[Defect]:
    """Yield every cell that is no number, and no label or weight."""
    number, missing, infinite = (_alone(pattern, delimiter) for pattern in (NUMBER, MISSING, INFINITE))
    for row, line in block.lines():
        cells = line[len(MARK) * line.startswith(MARK) :].split(delimiter.encode())
        for column, cell in enumerate(cells, 1):
            if number.fullmatch(cell):
                continue
            is_last, is_missing = column == len(cells), not cell or bool(missing.fullmatch(cell))
            is_infinite = bool(infinite.fullmatch(cell))
            if (is_missing or is_infinite) and column <= 1 + weighted:
                kind = LABEL if column == 1 else WEIGHT
            elif is_infinite:
                kind = INFINITE_CELL
            elif is_missing and not (delimiter.isspace() and not cell and not is_last):
                continue
            else:
                kind = _kind(cell, is_last)
            yield Defect(row, column, cell.decode("utf-8", "backslashreplace"), kind)


def _alone(pattern: bytes, delimiter: str) -> Pattern[bytes]:
    return re.compile(_blank(delimiter) + b"*(?:" + pattern + b")" + _blank(delimiter) + b"*")


def _kind(cell: bytes, is_last: bool) -> int:
    if not cell:
        return NOTHING
    if cell.strip():
        return TEXT
    return LAST_BLANKS if is_last else BLANKS
