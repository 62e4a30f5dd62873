"""Scores against two classes: the areas under the ROC and precision-recall curves, their uncertainty, their points."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import Array
from .intervals import REPLICATES, REPLICATES_AT_ONCE, Z, from_replicates

# Above this many distinct scores the bootstrap of the precision-recall area takes neighbours together.
MOST_THRESHOLDS = 2000
MOST_POINTS = 200
# Of more points than a plot could tell apart, not every turn is looked at.
MOST_CORNERS = 20_000


class Thresholds:
    """What lies at or above each distinct score, from the highest score down.

    `positives` and `negatives` are the cumulated weights (k,) of class 1 and class 0; `thresholds` (k,) the scores.
    """

    def __init__(self, scores: Array, labels: Array, weights: Array | None = None) -> None:
        """Take scores (n,) in falling order, labels (n,) of 0 and 1, and weights (n,)."""
        last: Any = np.flatnonzero(np.append(scores[1:] != scores[:-1], True))
        if len(last) == len(scores):
            last = slice(None)  # every score is one of its own: no copy is needed
        self.thresholds = scores[last]
        if weights is None:
            self.positives = np.cumsum(labels, dtype=np.float64)[last]
            self.negatives = np.arange(1.0, len(scores) + 1)[last]
            self.negatives -= self.positives
            self._squares = None
        else:
            self.positives = np.cumsum(labels * weights)[last]
            self.negatives = np.cumsum((1 - labels) * weights)[last]
            squares = weights**2
            self._squares = np.cumsum(labels * squares)[last], np.cumsum((1 - labels) * squares)[last]

    @property
    def has_both_classes(self) -> bool:
        """Tell whether there is something of each class."""
        return bool(self.positives[-1] > 0 and self.negatives[-1] > 0)

    def auc(self) -> float:
        """Return the area under the ROC curve."""
        # A positive is beaten by the negatives above it, and half by those of the same score.
        beaten = np.append(0.0, self.negatives[:-1])
        beaten += self.negatives
        lost = np.dot(np.diff(self.positives, prepend=0.0), beaten) / 2
        return float(1 - lost / self.positives[-1] / self.negatives[-1])

    def average_precision(self) -> float:
        """Return the area under the precision-recall curve, as scikit-learn's average precision."""
        return float(_average_precision(self.positives, self.positives + self.negatives))

    def auc_deviation(self) -> float:
        """Return the standard error of the area under the ROC curve.

        Source: DeLong, DeLong and Clarke-Pearson, "Comparing the areas under two or more correlated receiver
        operating characteristic curves", Biometrics 44 (1988); placements by cumulated weights as in Sun and Xu (2014).
        """
        area = self.auc()
        found = []
        sides = ((self.positives, self.negatives, 1.0), (self.negatives, self.positives, 0.0))
        for side, (own, other, better) in enumerate(sides):
            placements = np.append(0.0, other[:-1])
            placements += other
            placements /= 2 * other[-1]
            # The share of the other class that a row of this one beats, less the area.
            np.subtract(better, placements, out=placements)
            np.abs(placements, out=placements)
            placements -= area
            placements *= placements
            if self._squares is None:
                weights, unbiased = np.diff(own, prepend=0.0), own[-1] / max(own[-1] - 1, 1)
            else:
                weights, unbiased = np.diff(self._squares[side], prepend=0.0), 1.0
            found.append(np.dot(weights, placements) / own[-1] ** 2 * unbiased)
        return float(np.sqrt(sum(found)))

    def auc_interval(self) -> tuple[float, float] | None:
        """Return the interval of the area under the ROC curve on the logit scale, None where all scores separate."""
        area, deviation = self.auc(), self.auc_deviation()
        if deviation == 0 or not 0 < area < 1:
            return None
        center, half = np.log(area / (1 - area)), Z * deviation / (area * (1 - area))
        low, high = (1 / (1 + np.exp(-(center + sign * half))) for sign in (-1, 1))
        return float(low), float(high)

    def average_precision_interval(self, random: np.random.RandomState) -> tuple[float, float] | None:
        """Return the bootstrap's interval of the area under the precision-recall curve."""
        (positives, unit), (negatives, other_unit) = (self._bins(side) for side in range(2))
        center = _average_precision(np.cumsum(positives * unit), np.cumsum(positives * unit + negatives * other_unit))
        values = []
        for _ in range(REPLICATES // REPLICATES_AT_ONCE):
            # Rows drawn with replacement: how often a row comes is Poisson distributed, independently of the others.
            shape = (REPLICATES_AT_ONCE, len(positives))
            found = np.cumsum(random.poisson(positives, shape) * unit, axis=1)
            missed = np.cumsum(random.poisson(negatives, shape) * other_unit, axis=1)
            values.append(_average_precision(found, found + missed))
        return from_replicates(self.average_precision() - center + np.concatenate(values))

    def roc_curve(self) -> dict[str, list[float]]:
        """Return points of the ROC curve, corners first of all."""
        way = self.negatives / self.negatives[-1]
        way += self.positives / self.positives[-1]
        near = _spread(way, MOST_CORNERS)
        corners = near[_corners(self.negatives[near], self.positives[near])]
        chosen = corners[_spread(way[corners], MOST_POINTS)]
        return {
            "false_positive_rate": [0.0, *_rounded(self.negatives[chosen] / self.negatives[-1])],
            "true_positive_rate": [0.0, *_rounded(self.positives[chosen] / self.positives[-1])],
            "threshold": [_rounded(self.thresholds[:1])[0], *_rounded(self.thresholds[chosen])],
        }

    def precision_recall_curve(self) -> dict[str, list[float]]:
        """Return points of the precision-recall curve."""
        chosen = _spread(self.positives, MOST_POINTS)
        found = self.positives[chosen]
        return {
            "recall": _rounded(found / self.positives[-1]),
            "precision": _rounded(found / (found + self.negatives[chosen])),
            "threshold": _rounded(self.thresholds[chosen]),
        }

    def _bins(self, side: int) -> tuple[Array, Array]:
        """Return how many rows of class 1 or 0 there are between two thresholds, and what one of them weighs."""
        weights = np.diff((self.positives, self.negatives)[side], prepend=0.0)
        squares = weights if self._squares is None else np.diff(self._squares[side], prepend=0.0)
        if len(weights) > MOST_THRESHOLDS:
            starts = np.unique(np.linspace(0, len(weights), MOST_THRESHOLDS, endpoint=False).astype(int))
            weights, squares = np.add.reduceat(weights, starts), np.add.reduceat(squares, starts)
        unit = np.where(weights > 0, squares / np.where(weights > 0, weights, 1), 1.0)
        return weights / unit, unit


def _average_precision(found: Array, rows: Array) -> Array:
    """Average the precision (..., thresholds) over the positives that each threshold adds."""
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(rows > 0, found / rows, 0.0)
        return np.asarray((np.diff(found, axis=-1, prepend=0.0) * precision).sum(axis=-1) / found[..., -1])


def _corners(across: Array, up: Array) -> Array:
    """Choose the points (k,) of a rising curve where it turns, and its last one."""
    slopes = np.diff(up, prepend=0.0), np.diff(across, prepend=0.0)
    turns = slopes[0][:-1] * slopes[1][1:] != slopes[0][1:] * slopes[1][:-1]
    return np.flatnonzero(np.append(turns, True))


def _spread(along: Array, most: int) -> Array:
    """Choose at most so many points, evenly along a rising coordinate; the first and the last among them."""
    if len(along) <= most:
        return np.arange(len(along))
    wanted = np.linspace(along[0], along[-1], most - 1)
    return np.unique(np.append(np.searchsorted(along, wanted), len(along) - 1))


def _rounded(values: Array) -> list[float]:
    return [float("{:.6g}".format(value)) for value in values]
