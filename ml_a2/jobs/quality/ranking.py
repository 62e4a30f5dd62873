"""An order within groups: how far up the relevant rows come."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import Array, Rows
from .kind import HISTOGRAM_BINS, Interval, Kind, by_block, histogram

CUT = 10
NAMES = ("ndcg", "ndcg_at_10", "map")


class Ranking(Kind):
    """Measures an order by score within each group; a row of this kind is a whole group, see `grouped`."""

    key = "ranking_metrics"

    def compact(self, labels: Array, predictions: Array) -> dict[str, Array]:
        """Keep both."""
        return {"label": labels, "score": predictions}

    def prepare(self, rows: Rows) -> Rows:
        """Measure each group."""
        return grouped(rows)

    def values(self, rows: Rows) -> dict[str, float]:
        """Return every metric; without a group that has a relevant row, none has a value."""
        return super().values(rows) if len(rows) else dict.fromkeys(NAMES, float("nan"))

    def intervals(self, rows: Rows) -> dict[str, Interval]:
        """Return the intervals, which need groups."""
        return super().intervals(rows) if len(rows) else {}

    def sums(self, rows: Rows, chosen: slice, blocks: Array, count: int) -> Array:
        """Sum each metric over the groups."""
        return by_block(blocks, count, np.ones(len(blocks)), *(rows[name][chosen] for name in NAMES))

    def of_sums(self, sums: Array) -> dict[str, Array]:
        """Return the means over the groups."""
        with np.errstate(invalid="ignore", divide="ignore"):
            means = sums[..., 1:] / sums[..., :1]
        return {name: means[..., number] for number, name in enumerate(NAMES)}

    def baseline(self, rows: Rows) -> tuple[str, dict[str, float]]:
        """Give all rows of a group the same score."""
        total = max(len(rows), 1)
        values = {name: float(rows["any_" + name].sum() / total) for name in NAMES}
        return "any order", values if len(rows) else dict.fromkeys(NAMES, float("nan"))

    def why(self, rows: Rows, metric: str) -> str:
        """Name what the rows lack."""
        return "no group of the validation rows has a relevant row"

    def curves(self, rows: Rows) -> dict[str, Any]:
        """Return how the groups' metric is distributed."""
        edges = np.linspace(0, 1, HISTOGRAM_BINS + 1)
        return {"group_ndcg": {"edges": edges.tolist(), "counts": histogram(rows["ndcg"], edges)}}


def grouped(rows: Rows) -> Rows:
    """Measure each group that has a relevant row, one row each.

    Args:
        rows: `label` (n,), the relevance from 0 up; `score` (n,); `group` (n,), the same number for one group, or none:
            then all rows are one.
    """
    if "group" not in rows:
        rows = Rows({"label": rows["label"], "score": rows["score"], "group": np.zeros(len(rows))})
    groups, sizes, starts = _sorted(rows)
    found = {**_gains(groups, sizes, starts), "map": _average_precisions(groups, starts)}
    tied = Rows({"label": groups["label"], "score": np.zeros(len(groups)), "group": groups["group"]})
    found.update({"any_" + name: values for name, values in _gains(tied, sizes, starts).items()})
    found["any_map"] = _average_precisions(tied, starts)
    relevant = np.maximum.reduceat(groups["label"], starts) > 0
    return Rows({name: values[relevant] for name, values in found.items()})


def _sorted(rows: Rows) -> tuple[Rows, Array, Array]:
    order = np.lexsort((-rows["score"].astype(np.float64), rows["group"]))
    groups = rows.take(order)
    starts = np.flatnonzero(np.append(True, groups["group"][1:] != groups["group"][:-1]))
    return groups, np.diff(np.append(starts, len(groups))), starts


def _gains(groups: Rows, sizes: Array, starts: Array) -> dict[str, Array]:
    """Return the discounted gain of each group over the best one's; rows of one score share what they gain.

    Source: McSherry and Najork, "Computing information retrieval performance measures efficiently in the presence of
    tied scores" (2008), as scikit-learn's ndcg_score.
    """
    place = np.arange(len(groups)) - np.repeat(starts, sizes)
    best = np.lexsort((-groups["label"], groups["group"]))
    runs = _runs(groups)
    lengths = np.diff(np.append(runs, len(groups)))
    gains = np.repeat(np.add.reduceat(groups["label"], runs) / lengths, lengths)
    found = {}
    for name, cut in (("ndcg", len(groups)), ("ndcg_at_{}".format(CUT), CUT)):
        discounts = np.where(place < cut, 1 / np.log2(place + 2.0), 0.0)
        ideal = np.add.reduceat(groups["label"][best] * discounts, starts)
        gained = np.add.reduceat(gains * discounts, starts)
        found[name] = np.divide(gained, ideal, out=np.zeros_like(gained), where=ideal > 0)
    return found


def _average_precisions(groups: Rows, starts: Array) -> Array:
    """Return scikit-learn's average precision of each group, a row being relevant above 0."""
    relevant = (groups["label"] > 0).astype(np.float64)
    cumulated = np.cumsum(relevant)
    runs = _runs(groups)
    last = np.append(runs[1:], len(groups)) - 1
    group = np.searchsorted(starts, last, side="right") - 1
    before = np.append(0.0, cumulated)[starts][group]
    precision = (cumulated[last] - before) / (last + 1 - starts[group])
    found = np.add.reduceat(relevant, runs)
    total = np.add.reduceat(relevant, starts)
    gained = np.bincount(group, precision * found, minlength=len(starts))
    return np.divide(gained, total, out=np.zeros_like(gained), where=total > 0)


def _runs(groups: Rows) -> Array:
    """Return where rows of another score, or of another group, begin."""
    changes = (groups["score"][1:] != groups["score"][:-1]) | (groups["group"][1:] != groups["group"][:-1])
    return np.flatnonzero(np.append(True, changes))
