"""Labels that are written in several ways, hardly ever positive, or ranked without groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ml_a2.data.suspicion.survey import Numbers
from ml_a2.finding import Finding

# Fewer positive labels than this share make accuracy, and a threshold of 0.5, say nothing.
FEW = 0.01
MOST_NAMED = 5


def similar_labels(counts: Mapping[str, int], where: str) -> Iterator[Finding]:
    """Warn of labels that differ in blanks or in case only; given are all labels with the number of their rows."""
    alike: dict[str, list[str]] = {}
    for label in counts:
        alike.setdefault(" ".join(label.split()).casefold(), []).append(label)
    several = [labels for labels in alike.values() if len(labels) > 1]
    for labels in several[:MOST_NAMED]:
        told = ", ".join(f"{label!r} ({counts[label]:,} rows)" for label in labels)
        yield Finding(
            "warning",
            where,
            f"labels differ in blanks or in case only, and are different classes: {told}",
            "write each class in one way",
        )
    if rest := several[MOST_NAMED:]:
        problem = f"so do {len(rest)} more: {', '.join(repr(labels[0]) for labels in rest[:MOST_NAMED])}, ..."
        yield Finding("warning", where, problem, "write each class in one way")


def few_positives(labels: Numbers, hyperparameters: Mapping[str, str], where: str) -> Iterator[Finding]:
    """Warn of binary labels of which hardly any is 1, unless they are weighted already."""
    positive, negative = int((labels == 1).sum()), int((labels == 0).sum())
    if not 0 < positive < FEW * (positive + negative) or "scale_pos_weight" in hyperparameters:
        return
    share = 100 * positive / (positive + negative)
    yield Finding(
        "warning",
        where,
        f"{positive:,} of {positive + negative:,} labels ({share:.2g} %) are positive: accuracy says nothing, and at a "
        "threshold of 0.5 hardly any may be found",
        f"try scale_pos_weight={negative / positive:.4g} (negative to positive rows) and eval_metric=aucpr, and choose "
        "the threshold by the report's precision and recall",
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
