"""The metrics that the container adds to XGBoost's own, by scikit-learn's definitions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_a2.local.images.xgboost.engine import xgb

Floats = NDArray[np.floating[Any]]
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
        return [(name, _score(name, labels, margins)) for name in added]

    return own, evaluate


def _classes(margins: Floats) -> Floats:
    """Return predicted classes: the largest margin of several, or whether the only one is positive."""
    return margins.argmax(axis=1) if margins.ndim > 1 else (margins > 0).astype(int)


def _score(name: str, labels: Floats, margins: Floats) -> float:
    from sklearn import metrics

    function, options = ADDITIONAL[name]
    predicted = margins if function in OF_MARGINS else _classes(margins)
    return float(getattr(metrics, function)(labels, predicted, **options))


# Each with scikit-learn's function and its options.
ADDITIONAL: dict[str, tuple[str, dict[str, str]]] = {
    "accuracy": ("accuracy_score", {}),
    "balanced_accuracy": ("balanced_accuracy_score", {}),
    "f1": ("f1_score", {"average": "macro"}),
    "f1_binary": ("f1_score", {"average": "binary"}),
    "f1_macro": ("f1_score", {"average": "macro"}),
    "precision": ("precision_score", {"average": "binary"}),
    "precision_macro": ("precision_score", {"average": "macro"}),
    "precision_micro": ("precision_score", {"average": "micro"}),
    "recall": ("recall_score", {"average": "binary"}),
    "recall_macro": ("recall_score", {"average": "macro"}),
    "recall_micro": ("recall_score", {"average": "micro"}),
    "mae": ("mean_absolute_error", {}),
    "mse": ("mean_squared_error", {}),
    "rmse": ("root_mean_squared_error", {}),
    "r2": ("r2_score", {}),
}
OF_MARGINS = {"mean_absolute_error", "mean_squared_error", "root_mean_squared_error", "r2_score"}
