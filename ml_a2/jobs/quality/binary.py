"""Two classes: SageMaker's binary classification metrics, and the curves of a score."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import Array, Rows
from .intervals import SEED, wilson
from .kind import HISTOGRAM_BINS, Interval, Kind, by_block, calibration, counts, effective_share, histogram
from .thresholds import Thresholds

TRUE_POSITIVE, FALSE_POSITIVE, FALSE_NEGATIVE, TRUE_NEGATIVE, LOSS = range(5)
# Of what each share is one, by the columns of the sums.
SHARES = {
    "accuracy": (TRUE_POSITIVE, FALSE_POSITIVE, FALSE_NEGATIVE, TRUE_NEGATIVE),
    "precision": (TRUE_POSITIVE, FALSE_POSITIVE),
    "recall": (TRUE_POSITIVE, FALSE_NEGATIVE),
    "true_positive_rate": (TRUE_POSITIVE, FALSE_NEGATIVE),
    "true_negative_rate": (TRUE_NEGATIVE, FALSE_POSITIVE),
    "false_positive_rate": (TRUE_NEGATIVE, FALSE_POSITIVE),
    "false_negative_rate": (TRUE_POSITIVE, FALSE_NEGATIVE),
}
CURVES = ("auc", "au_prc")
HINGE = "binary:hinge"
NONE = np.array(np.nan)


class Binary(Kind):
    """Measures scores in [0, 1] of class 1; one of exactly one half is class 0, as in the container."""

    key = "binary_classification_metrics"
    shares = tuple(SHARES)
    order = "score"

    def __init__(self, objective: str) -> None:
        """Take the objective: not every one gives probabilities."""
        self._has_probabilities = objective != HINGE

    def compact(self, labels: Array, predictions: Array) -> dict[str, Array]:
        """Keep a byte for the label."""
        return {"label": labels.astype(np.uint8), "score": predictions}

    def sums(self, rows: Rows, chosen: slice, blocks: Array, count: int) -> Array:
        """Sum the cells of the confusion matrix and the log loss."""
        labels, scores, weights = rows["label"][chosen], rows["score"][chosen], rows.weights(chosen)
        is_positive, is_predicted = labels == 1, scores > 0.5
        cells = [is_positive & is_predicted, ~is_positive & is_predicted, is_positive & ~is_predicted]
        cells.append(~is_positive & ~is_predicted)
        losses = log_losses(np.where(is_positive, scores, 1 - scores.astype(np.float64)), scores.dtype)
        return by_block(blocks, count, *(cell * weights for cell in cells), losses * weights)

    def of_sums(self, sums: Array) -> dict[str, Array]:
        """Return everything that the confusion matrix gives, and the log loss."""
        hit, false_alarm, miss, rejection = (sums[..., cell] for cell in range(4))
        with np.errstate(invalid="ignore", divide="ignore"):
            return {
                "accuracy": (hit + rejection) / (hit + false_alarm + miss + rejection),
                "precision": hit / (hit + false_alarm),
                "recall": hit / (hit + miss),
                **{name: _f_score(beta, hit, false_alarm, miss) for name, beta in F_SCORES.items()},
                "true_positive_rate": hit / (hit + miss),
                "true_negative_rate": rejection / (rejection + false_alarm),
                "false_positive_rate": false_alarm / (rejection + false_alarm),
                "false_negative_rate": miss / (hit + miss),
                "log_loss": sums[..., LOSS] / (hit + false_alarm + miss + rejection)
                if self._has_probabilities
                else NONE,
            }

    def share_rows(self, metric: str, total: Array) -> float:
        """Return the denominator of a rate."""
        return float(sum(total[cell] for cell in SHARES[metric]))

    def others(self, rows: Rows) -> dict[str, float]:
        """Return the areas under the two curves."""
        found = _thresholds(rows)
        if not found.has_both_classes:
            return dict.fromkeys(CURVES, float("nan"))
        return {"auc": found.auc(), "au_prc": found.average_precision()}

    def other_intervals(self, rows: Rows) -> dict[str, Interval | None]:
        """Return the areas' intervals; scores that separate the classes are as sure as the rarer class is frequent."""
        found = _thresholds(rows)
        if not found.has_both_classes:
            return {}
        values = {"auc": found.auc(), "au_prc": found.average_precision()}
        bounds = {
            "auc": (found.auc_interval(), "DeLong"),
            "au_prc": (found.average_precision_interval(np.random.RandomState(SEED)), "bootstrap"),
        }
        rarer = min(found.positives[-1], found.negatives[-1]) * effective_share(rows)
        return {
            name: Interval(*each, method) if each else Interval(*wilson(values[name], rarer), "Wilson")
            for name, (each, method) in bounds.items()
        }

    def baseline(self, rows: Rows) -> tuple[str, dict[str, float]]:
        """Predict the more frequent class; of two that are alike, class 0, as a score of one half would be."""
        found = _thresholds(rows)
        share = float(found.positives[-1] / (found.positives[-1] + found.negatives[-1]))
        cells = np.array([share, 1 - share, 0, 0, 0]) if share > 0.5 else np.array([0, 0, share, 1 - share, 0])
        cells[LOSS] = entropy(np.array([share, 1 - share]))
        values = {name: float(value) for name, value in self.of_sums(cells).items()}
        if found.has_both_classes:
            values.update(auc=0.5, au_prc=share)
        return "always class {:d}".format(share > 0.5), values

    def why(self, rows: Rows, metric: str) -> str:
        """Name what the rows lack."""
        if metric == "log_loss":
            return "{} predicts classes, not probabilities".format(HINGE)
        labels = np.unique(rows["label"])
        if len(labels) == 1 and metric != "precision":
            return "the validation rows have a single class, {}".format(labels[0])
        return "no validation row is predicted as class 1"

    def curves(self, rows: Rows) -> dict[str, Any]:
        """Return ROC, precision-recall, calibration, histogram and confusion matrix."""
        labels, scores, weights = rows["label"], rows["score"], rows.weights()
        edges = np.linspace(0, 1, HISTOGRAM_BINS + 1)
        curves: dict[str, Any] = {"confusion_matrix": {"counts": self.confusion_matrix(rows)}}
        if self._has_probabilities:
            counted = {str(k): histogram(scores[labels == k], edges, weights[labels == k]) for k in (0, 1)}
            curves["calibration"] = calibration(scores, labels, weights)
            curves["score_histogram"] = {"edges": edges.tolist(), "counts": counted}
        found = _thresholds(rows)
        if found.has_both_classes:
            curves["roc"] = found.roc_curve()
            curves["precision_recall"] = found.precision_recall_curve()
        return curves

    def confusion_matrix(self, rows: Rows) -> list[list[float]]:
        """Return the rows by true class, then by predicted class."""
        hit, false_alarm, miss, rejection = counts(self._total(rows)[:4])
        return [[rejection, false_alarm], [miss, hit]]


F_SCORES = {"f0_5": 0.5, "f1": 1.0, "f2": 2.0}


def _f_score(beta: float, hit: Array, false_alarm: Array, miss: Array) -> Array:
    return np.asarray((1 + beta**2) * hit / ((1 + beta**2) * hit + beta**2 * miss + false_alarm))


def _thresholds(rows: Rows) -> Thresholds:
    return Thresholds(rows["score"], rows["label"], rows.get("weight"))


def log_losses(probabilities: Array, precision: Any) -> Array:
    """Return -log of the probability (n,) that was given to what came; as in scikit-learn, none is 0."""
    smallest = np.finfo(precision).eps
    return np.asarray(-np.log(np.clip(probabilities.astype(np.float64), smallest, 1 - smallest)))


def entropy(shares: Array) -> float:
    """Return the log loss of somebody who always predicts the classes' shares (classes,)."""
    shares = shares[shares > 0]
    return float(-np.dot(shares, np.log(shares)))
