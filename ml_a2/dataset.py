"""A person's data: read, checked and written as the two channels, headerless CSV with the label first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ml_a2.channel_files import LARGEST_VALUE
from ml_a2.channel_writing import write_rows
from ml_a2.errors import DataError
from ml_a2.plain_file import PlainFile, read_plain_file
from ml_a2.problem import Problem, encode, infer_problem
from ml_a2.source import Source, read_source


@dataclass(frozen=True)
class Split:
    """Which rows are held out where no validation file is given: a share in (0, 1), and the seed that picks them."""

    fraction: float = 0.2
    seed: int = 42


@dataclass(frozen=True)
class Dataset:
    """Training and validation rows, encoded for the algorithm; where their file is a channel, the labels alone."""

    train: pd.DataFrame
    validation: pd.DataFrame
    target_column: str
    feature_columns: tuple[str, ...]
    problem: Problem
    origin: dict[str, Any]
    # The person's own files, where they are channels but for their headers: their features are not in memory.
    plain_train: PlainFile | None = None
    plain_validation: PlainFile | None = None

    def describe(self) -> str:
        """Return one line for a person: where from, how much, and what is predicted."""
        problem = self.problem
        origin = " and ".join(filter(None, (self.origin["train"], self.origin["validation"])))
        inferred = ", inferred from the labels" if problem.inferred else ""
        training = f"{len(self.train)} training and " if self.origin["train"] else ""
        return (
            f"{origin}: {training}{len(self.validation)} validation rows, "
            f"{len(self.feature_columns)} features, target {self.target_column!r}, {problem.objective}{inferred}"
        )

    def columns(self) -> dict[str, Any]:
        """Return the person's own names: of the target, of the features, and of the classes by their numbers."""
        classes = list(self.problem.label_mapping) or None
        return {"target": self.target_column, "features": list(self.feature_columns), "classes": classes}

    def write(self, folder: Path, parts: int = 1) -> tuple[list[Path], list[Path]]:
        """Write the channels' files into a folder: label first, no header, empty cells for missing values.

        Args:
            folder: where to.
            parts: into how many files of about the same size the training rows go, one for each host that shares them.

        Returns:
            The files of the train channel, none where nothing is trained, and those of the validation channel.
        """
        validation = folder / "validation.csv"
        _write(self.validation, self.plain_validation, [validation])
        if self.train.empty:
            return [], [validation]
        names = ["train.csv"] if parts == 1 else [f"train-{number:02}.csv" for number in range(1, parts + 1)]
        train = [folder / name for name in names]
        _write(self.train, self.plain_train, train)
        return train, [validation]


def _write(table: pd.DataFrame, plain: PlainFile | None, paths: Sequence[Path]) -> None:
    """Write rows to a file; of several, each gets a row in turn."""
    if plain:
        plain.write(paths)
        return
    for number, path in enumerate(paths):
        write_rows(table.iloc[number :: len(paths)], path)


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
    if validation and (plain := _load_plain(train, validation, target_column, objective)):
        return plain
    held_out = read_source(validation) if validation else None
    return _prepare(read_source(train), held_out, target_column, objective, split)


def _load_plain(train: Path, validation: Path, target: str, objective: str | None) -> Dataset | None:
    """Load two files that are channels already, but for their headers; None where one of them is not."""
    rows = _read_plain(train, target)
    held_out = _read_plain(validation, target) if rows else None
    if rows is None or held_out is None or rows.columns != held_out.columns:
        return None
    sources = [_labels_of(rows), _labels_of(held_out)]
    tables = [source.table for source in sources]
    problem = infer_problem(tables[0][target], objective, sources[0].name, target)
    if not all(_is_encoded(source, target, problem) for source in sources):
        return None
    _check_classes(tables, problem, sources)
    origin = {"train": sources[0].name, "validation": sources[1].name}
    return Dataset(tables[0], tables[1], target, rows.columns[1:], problem, origin, rows, held_out)


def _labels_of(file: PlainFile) -> Source:
    source = Source(str(file.path), pd.DataFrame({file.columns[0]: file.labels}), first_row=2)
    _check_labels(source, file.columns[0])
    return source


def _is_encoded(source: Source, target: str, problem: Problem) -> bool:
    """Tell whether labels have the same numbers in a channel."""
    labels = source.table[target]
    return np.array_equal(labels, encode(labels, problem, source.name, target, source.first_row))


