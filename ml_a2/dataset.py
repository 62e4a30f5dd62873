"""A person's data: read, checked and written as the two channels, headerless CSV with the label first."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ml_a2.errors import DataError
from ml_a2.problem import Problem, encode, infer_problem


@dataclass(frozen=True)
class Split:
    """Which rows are held out where no validation file is given: a share in (0, 1), and the seed that picks them."""

    fraction: float = 0.2
    seed: int = 42


@dataclass(frozen=True)
class Source:
    """Where rows come from, and how a person finds one of them there."""

    name: str
    table: pd.DataFrame
    first_row: int = 1

    def row(self, index: int) -> int:
        """Return the number by which the person finds the row: a CSV file's header is line 1."""
        return self.first_row + index


@dataclass(frozen=True)
class Dataset:
    """Training and validation rows, encoded for the algorithm."""

    train: pd.DataFrame
    validation: pd.DataFrame
    target_column: str
    feature_columns: tuple[str, ...]
    problem: Problem
    origin: dict[str, Any]

    def describe(self) -> str:
        """Return one line for a person: where from, how much, and what is predicted."""
        problem = self.problem
        origin = self.origin["train"] + (f" and {self.origin['validation']}" if self.origin["validation"] else "")
        inferred = ", inferred from the labels" if problem.inferred else ""
        return (
            f"{origin}: {len(self.train)} training and {len(self.validation)} validation rows, "
            f"{len(self.feature_columns)} features, target {self.target_column!r}, {problem.objective}{inferred}"
        )

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write train.csv and validation.csv into a folder: label first, no header, empty cells for missing values."""
        paths = folder / "train.csv", folder / "validation.csv"
        for path, table in zip(paths, (self.train, self.validation), strict=True):
            table.to_csv(path, header=False, index=False)
        return paths


def load_sample(name: str, objective: str | None = None, split: Split = Split()) -> Dataset:
    """Load one of scikit-learn's own data sets: breast-cancer, diabetes or digits."""
    from sklearn import datasets

    loaders = {
        "breast-cancer": datasets.load_breast_cancer,
        "diabetes": datasets.load_diabetes,
        "digits": datasets.load_digits,
    }
    table = loaders[name](as_frame=True).frame
    return _prepare(Source(f"sample {name}", table), None, "target", objective, split)


def load_files(
    train: Path, validation: Path | None, target_column: str, objective: str | None = None, split: Split = Split()
) -> Dataset:
    """Load a person's own files, CSV with a header or Parquet.

    Args:
        train: the rows to train on; without `validation` a part of them is split off.
        validation: rows with the same columns.
        target_column: the column to predict.
        objective: the objective when it was chosen, None to infer it from the target.
        split: which rows are split off.

    Raises:
        DataError: names file, column and row of what cannot be trained on.
    """
    held_out = _read(validation) if validation else None
    return _prepare(_read(train), held_out, target_column, objective, split)


def _prepare(source: Source, held_out: Source | None, target: str, objective: str | None, split: Split) -> Dataset:
    features = _feature_columns(source, target)
    sources = [source, held_out] if held_out else [source]
    for other in sources:
        _check_columns(other, source)
        _check_features(other, features)
        _check_labels(other, target)
        _make_text_labels_comparable(other.table, target)
    problem = infer_problem(source.table[target], objective, source.name, target)
    labels = [encode(other.table[target], problem, other.name, target, other.first_row) for other in sources]
    tables = [_encoded(other, target, features, values) for other, values in zip(sources, labels, strict=True)]
    origin: dict[str, Any] = {"train": source.name, "validation": held_out.name if held_out else None}
    if held_out is None:
        tables = list(_split(tables[0], problem, split, source.name))
        origin |= {
            "validation_fraction": split.fraction,
            "split_seed": split.seed,
            "stratified": problem.kind != "regression",
        }
    _check_classes(tables, problem, sources)
    return Dataset(tables[0], tables[1], target, features, problem, origin)


def _read(path: Path) -> Source:
    is_parquet = path.suffix.lower() in (".parquet", ".pq")
    try:
        if is_parquet:
            table = pd.read_parquet(path)
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
        try:
            table = pd.read_csv(path, low_memory=False, index_col=False)
            header = pd.read_csv(path, header=None, nrows=1, dtype=str).iloc[0]
            # pandas would rename a second column of the same name.
            return table.set_axis(list(header.fillna("")), axis=1) if header.duplicated().any() else table
        except pd.errors.ParserWarning as warning:
            raise ValueError("rows have more fields than the header has columns") from warning


