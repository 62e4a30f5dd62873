"""The training's metrics of the validation rows against the evaluation's: the same rows, the same model.

XGBoost prints five decimals. A difference beyond rounding means that the two have not read the same rows, or not the
same labels or weights. Where a definition leaves it open which number comes out, every such number agrees: nothing is
told that is not sure. Metrics that the training computes otherwise, as those of a ranking, are left out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .arrays import Array, Rows
from .multiclass import NEAR
from .trained import Trained

# What rounding may make of a number: half of the fifth decimal, twice over; and sums in 32 bits, as the image has them.
DECIMALS, SHARE = 1e-5, 1e-5
# Of the log of a probability, XGBoost cuts at the first and the evaluation, as scikit-learn, at the second.
LARGEST_LOSS, LARGEST_LOSS_HERE = float(-np.log(1e-16)), float(-np.log(np.finfo(np.float32).eps))
IDENTITY = (
    "reg:squarederror", "reg:linear", "reg:absoluteerror", "reg:pseudohubererror", "reg:squaredlogerror",
)  # fmt: skip
LOGARITHM = ("reg:gamma", "reg:tweedie", "count:poisson")


class Range(NamedTuple):
    """The numbers that a definition may give."""

    lowest: float
    highest: float

    def distance(self, value: float) -> float:
        """Return how far a value lies outside; 0 within."""
        return max(self.lowest - value, value - self.highest, 0.0)


def against_training(objective: str, rows: Rows, values: dict[str, float], trained: Trained) -> dict[str, Any] | None:
    """Return both sides' metrics, and the names of those that differ; None where the training said nothing.

    Args:
        objective: the model's.
        rows: the rows that were measured.
        values: the evaluation's metrics of them.
        trained: what the training said.
    """
    if not trained.metrics:
        return None
    expected = definitions(objective, rows, values)
    compared, differing = {}, []
    for metric, told in trained.metrics.items():
        ranges = [each for each in expected.get(metric, []) if np.isfinite(each).all()]
        if not ranges:
            continue
        nearest = min(ranges, key=lambda each: each.distance(told))
        if nearest.distance(told) > DECIMALS + SHARE * abs(told):
            differing.append(metric)
        compared[metric] = {"training": told, "evaluation": float(np.clip(told, *nearest))}
    return {
        "round": "best" if trained.best_round else "last",
        "metrics": compared,
        "differing": differing,
        "not_compared": [metric for metric in trained.metrics if metric not in compared],
    }


def definitions(objective: str, rows: Rows, values: dict[str, float]) -> dict[str, list[Range]]:
    """Return what each metric of the training is by its own definition, for the evaluation's scores."""
    if objective in ("binary:logistic", "binary:hinge"):
        return _binary(objective, rows, values)
    if objective.startswith("multi:"):
        return _multiclass(objective, rows, values)
    if objective in IDENTITY + LOGARITHM:
        return _regression(objective, rows)
    return {}  # logitraw is measured on margins there, a ranking by other definitions


def _binary(objective: str, rows: Rows, values: dict[str, float]) -> dict[str, list[Range]]:
    scores, labels = rows["score"], rows["label"]
    found = {"auc": [exactly(values["auc"])], "error": [exactly(1 - values["accuracy"])]}
    if objective == "binary:logistic":
        true = np.where(labels == 1, scores, 1 - scores.astype(np.float64))
        found["logloss"] = [_loss(values["log_loss"], true < np.finfo(np.float32).eps, rows.weights())]
        if (np.abs(scores - 0.5) < NEAR).any():
            return found  # the container looks at margins, whose sign may be another
    return {**found, **classification(labels, scores > 0.5, 2)}


def _multiclass(objective: str, rows: Rows, values: dict[str, float]) -> dict[str, list[Range]]:
    close = float(np.average(rows["close"], weights=rows.weights()))
    wrong = 1 - values["accuracy"]
    found = {"mlogloss": [_loss(values["log_loss"], rows["loss"] > LARGEST_LOSS_HERE - NEAR, rows.weights())]}
    if objective == "multi:softprob":
        found["merror"] = [exactly(wrong)]
    else:
        found["merror"] = [Range(wrong - close, wrong + close)]
    if objective == "multi:softprob" and close:
        return found
    return {**found, **classification(rows["label"], rows["predicted"], int(rows["label"].max()) + 1)}


