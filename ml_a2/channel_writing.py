"""The files of a channel, headerless CSV with the label first, written from a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv

from ml_a2.data.number_texts import number_texts
from ml_a2.dataset import Target

ROWS_AT_ONCE = 100_000
LARGEST_INTEGER = np.iinfo(np.int64).max
# Up to here 64-bit floating-point numbers hold every integer: whoever reads one makes the same 32-bit number of it.
MOST_EXACT = 2**53


@dataclass(frozen=True)
class TableRows:
    """Rows of numbers in memory, the label first."""

    table: pd.DataFrame

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.table)

    def write(self, targets: Sequence[Target]) -> None:
        """Write them to a file: no header, empty cells for missing values; of several, each gets a row in turn."""
        for number, target in enumerate(targets):
            _write(self.table.iloc[number :: len(targets)], target)


def _write(table: pd.DataFrame, target: Target) -> None:
    """Write of each number a decimal that every reader takes for the same 32-bit number, and flags as 1 and 0."""
    options = csv.WriteOptions(include_header=False, quoting_style="none")
    for first in range(0, len(table), ROWS_AT_ONCE):
        rows = table.iloc[first : first + ROWS_AT_ONCE]
        columns = [_texts(rows.iloc[:, number]) for number in range(rows.shape[1])]
        block = pa.BufferOutputStream()
        csv.write_csv(pa.table(columns, names=[str(number) for number in range(len(columns))]), block, options)
        target.write(block.getvalue().to_pybytes())


def _texts(column: pd.Series) -> pa.Array:
    """Return an array that Arrow writes so."""
    if pd.api.types.is_integer_dtype(column.dtype) and not column.isna().any():
        values = column.to_numpy(np.uint64 if column.max() > LARGEST_INTEGER else np.int64)
        exact = max(abs(int(values.min())), abs(int(values.max()))) <= MOST_EXACT
        return pa.array(values) if exact else number_texts(values)
    return number_texts(column.to_numpy(np.float64, na_value=np.nan))
