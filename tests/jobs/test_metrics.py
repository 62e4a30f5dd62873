"""Every metric of the evaluation is scikit-learn's, to nine digits, on any data on which it is defined."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from quality.arrays import Rows
from quality.binary import Binary
from quality.kind import Kind
from quality.multiclass import Multiclass
from quality.ranking import Ranking, grouped
from quality.regression import Regression
from sklearn import metrics

Floats = NDArray[Any]
seeds = st.integers(0, 2**32 - 1)


def rows_of(kind: Kind, labels: Floats, predictions: Floats, weights: Floats | None = None) -> Rows:
    """Bring labels and predictions into the form in which they are measured."""
    return kind.prepare(Rows({**kind.compact(labels, predictions), **({} if weights is None else {"weight": weights})}))


def _weights(random: np.random.Generator, rows: int, weighted: bool) -> Floats | None:
    return random.gamma(1.0, size=rows) + 1e-3 if weighted else None


@settings(deadline=None, max_examples=80)
@given(seeds, st.integers(2, 200), st.booleans(), st.booleans())
def test_binary_metrics_equal_scikit_learns(seed: int, size: int, ties: bool, weighted: bool) -> None:
    """With and without ties and weights."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, size).astype(float)
    labels[:2] = 0, 1
    scores = random.random(size).round(1 if ties else 12)
    weights = _weights(random, size, weighted)
    predicted = scores > 0.5
    options: dict[str, Any] = {"sample_weight": weights}
    expected = {
        "accuracy": metrics.accuracy_score(labels, predicted, **options),
        "recall": metrics.recall_score(labels, predicted, **options),
        "true_positive_rate": metrics.recall_score(labels, predicted, **options),
        "true_negative_rate": metrics.recall_score(labels, predicted, pos_label=0, **options),
        "f0_5": metrics.fbeta_score(labels, predicted, beta=0.5, zero_division=0, **options),
        "f1": metrics.f1_score(labels, predicted, zero_division=0, **options),
        "f2": metrics.fbeta_score(labels, predicted, beta=2, zero_division=0, **options),
        "auc": metrics.roc_auc_score(labels, scores, **options),
        "au_prc": metrics.average_precision_score(labels, scores, **options),
        "log_loss": metrics.log_loss(labels, scores, **options),
    }
    expected["false_positive_rate"] = 1 - expected["true_negative_rate"]
    expected["false_negative_rate"] = 1 - expected["recall"]
    found = Binary("binary:logistic").values(rows_of(Binary("binary:logistic"), labels, scores, weights))
    if predicted.any():
        expected["precision"] = metrics.precision_score(labels, predicted, **options)
    else:
        assert np.isnan(found.pop("precision"))
    assert found == pytest.approx(expected, abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(seeds, st.integers(3, 50), st.integers(1, 300), st.booleans())
def test_multiclass_metrics_equal_scikit_learns(seed: int, classes: int, size: int, weighted: bool) -> None:
    """With 3 to 50 classes, of which some may never come or never be predicted."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, size).astype(float)
    scores = random.dirichlet(np.ones(classes), size)
    weights = _weights(random, size, weighted)
    predicted = scores.argmax(axis=1)
    options: dict[str, Any] = {"average": "weighted", "zero_division": 0, "sample_weight": weights}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", metrics._classification.UndefinedMetricWarning)
        expected = {
            "accuracy": metrics.accuracy_score(labels, predicted, sample_weight=weights),
            "weighted_precision": metrics.precision_score(labels, predicted, **options),
            "weighted_recall": metrics.recall_score(labels, predicted, **options),
            "weighted_f0_5": metrics.fbeta_score(labels, predicted, beta=0.5, **options),
            "weighted_f1": metrics.f1_score(labels, predicted, **options),
            "weighted_f2": metrics.fbeta_score(labels, predicted, beta=2, **options),
            "log_loss": metrics.log_loss(labels, scores, labels=list(range(classes)), sample_weight=weights),
        }
    kind = Multiclass(classes)
    rows = rows_of(kind, labels, scores, weights)
    assert kind.values(rows) == pytest.approx(expected, abs=1e-9)
    matrix = metrics.confusion_matrix(labels, predicted, labels=list(range(classes)), sample_weight=weights)
    np.testing.assert_allclose(kind.confusion_matrix(rows), matrix, atol=1e-9)


@settings(deadline=None, max_examples=60)
@given(seeds, st.integers(2, 300), st.booleans(), st.sampled_from([0.0, 1e6, -1e6]))
def test_regression_metrics_equal_scikit_learns(seed: int, size: int, weighted: bool, offset: float) -> None:
    """Also far from zero, where sums of squares would lose the digits that count."""
    random = np.random.default_rng(seed)
    labels = random.normal(size=size) + offset
    predictions = labels + random.normal(size=size)
    weights = _weights(random, size, weighted)
    options: dict[str, Any] = {"sample_weight": weights}
    kind = Regression("reg:squarederror")
    assert kind.values(rows_of(kind, labels, predictions, weights)) == pytest.approx(
        {
            "mae": metrics.mean_absolute_error(labels, predictions, **options),
            "mse": metrics.mean_squared_error(labels, predictions, **options),
            "rmse": metrics.root_mean_squared_error(labels, predictions, **options),
            "r2": metrics.r2_score(labels, predictions, **options),
        },
        rel=1e-9,
        abs=1e-9,
    )


@settings(deadline=None, max_examples=40)
@given(seeds, st.integers(2, 300), st.booleans())
def test_counts_have_scikit_learns_deviance(seed: int, size: int, weighted: bool) -> None:
    """A Poisson model also has the mean deviance of counts, those of 0 among them."""
    random = np.random.default_rng(seed)
    labels, predictions = random.poisson(1.5, size).astype(float), random.gamma(1.5, size=size) + 1e-3
    weights = _weights(random, size, weighted)
    kind = Regression("count:poisson")
    found = kind.values(rows_of(kind, labels, predictions, weights))["mean_poisson_deviance"]
    expected = metrics.mean_poisson_deviance(labels, predictions, sample_weight=weights)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(seeds, st.integers(1, 12), st.booleans())
def test_ranking_metrics_are_the_means_of_scikit_learns_by_group(seed: int, groups: int, ties: bool) -> None:
    """Groups without a relevant row are left out: scikit-learn would call them 0."""
    random = np.random.default_rng(seed)
    sizes = random.integers(2, 30, groups)
    group = np.repeat(random.permutation(groups), sizes)
    labels = random.integers(0, 4, len(group)).astype(float)
    labels[0] = 1
    scores = random.random(len(group)).round(1 if ties else 12)
    mixed = random.permutation(len(group))
    found = Ranking().values(grouped(Rows({"label": labels, "score": scores, "group": group}).take(mixed)))
    each = [(labels[group == g], scores[group == g]) for g in np.unique(group)]
    relevant = [(truth, score) for truth, score in each if truth.max() > 0]
    expected = {
        "ndcg": np.mean([metrics.ndcg_score([truth], [score]) for truth, score in relevant]),
        "ndcg_at_10": np.mean([metrics.ndcg_score([truth], [score], k=10) for truth, score in relevant]),
        "map": np.mean([metrics.average_precision_score(truth > 0, score) for truth, score in relevant]),
    }
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_one_class_is_stated_not_made_up(label: float) -> None:
    """What is not defined on a single class has no value, and the reason names the class."""
    kind = Binary("binary:logistic")
    rows = rows_of(kind, np.full(5, label), np.linspace(0, 1, 5))
    undefined = {name for name, value in kind.values(rows).items() if np.isnan(value)}
    rates = {"true_positive_rate", "recall", "false_negative_rate"}
    assert undefined == {"auc", "au_prc"} | (rates if label == 0 else {"true_negative_rate", "false_positive_rate"})
    assert {kind.why(rows, name) for name in undefined} == {
        f"the validation rows have a single class, {label:g}",
    }
    assert "roc" not in kind.curves(rows)


def test_a_baseline_is_the_best_that_looks_at_no_feature() -> None:
    """The most frequent class, or the mean; its metrics are scikit-learn's of that constant."""
    labels = np.array([1.0, 1, 1, 0])
    kind = Binary("binary:logistic")
    name, values = kind.baseline(rows_of(kind, labels, np.array([0.1, 0.2, 0.3, 0.4])))
    assert (name, values["accuracy"], values["recall"], values["auc"], values["au_prc"]) == (
        "always class 1", 0.75, 1.0, 0.5, 0.75,
    )  # fmt: skip
    assert values["log_loss"] == pytest.approx(metrics.log_loss(labels, np.full(4, 0.75)))
    numbers = np.array([1.0, 2, 6])
    regression = Regression("reg:squarederror")
    name, values = regression.baseline(rows_of(regression, numbers, numbers))
    assert (name, values["r2"], values["mae"]) == ("always the mean, 3", 0.0, pytest.approx(2.0))
    several = Multiclass(3)
    name, values = several.baseline(rows_of(several, np.array([2.0, 2, 0]), np.eye(3)))
    assert (name, values["accuracy"]) == ("always class 2", pytest.approx(2 / 3))


def test_labels_that_are_all_alike_have_no_r2() -> None:
    """The reason says so."""
    kind = Regression("reg:squarederror")
    rows = rows_of(kind, np.full(9, 7.1), np.linspace(6, 8, 9))
    assert np.isnan(kind.values(rows)["r2"])
    assert "alike" in kind.why(rows, "r2")


def test_standard_deviations_need_two_hundred_rows() -> None:
    """Below that there is none, as SageMaker has it; above, that of five samples of 80 %, the same each time."""
    kind = Binary("binary:logistic")
    labels, scores = np.tile([0.0, 1.0], 100), np.random.default_rng(1).random(200)
    assert kind.deviations(rows_of(kind, labels[:199], scores[:199])) == {}
    first = kind.deviations(rows_of(kind, labels, scores))
    assert 0 < first["auc"] < 0.1
    assert first == kind.deviations(rows_of(kind, labels, scores))


def test_curves_end_where_they_must() -> None:
    """A ROC curve goes from (0, 0) to (1, 1); its area, and that of its 200 points, is the metric."""
    random = np.random.default_rng(3)
    labels = random.integers(0, 2, 20_000).astype(float)
    kind = Binary("binary:logistic")
    rows = rows_of(kind, labels, np.clip(random.normal(0.4 + 0.2 * labels, 0.2), 0, 1))
    curves = kind.curves(rows)
    across, up = curves["roc"]["false_positive_rate"], curves["roc"]["true_positive_rate"]
    assert (across[0], up[0], across[-1], up[-1]) == (0, 0, 1, 1)
    assert len(across) <= 201
    assert metrics.auc(across, up) == pytest.approx(kind.values(rows)["auc"], abs=1e-3)
    assert curves["precision_recall"]["recall"][-1] == 1
    assert sum(curves["calibration"]["rows"]) == 20_000
    assert sum(map(sum, curves["score_histogram"]["counts"].values())) == 20_000
