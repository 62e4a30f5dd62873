"""Everything that makes an evaluation of rows worthless, asked in turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ml_a2.data.suspicion.bounded import called
from ml_a2.data.suspicion.columns import identifying_columns
from ml_a2.data.suspicion.labels import few_of_a_class, ranking_without_groups
from ml_a2.data.suspicion.repetition import repeated_rows, shared_rows
from ml_a2.data.suspicion.separation import telling_features
from ml_a2.data.suspicion.survey import Survey
from ml_a2.finding import Finding


@dataclass(frozen=True)
class Surveys:
    """What is kept of the rows to judge them, in the order of the person's files, the label first."""

    # None where a model is evaluated that exists already.
    train: Survey | None
    # None where a channel is examined alone.
    validation: Survey | None
    # The rows of the one file that both were split from, None where there are two.
    whole: Survey | None = None


@dataclass(frozen=True)
class Names:
    """What a person calls the files and their columns, the label's first; without names, columns have numbers."""

    train: str
    validation: str
    columns: Sequence[str | int]
    # Whether a person named the label, which may well count something then.
    label_is_chosen: bool = True


@dataclass(frozen=True)
class Task:
    """What is to be learned: the kind of problem, and what is known beyond the rows."""

    kind: str
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    # The feature that the evaluation tells the groups of a ranking apart by.
    group_column: str | None = None
    # What a person calls the classes, by their numbers.
    classes: Sequence[str | int] = (0, 1)


def examine(surveys: Surveys, names: Names, task: Task) -> Iterator[Finding]:
    """Yield a warning of everything about rows that an evaluation would not show."""
    rows = surveys.whole or surveys.train
    if rows is None:  # of rows that a given model is evaluated on, only they themselves can be judged
        if surveys.validation:
            yield from repeated_rows(surveys.validation, names.validation)
        return
    if task.kind == "binary":
        where = f"{names.train}, column {called(names.columns[0])}"
        yield from few_of_a_class(rows.labels, task.classes, task.hyperparameters, where)
    if task.kind == "ranking" and task.group_column is None:
        yield from ranking_without_groups(len(rows), names.train)
    yield from identifying_columns(rows, names.columns, names.train, label_is_chosen=names.label_is_chosen)
    parts = (surveys.train, surveys.validation) if surveys.train and surveys.validation else None
    repeated = list(repeated_rows(rows, names.train, parts if surveys.whole else None))
    has_classes = task.kind in ("binary", "multiclass")
    yield from telling_features(rows, names.columns, names.train, has_classes=has_classes, has_copies=bool(repeated))
    yield from repeated
    if parts and not surveys.whole:
        yield from repeated_rows(parts[1], names.validation)
        yield from shared_rows(*parts, names.validation)
