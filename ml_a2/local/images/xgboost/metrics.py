"""The metrics that the container adds to XGBoost's own, by scikit-learn's definitions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray
from sklearn import metrics

Floats = NDArray[np.floating[Any]]
Metric = Callable[[Floats, Floats], float]
FunctionOfMargins = Callable[[NDArray[np.float32], xgb.DMatrix], list[tuple[str, float]]]


def split_metrics(asked: Sequence[str]) -> tuple[list[str], FunctionOfMargins | None]:
    """Return what XGBoost computes itself, in the person's order, and one function for the others."""
    own = [name for name in asked if name not in ADDITIONAL]
    added = [name for name in asked if name in ADDITIONAL]
    if not added:
        return own, None

    def evaluate(margins: NDArray[np.float32], matrix: xgb.DMatrix) -> list[tuple[str, float]]:
        """Compute from margins: (n,) or (n, classes), before the objective's transformation."""
        labels = matrix.get_label()
        return [(name, float(ADDITIONAL[name](labels, margins))) for name in added]

    return own, evaluate


def _classes(margins: Floats) -> Floats:
    """Return predicted classes: the largest margin of several, or whether the only one is positive."""
    return margins.argmax(axis=1) if margins.ndim > 1 else (margins > 0).astype(int)


def _by_class(score: Callable[..., float], **options: object) -> Metric:
    return lambda labels, margins: score(labels, _classes(margins), **options)


ADDITIONAL: dict[str, Metric] = {
    "accuracy": _by_class(metrics.accuracy_score),
    "balanced_accuracy": _by_class(metrics.balanced_accuracy_score),
    "f1": _by_class(metrics.f1_score, average="macro"),
    "f1_binary": _by_class(metrics.f1_score, average="binary"),
    "f1_macro": _by_class(metrics.f1_score, average="macro"),
    "precision": _by_class(metrics.precision_score, average="binary"),
    "precision_macro": _by_class(metrics.precision_score, average="macro"),
    "precision_micro": _by_class(metrics.precision_score, average="micro"),
    "recall": _by_class(metrics.recall_score, average="binary"),
    "recall_macro": _by_class(metrics.recall_score, average="macro"),
    "recall_micro": _by_class(metrics.recall_score, average="micro"),
    "mae": metrics.mean_absolute_error,
    "mse": metrics.mean_squared_error,
    "rmse": metrics.root_mean_squared_error,
    "r2": metrics.r2_score,
}
