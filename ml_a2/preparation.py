"""A person's tables, checked, encoded for the algorithm and split: what is done where no file is a channel already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ml_a2.channel_writing import TableRows
from ml_a2.data.cells import shown, some
from ml_a2.data.feature_cells import check_features
from ml_a2.data.splitting import split_rows
from ml_a2.data.suspicion.examination import Surveys
from ml_a2.data.suspicion.survey import Survey, sampled_share, survey
from ml_a2.data.target_cells import check_labels, restore_words
from ml_a2.dataset import Dataset, Split
from ml_a2.errors import DataError
from ml_a2.labels import TableLabels, encode
from ml_a2.problem import Problem, infer_problem
from ml_a2.source import Source
from ml_a2.suggestions import did_you_mean


def prepare(source: Source, held_out: Source | None, target: str, objective: str | None, split: Split) -> Dataset:
    """Make training and validation rows of tables.

    Args:
        source: the rows to train on; without `held_out` a part of them is split off.
        held_out: rows with the same columns.
        target: the column to predict.
        objective: the objective when it was chosen, None to infer it from the target.
        split: which rows are split off.

    Raises:
        DataError: names file, column and row of what cannot be trained on.
    """
    features = _feature_columns(source, target)
    sources = [source, held_out] if held_out else [source]
    for other in sources:
        _check_columns(other, source)
        check_features(other, features)
    restore_words(sources, target)
    for other in sources:
        check_labels(other, target)
    _make_labels_comparable([other.table for other in sources], target)
    problem = infer_problem(TableLabels(source.table[target]), objective, source.name, target)
    labels = [encode(other.table[target], problem, other.name, target, other.first_row) for other in sources]
    tables = [_encoded(other, target, features, values) for other, values in zip(sources, labels, strict=True)]
    kept = [_survey(table) for table in tables]
    origin: dict[str, Any] = {"train": source.name, "validation": held_out.name if held_out else None}
    origin |= _read_as(sources)
    if held_out is None:
        if problem.kind == "ranking":
            raise DataError(
                f"{source.name}: objective {problem.objective!r} needs validation rows of their own, --validation: "
                "a random part would tear the groups apart"
            )
        tables = list(split_rows(tables[0], problem, split, source.name))
        origin |= {
            "validation_fraction": split.fraction,
            "split_seed": split.seed,
            "stratified": problem.has_classes,
        }
    _check_classes(tables, problem, sources)
    _check_values(tables[0], source.name)
    train, validation = kept if held_out else (kept[0].part(part.index) for part in tables)
    surveys = Surveys(train, validation, None if held_out else kept[0])
    return Dataset(TableRows(tables[0]), TableRows(tables[1]), target, features, problem, origin, surveys)


def prepare_for_model(source: Source, target: str, problem: Problem, features: Sequence[str] | None = None) -> Dataset:
    """Make rows of a table, on which a model is evaluated that exists already.

    Args:
        source: the rows.
        target: the column that the model predicts.
        problem: what the model has learned, with the labels that it knows.
        features: the columns that it was trained on, in their order; None where they are not known.

    Raises:
        DataError: names file, column and row of what does not fit the model.
    """
    own = _feature_columns(source, target)
    _check_columns(source, source)
    if features is not None:
        _check_model_features(source, own, features, target)
    features = tuple(features or own)
    check_features(source, features)
    restore_words([source], target, problem.classes)
    check_labels(source, target)
    source.table[target] = _as_the_model_knows(source.table[target], problem)
    labels = encode(source.table[target], problem, source.name, target, source.first_row)
    table = _encoded(source, target, features, labels)
    origin = {"train": None, "validation": source.name, **_read_as([source])}
    return Dataset(None, TableRows(table), target, features, problem, origin, Surveys(None, _survey(table)))


def _read_as(sources: Sequence[Source]) -> dict[str, Any]:
    """Return how files were read that are not written as usual, by their names; nothing where all are."""
    read_as = {source.name: words for source in sources if (words := source.read_as())}
    return {"read_as": read_as} if read_as else {}


def _check_model_features(source: Source, own: Sequence[str], features: Sequence[str], target: str) -> None:
    known = some(features)
    if target in features:
        raise DataError(f"{source.name}: the target {target!r} is a feature of the model, which was trained on {known}")
    if missing := sorted(set(features) - set(own)):
        question = did_you_mean(missing[0], set(own) - set(features))
        raise DataError(f"{source.name} has no column {shown(missing[0])}; the model was trained on {known}{question}")
    if extra := sorted(set(own) - set(features)):
        raise DataError(
            f"{source.name} has a column {shown(extra[0])}, which the model was not trained on; remove it, its "
            f"features are {known}"
        )


def _as_the_model_knows(labels: pd.Series, problem: Problem) -> pd.Series:
    """Give labels the type of the model's own classes: text or numbers."""
    if any(isinstance(label, str) for label in problem.classes):
        return labels.astype(object).map(_as_text)
    numbers = pd.to_numeric(labels, errors="coerce")
    return labels if numbers.isna().any() else numbers


