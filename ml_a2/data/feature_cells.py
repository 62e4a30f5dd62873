"""The features' cells: numbers, or nothing; a cell of blanks is nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ml_a2.channel_files import LARGEST_VALUE
from ml_a2.data.cells import MISSING_WORDS, remedy_for, shown
from ml_a2.data.suspicion.columns import NAMELESS, REMEDY_INDEX
from ml_a2.errors import DataError
from ml_a2.source import Source


def check_features(source: Source, features: Sequence[str]) -> None:
    """Make numbers of all features.

    Raises:
        DataError: a cell is no number that can be trained on; shows it as it is, with what can be done about it.
    """
    for column in features:
        values = source.table[column]
        if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            source.table[column] = values = _to_numbers(source, column)
        too_large = np.flatnonzero(np.abs(values.to_numpy(dtype=np.float64, na_value=np.nan)) > LARGEST_VALUE)
        if len(too_large):
            index = int(too_large[0])
            raise DataError(
                f"{source.name}, column {shown(column)}, row {source.row(index)}: {values.iloc[index]} cannot be "
                f"trained on, it is infinite or beyond {LARGEST_VALUE:.3g}; leave the cell empty or write a smaller one"
            )


def _to_numbers(source: Source, column: str) -> pd.Series:
    """Convert numbers that are stored as something else; a time is no number, though it could be read as one."""
    cells = source.table[column]
    values = pd.Series([_without_blanks(cell) for cell in cells.astype(object)], index=cells.index, dtype=object)
    times = values.map(lambda value: isinstance(value, dt.date | dt.timedelta | np.datetime64))
    converted = pd.to_numeric(values.mask(times), errors="coerce")
    wrong = np.flatnonzero((converted.isna() & values.notna()).to_numpy())
    if len(wrong):
        index = int(wrong[0])
        cell = cells.iloc[index]
        share = f" ({len(wrong)} cells of {len(values)} in this column)" if len(wrong) > 1 else ""
        raise DataError(
            f"{source.name}, column {shown(column)}, row {source.row(index)}: {shown(cell)} is not a number{share}; "
            f"{REMEDY_INDEX if NAMELESS.fullmatch(column) else remedy_for(cell)}"
        )
    return converted


def _without_blanks(value: Any) -> Any:
    """Return text without blanks around it, and nothing where nothing but blanks, or a word for nothing, is left."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    return np.nan if text in MISSING_WORDS else text
