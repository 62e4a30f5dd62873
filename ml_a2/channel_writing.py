"""The files of a channel, headerless CSV with the label first: written from a table, or taken over as they are."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv

from ml_a2.errors import DataError

ROWS_AT_ONCE = 100_000
BYTES_AT_ONCE = 1 << 20
# Numbers and what stands between them, where every reader of CSV reads the same.
PLAIN = b"0123456789+-.eE,\n"


@dataclass(frozen=True)
class PlainFile:
    """A person's own CSV file whose rows are a channel's already, but for the header."""

    path: Path
    # Modification time in nanoseconds and size in bytes, when it was read.
    read_as: tuple[int, int]

    def copy_rows(self, target: Path) -> None:
        """Copy everything below the header.

        Raises:
            DataError: the file has changed since it was read and checked.
        """
        with self.path.open("rb") as source, target.open("wb") as channel:
            source.readline()
            shutil.copyfileobj(source, channel, BYTES_AT_ONCE)
        if state_of(self.path) != self.read_as:
            raise DataError(f"{self.path} was changed while it was read; run again when it is written")


def state_of(path: Path) -> tuple[int, int]:
    """Return by what one sees that a file was changed."""
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def plain_file(path: Path, read_as: tuple[int, int], table: pd.DataFrame, columns: Sequence[str]) -> PlainFile | None:
    """Return a file as one whose rows need not be written anew, None where they must.

    Args:
        path: CSV with a header.
        read_as: its state before it was read.
        table: what was read, only numbers.
        columns: the order of the columns in a channel.
    """
    if list(table.columns) != list(columns) or table.isna().to_numpy().any():
        return None
    with path.open("rb") as file:
        header = file.readline().decode("utf-8", "replace").removesuffix("\n")
        if header != ",".join(columns):
            return None
        last = b"\n"
        while block := file.read(BYTES_AT_ONCE):
            if block.translate(None, PLAIN) or b"\n\n" in last + block:
                return None
            last = block[-1:]
    return PlainFile(path, read_as)


def write_rows(table: pd.DataFrame, path: Path) -> None:
    """Write a table of numbers: no header, empty cells for missing values, of each number the shortest form."""
    schema = pa.Schema.from_pandas(table.iloc[:1], preserve_index=False)
    with csv.CSVWriter(path, schema, write_options=csv.WriteOptions(include_header=False)) as writer:
        for first in range(0, len(table), ROWS_AT_ONCE):
            rows = table.iloc[first : first + ROWS_AT_ONCE]
            writer.write_table(pa.Table.from_pandas(rows, schema, preserve_index=False))


def same_numbers(values: pd.Series, others: pd.Series) -> bool:
    """Tell whether labels are numbers as they stand, and the same as others."""
    return pd.api.types.is_numeric_dtype(values.dtype) and bool(np.array_equal(values.to_numpy(), others.to_numpy()))
