"""Decimal commas in a table that is not delimited by commas: told where nothing else can be meant."""

from __future__ import annotations

import pandas as pd

NUMBER = r"\s*[+-]?(\d+(,\d*)?|,\d+)([eE][+-]?\d+)?\s*"
# 1,234 may be 1234 as well.
PERHAPS_GROUPED = r"\s*[+-]?[1-9]\d{0,2}(,\d{3})+\s*"
WITH_POINT = r"\s*[+-]?\d*\.\d+([eE][+-]?\d+)?\s*"


def has_decimal_commas(table: pd.DataFrame) -> bool:
    """Tell whether a table, read with decimal points, was written with commas.

    There is a column of such numbers, one of them cannot have the comma between its thousands, and no number of the
    table has a decimal point.
    """
    shows = False
    for name in range(table.shape[1]):
        column = table.iloc[:, name].dropna()
        if pd.api.types.is_bool_dtype(column):
            continue
        if pd.api.types.is_numeric_dtype(column):
            if bool((column % 1 != 0).any()):
                return False
            continue
        cells = column.astype(str)
        if cells.str.fullmatch(WITH_POINT).any():
            return False
        with_comma = cells[cells.str.contains(",", regex=False)]
        if len(with_comma) and cells.str.fullmatch(NUMBER).all():
            shows = shows or not with_comma.str.fullmatch(PERHAPS_GROUPED).all()
    return shows
