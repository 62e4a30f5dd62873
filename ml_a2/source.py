"""A person's file as a table, and how its rows are found there."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ml_a2.errors import DataError


@dataclass(frozen=True)
class Source:
    """Where rows come from, and how a person finds one of them there."""

    name: str
    table: pd.DataFrame
    first_row: int = 1

    def row(self, index: int) -> int:
        """Return the number by which the person finds the row: a CSV file's header is line 1."""
        return self.first_row + index


def read_source(path: Path) -> Source:
    """Read a person's file, CSV with a header or Parquet.

    Raises:
        DataError: it is not there, or cannot be read.
    """
    is_parquet = path.suffix.lower() in (".parquet", ".pq")
    try:
        if is_parquet:
            table = pd.read_parquet(path)
            if any(name is not None for name in table.index.names):
                table = table.reset_index()  # a named index is a column that pandas wrote apart
            return Source(str(path), table.set_axis(list(map(str, table.columns)), axis=1), first_row=1)
        # Line 1 is the header, so the first row of data is line 2.
        return Source(str(path), _read_csv(path), first_row=2)
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist; name an existing CSV or Parquet file") from error
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{path} is empty; it needs a header and rows") from error
    except (OSError, ValueError, pd.errors.ParserError) as error:
        reason = str(error).strip().splitlines()[-1]
        raise DataError(f"{path} cannot be read as {'Parquet' if is_parquet else 'CSV'}: {reason}") from error


def _read_csv(path: Path) -> pd.DataFrame:
    """Read CSV; rows longer than the header are an error, not an index in front of shifted columns."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        warnings.simplefilter("error", pd.errors.DtypeWarning)
        try:
            table = _read_table(path)
            header = pd.read_csv(path, header=None, nrows=1, dtype=str).iloc[0]
            # pandas would rename a second column of the same name.
            return table.set_axis(list(header.fillna("")), axis=1) if header.duplicated().any() else table
        except pd.errors.ParserWarning as warning:
            raise ValueError("rows have more fields than the header has columns") from warning


def _read_table(path: Path) -> pd.DataFrame:
    """Read in parts, on all cores; where the parts differ in what a column is, once more as a whole."""
    try:
        return pd.read_csv(path, index_col=False)
    except pd.errors.DtypeWarning:
        return pd.read_csv(path, index_col=False, low_memory=False)
