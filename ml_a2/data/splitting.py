"""The rows of one table as training and validation rows, by class where there are classes."""

from __future__ import annotations

import math

import pandas as pd

from ml_a2.data.cells import some
from ml_a2.data.suspicion.labels import told_alike
from ml_a2.dataset import Split
from ml_a2.errors import DataError
from ml_a2.problem import Problem

OWN_ROWS = "give validation rows of their own with --validation"


def split_rows(table: pd.DataFrame, problem: Problem, split: Split, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split rows at random, the same ones for the same seed.

    Args:
        table: the label first, as the algorithm takes it.
        problem: what is learned from it.
        split: which share of the rows, and the seed.
        name: the file, for errors.

    Raises:
        DataError: there are too few rows, in all or of a class.
    """
    from sklearn.model_selection import train_test_split

    labels = table.iloc[:, 0]
    _check_sizes(labels, problem, split, f"{name}, column {labels.name!r}")
    stratify = labels if problem.has_classes else None
    train, validation = train_test_split(table, test_size=split.fraction, random_state=split.seed, stratify=stratify)
    return train, validation


def _check_sizes(labels: pd.Series, problem: Problem, split: Split, where: str) -> None:
    where = f"{where}: {problem.taken_for_classes}"
    if problem.has_classes:
        _check_classes(labels, problem, where)
    held_out = math.ceil(len(labels) * split.fraction)  # as scikit-learn rounds it
    least = len(problem.classes) if problem.has_classes else 1
    if min(held_out, len(labels) - held_out) < least:
        needed = f"each of the {least} classes needs a row in both" if problem.has_classes else "both need rows"
        parts = f"{len(labels) - held_out} for training and {held_out} for validation"
        raise DataError(
            f"{where}the {len(labels)} rows cannot be split into {parts}, {needed}; {problem.taken_for_values}choose "
            f"another --validation-fraction, or {OWN_ROWS}"
        )


def _check_classes(labels: pd.Series, problem: Problem, where: str) -> None:
    counts = labels.value_counts()
    single = [problem.classes[int(code)] for code in sorted(counts[counts == 1].index)]
    if not single:
        return
    if len(single) == len(labels) > 2 and not problem.taken_for_classes:
        remedy = "name the column that is to be predicted, not one that numbers or names the rows"
        raise DataError(f"{where}each of the {len(labels)} rows has another label; {remedy}")
    rows, them = ("class has a single row", "it") if len(single) == 1 else ("classes have a single row each", "them")
    raise DataError(
        f"{where}{len(single)} {rows}, {some(single)}, and cannot be both in the training and in the validation rows; "
        f"{told_alike(problem.classes)}{problem.taken_for_values}remove or join {them}, or {OWN_ROWS}"
    )
