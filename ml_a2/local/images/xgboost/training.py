"""Training: XGBoost 2.1.4 made to compute as 1.7 does, a metric line each round, the model in 1.7-1's format."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml_a2.local.images.xgboost.engine import xgb
from ml_a2.local.images.xgboost.image_errors import ImageAlgorithmError
from ml_a2.local.images.xgboost.metrics import split_metrics

# XGBoost 1.7 chose `approx` instead of `exact` from this many rows on when tree_method was not set.
EXACT_BELOW_ROWS = 4 << 20
DEFAULT_BASE_SCORE = 0.5


def train(hyperparameters: Mapping[str, Any], data: Mapping[str, xgb.DMatrix]) -> xgb.Booster:
    """Train on the matrices of the channels.

    Args:
        hyperparameters: parsed values, by name.
        data: `train`, and `validation` if there is one.

    Raises:
        ImageAlgorithmError: XGBoost refuses the parameters or the data.
    """
    parameters = dict(hyperparameters)
    rounds = parameters.pop("num_round")
    patience = parameters.pop("early_stopping_rounds", None)
    asked = parameters.pop("eval_metric", [])
    own, additional = split_metrics(asked)
    if own:
        parameters["eval_metric"] = own
    # Early stopping without a metric or validation rows is silently ignored, as the container does.
    stopping = _early_stopping(patience, asked[-1]) if patience and asked and "validation" in data else None
    try:
        with warnings.catch_warnings():
            # `feval` gets margins, as the container's metrics do; its successor gets transformed predictions.
            warnings.filterwarnings("ignore", message=".*feval.*")
            return xgb.train(
                _with_defaults(parameters, data["train"].num_row()),
                data["train"],
                num_boost_round=rounds,
                evals=[(matrix, name) for name, matrix in data.items()],
                feval=additional,
                callbacks=[MetricLines(stopping)],
                verbose_eval=False,
            )
    except (xgb.core.XGBoostError, ValueError, TypeError) as error:
        raise ImageAlgorithmError(f"XGB train call failed with exception:\n {error}") from error


def save_model(booster: xgb.Booster, folder: Path) -> None:
    """Write `xgboost-model` in the legacy binary format of 1.7-1 (first bytes `binf`)."""
    folder.mkdir(parents=True, exist_ok=True)
    legacy = folder / "xgboost-model.deprecated"  # 2.1.4 chooses the format by this suffix
    with xgb.config_context(verbosity=0):  # 1.7 does not warn of its own format
        booster.save_model(legacy)
    legacy.rename(folder / "xgboost-model")


class MetricLines(xgb.callback.TrainingCallback):  # type: ignore[misc]  # xgboost publishes no types
    """Prints a line each round on standard output, from which the service reads its metrics, then asks to stop or not.

    One callback does both, since XGBoost calls several in no certain order and not all of them in the last round.
    """

    def __init__(self, stopping: xgb.callback.EarlyStopping | None) -> None:
        """Take what decides about stopping early."""
        super().__init__()
        self._stopping = stopping

    def before_training(self, model: Any) -> Any:
        """Prepare to stop early."""
        return self._stopping.before_training(model) if self._stopping else model

    def after_training(self, model: Any) -> Any:
        """Keep the best rounds only, when stopping early."""
        return self._stopping.after_training(model) if self._stopping else model

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Print, then tell whether to stop."""
        values = [
            f"{channel}-{metric}:{scores[-1]:.5f}"
            for channel, log in evals_log.items()
            for metric, scores in log.items()
        ]
        print(f"[{epoch}]", *values, sep="\t", flush=True)
        return bool(self._stopping and self._stopping.after_iteration(model, epoch, evals_log))


def _with_defaults(parameters: dict[str, Any], rows: int) -> dict[str, Any]:
    """Fill in 1.7's defaults where 2.1 has others that change numbers (contract, section 1)."""
    given = dict(parameters)
    if given.get("booster", "gbtree") != "gblinear" and given.get("tree_method", "auto") == "auto":
        given["tree_method"] = "exact" if rows < EXACT_BELOW_ROWS else "approx"
    given.setdefault("base_score", DEFAULT_BASE_SCORE)
    return given


def _early_stopping(patience: int, metric: str) -> xgb.callback.EarlyStopping:
    larger_is_better = metric in MAXIMISED
    return xgb.callback.EarlyStopping(
        patience, metric_name=metric, data_name="validation", maximize=larger_is_better, save_best=True
    )


MAXIMISED = {
    "accuracy", "auc", "aucpr", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "map", "ndcg", "precision",
    "precision_macro", "precision_micro", "r2", "recall", "recall_macro", "recall_micro",
    "interval-regression-accuracy",
}  # fmt: skip
