"""The metrics that the container adds to XGBoost's own, by scikit-learn's definitions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_a2.local.images.xgboost.engine import xgb
from ml_a2.local.images.xgboost.precision import default_metrics, is_precision, mean_average_precision

Floats = NDArray[np.floating[Any]]
Metric = Callable[[Floats, xgb.DMatrix], float]
FunctionOfMargins = Callable[[NDArray[np.float32], xgb.DMatrix], list[tuple[str, float]]]


def measured(
    asked: Sequence[str], objective: str, *, is_legacy: bool
) -> tuple[dict[str, Any], FunctionOfMargins | None]:
    """Return what XGBoost is told about the metrics that it computes itself, and one function for the others.

    Args:
        asked: the metrics in the person's order; XGBoost's own come first, the function's are appended.
        objective: its metric is computed where none of XGBoost's own is asked for.
        is_legacy: whether they are those of XGBoost 1.7.
    """
    own = [name for name in asked if name not in ADDITIONAL]
    added: dict[str, Metric] = {}
    parameters: dict[str, Any] = {}
    if is_legacy:
        own = own or default_metrics(objective)
        added = {name: mean_average_precision(name) for name in own if is_precision(name)}
        own = [name for name in own if name not in added]
    if own:
        parameters["eval_metric"] = own
    elif added:
        parameters["disable_default_eval_metric"] = 1
    added |= {name: partial(_score, name) for name in asked if name in ADDITIONAL}
    if not added:
        return parameters, None

    def evaluate(margins: NDArray[np.float32], matrix: xgb.DMatrix) -> list[tuple[str, float]]:
        """Compute from margins: (n,) or (n, classes), before the objective's transformation."""
        return [(name, metric(margins, matrix)) for name, metric in added.items()]

    return parameters, evaluate


def _classes(margins: Floats) -> Floats:
    """Return predicted classes: the largest margin of several, or whether the only one is positive."""
    return margins.argmax(axis=1) if margins.ndim > 1 else (margins > 0).astype(int)


def _score(name: str, margins: Floats, matrix: xgb.DMatrix) -> float:
    from sklearn import metrics

    labels = matrix.get_label()
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
