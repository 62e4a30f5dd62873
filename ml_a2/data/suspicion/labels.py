"""Labels that are written in several ways, hardly ever positive, or ranked without groups."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ml_a2.data.suspicion.bounded import called
from ml_a2.data.suspicion.survey import Numbers
from ml_a2.finding import Finding

# A class of fewer rows than this share makes accuracy, and a threshold of 0.5, say nothing.
FEW = 0.01
MOST_NAMED = 5
REMEDY_ALIKE = "write each class in one way"


def similar_labels(counts: Mapping[str, int], where: str) -> Iterator[Finding]:
    """Warn of labels that differ in blanks or in case only; given are all labels with the number of their rows."""
    several = _alike(counts)
    for labels in several[:MOST_NAMED]:
        told = ", ".join(f"{called(label)} ({_rows(counts[label])})" for label in labels)
        problem = f"labels differ in blanks or in case only, and are different classes: {told}"
        yield Finding("warning", where, problem, REMEDY_ALIKE)
    if rest := several[MOST_NAMED:]:
        problem = f"so do {len(rest)} more: {', '.join(called(labels[0]) for labels in rest[:MOST_NAMED])}, ..."
        yield Finding("warning", where, problem, REMEDY_ALIKE)


def told_alike(labels: Iterable[Any]) -> str:
    """Return that some labels differ in blanks or in case only, to go on with in an error; nothing otherwise."""
    several = _alike(map(str, labels))
    if not several:
        return ""
    return f"{' and '.join(map(called, several[0]))} differ in blanks or in case only: {REMEDY_ALIKE}; "


def _alike(labels: Iterable[str]) -> list[list[str]]:
    alike: dict[str, list[str]] = {}
    for label in labels:
        # Letters of full width, and signs that are not seen, are no other words either.
        seen = "".join(sign for sign in unicodedata.normalize("NFKC", label) if unicodedata.category(sign) != "Cf")
        alike.setdefault(" ".join(seen.split()).casefold(), []).append(label)
    return [each for each in alike.values() if len(each) > 1]


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def few_of_a_class(
    labels: Numbers, classes: Sequence[str | int], hyperparameters: Mapping[str, str], where: str
) -> Iterator[Finding]:
    """Warn of binary labels of which hardly any is of one class, unless they are weighted already.

    Args:
        labels: 0 or 1.
        classes: what a person calls the two.
        hyperparameters: as the training job would get them.
        where: the file and the column.
    """
    counts = [int((labels == code).sum()) for code in (0, 1)]
    few, rows = min(counts), sum(counts)
    if not 0 < few < FEW * rows or "scale_pos_weight" in hyperparameters:
        return
    rare = counts.index(few)
    other = "" if rare else f"; precision and recall are those of {called(classes[1])}, the second class in order"
    yield Finding(
        "warning",
        where,
        f"{few:,} of {rows:,} labels ({100 * few / rows:.2g} %) are {called(classes[rare])}: accuracy says nothing, "
        f"and at a threshold of 0.5 hardly any may be found{other}",
        f"try scale_pos_weight={counts[0] / counts[1]:.4g} (negative to positive rows) and eval_metric=aucpr, and "
        "choose the threshold by the precision and the recall that the report has of each",
    )


def ranking_without_groups(rows: int, where: str) -> Iterator[Finding]:
    """Warn that nobody named the groups of a ranking, for which CSV has no place."""
    yield Finding(
        "warning",
        where,
        f"a ranking without groups: CSV has no place for them, and all of {rows:,} rows are trained on, and evaluated, "
        "as one",
        'name the feature that tells groups apart in the settings, evaluation.group_column = "...", so that the '
        "evaluation measures within groups",
    )


def counted(labels: Numbers, classes: Sequence[str]) -> dict[str, int]:
    """Return the number of rows of each class, whose numbers are the labels."""
    counts = np.bincount(labels.astype(np.int64), minlength=len(classes))
    return dict(zip(classes, counts.tolist(), strict=True))
