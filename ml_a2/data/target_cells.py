"""The target's cells: words that stand for missing values elsewhere can be classes here, and a label must be there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ml_a2.data.cells import shown, some
from ml_a2.errors import DataError
from ml_a2.source import Source

FILL_IN = "fill it in or remove the row"


def restore_words(sources: Sequence[Source], target: str, classes: Sequence[Any] = ()) -> None:
    """Put words as NA and None back into a target of words, from which reading a table takes them.

    They are classes there, as North America; among numbers they stay missing, and where only such words occur they are
    classes too.

    Args:
        sources: all files of the data: what is a class in one of them is one in the others.
        target: the column.
        classes: those that a model knows already.

    Raises:
        DataError: a label is a list or a structure, as Parquet may have them.
    """
    for source in sources:
        _check_scalars(source, target)
    columns = [source.table[target] for source in sources]
    known = list(classes) or [label for column in columns for label in column.dropna().unique()]
    if known and not any(map(_is_word, known)):
        return
    for source, column in zip(sources, columns, strict=True):
        missing = column.isna().to_numpy()
        if missing.any() and (written := source.written(target)) is not None and len(written) == len(column):
            words = written.to_numpy(dtype=object)
            is_word = missing & (written.str.strip() != "").to_numpy()
            source.table[target] = column.astype(object).mask(is_word, pd.Series(words, index=column.index))


def _check_scalars(source: Source, target: str) -> None:
    labels = source.table[target]
    if labels.dtype != object:
        return
    wrong = np.flatnonzero([isinstance(label, dict | list | tuple | set | np.ndarray) for label in labels])
    if len(wrong):
        index = int(wrong[0])
        where = f"{source.name}, column {target!r}, row {source.row(index)}"
        raise DataError(f"{where}: {shown(labels.iloc[index])} is not a label; write a single word or number a row")


def _is_word(label: Any) -> bool:
    """Tell whether a label is neither a number, however it is stored, nor blanks."""
    return isinstance(label, str) and bool(label.strip()) and bool(pd.isna(pd.to_numeric(label, errors="coerce")))


def check_labels(source: Source, target: str) -> None:
    """Refuse rows without a label.

    Raises:
        DataError: names the first of them, what stands in its cell, and how many there are.
    """
    labels = source.table[target]
    blank = labels.map(lambda label: isinstance(label, str) and not label.strip()).to_numpy(dtype=bool)
    missing = np.flatnonzero(labels.isna().to_numpy() | blank)
    if not len(missing):
        return
    where = f"{source.name}, column {target!r}, row {source.row(int(missing[0]))}"
    written = source.written(target)
    cells = written.iloc[missing] if written is not None and len(written) == len(labels) else labels.iloc[missing]
    words = [str(cell) for cell in cells if isinstance(cell, str) and cell.strip()]
    if words:
        read = f"{some(dict.fromkeys(words))} is read as a missing label, as the others are no words"
        remedy = "remove these rows, or, if it is a class, write words for the other classes too"
        raise DataError(f"{where}: {read} ({len(missing)} in all); {remedy}")
    if blank.any() or any(isinstance(cell, str) and cell for cell in cells):
        raise DataError(f"{where}: the label is only blanks, it is missing ({len(missing)} in all); {FILL_IN}")
    raise DataError(f"{where}: the label is missing ({len(missing)} in all); {FILL_IN}")
