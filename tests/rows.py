"""The rows of a dataset as a table, however they are held."""

from __future__ import annotations

import pandas as pd

from ml_a2.channel_writing import TableRows
from ml_a2.dataset import Rows
from ml_a2.plain_file import PlainFile


def table_of(rows: Rows | None) -> pd.DataFrame:
    """Return them with the names of their columns."""
    if isinstance(rows, PlainFile):
        return pd.read_csv(rows.path)
    assert isinstance(rows, TableRows)
    return rows.table
