"""What a binary model's threshold trades: the ROC and the precision-recall curve."""

from __future__ import annotations

from typing import Any

from ml_a2.report.drawing import Plot
from ml_a2.report.figure import Figure, Key
from ml_a2.report.formatting import short
from ml_a2.report.inks import Ink
from ml_a2.report.record import at, numbers

UNIT = (-0.02, 1.02)
FALSE_POSITIVE_RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
RECALLS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
# The rate and the recall that the sentences tell.
TOLD_RATE, TOLD_RECALL = 0.05, 0.9

Point = tuple[float, float, float | None]


def roc(curve: Any, values: dict[str, float | None], positive: str) -> Figure | None:
    """Return the ROC curve, with the point of the model's own decisions.

    Args:
        curve: `roc` of curves.json.
        values: the evaluation's metrics.
        positive: the name of class 1.
    """
    points = _points(curve, "false_positive_rate", "true_positive_rate")
    if len(points) < 2:
        return None
    plot = Plot("false positive rate", "true positive rate").within(UNIT, UNIT)
    plot.guide((0, 0), (1, 1)).line([point[:2] for point in points], Ink.FIRST)
    legend = [Key("line", "first", "this model"), Key("guide", "guide", "guessing")]
    x, y = values.get("false_positive_rate"), values.get("true_positive_rate")
    if x is not None and y is not None:
        plot.points([(x, y)], Ink.SECOND, size=9, alpha=1)
        legend.append(Key("dot", "second", "its decisions, at the threshold 0.5"))
    area = values.get("auc")
    told = f"at a false positive rate of {TOLD_RATE:g} it is {short(_best_below(points, TOLD_RATE)[1])}"
    return Figure(
        "roc",
        "ROC curve",
        plot,
        f"The true positive rate is the share of the rows of {positive} that are found: {told}."
        + (f" The area below the curve (AUC) is {short(area)}; guessing has 0.5." if area is not None else ""),
        ("False positive rate at most", "True positive rate", "Threshold"),
        [_row(rate, _best_below(points, rate)) for rate in FALSE_POSITIVE_RATES],
        legend,
    )


def precision_recall(
    curve: Any, values: dict[str, float | None], positive: str, prevalence: float | None
) -> Figure | None:
    """Return the precision-recall curve, with the precision of guessing.

    Args:
        curve: `precision_recall` of curves.json.
        values: the evaluation's metrics.
        positive: the name of class 1.
        prevalence: share of the rows that are of class 1, in [0, 1].
    """
    points = _points(curve, "recall", "precision")
    if len(points) < 2:
        return None
    plot = Plot("recall", "precision").within(UNIT, UNIT)
    legend = [Key("line", "first", "this model")]
    if prevalence is not None:
        plot.guide((0, prevalence), (1, prevalence))
        legend.append(Key("guide", "guide", f"guessing: {short(prevalence)}"))
    plot.line([point[:2] for point in points], Ink.FIRST)
    area = values.get("au_prc")
    told = _best_above(points, TOLD_RECALL)
    return Figure(
        "precision-recall",
        "Precision and recall",
        plot,
        f"With a recall of {TOLD_RECALL:g} the precision is {short(told[1])}: that share of the rows taken for "
        f"{positive} is right." + (f" The average precision is {short(area)}." if area is not None else ""),
        ("Recall at least", "Precision", "Threshold"),
        [_row(recall, _best_above(points, recall)) for recall in RECALLS],
        legend,
    )


def prevalence_of(curves: Any) -> float | None:
    """Return the share of class 1 among the rows, by the confusion matrix or the histogram of scores."""
    rows = at(curves, "confusion_matrix", "counts")
    if not isinstance(rows, list) or len(rows) != 2:
        histogram = at(curves, "score_histogram", "counts")
        rows = [at(histogram, "0"), at(histogram, "1")]
    negative, positive = (sum(value or 0 for value in numbers({"row": row}, "row")) for row in rows)
    return positive / (negative + positive) if negative + positive else None


def _points(curve: Any, x: str, y: str) -> list[Point]:
    """Return a curve's points with their thresholds, as far as it has any."""
    thresholds = numbers(curve, "threshold")
    known = dict(enumerate(thresholds))
    both = enumerate(zip(numbers(curve, x), numbers(curve, y), strict=False))
    return [(a, b, known.get(index)) for index, (a, b) in both if a is not None and b is not None]


def _best_below(points: list[Point], rate: float) -> Point:
    """Return the point with the most positives found at this false positive rate, or with less."""
    return max((p for p in points if p[0] <= rate), key=lambda p: p[1], default=(0.0, 0.0, None))


def _best_above(points: list[Point], recall: float) -> Point:
    """Return the point with the best precision that finds so many positives, or more."""
    return max((p for p in points if p[0] >= recall), key=lambda p: p[1], default=(1.0, 0.0, None))


def _row(bound: float, point: Point) -> tuple[str, str, str]:
    return f"{bound:g}", short(point[1]), short(point[2])
