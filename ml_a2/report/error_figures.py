"""How far off a model is: predictions against labels, residuals, and the order within groups."""

from __future__ import annotations

from statistics import median
from typing import Any

from ml_a2.report.drawing import Plot
from ml_a2.report.figure import Figure, Key
from ml_a2.report.formatting import percent, short
from ml_a2.report.inks import Ink
from ml_a2.report.record import numbers, pairs

GOOD_ORDER = 0.9
# Rows of the sample that the text alternative lists: the largest misses.
LISTED = 10


def predictions(curve: Any) -> Figure | None:
    """Return a sample of rows, each with its label and what was predicted for it."""
    points = pairs(curve, "actual", "predicted")
    if not points:
        return None
    values = [value for point in points for value in point]
    margin = (max(values) - min(values)) * 0.04 or 1.0
    low, high = min(values) - margin, max(values) + margin
    plot = Plot("actual", "predicted").within((low, high), (low, high))
    plot.guide((low, low), (high, high)).points(points, Ink.FIRST)
    misses = sorted(points, key=lambda point: -abs(point[1] - point[0]))
    worst = misses[0]
    return Figure(
        "predictions",
        "Predicted against actual",
        plot,
        f"Half of the {len(points):,} rows shown are predicted within {short(_median_miss(points))} of their label. "
        f"The largest miss: {short(worst[1])} predicted, {short(worst[0])} actual.",
        ("Actual", "Predicted", "Off by"),
        [(short(x), short(y), short(float(y - x))) for x, y in misses[:LISTED]],
        (Key("dot", "first", "a row"), Key("guide", "guide", "right to the point")),
    )


def residuals(curve: Any) -> Figure | None:
    """Return how the differences between label and prediction are spread."""
    edges = [edge for edge in numbers(curve, "edges") if edge is not None]
    counts = [count or 0 for count in numbers(curve, "counts")]
    if len(edges) < 2 or len(counts) != len(edges) - 1 or not sum(counts):
        return None
    plot = Plot("residual: actual \N{MINUS SIGN} predicted", "rows").within(x=(edges[0], edges[-1])).in_whole_numbers()
    plot.steps(edges, counts, Ink.FIRST).guide((0, 0), (0, max(counts)))
    most = max(range(len(counts)), key=lambda index: counts[index])
    return Figure(
        "residuals",
        "Residuals",
        plot,
        f"The fullest bin goes from {short(edges[most])} to {short(edges[most + 1])} and holds "
        f"{percent(counts[most] / sum(counts))} of the rows; the ends are {short(edges[0])} and {short(edges[-1])}. "
        "Right of the dashed line too little was predicted.",
        ("Residual from", "to", "Rows"),
        [(short(edges[i]), short(edges[i + 1]), f"{count:,.0f}") for i, count in enumerate(counts)],
    )


def group_ndcg(curve: Any) -> Figure | None:
    """Return how well the groups are ordered, each by its own NDCG."""
    edges = [edge for edge in numbers(curve, "edges") if edge is not None]
    counts = [count or 0 for count in numbers(curve, "counts")]
    if len(edges) < 2 or len(counts) != len(edges) - 1 or not sum(counts):
        return None
    plot = Plot("NDCG of a group", "groups").within(x=(edges[0], edges[-1])).in_whole_numbers()
    plot.steps(edges, counts, Ink.FIRST)
    good = sum(count for low, count in zip(edges, counts, strict=False) if low >= GOOD_ORDER - 1e-9)
    lowest = next(index for index, count in enumerate(counts) if count)
    return Figure(
        "group-ndcg",
        "Order within groups",
        plot,
        f"{good:,.0f} of {sum(counts):,.0f} groups have an NDCG of {GOOD_ORDER} or more; the worst ones lie between "
        f"{short(edges[lowest])} and {short(edges[lowest + 1])}.",
        ("NDCG from", "to", "Groups"),
        [(f"{edges[i]:g}", f"{edges[i + 1]:g}", f"{count:,.0f}") for i, count in enumerate(counts)],
    )


def _median_miss(points: list[tuple[float, float]]) -> float:
    return float(median(abs(y - x) for x, y in points))
