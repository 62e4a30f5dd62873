"""What makes an evaluation of a person's rows worthless, and is no error: told before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ml_a2.data.suspicion.columns import identifying_columns
from ml_a2.data.suspicion.labels import counted, few_positives, ranking_without_groups, similar_labels
from ml_a2.data.suspicion.repetition import repeated_rows, shared_rows
from ml_a2.data.suspicion.separation import telling_features
from ml_a2.dataset import Dataset
from ml_a2.finding import Finding


def check_dataset(
    dataset: Dataset, hyperparameters: Mapping[str, str], group_column: str | None = None
) -> Iterator[Finding]:
    """Yield a warning of everything about the rows that an evaluation would not show.

    Args:
        dataset: the rows; those that a given model is evaluated on are judged by themselves.
        hyperparameters: as the training job would get them.
        group_column: the feature that the evaluation tells the groups of a ranking apart by.
    """
    surveys, problem = dataset.surveys, dataset.problem
    rows = surveys.whole or surveys.train
    if rows is None:
        yield from repeated_rows(surveys.validation, dataset.origin["validation"])
        return
    name, validation = dataset.origin["train"], dataset.origin["validation"]
    columns = (dataset.target_column, *dataset.feature_columns)
    where = f"{name}, column {dataset.target_column!r}"
    if problem.has_classes:
        yield from similar_labels(counted(rows.labels, list(problem.label_mapping)), where)
    if problem.kind == "binary":
        yield from few_positives(rows.labels, hyperparameters, where)
    if problem.kind == "ranking" and group_column is None:
        yield from ranking_without_groups(len(rows), name)
    yield from identifying_columns(rows, columns, name)
    parts = (surveys.train, surveys.validation) if surveys.train else None
    repeated = list(repeated_rows(rows, name, parts if surveys.whole else None))
    yield from telling_features(rows, columns, name, has_classes=problem.has_classes, has_copies=bool(repeated))
    yield from repeated
    if parts and not surveys.whole:
        yield from repeated_rows(surveys.validation, validation)
        yield from shared_rows(*parts, validation)
