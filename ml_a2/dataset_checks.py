"""What makes an evaluation of a person's rows worthless, and is no error: told before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ml_a2.data.suspicion.bounded import called
from ml_a2.data.suspicion.examination import Names, Task, examine
from ml_a2.data.suspicion.labels import counted, similar_labels
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
    classes = list(dataset.problem.label_mapping)
    surveys, problem, target = dataset.surveys, dataset.problem, dataset.target_column
    name, validation = dataset.origin["train"], dataset.origin["validation"]
    if problem.has_classes and (rows := surveys.whole or surveys.train):
        yield from similar_labels(counted(rows.labels, classes), f"{name}, column {called(target)}")
    names = Names(name, validation, (target, *dataset.feature_columns))
    yield from examine(surveys, names, Task(problem.kind, hyperparameters, group_column, classes))