def _read_plain(path: Path, target: str) -> PlainFile | None:
    """Read a file that is plain; whatever is wrong with another one, its reading as a table tells."""
    try:
        return read_plain_file(path, target)
    except OSError:
        return None


def load_file_for_model(
    path: Path, target_column: str, problem: Problem, features: Sequence[str] | None = None
) -> Dataset:
    """Load rows on which a model is evaluated that exists already.

    Args:
        path: CSV with a header or Parquet.
        target_column: the column that the model predicts.
        problem: what the model has learned, with the labels that it knows.
        features: the columns that it was trained on, in their order; None where they are not known.

    Raises:
        DataError: names file, column and row of what does not fit the model.
    """
    if plain := _load_plain_for_model(path, target_column, problem, features):
        return plain
    source = read_source(path)
    own = _feature_columns(source, target_column)
    _check_columns(source, source)
    if features is not None:
        _check_model_features(source, own, features, target_column)
    features = tuple(features or own)
    _check_features(source, features)
    _check_labels(source, target_column)
    source.table[target_column] = _as_the_model_knows(source.table[target_column], problem)
    labels = encode(source.table[target_column], problem, source.name, target_column, source.first_row)
    table = _encoded(source, target_column, features, labels)
    origin = {"train": None, "validation": source.name}
    return Dataset(table.iloc[:0], table, target_column, features, problem, origin)


def _load_plain_for_model(path: Path, target: str, problem: Problem, features: Sequence[str] | None) -> Dataset | None:
    """Load a file that is a channel already, but for its header; None where it is not, or not this model's."""
    rows = _read_plain(path, target)
    if rows is None or features not in (None, rows.columns[1:]) or any(isinstance(c, str) for c in problem.classes):
        return None
    source = _labels_of(rows)
    if not _is_encoded(source, target, problem):
        return None
    table, origin = source.table, {"train": None, "validation": source.name}
    return Dataset(table.iloc[:0], table, target, rows.columns[1:], problem, origin, plain_validation=rows)


def _check_model_features(source: Source, own: Sequence[str], features: Sequence[str], target: str) -> None:
    known = ", ".join(map(repr, features))
    if target in features:
        raise DataError(f"{source.name}: the target {target!r} is a feature of the model, which was trained on {known}")
    if missing := sorted(set(features) - set(own)):
        raise DataError(f"{source.name} has no column {missing[0]!r}; the model was trained on {known}")
    if extra := sorted(set(own) - set(features)):
        raise DataError(
            f"{source.name} has a column {extra[0]!r}, which the model was not trained on; remove it, its features "
            f"are {known}"
        )


def _as_the_model_knows(labels: pd.Series, problem: Problem) -> pd.Series:
    """Give labels the type of the model's own classes: text or numbers."""
    if any(isinstance(label, str) for label in problem.classes):
        return labels.astype(object).map(_as_text)
    numbers = pd.to_numeric(labels, errors="coerce")
    return labels if numbers.isna().any() else numbers


def _prepare(source: Source, held_out: Source | None, target: str, objective: str | None, split: Split) -> Dataset:
    features = _feature_columns(source, target)
    sources = [source, held_out] if held_out else [source]
    for other in sources:
        _check_columns(other, source)
        _check_features(other, features)
        _check_labels(other, target)
    _make_labels_comparable([other.table for other in sources], target)
    problem = infer_problem(source.table[target], objective, source.name, target)
    labels = [encode(other.table[target], problem, other.name, target, other.first_row) for other in sources]
    tables = [_encoded(other, target, features, values) for other, values in zip(sources, labels, strict=True)]
    origin: dict[str, Any] = {"train": source.name, "validation": held_out.name if held_out else None}
    if held_out is None:
        if problem.kind == "ranking":
            raise DataError(
                f"{source.name}: objective {problem.objective!r} needs validation rows of their own, --validation: "
                "a random part would tear the groups apart"
            )
        tables = list(_split(tables[0], problem, split, source.name))
        origin |= {
            "validation_fraction": split.fraction,
            "split_seed": split.seed,
            "stratified": problem.has_classes,
        }
    _check_classes(tables, problem, sources)
    _check_values(tables[0], source.name)
    return Dataset(tables[0], tables[1], target, features, problem, origin)


