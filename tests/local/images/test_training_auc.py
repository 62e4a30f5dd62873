"""The AUC of the training rows is XGBoost's own number, to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xgboost as xgb
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml_a2.local.images.xgboost.training_auc import TrainingAuc

ASKED = {"objective": "binary:logistic", "eval_metric": ["auc"], "base_score": 0.5}


def _scored(labels: NDArray[Any], margins: NDArray[Any]) -> tuple[xgb.Booster, xgb.DMatrix]:
    """Return a model without trees and rows that it gives these margins."""
    matrix = xgb.DMatrix(np.zeros((len(labels), 1)), label=labels, base_margin=margins)
    return xgb.train(ASKED, matrix, 0), matrix


def _of_xgboost(model: xgb.Booster, matrix: xgb.DMatrix) -> float:
    return float(model.eval_set([(matrix, "train")]).rpartition(":")[2])


@settings(max_examples=300, deadline=None)
@given(st.integers(2, 3000), st.integers(0, 6), st.floats(0.01, 0.99), st.integers(0, 2**32 - 1))
def test_it_is_xgboosts_to_the_last_bit(rows: int, digits: int, share: float, seed: int) -> None:
    """Any number of rows, of ties and of positives."""
    random = np.random.default_rng(seed)
    labels = (random.random(rows) < share).astype(np.float32)
    labels[:2] = 0, 1
    model, matrix = _scored(labels, np.round(random.normal(size=rows) * 3 + labels, digits))
    ours = TrainingAuc.of(ASKED, matrix, {"train": matrix})
    assert ours is not None
    assert ours(model) == _of_xgboost(model, matrix)


@pytest.mark.parametrize("margins", [[0, 0, 0, 0], [-200, 200, -200, 200], [200, -200, 200, -200], [0, -0.0, 0, -0.0]])
def test_the_ends_of_the_scale(margins: list[float]) -> None:
    """All the same, only 0 and 1, all wrong."""
    labels = np.array([0, 1, 0, 1], dtype=np.float32)
    model, matrix = _scored(labels, np.array(margins))
    ours = TrainingAuc.of(ASKED, matrix, {"train": matrix})
    assert ours is not None
    assert ours(model) == _of_xgboost(model, matrix)


def test_many_rows_after_many_rounds() -> None:
    """A trained model's scores, among them many of the same value."""
    random = np.random.default_rng(7)
    features = random.normal(size=(60_000, 5)).round(1)
    labels = (features[:, 0] + random.normal(size=60_000) > 0).astype(np.float32)
    matrix = xgb.DMatrix(features, label=labels)
    ours = TrainingAuc.of(ASKED, matrix, {"train": matrix})
    assert ours is not None
    model = xgb.Booster(ASKED, [matrix])
    for number in range(20):
        model.update(matrix, number)
        assert ours(model) == _of_xgboost(model, matrix)


@pytest.mark.parametrize(
    ("changes", "labels", "weights"),
    [
        ({"objective": "binary:logitraw"}, [0, 1, 0], None),  # its scores are no probabilities
        ({"eval_metric": ["auc", "logloss"]}, [0, 1, 0], None),
        ({"booster": "dart"}, [0, 1, 0], None),
        ({}, [0, 1, 0.5], None),
        ({}, [1, 1, 1], None),  # not defined, of which XGBoost warns
        ({}, [0, 1, 0], [1, 2, 0.3]),
    ],
)
def test_everything_else_is_left_to_xgboost(changes: Any, labels: list[float], weights: list[float] | None) -> None:
    """Other objectives and metrics, labels between 0 and 1, a single class, weights."""
    matrix = xgb.DMatrix(np.zeros((3, 1)), label=labels, weight=weights)
    assert TrainingAuc.of({**ASKED, **changes}, matrix, {"train": matrix}) is None


def test_rows_that_are_not_those_trained_on_are_left_to_xgboost() -> None:
    """The folds of a cross validation: the metrics are of the whole channel."""
    matrix = xgb.DMatrix(np.zeros((2, 1)), label=[0, 1])
    assert TrainingAuc.of(ASKED, matrix.slice([0]), {"train": matrix}) is None
    assert TrainingAuc.of(ASKED, matrix, {}) is None


def test_a_score_that_is_no_number_is_left_to_xgboost() -> None:
    """Whatever it makes of it."""
    labels = np.array([0, 1, 0, 1], dtype=np.float32)
    model, matrix = _scored(labels, np.array([0, 1, 2, 3]))
    ours = TrainingAuc.of(ASKED, matrix, {"train": matrix})
    assert ours is not None

    class Beyond:
        def predict(self, _: Any) -> NDArray[Any]:
            return np.array([0.5, np.nan, 0.1, 0.2], dtype=np.float32)

        def eval_set(self, _: Any) -> str:
            return model.eval_set([(matrix, "train")])

    assert ours(Beyond()) == _of_xgboost(model, matrix)  # type: ignore[arg-type]
