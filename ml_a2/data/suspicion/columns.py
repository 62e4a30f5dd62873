"""Columns that identify rows instead of describing them, and whole numbers that 32 bits do not tell apart."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ml_a2.data.suspicion.bounded import Suspect, bounded, called
from ml_a2.data.suspicion.survey import Numbers, Survey
from ml_a2.finding import Finding

# That fewer rows have different numbers is no surprise.
LEAST_ROWS = 20
# Among random numbers of the range so many rows at least would repeat another: that none does has a chance of 5e-5.
EXPECTED_REPEATED = 10.0
# And so many of those that are expected are repeated at the most, where somebody pasted a few rows twice.
MOST_REPEATED = 0.02
# Beyond it 32 bits leave out whole numbers.
LARGEST_EXACT = float(1 << 24)
# Of the distinct numbers: amounts of money that lose their last digit here and there are no harm.
LEAST_LOST = 0.01

# The names that pandas gives to columns that have none, also where a file was written and read twice, and to indexes.
NAMELESS = re.compile(r"\s*|Unnamed: \d+(_level_\d+)?(\.\d+)*|__index_level_\d+__")
IDENTIFIER = re.compile(r"(?i:(.*[^a-z])?(id|uid|uuid|guid))|.*[a-z](Id|ID)")
REMEDY_INDEX = "write the table with index=False, or remove the column"
REMEDY_IDENTIFIER = "leave the column out: a model learns rows by heart with it, and new rows have other numbers"
REMEDY_LABEL = "name the column that is to be predicted"
REMEDY_FIRST = "the label stands first in a channel: write it so, without the numbers of rows, index=False"
REMEDY_LOST = "XGBoost computes in 32 bits: subtract an offset, or leave the column out where it is an identifier"


def identifying_columns(
    rows: Survey, columns: Sequence[str | int], name: str, *, label_is_chosen: bool = True
) -> Iterator[Finding]:
    """Warn of columns that count or identify rows, of those without a name, and of numbers that 32 bits merge.

    Args:
        rows: those that are trained on.
        columns: names, the label's first.
        name: the file.
        label_is_chosen: whether a person named the label, which may well count something then.
    """
    indexes, identifiers, lost = [], [], []
    for place, column in enumerate(columns):
        values = rows.sample[:, place]
        words = _identifies(values, rows.places, str(column) if place else "")
        merged = _merged(values)
        if place == 0:
            if words and (words.startswith("counts") or not label_is_chosen):
                remedy = REMEDY_LABEL if label_is_chosen else REMEDY_FIRST
                yield Finding("warning", f"{name}, column {called(column)}", f"is the label and {words}", remedy)
        elif isinstance(column, str) and NAMELESS.fullmatch(column):
            kind = "is an index that pandas wrote" if column.startswith("__index") else "has no name in the file"
            indexes.append(Suspect(column, f"{kind}{f' and {words}' if words else ''}"))
        elif words:
            identifiers.append(Suspect(column, f"{words}{f', and {merged}' if merged else ''}"))
        elif merged:
            lost.append(Suspect(column, merged))
    yield from bounded(indexes, name, REMEDY_INDEX)
    yield from bounded(identifiers, name, REMEDY_IDENTIFIER)
    yield from bounded(lost, name, REMEDY_LOST)


def _identifies(values: Numbers, places: NDArray[np.int64], column: str) -> str:
    """Say how a column identifies rows; nothing where it does not."""
    known = ~np.isnan(values)
    values, places = values[known], places[known]
    if len(values) < LEAST_ROWS or not _is_whole(values) or values.min() == values.max():
        return ""
    return _in_order(values, places) or _all_different(values, column)


def _in_order(values: Numbers, places: NDArray[np.int64]) -> str:
    step = (values[1] - values[0]) / (places[1] - places[0])
    if step and np.array_equal(values, values[0] + step * (places - places[0])):
        return f"counts the rows: {', '.join(f'{values[0] + step * row:.0f}' for row in range(3))}, ..."
    steps = np.diff(values)
    if (steps > 0).all() or (steps < 0).all():
        way = "grows" if steps[0] > 0 else "falls"
        return f"{way} from row to row, as an identifier or a time does: {values[0]:.0f} to {values[-1]:.0f}"
    return ""


def _all_different(values: Numbers, column: str) -> str:
    low, high, rows = float(values.min()), float(values.max()), len(values)
    distinct, size = len(np.unique(values)), high - low + 1
    # So many differ when numbers of the range are drawn evenly; drawn unevenly, fewer.
    expected = rows + size * math.expm1(rows * math.log1p(-1 / size))
    repeated = rows - distinct
    if expected >= EXPECTED_REPEATED and repeated <= MOST_REPEATED * expected:
        return f"identifies rows: {distinct:,} different whole numbers in {rows:,} rows, {low:.0f} to {high:.0f}"
    if not repeated and IDENTIFIER.fullmatch(column):
        return f"identifies rows: its whole numbers are different in all of {rows:,} rows"
    return ""


def _merged(values: Numbers) -> str:
    """Say how many whole numbers 32 bits do not tell apart, with two of them; nothing where it does not matter."""
    values = values[~np.isnan(values)]
    if not len(values) or np.abs(values).max() <= LARGEST_EXACT or not _is_whole(values):
        return ""
    distinct = np.unique(values)
    with np.errstate(over="ignore"):
        same = np.flatnonzero(np.diff(distinct.astype(np.float32)) == 0)
    if len(same) < max(1, LEAST_LOST * len(distinct)):
        return ""
    one, other = distinct[same[0]], distinct[same[0] + 1]
    left = len(distinct) - len(same)
    return f"in 32 bits {len(distinct):,} whole numbers become {left:,}: {one:.0f} is {other:.0f}"


def _is_whole(values: Numbers) -> bool:
    return bool((values == np.rint(values)).all())