def _feature_columns(source: Source, target: str) -> tuple[str, ...]:
    columns = [str(column) for column in source.table.columns]
    if target not in columns:
        raise DataError(f"{source.name} has no column {target!r}; its columns are {', '.join(map(repr, columns))}")
    if doubled := next((c for c in columns if columns.count(c) > 1), None):
        raise DataError(f"{source.name} has more than one column {doubled!r}; names must be unique")
    features = tuple(column for column in columns if column != target)
    if not features:
        raise DataError(f"{source.name} has no column but the target {target!r}; there is nothing to train on")
    if source.table.empty:
        raise DataError(f"{source.name} has a header but no rows")
    return features


def _check_columns(other: Source, source: Source) -> None:
    given, expected = set(map(str, other.table.columns)), set(map(str, source.table.columns))
    if other.table.empty:
        raise DataError(f"{other.name} has a header but no rows")
    if missing := sorted(expected - given):
        raise DataError(f"{other.name} has no column {missing[0]!r}, which {source.name} has")
    if extra := sorted(given - expected):
        raise DataError(f"{other.name} has a column {extra[0]!r}, which {source.name} does not have")


def _check_features(source: Source, features: Sequence[str]) -> None:
    for column in features:
        if not pd.api.types.is_numeric_dtype(source.table[column]):
            source.table[column] = _to_numbers(source, column)
        values = source.table[column]
        infinite = np.flatnonzero(np.isinf(values.to_numpy(dtype=np.float64, na_value=np.nan)))
        if len(infinite):
            row = source.row(int(infinite[0]))
            raise DataError(f"{source.name}, column {column!r}, row {row}: infinite values cannot be trained on")


def _to_numbers(source: Source, column: str) -> pd.Series:
    """Convert numbers that are stored as something else; a time is no number, though it could be read as one."""
    values = source.table[column].astype(object)
    times = values.map(lambda value: isinstance(value, dt.date | dt.timedelta | np.datetime64))
    converted = pd.to_numeric(values.mask(times), errors="coerce")
    wrong = np.flatnonzero((converted.isna() & values.notna()).to_numpy())
    if len(wrong):
        index = int(wrong[0])
        raise DataError(
            f"{source.name}, column {column!r}, row {source.row(index)}: {str(values.iloc[index])!r} is not a number; "
            "encode text columns as numbers or remove them"
        )
    return converted


def _check_labels(source: Source, target: str) -> None:
    missing = np.flatnonzero(source.table[target].isna().to_numpy())
    if len(missing):
        raise DataError(
            f"{source.name}, column {target!r}, row {source.row(int(missing[0]))}: the label is missing "
            f"({len(missing)} in all); fill it in or remove the row"
        )


def _make_text_labels_comparable(table: pd.DataFrame, target: str) -> None:
    """Read labels as text where at least one of them is."""
    if not pd.api.types.is_numeric_dtype(table[target]) and not pd.api.types.is_bool_dtype(table[target]):
        table[target] = table[target].astype(str)


def _encoded(source: Source, target: str, features: Sequence[str], labels: pd.Series) -> pd.DataFrame:
    """Put the label first and the features in one order for both channels; booleans become 0 and 1."""
    table = source.table[list(features)]
    flags = [column for column in features if pd.api.types.is_bool_dtype(table[column])]
    return pd.concat([labels.rename(target), table.astype(dict.fromkeys(flags, "int8"))], axis=1)


def _split(table: pd.DataFrame, problem: Problem, split: Split, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    from sklearn.model_selection import train_test_split

    labels = table.iloc[:, 0]
    stratify = labels if problem.kind != "regression" else None
    try:
        train, validation = train_test_split(
            table, test_size=split.fraction, random_state=split.seed, stratify=stratify
        )
    except ValueError as error:
        raise DataError(f"{name} cannot be split, {split.fraction:g} of it for validation: {error}") from error
    return train, validation


def _check_classes(tables: Sequence[pd.DataFrame], problem: Problem, sources: Sequence[Source]) -> None:
    """Refuse channels with a single class: AUC is not defined on one, and nothing is learned from the other."""
    if problem.kind == "regression":
        return
    for table, word in zip(tables, ("training", "validation"), strict=True):
        if table.iloc[:, 0].nunique() < 2:
            name = sources[-1 if word == "validation" else 0].name
            raise DataError(f"{name}: the {word} rows have a single class; at least two are needed")
