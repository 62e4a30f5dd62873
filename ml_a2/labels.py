"""The labels of a table: what they look like, and the numbers that the algorithm takes in their place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ml_a2.data.cells import shown, some
from ml_a2.errors import DataError
from ml_a2.problem import Problem, label_range, likely_kind
from ml_a2.suggestions import did_you_mean


@dataclass(frozen=True)
class TableLabels:
    """(n,) labels of whatever type, none of them missing."""

    values: pd.Series

    def kind(self) -> str:
        """Return the kind of problem that they look like."""
        numbers = pd.api.types.is_numeric_dtype(self.values) and not pd.api.types.is_bool_dtype(self.values)
        whole = numbers and bool((self.values == self.values.round()).all())
        return likely_kind(self.values.nunique(), numbers=numbers, whole=whole)

    def distinct(self) -> Iterable[Any]:
        """Return each of them once."""
        return self.values.unique()


def encode(labels: pd.Series, problem: Problem, name: str, column: str, first_row: int) -> pd.Series:
    """Return labels as the algorithm takes them: class numbers, or the values themselves.

    Raises:
        DataError: a label is text, out of the objective's range, or of a class that the training rows do not have.
    """
    if not problem.has_classes:
        return _numbers(labels, problem, name, column, first_row)
    codes = {label: code for code, label in enumerate(problem.classes)}
    encoded = labels.map(codes)
    unknown = np.flatnonzero(encoded.isna().to_numpy())
    if len(unknown):
        index = int(unknown[0])
        label = str(labels.iloc[index])
        remedy = f"{problem.taken_for_values}correct the label, remove the row, or train on such rows too"
        raise DataError(
            f"{name}, column {column!r}, row {first_row + index}: {problem.taken_for_classes}label {shown(label)} does "
            f"not occur in the training rows, whose labels are {some(problem.classes)}; {remedy}"
            f"{did_you_mean(label, problem.label_mapping)}"
        )
    return encoded.astype("int64")


def _numbers(labels: pd.Series, problem: Problem, name: str, column: str, first_row: int) -> pd.Series:
    values = pd.to_numeric(labels, errors="coerce")
    low, high = label_range(problem)
    wrong = np.flatnonzero((values.isna() | np.isinf(values) | (values < low) | (values > high)).to_numpy())
    if len(wrong):
        index = int(wrong[0])
        remedy = (
            "choose an objective for classes"
            if values.isna().iloc[index]
            else "choose another objective, or mend the label"
        )
        raise DataError(
            f"{name}, column {column!r}, row {first_row + index}: label {shown(labels.iloc[index])} does not fit "
            f"objective {problem.objective!r}; {remedy}"
        )
    return values.astype("float64")
