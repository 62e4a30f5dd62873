"""The validation data: CSV without a header, the label first, read by XGBoost's own reader, as the training read it.

Two readers do not agree on every number: on decimals in their last bit, on what is out of range, on cells that are no
numbers. A tree then splits between the two, and what is evaluated is not what was trained.
"""

from __future__ import annotations

import os
import tempfile
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, Iterator, NamedTuple

import numpy as np

from .arrays import Array
from .cells import MISSING_LABEL, MISSING_WEIGHT, check_cells, check_lines
from .errors import EvaluationError
from .files import Block, data_files, find_delimiter, read_blocks


class Chunk(NamedTuple):
    """Some rows: labels (n,), weights (n,) or None, and XGBoost's matrix of the features."""

    block: Block
    labels: Array
    weights: Array | None
    matrix: Any

    def place(self, index: int) -> str:
        """Return the file and the line of a row, for a person."""
        return place(self.block, index)

    def columns(self, numbers: list[int]) -> list[Array]:
        """Return features (n,) by their numbers, NaN where they are missing."""
        if not numbers:
            return []
        cells = self.matrix.get_data()
        rows = np.repeat(np.arange(len(self.labels)), np.diff(cells.indptr))
        found = []
        for number in numbers:
            column = np.full(len(self.labels), np.nan, np.float32)
            chosen = cells.indices == number
            column[rows[chosen]] = cells.data[chosen]
            found.append(column)
        return found


class Shape(NamedTuple):
    """What the rows look like: the delimiter, how many features the model has, and whether column 2 is a weight."""

    delimiter: str
    features: int
    weighted: bool

    @property
    def columns(self) -> int:
        """How many columns a row has."""
        return self.features + 1 + self.weighted


def read_folder(folder: str, features: int, weighted: bool) -> Iterator[Chunk]:
    """Yield the rows of all files, a bounded number at a time.

    Args:
        folder: where the files lie, in folders of their own too.
        features: how many feature columns the model was trained on.
        weighted: whether the second column is the weight of a row, as `csv_weights` makes it.

    Raises:
        EvaluationError: names file, row and column of what is no validation data.
    """
    files = data_files(folder)
    if not files:
        raise EvaluationError("there is no validation data in {}".format(folder))
    shape = Shape(find_delimiter(files[0]), features, weighted)
    found = False
    for path in files:
        for chunk in _read_file(path, shape):
            found = True
            yield chunk
    if not found:
        raise EvaluationError("{} has no rows".format(os.path.basename(files[0])))


def _read_file(path: str, shape: Shape) -> Iterator[Chunk]:
    """Yield the rows of a file in their order; XGBoost reads with one thread, so each core reads a block."""
    widest, workers = 0, os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        blocks = read_blocks(path)
        waiting: deque[Future[Chunk | None]] = deque()
        while True:
            for block in islice(blocks, workers - len(waiting)):
                if widest < shape.columns:
                    widest = max(widest, width(block, shape))
                waiting.append(pool.submit(read, block, shape))
            if not waiting:
                break
            chunk = waiting.popleft().result()
            if chunk:
                yield chunk
    if 0 < widest < shape.columns:
        raise EvaluationError(other_columns(os.path.basename(path), widest - 1 - shape.weighted, shape))


def read(block: Block, shape: Shape) -> Chunk | None:
    """Read some lines, None where they are all empty.

    Raises:
        EvaluationError: names file, row and column of what is no validation data.
    """
    if not block.text.strip(b"\r\n"):
        return None
    check_cells(block, shape.delimiter, shape.weighted)
    matrix = load(block, shape)
    labels = matrix.get_label().astype(np.float64)
    _check(~np.isfinite(labels), MISSING_LABEL, block)
    weights = matrix.get_weight().astype(np.float64) if shape.weighted else None
    if weights is not None:
        _check(~(np.isfinite(weights) & (weights >= 0)), MISSING_WEIGHT, block)
        if not weights.all():  # one that is missing is read as 0, too
            check_lines(block, shape.delimiter, shape.weighted)
    _check_width(matrix.num_col(), block, shape)
    return Chunk(block, labels, weights, matrix)


def load(block: Block, shape: Shape) -> Any:
    """Let XGBoost read some lines: it reads files only."""
    import xgboost

    options = "format=csv&label_column=0&delimiter={}".format(shape.delimiter)
    options += "&weight_column=1" if shape.weighted else ""
    with tempfile.TemporaryDirectory(prefix="rows-") as folder:
        path = os.path.join(folder, "rows")
        with open(path, "wb") as file:
            file.write(block.text)
        try:
            return xgboost.DMatrix("{}?{}".format(path, options))
        except xgboost.core.XGBoostError as error:
            check_lines(block, shape.delimiter, shape.weighted)
            reason = str(error).split("Stack trace")[0].strip()
            message = "{}, row {} and what follows: XGBoost cannot read it: {}"
            raise EvaluationError(message.format(block.name, block.first_line, reason)) from error


def width(block: Block, shape: Shape) -> int:
    """Return the number of columns of the widest line; of the first, where that is wide enough."""
    widest = 0
    for _, line in block.lines():
        widest = max(widest, line.count(shape.delimiter.encode()) + 1)
        if widest >= shape.columns:
            break
    return widest


def _check_width(features: int, block: Block, shape: Shape) -> None:
    """Refuse rows with more values than the model has features; empty cells beyond them are none."""
    if features <= shape.features:
        return
    for number, line in block.lines():
        cells = line.split(shape.delimiter.encode())
        if any(cell.strip() for cell in cells[shape.columns :]):
            where = "{}, row {}".format(block.name, number)
            raise EvaluationError(other_columns(where, len(cells) - 1 - shape.weighted, shape))
    raise EvaluationError(other_columns(block.name, features, shape))


def other_columns(where: str, features: int, shape: Shape) -> str:
    """Say that there are more or fewer features than the model has."""
    message = "{} has {} feature columns, but the model was trained on {}"
    return message.format(where, max(features, 0), shape.features)


def check_classes(chunk: Chunk, classes: int) -> None:
    """Refuse labels that are no class."""
    wrong = np.flatnonzero(~np.isin(chunk.labels, np.arange(classes)))
    if len(wrong):
        what = "label {:g} is not one of 0 to {}".format(chunk.labels[wrong[0]], classes - 1)
        raise EvaluationError("{}: {}".format(chunk.place(int(wrong[0])), what))


def check_predictions(chunk: Chunk, predictions: Array) -> None:
    """Refuse what is predicted without a number: nothing can be measured of it."""
    wrong = ~np.isfinite(predictions).reshape(len(chunk.labels), -1).all(axis=1)
    if wrong.any():
        message = "{}: the model predicts no finite number; its training diverged, choose a smaller eta or other labels"
        raise EvaluationError(message.format(chunk.place(int(np.flatnonzero(wrong)[0]))))


def place(block: Block, index: int) -> str:
    """Return the file and the line of a row."""
    for count, (number, _) in enumerate(block.lines()):
        if count == index:
            return "{}, row {}".format(block.name, number)
    raise AssertionError("the lines have fewer rows than XGBoost read")


def _check(wrong: Array, what: str, block: Block) -> None:
    if wrong.any():
        raise EvaluationError("{}: {}".format(place(block, int(np.flatnonzero(wrong)[0])), what))
