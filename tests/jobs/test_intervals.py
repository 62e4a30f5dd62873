"""The confidence intervals cover the truth about as often as they say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from quality.arrays import Rows
from quality.binary import Binary
from quality.kind import Kind
from quality.multiclass import Multiclass
from quality.ranking import Ranking
from quality.regression import Regression
from sklearn import metrics

Floats = NDArray[Any]
SETS = 500
BINARY = ("auc", "au_prc", "accuracy", "precision", "recall", "f1", "log_loss")


def _binary(random: np.random.Generator, size: int) -> tuple[Floats, Floats]:
    labels = (random.random(size) < 0.35).astype(float)
    signal = random.normal(size=size) + 1.2 * labels
    return labels, 1 / (1 + np.exp(-(1.2 * signal - 0.72 + np.log(0.35 / 0.65))))


def _several(random: np.random.Generator, size: int) -> tuple[Floats, Floats]:
    odds = np.exp(1.5 * random.normal(size=(size, 4)))
    probabilities = odds / odds.sum(axis=1, keepdims=True)
    labels = (probabilities.cumsum(axis=1) < random.random(size)[:, None]).sum(axis=1).clip(0, 3)
    return labels.astype(float), probabilities


def _numbers(random: np.random.Generator, size: int) -> tuple[Floats, Floats]:
    predictions = random.normal(size=size)
    return predictions + random.normal(scale=0.7, size=size), predictions


def _counts(random: np.random.Generator, size: int) -> tuple[Floats, Floats]:
    predictions = random.gamma(2.0, size=size)
    return random.poisson(predictions).astype(float), predictions


def _rows(kind: Kind, labels: Floats, predictions: Floats) -> Rows:
    return kind.prepare(Rows(kind.compact(labels, predictions)))


@pytest.mark.parametrize(
    ("kind", "simulate", "size", "measured"),
    [
        (Binary("binary:logistic"), _binary, 600, BINARY),
        (Multiclass(4), _several, 600, ("accuracy", "weighted_precision", "weighted_f1", "log_loss")),
        (Regression("reg:squarederror"), _numbers, 1000, ("mae", "mse", "rmse", "r2")),
        (Regression("count:poisson"), _counts, 1000, ("mae", "mean_poisson_deviance")),
    ],
    ids=["binary", "several classes", "numbers", "counts"],
)  # fmt: skip
def test_intervals_cover_the_truth(
    kind: Kind, simulate: Callable[..., Any], size: int, measured: tuple[str, ...]
) -> None:
    """In 93 to 97 % of 500 simulated sets the interval holds what a million rows give."""
    truth = kind.values(_rows(kind, *simulate(np.random.default_rng(7), 1_000_000)))
    covered = dict.fromkeys(measured, 0)
    for seed in range(SETS):
        found = kind.intervals(_rows(kind, *simulate(np.random.default_rng(10_000 + seed), size)))
        for name in measured:
            covered[name] += found[name].lower <= truth[name] <= found[name].upper
    assert {name: count / SETS for name, count in covered.items() if not 0.93 <= count / SETS <= 0.97} == {}


def test_intervals_of_groups_cover_the_truth() -> None:
    """The groups of a ranking are what is drawn."""
    covered = 0
    for seed in range(SETS):
        gains = np.random.default_rng(seed).beta(6, 2, 150)
        rows = Rows(dict.fromkeys(("ndcg", "ndcg_at_10", "map"), gains))
        interval = Ranking().intervals(rows)["ndcg"]
        covered += interval.lower <= 0.75 <= interval.upper
    assert 0.93 <= covered / SETS <= 0.97


def test_the_interval_of_auc_is_delongs() -> None:
    """Its deviation is that of the structural components, written out pair by pair."""
    random = np.random.default_rng(5)
    labels, scores = _binary(random, 200)
    scores = scores.round(1)  # with ties
    positives, negatives = scores[labels == 1], scores[labels == 0]
    wins = (positives[:, None] > negatives) + 0.5 * (positives[:, None] == negatives)
    variance = wins.mean(axis=1).var(ddof=1) / len(positives) + wins.mean(axis=0).var(ddof=1) / len(negatives)
    kind = Binary("binary:logistic")
    interval = kind.intervals(_rows(kind, labels, scores))["auc"]
    area = metrics.roc_auc_score(labels, scores)
    half = 1.959963984540054 * np.sqrt(variance) / (area * (1 - area))
    expected = [1 / (1 + np.exp(-(np.log(area / (1 - area)) + sign * half))) for sign in (-1, 1)]
    assert [interval.lower, interval.upper] == pytest.approx(expected, abs=1e-9)
    assert interval.method == "DeLong"


def test_weights_of_two_are_rows_twice_as_heavy_not_twice_as_many() -> None:
    """Weights that are all alike change neither value nor interval."""
    labels, scores = _binary(np.random.default_rng(6), 400)
    kind = Binary("binary:logistic")
    plain = _rows(kind, labels, scores)
    heavy = Rows({**kind.compact(labels, scores), "weight": np.full(400, 2.0)})
    heavy.sort("score")
    for name, interval in kind.intervals(plain).items():
        other = kind.intervals(heavy)[name]
        assert (other.lower, other.upper) == pytest.approx((interval.lower, interval.upper), abs=2e-3)


def test_a_perfect_score_is_not_certain() -> None:
    """Twenty rows without a miss leave room for what the next ones may bring."""
    labels = np.tile([0.0, 1.0], 10)
    kind = Binary("binary:logistic")
    intervals = kind.intervals(_rows(kind, labels, labels * 0.8 + 0.1))
    for name in ("auc", "au_prc", "accuracy", "precision"):
        assert 0.6 < intervals[name].lower < 0.9
        assert intervals[name].upper == 1


def test_many_rows_are_drawn_in_blocks() -> None:
    """The interval of 50,000 rows, drawn in blocks, is as wide as theory has it."""
    labels, predictions = _numbers(np.random.default_rng(8), 50_000)
    order = np.argsort(labels)  # an order among the rows must not matter
    kind = Regression("reg:squarederror")
    interval = kind.intervals(_rows(kind, labels[order], predictions[order]))["mse"]
    errors = (labels - predictions) ** 2
    assert interval.upper - interval.lower == pytest.approx(2 * 1.96 * errors.std() / np.sqrt(50_000), rel=0.1)
