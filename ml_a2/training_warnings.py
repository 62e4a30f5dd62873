"""What a training gives reason to doubt, in words: by its log, and by the evaluation of the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ml_a2.execution_events import TrainingRound
from ml_a2.learning_curve import LearningCurve, learning_curve, stops_early

# The evaluation's names of the training's metrics: their intervals say how sure a number is.
EVALUATED = {
    "auc": "auc", "logloss": "log_loss", "mlogloss": "log_loss", "error": "accuracy", "merror": "accuracy",
    "accuracy": "accuracy", "rmse": "rmse", "mae": "mae", "mse": "mse", "r2": "r2",
}  # fmt: skip
REMEDY_OF_OTHER_ROWS = (
    "trust neither: look whether the objects under the validation prefix have changed since, and for cells that are no "
    "plain decimal numbers"
)


def other_rows(evaluation: Mapping[str, Any]) -> str:
    """Return what the training's metrics say that the evaluation's deny; empty where they agree."""
    training = _table(evaluation.get("training"))
    named = training.get("differing")
    differing = named if isinstance(named, list) else []
    pairs = {name: _table(pair) for name, pair in _table(training.get("metrics")).items() if name in differing}
    if not pairs:
        return ""
    numbers = "; ".join(
        f"{name} {_number(pair.get('training'))} in the training, {_number(pair.get('evaluation'))} here"
        for name, pair in pairs.items()
    )
    where = "best" if training.get("round") == "best" else "last"
    return (
        f"the evaluation has not read the validation rows as the training did: {numbers} ({where} round); "
        f"{REMEDY_OF_OTHER_ROWS}"
    )


def worse_at_the_end(
    rounds: Sequence[TrainingRound], hyperparameters: Mapping[str, str], evaluation: Mapping[str, Any]
) -> str:
    """Return that a training gets worse on the validation rows, where it does and the last round's model is kept."""
    curve = learning_curve(rounds, hyperparameters)
    if curve is None or stops_early(hyperparameters) or not curve.worsens(_uncertainty(curve, evaluation)):
        return ""
    assert curve.best is not None  # or it could not become worse
    assert curve.last is not None
    rest = "" if "eval_metric" in hyperparameters else f" --set eval_metric={curve.metric}"
    patience = max(5, round(curve.last[0] / 10))
    return (
        f"the training gets worse on the validation rows: {curve.metric} {_number(curve.best[1])} in round "
        f"{curve.best[0]}, {_number(curve.last[1])} in the last, {curve.last[0]}; keep the best round with "
        f"`--set early_stopping_rounds={patience}{rest}`"
    )


def _uncertainty(curve: LearningCurve, evaluation: Mapping[str, Any]) -> float:
    """Return half the confidence interval of the metric, 0 where there is none."""
    intervals = _table(_table(evaluation.get("confidence_intervals")).get("metrics"))
    bounds = _table(intervals.get(EVALUATED.get(curve.metric, "")))
    lower, upper = bounds.get("lower"), bounds.get("upper")
    if not (isinstance(lower, int | float) and isinstance(upper, int | float)):
        return 0.0
    return (upper - lower) / 2


def _table(value: Any) -> Mapping[str, Any]:
    """Return an object, an empty one for anything else: what stands in a bucket may be anything."""
    return value if isinstance(value, Mapping) else {}


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, int | float) else str(value)[:20]
