"""The validation data: CSV without a header, the label first, read in chunks."""

from __future__ import annotations

import glob
import os
from contextlib import closing
from typing import Iterator, NamedTuple

import numpy as np
import pandas as pd

from .arrays import Array
from .errors import EvaluationError

CELLS_PER_CHUNK = 2_000_000


class Chunk(NamedTuple):
    """Some rows: labels (n,), weights (n,) or None, and features (n, columns) in 32 bits, as the model was trained."""

    name: str
    first_row: int
    labels: Array
    weights: Array | None
    features: Array


def read_folder(folder: str, features: int, weighted: bool) -> Iterator[Chunk]:
    """Yield the rows of all files.

    Args:
        folder: where the files lie, in folders of their own too.
        features: how many feature columns the model was trained on.
        weighted: whether the second column is the weight of a row, as `csv_weights` makes it.

    Raises:
        EvaluationError: names file, row and column of what is no validation data.
    """
    files = sorted(name for name in glob.glob(os.path.join(folder, "**"), recursive=True) if os.path.isfile(name))
    found = False
    for path in files:
        name = os.path.basename(path)
        for first_row, table in read_chunks(path):
            found = True
            expected = features + 1 + weighted
            if table.shape[1] != expected:
                message = "{} has {} feature columns, but the model was trained on {}"
                raise EvaluationError(message.format(name, table.shape[1] - 1 - weighted, features))
            yield split(table, name, first_row, weighted)
    if not found:
        raise EvaluationError("there is no validation data in {}".format(folder))


def read_chunks(path: str) -> Iterator[tuple[int, pd.DataFrame]]:
    """Yield the number of the first row (from 1) and a table, a bounded number of cells at a time."""
    try:
        columns = pd.read_csv(path, header=None, nrows=1).shape[1]
        rows = max(1000, CELLS_PER_CHUNK // columns)
        first_row = 1
        with closing(pd.read_csv(path, header=None, chunksize=rows)) as chunks:  # pandas 1.1 has no `with` of its own
            for chunk in chunks:
                yield first_row, chunk
                first_row += len(chunk)
    except pd.errors.EmptyDataError:
        raise EvaluationError("{} is empty".format(os.path.basename(path))) from None
    except pd.errors.ParserError as error:
        raise EvaluationError("{} is no CSV: {}".format(os.path.basename(path), error)) from error


def split(table: pd.DataFrame, name: str, first_row: int, weighted: bool) -> Chunk:
    """Take a table apart; an empty cell among the features is missing."""
    for column in table.columns:
        if not pd.api.types.is_numeric_dtype(table[column]):
            table[column] = to_numbers(table[column], name, first_row)
    labels = table.iloc[:, 0].to_numpy(dtype=np.float64)
    _check(~np.isfinite(labels), "the label is missing or infinite", name, first_row)
    weights = None
    if weighted:
        weights = table.iloc[:, 1].to_numpy(dtype=np.float64)
        _check(~(np.isfinite(weights) & (weights >= 0)), "the weight is missing, infinite or below 0", name, first_row)
    return Chunk(name, first_row, labels, weights, table.iloc[:, 1 + weighted :].to_numpy(dtype=np.float32))


def to_numbers(cells: pd.Series, name: str, first_row: int) -> pd.Series:
    """Convert a column that was read as text, because of one cell at least."""
    converted = pd.to_numeric(cells, errors="coerce")
    wrong = (converted.isna() & cells.notna()).to_numpy()
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        message = "{}, row {}, column {}: {!r} is not a number"
        raise EvaluationError(message.format(name, first_row + row, int(str(cells.name)) + 1, cells.iloc[row]))
    return converted


def check_classes(chunk: Chunk, classes: int) -> None:
    """Refuse labels that are no class."""
    wrong = np.flatnonzero(~np.isin(chunk.labels, np.arange(classes)))
    if len(wrong):
        what = "label {:g} is not one of 0 to {}".format(chunk.labels[wrong[0]], classes - 1)
        raise EvaluationError("{}, row {}: {}".format(chunk.name, chunk.first_row + int(wrong[0]), what))


def _check(wrong: Array, what: str, name: str, first_row: int) -> None:
    if wrong.any():
        raise EvaluationError("{}, row {}: {}".format(name, first_row + int(np.flatnonzero(wrong)[0]), what))
