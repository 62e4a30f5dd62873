"""How sure a model is, and whether it may be: the histogram of its scores, and its calibration."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from ml_a2.report.drawing import Plot
from ml_a2.report.figure import Figure, Key
from ml_a2.report.formatting import percent, short
from ml_a2.report.inks import Ink
from ml_a2.report.record import numbers, pairs, table

UNIT = (-0.02, 1.02)
DECISION = 0.5
# Axes of a calibration and what a perfect one would be, by kind of model.
CALIBRATED = {
    "binary": ("predicted probability", "share of positives"),
    "multiclass": ("confidence in the predicted class", "share predicted right"),
}
LABELS = ("mean prediction", "mean label")


def score_histogram(curve: Any, names: Sequence[str]) -> Figure | None:
    """Return how the scores of the two classes are spread.

    Args:
        curve: `score_histogram` of curves.json with counts by class.
        names: the names of class 0 and class 1.
    """
    edges, counts = _histogram(curve, ("0", "1"))
    if not counts:
        return None
    plot = Plot("predicted probability", "rows").within(x=(edges[0], edges[-1]))
    plot.in_whole_numbers().steps(edges, counts[0], Ink.SECOND, dashed=True).steps(edges, counts[1], Ink.FIRST)
    above = [_share_above(edges, rows, DECISION) for rows in counts]
    return Figure(
        "scores",
        "Scores by class",
        plot,
        f"{percent(above[1])} of the rows of {names[1]} and {percent(above[0])} of those of {names[0]} score "
        f"{DECISION} or more. The less the two overlap, the better the classes are told apart.",
        ("Score from", "to", f"Rows of {names[0]}", f"Rows of {names[1]}"),
        _histogram_rows(edges, counts),
        (Key("line", "first", names[1]), Key("dashed", "second", names[0])),
    )


def confidence_histogram(curve: Any) -> Figure | None:
    """Return how sure a multiclass model is where it is right, and where it is wrong."""
    edges, counts = _histogram(curve, ("right", "wrong"))
    if not counts:
        return None
    plot = Plot("confidence in the predicted class", "rows").within(x=(edges[0], edges[-1])).in_whole_numbers()
    plot.steps(edges, counts[0], Ink.FIRST).steps(edges, counts[1], Ink.SECOND, dashed=True)
    sure = (edges[0] + 9 * edges[-1]) / 10
    shares = [_share_above(edges, rows, sure) for rows in counts]
    return Figure(
        "scores",
        "Confidence, right and wrong",
        plot,
        f"{percent(shares[0])} of the right predictions and {percent(shares[1])} of the wrong ones are made with a "
        f"confidence of {sure:g} or more.",
        ("Confidence from", "to", "Right", "Wrong"),
        _histogram_rows(edges, counts),
        (Key("line", "first", "predicted right"), Key("dashed", "second", "predicted wrong")),
    )


def calibration(curve: Any, kind: str) -> Figure | None:
    """Return what was predicted against what was observed, in bins with equally many rows."""
    points = pairs(curve, "mean_predicted", "observed")
    if not points:
        return None
    x_label, y_label = CALIBRATED.get(kind, LABELS)
    rows = [row or 0 for row in numbers(curve, "rows")] or [1] * len(points)
    low, high = _square(points) if kind not in CALIBRATED else UNIT
    plot = Plot(x_label, y_label).within((low, high), (low, high))
    plot.guide((low, low), (high, high)).line(points, Ink.FIRST, dots=True)
    gap = sum(row * abs(y - x) for row, (x, y) in zip(rows, points, strict=False)) / (sum(rows) or 1)
    worst = max(points, key=lambda point: abs(point[1] - point[0]))
    return Figure(
        "calibration",
        "Calibration",
        plot,
        f"Predicted and observed differ by {short(gap)} on average; most in the bin at {short(worst[0])}, where "
        f"{short(worst[1])} was observed. On the dashed line both would be the same.",
        (x_label.capitalize(), y_label.capitalize(), "Rows"),
        [(short(x), short(y), f"{row:,.0f}") for (x, y), row in zip(points, rows, strict=False)],
        (Key("line", "first", "this model"), Key("guide", "guide", "perfectly calibrated")),
    )


def _histogram(curve: Any, keys: tuple[str, str]) -> tuple[list[float], list[list[float]]]:
    """Return edges and counts, nothing where they do not belong together."""
    edges = [edge for edge in numbers(curve, "edges") if edge is not None]
    counts = [[count or 0 for count in numbers(table(curve, "counts"), key)] for key in keys]
    if len(edges) < 2 or any(len(rows) != len(edges) - 1 for rows in counts):
        return [], []
    return edges, counts


def _histogram_rows(edges: list[float], counts: list[list[float]]) -> list[tuple[str, ...]]:
    return [
        (f"{low:g}", f"{high:g}", *(f"{row[index]:,.0f}" for row in counts))
        for index, (low, high) in enumerate(pairwise(edges))
    ]


def _share_above(edges: list[float], counts: list[float], bound: float) -> float | None:
    """Return the share of rows in the bins that begin at the bound or above."""
    total = sum(counts)
    above = sum(count for low, count in zip(edges, counts, strict=False) if low >= bound - 1e-9)
    return above / total if total else None


def _square(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the ends of an axis that both coordinates fit on."""
    values = [value for point in points for value in point]
    margin = (max(values) - min(values)) * 0.05 or 1.0
    return min(values) - margin, max(values) + margin