def _feature_columns(source: Source, target: str) -> tuple[str, ...]:
    columns = [str(column) for column in source.table.columns]
    if target not in columns:
        raise DataError(f"{source.name} has no column {target!r}; its columns are {', '.join(map(repr, columns))}")
    features = tuple(column for column in columns if column != target)
    if not features:
        raise DataError(f"{source.name} has no column but the target {target!r}; there is nothing to train on")
    return features


def _check_columns(other: Source, source: Source) -> None:
    columns = list(other.table.columns)
    if doubled := next((column for column in columns if columns.count(column) > 1), None):
        raise DataError(f"{other.name} has more than one column {doubled!r}; names must be unique")
    given, expected = set(columns), set(source.table.columns)
    if other.table.empty:
        raise DataError(f"{other.name} has a header but no rows")
    if missing := sorted(expected - given):
        raise DataError(f"{other.name} has no column {missing[0]!r}, which {source.name} has")
    if extra := sorted(given - expected):
        raise DataError(f"{other.name} has a column {extra[0]!r}, which {source.name} does not have")


def _check_features(source: Source, features: Sequence[str]) -> None:
    for column in features:
        values = source.table[column]
        if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            source.table[column] = values = _to_numbers(source, column)
        too_large = np.flatnonzero(np.abs(values.to_numpy(dtype=np.float64, na_value=np.nan)) > LARGEST_VALUE)
        if len(too_large):
            index = int(too_large[0])
            raise DataError(
                f"{source.name}, column {column!r}, row {source.row(index)}: {values.iloc[index]} cannot be trained "
                f"on, it is infinite or beyond {LARGEST_VALUE:.3g}"
            )


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


def _make_labels_comparable(tables: Sequence[pd.DataFrame], target: str) -> None:
    """Give the labels of all files one type: text where one of them is text, numbers otherwise."""
    if any(_has_text(table[target]) for table in tables):
        for table in tables:
            table[target] = table[target].astype(object).map(_as_text)
        return
    flags = [pd.api.types.is_bool_dtype(table[target]) for table in tables]
    for table, flag in zip(tables, flags, strict=True):
        if flag:
            table[target] = table[target] if all(flags) else table[target].astype("int64")
        elif not pd.api.types.is_numeric_dtype(table[target]):
            converted = pd.to_numeric(table[target].astype(object), errors="coerce")
            table[target] = table[target].astype(str) if converted.isna().any() else converted


def _has_text(labels: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(labels):
        return False
    return bool(labels.map(lambda label: isinstance(label, str)).any())


def _as_text(label: Any) -> str:
    """Write a label as a person would: a whole number without its point."""
    is_whole = isinstance(label, int | float) and not isinstance(label, bool) and float(label).is_integer()
    return str(int(label)) if is_whole else str(label)


def _encoded(source: Source, target: str, features: Sequence[str], labels: pd.Series) -> pd.DataFrame:
    """Put the label first and the features in one order for both channels."""
    return pd.concat([labels.rename(target), source.table[list(features)]], axis=1)


def _split(table: pd.DataFrame, problem: Problem, split: Split, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    from sklearn.model_selection import train_test_split

    labels = table.iloc[:, 0]
    stratify = labels if problem.has_classes else None
    try:
        train, validation = train_test_split(
            table, test_size=split.fraction, random_state=split.seed, stratify=stratify
        )
    except ValueError as error:
        raise DataError(f"{name} cannot be split, {split.fraction:g} of it for validation: {error}") from error
    return train, validation


def _check_values(train: pd.DataFrame, name: str) -> None:
    """Refuse a feature without a value in the training rows: the algorithm would not count it as a column."""
    empty = train.columns[train.isna().all()]
    if len(empty):
        raise DataError(f"{name}, column {empty[0]!r}: there is no value in the training rows; remove the column")


def _check_classes(tables: Sequence[pd.DataFrame], problem: Problem, sources: Sequence[Source]) -> None:
    """Refuse channels with a single class: AUC is not defined on one, and nothing is learned from the other."""
    if not problem.has_classes:
        return
    for table, word in zip(tables, ("training", "validation"), strict=True):
        if table.iloc[:, 0].nunique() < 2:
            name = sources[-1 if word == "validation" else 0].name
            raise DataError(f"{name}: the {word} rows have a single class; at least two are needed")