def _feature_columns(source: Source, target: str) -> tuple[str, ...]:
    columns = [str(column) for column in source.table.columns]
    if target not in columns:
        if source.path is not None and all(map(_is_number, columns)):
            first = f"its first line is {some(columns)}"
            raise DataError(f"{source.name} has no header, {first}; write a line with the columns' names before it")
        known = f"its columns are {some(columns)}{did_you_mean(target, columns)}"
        raise DataError(f"{source.name} has no column {shown(target)}; {known}")
    features = tuple(column for column in columns if column != target)
    if not features:
        raise DataError(f"{source.name} has no column but the target {target!r}; there is nothing to train on")
    return features


def _is_number(name: str) -> bool:
    return bool(pd.notna(pd.to_numeric(name, errors="coerce")))


def _check_columns(other: Source, source: Source) -> None:
    columns = list(other.table.columns)
    if doubled := next((column for column in columns if columns.count(column) > 1), None):
        raise DataError(f"{other.name} has more than one column {shown(doubled)}; names must be unique")
    given, expected = set(columns), set(source.table.columns)
    if other.table.empty:
        raise DataError(f"{other.name} has a header but no rows")
    if missing := sorted(expected - given):
        question = did_you_mean(missing[0], given - expected)
        raise DataError(f"{other.name} has no column {shown(missing[0])}, which {source.name} has{question}")
    if extra := sorted(given - expected):
        raise DataError(f"{other.name} has a column {shown(extra[0])}, which {source.name} does not have; remove it")


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
    """Put the label first and the features in one order for both channels, and number the rows from 0 on."""
    table = pd.concat([labels.rename(target), source.table[list(features)]], axis=1)
    return table.reset_index(drop=True)


def _survey(table: pd.DataFrame) -> Survey:
    columns = [
        values.to_numpy() if isinstance(values.dtype, np.dtype) else values.to_numpy(np.float64, na_value=np.nan)
        for _, values in table.items()
    ]
    return survey(columns, sampled_share(len(table), len(columns)))


def _check_values(train: pd.DataFrame, name: str) -> None:
    """Refuse a feature without a value in the training rows: the algorithm would not count it as a column."""
    empty = train.columns[train.isna().all()]
    if len(empty):
        raise DataError(f"{name}, column {shown(empty[0])}: there is no value in the training rows; remove the column")


def _check_classes(tables: Sequence[pd.DataFrame], problem: Problem, sources: Sequence[Source]) -> None:
    """Refuse channels with a single class: AUC is not defined on one, and nothing is learned from the other."""
    if not problem.has_classes:
        return
    for table, word in zip(tables, ("training", "validation"), strict=True):
        codes = table.iloc[:, 0].unique()
        if len(codes) < 2:
            name = sources[-1 if word == "validation" else 0].name
            only = some(problem.classes[int(code)] for code in codes)
            raise DataError(f"{name}: the {word} rows have a single class, {only}; add rows of the other classes")