def _loss(value: float, cut: Array, weights: Array) -> Range:
    """Return what the log loss may be where rows were cut."""
    return Range(value, value + float(np.average(cut, weights=weights)) * (LARGEST_LOSS - LARGEST_LOSS_HERE))


def classification(labels: Array, predicted: Array, classes: int) -> dict[str, list[Range]]:
    """Return the metrics that the container adds, as scikit-learn computes them: without weights, 0 for 0 / 0."""
    classes = max(classes, int(predicted.max()) + 1)
    cells = labels.astype(np.int64) * classes + predicted
    counts = np.bincount(cells, minlength=classes**2).reshape(classes, classes).astype(float)
    hits, there, taken = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    recall, precision, f1 = _ratio(hits, there), _ratio(hits, taken), _ratio(2 * hits, there + taken)
    known = there + taken > 0
    found = {
        "accuracy": hits.sum() / counts.sum(),
        "balanced_accuracy": recall[there > 0].mean(),
        "f1": f1[known].mean(),
        "precision_macro": precision[known].mean(),
        "recall_macro": recall[known].mean(),
    }
    found.update(dict.fromkeys(("precision_micro", "recall_micro"), found["accuracy"]), f1_macro=found["f1"])
    if classes == 2:
        found.update(f1_binary=f1[1], precision=precision[1], recall=recall[1])
    return {name: [exactly(value)] for name, value in found.items()}


def _regression(objective: str, rows: Rows) -> dict[str, list[Range]]:
    """Return XGBoost's own metrics, of predictions and weighted, and the container's, of margins and without weights.

    `rmse` and `mae` can be either.
    """
    labels, predicted = (rows[name].astype(np.float32).astype(np.float64) for name in ("label", "prediction"))
    with np.errstate(all="ignore"):  # what has no value is left out
        margins = np.log(predicted) if objective in LOGARITHM else predicted
        found = _container(labels, margins)
        for name, (losses, terms) in _own(objective, labels, predicted).items():
            mean, noise = (float(np.average(each, weights=rows.weights())) for each in (losses, terms))
            ends = np.array([mean - NEAR * noise, mean + NEAR * noise])
            ends = np.sqrt(ends) if name in ("rmse", "rmsle") else ends
            found.setdefault(name, []).append(Range(*map(float, ends)))
    return found


def _own(objective: str, labels: Array, predicted: Array) -> dict[str, tuple[Array, Array]]:
    """Return the losses (n,) of XGBoost's metrics, and the size of their terms, each of which has 32 bits."""
    errors, nothing = labels - predicted, np.zeros(len(labels))
    found = {
        "rmse": (errors**2, nothing),
        "mae": (np.abs(errors), nothing),
        "mape": (np.abs(errors / labels), nothing),
        "mphe": (np.sqrt(1 + errors**2) - 1, np.ones(len(labels))),
        "rmsle": ((np.log1p(labels) - np.log1p(predicted)) ** 2, nothing),
    }
    if objective == "count:poisson":
        from scipy.special import gammaln

        constants, logs = gammaln(labels + 1), labels * np.log(predicted)
        found["poisson-nloglik"] = (constants + predicted - logs, constants + predicted + np.abs(logs))
    if objective == "reg:gamma":
        ratios, logs = labels / predicted, np.log(predicted)
        found["gamma-nloglik"] = (ratios + logs, ratios + np.abs(logs) + np.abs(np.log(labels)))
    return found


def _container(labels: Array, margins: Array) -> dict[str, list[Range]]:
    errors = labels - margins
    mse, variance = float(np.mean(errors**2)), float(np.var(labels))
    r2 = 1 - mse / variance if variance > 0 else float("nan")
    noise = NEAR * abs(1 - r2) * abs(float(labels.mean())) / max(np.sqrt(variance), 1e-30)
    return {
        "mse": [exactly(mse)],
        "rmse": [exactly(mse**0.5)],
        "mae": [exactly(float(np.mean(np.abs(errors))))],
        "r2": [Range(r2 - noise, r2 + noise)],
    }


def exactly(value: float) -> Range:
    """Return the range of one number."""
    return Range(float(value), float(value))


def _ratio(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
