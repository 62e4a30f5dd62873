"""Where data comes from: a sample, or a person's files, of which channels are checked where they lie.

Every other file becomes a table; what that takes, pandas and scikit-learn, is imported only then.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ml_a2.data.suspicion.examination import Surveys
from ml_a2.dataset import Dataset, Split
from ml_a2.plain_file import PlainFile, read_plain_file
from ml_a2.problem import Problem, infer_problem


def load_sample(name: str, objective: str | None = None, split: Split = Split()) -> Dataset:
    """Load one of scikit-learn's own data sets: breast-cancer, diabetes or digits."""
    from sklearn import datasets

    from ml_a2.preparation import prepare
    from ml_a2.source import Source

    loaders = {
        "breast-cancer": datasets.load_breast_cancer,
        "diabetes": datasets.load_diabetes,
        "digits": datasets.load_digits,
    }
    table = loaders[name](as_frame=True).frame
    return prepare(Source(f"sample {name}", table), None, "target", objective, split)


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
    from ml_a2.preparation import prepare
    from ml_a2.source import read_source

    held_out = read_source(validation, target_column) if validation else None
    return prepare(read_source(train, target_column), held_out, target_column, objective, split)


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
    from ml_a2.preparation import prepare_for_model
    from ml_a2.source import read_source

    return prepare_for_model(read_source(path, target_column), target_column, problem, features)


def _load_plain(train: Path, validation: Path, target: str, objective: str | None) -> Dataset | None:
    """Load two files that are channels already, but for their headers; None where one of them is not."""
    rows = _read_plain(train, target)
    held_out = _read_plain(validation, target) if rows else None
    if rows is None or held_out is None or rows.columns != held_out.columns:
        return None
    problem = infer_problem(rows, objective, str(train), target)
    if not rows.is_encoded(problem) or not held_out.is_encoded(problem):
        return None
    if problem.has_classes and len(held_out.distinct()) < 2:
        return None
    origin = {"train": str(train), "validation": str(validation)}
    surveys = Surveys(rows.survey, held_out.survey)
    return Dataset(rows, held_out, target, rows.columns[1:], problem, origin, surveys)


def _load_plain_for_model(path: Path, target: str, problem: Problem, features: Sequence[str] | None) -> Dataset | None:
    """Load a file that is a channel already, but for its header; None where it is not, or not this model's."""
    rows = _read_plain(path, target)
    if rows is None or features not in (None, rows.columns[1:]) or not rows.is_encoded(problem):
        return None
    origin = {"train": None, "validation": str(path)}
    return Dataset(None, rows, target, rows.columns[1:], problem, origin, Surveys(None, rows.survey))


def _read_plain(path: Path, target: str) -> PlainFile | None:
    """Read a file that is plain; whatever is wrong with another one, its reading as a table tells."""
    try:
        return read_plain_file(path, target)
    except OSError:
        return None
