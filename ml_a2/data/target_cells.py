"""The target's cells: words that stand for missing values elsewhere can be classes here, and a label must be there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ml_a2.data.cells import some
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
    """
    columns = [source.table[target] for source in sources]
    known = [label for column in columns for label in column.dropna().unique()] + list(classes)
    if not all(isinstance(label, str) for label in known):
        return
    for source, column in zip(sources, columns, strict=True):
        missing = column.isna().to_numpy()
        if missing.any() and (written := source.written(target)) is not None and len(written) == len(column):
            words = written.to_numpy(dtype=object)
            is_word = missing & (written.str.strip() != "").to_numpy()
            source.table[target] = column.astype(object).mask(is_word, pd.Series(words, index=column.index))


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
        read = f"{some(dict.fromkeys(words))} is read as a missing label, as the others are numbers"
        remedy = "remove these rows; if it is a class, write words for the other classes too"
        raise DataError(f"{where}: {read} ({len(missing)} in all); {remedy}")
    if blank.any() or any(isinstance(cell, str) and cell for cell in cells):
        raise DataError(f"{where}: the label is only blanks, it is missing ({len(missing)} in all); {FILL_IN}")
    raise DataError(f"{where}: the label is missing ({len(missing)} in all); {FILL_IN}")
