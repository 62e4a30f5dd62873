"""The files of a channel, headerless CSV with the label first, written from a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
from pyarrow import csv

from ml_a2.dataset import Target

ROWS_AT_ONCE = 100_000


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
    """Write of each number the shortest form."""
    schema = pa.Schema.from_pandas(table.iloc[:1], preserve_index=False)
    with csv.CSVWriter(target, schema, write_options=csv.WriteOptions(include_header=False)) as writer:
        for first in range(0, len(table), ROWS_AT_ONCE):
            rows = table.iloc[first : first + ROWS_AT_ONCE]
            writer.write_table(pa.Table.from_pandas(rows, schema, preserve_index=False))
