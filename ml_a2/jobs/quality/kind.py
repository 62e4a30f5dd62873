"""What every kind of model has in common: metrics as functions of sums over the rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from .arrays import Array, Rows
from .intervals import ROWS_AT_ONCE, SEED, block_sums, from_replicates, replicated, wilson

# "Model Monitor computes standard deviation by randomly sampling 80% of the data 5 times", and only from 200 rows on.
# Source: SageMaker Developer Guide, "Model quality metrics".
SAMPLES, SAMPLED_SHARE, FEWEST_ROWS = 5, 0.8, 200
HISTOGRAM_BINS = 20
CALIBRATION_BINS = 10


class Interval(NamedTuple):
    """A 95 % confidence interval and how it was found."""

    lower: float
    upper: float
    method: str


class Kind(ABC):
    """Measures one kind of model on rows that were scored; a metric without a value is NaN."""

    # The metrics' place in evaluation.json.
    key: str
    # The shares of independent rows among the metrics: their interval needs no bootstrap.
    shares: tuple[str, ...] = ()
    # The column by which rows are kept in order, if any.
    order: str | None = None

    @abstractmethod
    def compact(self, labels: Array, predictions: Array) -> dict[str, Array]:
        """Return what is kept of labels (n,) and predictions (n,) or (n, classes), as small as it can be."""

    def prepare(self, rows: Rows) -> Rows:
        """Bring rows that were scored into the form in which they are measured."""
        if self.order:
            rows.sort(self.order)
        return rows

    @abstractmethod
    def sums(self, rows: Rows, chosen: slice, blocks: Array, count: int) -> Array:
        """Sum the weighted statistics of the chosen rows by block, (count, columns)."""

    @abstractmethod
    def of_sums(self, sums: Array) -> dict[str, Array]:
        """Return the metrics that follow from sums (..., columns)."""

    @abstractmethod
    def baseline(self, rows: Rows) -> tuple[str, dict[str, float]]:
        """Name the best predictor that looks at no feature, and return its metrics."""

    @abstractmethod
    def why(self, rows: Rows, metric: str) -> str:
        """Say why a metric has no value on these rows."""

    @abstractmethod
    def curves(self, rows: Rows) -> dict[str, Any]:
        """Return what is to be plotted."""

    def others(self, rows: Rows) -> dict[str, float]:
        """Return the metrics that do not follow from sums."""
        return {}

    def other_intervals(self, rows: Rows) -> dict[str, Interval | None]:
        """Return the intervals of the metrics that do not follow from sums."""
        return {}

    def share_rows(self, metric: str, total: Array) -> float:
        """Return how many rows a share is one of, given the sums of all rows."""
        raise NotImplementedError(metric)

    def values(self, rows: Rows) -> dict[str, float]:
        """Return every metric."""
        total = self._total(rows)
        return {**{name: float(value) for name, value in self.of_sums(total).items()}, **self.others(rows)}

    def deviations(self, rows: Rows) -> dict[str, float]:
        """Return each metric's standard deviation as SageMaker's own monitor would give it; nothing for few rows."""
        if len(rows) < FEWEST_ROWS:
            return {}
        random = np.random.RandomState(SEED)
        samples = []
        for _ in range(SAMPLES):
            chosen = np.zeros(len(rows), dtype=bool)
            chosen[random.choice(len(rows), int(len(rows) * SAMPLED_SHARE), replace=False)] = True
            samples.append(self.values(rows.take(chosen)))
        return {name: float(np.std([sample[name] for sample in samples], ddof=1)) for name in samples[0]}

    def intervals(self, rows: Rows) -> dict[str, Interval]:
        """Return the intervals of the metrics that have one."""
        # Side by side with the rest: both spend their time in numpy.
        with ThreadPoolExecutor(max_workers=1) as beside:
            others = beside.submit(self.other_intervals, rows)
            found = self._intervals_of_sums(rows)
            found.update(others.result())
        return {name: interval for name, interval in found.items() if interval}

    def _intervals_of_sums(self, rows: Rows) -> dict[str, Interval | None]:
        total = self._total(rows)
        values = self.of_sums(total)
        found: dict[str, Interval | None] = {}
        for name in self.shares:
            if np.isfinite(values[name]):
                bounds = wilson(float(values[name]), self.share_rows(name, total) * effective_share(rows))
                found[name] = Interval(*bounds, "Wilson")
        for name, replicates in self.of_sums(self._replicates(rows)).items():
            if name not in self.shares and np.isfinite(values[name]):
                drawn = from_replicates(replicates)
                found[name] = Interval(*drawn, "bootstrap") if drawn else None
        return found

    def _total(self, rows: Rows) -> Array:
        parts = range(0, len(rows), ROWS_AT_ONCE)
        ends = ((first, min(first + ROWS_AT_ONCE, len(rows))) for first in parts)
        return np.asarray(
            sum(self.sums(rows, slice(first, last), np.zeros(last - first, int), 1)[0] for first, last in ends)
        )

    def _replicates(self, rows: Rows) -> Array:
        blocks = block_sums(lambda chosen, numbers, count: self.sums(rows, chosen, numbers, count), len(rows))
        return replicated(blocks)


def effective_share(rows: Rows) -> float:
    """Return how many equally weighted rows a unit of weight is worth (Kish); 1 without weights."""
    if "weight" not in rows:
        return 1.0
    weights = rows["weight"]
    return float(weights.sum() / np.dot(weights, weights))


def by_block(blocks: Array, count: int, *statistics: Array) -> Array:
    """Sum each statistic (n,) by block, (count, statistics)."""
    return np.stack([np.bincount(blocks, each, minlength=count) for each in statistics], axis=1)


def bin_edges(values: Array, bins: int) -> Array:
    """Return the edges of bins of the same width that hold the values, also where these hardly differ."""
    low, high = float(values.min()), float(values.max())
    # Edges below this distance would be the same number.
    least = 2 * bins * float(np.spacing(max(abs(low), abs(high), 1.0)))
    if high - low < least:
        middle, half = (low + high) / 2, max(0.5, least)
        low, high = middle - half, middle + half
    return np.linspace(low, high, bins + 1)


def histogram(values: Array, edges: Array, weights: Array | None = None) -> list[float]:
    """Count values between edges."""
    return counts(np.histogram(values, edges, weights=weights)[0])


def counts(sums: Array) -> list[float]:
    """Return sums of weights; those of rows without weights as the whole numbers that they are."""
    return [int(each) if float(each).is_integer() else float(each) for each in sums]


def calibration(predicted: Array, observed: Array, weights: Array) -> dict[str, list[float]]:
    """Compare the means of what was predicted and what came, in bins with about as many rows each.

    Args:
        predicted: (n,) in rising or falling order.
        observed: (n,) what came.
        weights: (n,) of the rows.
    """
    ends = np.unique(np.linspace(0, len(predicted), CALIBRATION_BINS + 1).astype(int))
    parts = [slice(first, last) for first, last in zip(ends[:-1], ends[1:]) if weights[first:last].sum() > 0]
    if predicted[0] > predicted[-1]:
        parts.reverse()
    return {
        "mean_predicted": [float(np.average(predicted[part], weights=weights[part])) for part in parts],
        "observed": [float(np.average(observed[part], weights=weights[part])) for part in parts],
        "rows": [int(part.stop - part.start) for part in parts],
    }
