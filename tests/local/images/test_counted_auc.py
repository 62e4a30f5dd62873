"""The AUC of the watched rows is XGBoost's own number, to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xgboost as xgb
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml_a2.local.images.xgboost.counted_auc import CountedAuc, counted_aucs
from ml_a2.local.images.xgboost.rounds import Rounds, early_stopping

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
    ours = CountedAuc.of(matrix)
    assert ours is not None
    assert ours(model) == _of_xgboost(model, matrix)


@pytest.mark.parametrize("margins", [[0, 0, 0, 0], [-200, 200, -200, 200], [200, -200, 200, -200], [0, -0.0, 0, -0.0]])
def test_the_ends_of_the_scale(margins: list[float]) -> None:
    """All the same, only 0 and 1, all wrong."""
    labels = np.array([0, 1, 0, 1], dtype=np.float32)
    model, matrix = _scored(labels, np.array(margins))
    ours = CountedAuc.of(matrix)
    assert ours is not None
    assert ours(model) == _of_xgboost(model, matrix)


def test_many_rows_after_many_rounds() -> None:
    """A trained model's scores, among them many of the same value."""
    random = np.random.default_rng(7)
    features = random.normal(size=(60_000, 5)).round(1)
    labels = (features[:, 0] + random.normal(size=60_000) > 0).astype(np.float32)
    matrix = xgb.DMatrix(features[:50_000], label=labels[:50_000])
    others = xgb.DMatrix(features[50_000:], label=labels[50_000:])
    counted = counted_aucs(ASKED, matrix, {"train": matrix, "validation": others})
    assert len(counted) == 2
    model = xgb.Booster(ASKED, [matrix])
    for number in range(20):
        model.update(matrix, number)
        assert counted["train"](model) == _of_xgboost(model, matrix)
        assert counted["validation"](model) == _of_xgboost(model, others)


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
    assert not counted_aucs({**ASKED, **changes}, matrix, {"train": matrix})


def test_each_channel_is_looked_at_by_itself() -> None:
    """Validation rows of one class, or with more columns, are XGBoost's to complain of; training rows are counted."""
    both = xgb.DMatrix(np.zeros((2, 1)), label=[0, 1])
    one = xgb.DMatrix(np.zeros((2, 1)), label=[1, 1])
    wider = xgb.DMatrix(np.zeros((2, 2)), label=[0, 1])
    assert list(counted_aucs(ASKED, both, {"train": both, "validation": one})) == ["train"]
    assert list(counted_aucs(ASKED, both, {"train": both, "validation": both})) == ["train", "validation"]
    assert list(counted_aucs(ASKED, both, {"train": both, "validation": wider})) == ["train"]


def test_a_training_stops_early_in_the_same_round() -> None:
    """The best rounds are kept, with the best score, as if XGBoost had counted."""
    random = np.random.default_rng(3)
    features = random.normal(size=(600, 3))
    labels = (features[:, 0] + random.normal(size=600) > 0).astype(np.float32)
    rows = {
        "train": xgb.DMatrix(features[:300], label=labels[:300]),
        "validation": xgb.DMatrix(features[300:], label=labels[300:]),
    }
    of_xgboost = xgb.train(
        ASKED,
        rows["train"],
        200,
        evals=[(each, channel) for channel, each in rows.items()],
        callbacks=[early_stopping(3, "auc", save_best=True)],
        verbose_eval=False,
    )
    counting = Rounds(
        tuple(rows),
        prints=False,
        prints_last=True,
        counted=counted_aucs(ASKED, rows["train"], rows),
        after_each=(),
        stopping=early_stopping(3, "auc", save_best=True),
    )
    ours = xgb.train(ASKED, rows["train"], 200, callbacks=[counting], verbose_eval=False)
    assert ours.num_boosted_rounds() < 200
    assert ours.attributes() == of_xgboost.attributes()
    assert ours.save_raw() == of_xgboost.save_raw()


def test_a_score_that_is_no_number_is_left_to_xgboost() -> None:
    """Whatever it makes of it."""
    labels = np.array([0, 1, 0, 1], dtype=np.float32)
    model, matrix = _scored(labels, np.array([0, 1, 2, 3]))
    ours = CountedAuc.of(matrix)
    assert ours is not None

    class Beyond:
        def predict(self, _: Any) -> NDArray[Any]:
            return np.array([0.5, np.nan, 0.1, 0.2], dtype=np.float32)

        def eval_set(self, _: Any) -> str:
            return model.eval_set([(matrix, "train")])

    assert ours(Beyond()) == _of_xgboost(model, matrix)  # type: ignore[arg-type]
