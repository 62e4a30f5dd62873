"""Cells of a person's table, as messages show them, and what can be done about one that is no number."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

LONGEST_CELL = 80
MOST_SHOWN = 5
# What a cell of a table may have in place of nothing, as pandas reads them.
MISSING_WORDS = frozenset(
    (
        "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
        "NULL", "NaN", "None", "n/a", "nan", "null",
    )
)  # fmt: skip
LEAVE_EMPTY = "leave the cell empty if it stands for a missing value"
# What a cell looks like, and what to do then; the first that fits.
REMEDIES: tuple[tuple[str, str], ...] = (
    (r"[-\u2013\u2014.?*/\\]+|n/?d|unk(nown)?|missing|none|nil|void|\(blank\)|#[A-Z/0]+[!?]|inf(inity)?", LEAVE_EMPTY),
    (r"(true|false|yes|no|y|n|t|f|ja|nein|oui|non|si|on|off|wahr|falsch)", "write 1 and 0 in this column"),
    (
        r"[+-]?[1-9]\d{0,2}(,\d{3})+",
        "write it without the comma if that groups thousands, with a point if it is a decimal comma",
    ),
    (r"[+-]?\d*,\d+([eE][+-]?\d+)?", "write the number with a decimal point"),
    (r"[+-]?\d{1,3}([.']\d{3})+(,\d+)?|[+-]?\d{1,3}(,\d{3})+\.\d+", "write the number without marks between thousands"),
    (r"[+-]?\d[\d.,]*\s?%", "write the number without the % sign, in one unit throughout the column"),
    (r"[+-]?\d{1,3}([\s\u00a0\u202f]\d{3})+([.,]\d+)?", "write the number without blanks between thousands"),
    (
        r"\d{4}-\d{1,2}-\d{1,2}([T ].*)?|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}(\s.*)?|\d{1,2}:\d{2}(:\d{2})?.*",
        "write dates and times as numbers, days or seconds since a fixed one for example, or remove the column",
    ),
    (r"\x1a", "remove the line, whose only letter marks the end of a file for old programs"),
    (r"\(\d[\d.,]*\)", "write a negative number with a minus sign"),
    (r"0[xX][\dA-Fa-f]+", "write the number in decimal digits"),
    (
        r"\D{0,4}\s?[+-]?\d[\d.,]*|[<>~≤≥]\s?\d.*|[+-]?\d[\d.,]*\s?\D{1,5}",
        "write the number alone, without sign or unit",
    ),
    (r"[+-]?\d+\s*[-\u2013/]\s*\d+", "write one number, not a range or a fraction"),
)
ENCODE = "encode text columns as numbers, one column of 0 and 1 a category for example, or remove them"


def shown(cell: Any) -> str:
    """Return a cell in quotes as it stands in the file, cut where it is long."""
    text = str(cell)
    return (
        repr(text)
        if len(text) <= LONGEST_CELL
        else f"{text[:LONGEST_CELL]!r} and {len(text) - LONGEST_CELL} more letters"
    )


def some(cells: Iterable[Any]) -> str:
    """Return some of the cells, and how many more there are."""
    known = list(cells)
    more = f" and {len(known) - MOST_SHOWN} more" if len(known) > MOST_SHOWN else ""
    return ", ".join(map(shown, known[:MOST_SHOWN])) + more


def remedy_for(cell: Any) -> str:
    """Return what to do about a cell of a feature that is no number."""
    text = str(cell).strip()
    for pattern, remedy in REMEDIES:
        if re.fullmatch(pattern, text, re.IGNORECASE):
            return remedy
    return ENCODE
