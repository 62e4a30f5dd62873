"""Three classes or more: SageMaker's multi-class metrics, each class weighted by how often it comes."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import Array, Rows
from .binary import F_SCORES, entropy, log_losses
from .kind import HISTOGRAM_BINS, Kind, calibration, counts, histogram

# A matrix grows with the square of the classes, and what the state machine reads must stay below 200 KB.
MOST_CLASSES_IN_MATRIX = 50
NEAR = 1e-6


class Multiclass(Kind):
    """Measures the probabilities of each class; the most probable one is predicted."""

    key = "multiclass_classification_metrics"
    shares = ("accuracy", "weighted_recall")
    order = "confidence"

    def __init__(self, classes: int) -> None:
        """Take the number of classes."""
        self._classes = classes

    def compact(self, labels: Array, predictions: Array) -> dict[str, Array]:
        """Keep of the probabilities (n, classes) the predicted class, its own, and the loss of the true one."""
        predicted = predictions.argmax(axis=1)
        numbers = np.arange(len(labels))
        confidence = predictions[numbers, predicted]
        return {
            "label": labels.astype(np.int32),
            "predicted": predicted.astype(np.int32),
            "confidence": confidence.astype(np.float32),
            # Whether another class comes so near that rounding to 32 bits can decide which one is predicted.
            "close": (predictions > confidence[:, None] - NEAR).sum(axis=1) > 1,
            "loss": log_losses(predictions[numbers, labels.astype(int)], predictions.dtype),
        }

    def sums(self, rows: Rows, chosen: slice, blocks: Array, count: int) -> Array:
        """Sum by class the hits, the rows that are predicted and those that there are, and the log loss."""
        labels, predicted, weights = rows["label"][chosen], rows["predicted"][chosen], rows.weights(chosen)
        parts = [
            self._by_class(blocks, count, labels, weights * (labels == predicted)),
            self._by_class(blocks, count, predicted, weights),
            self._by_class(blocks, count, labels, weights),
            np.bincount(blocks, rows["loss"][chosen] * weights, minlength=count)[:, None],
        ]
        return np.concatenate(parts, axis=1)

    def of_sums(self, sums: Array) -> dict[str, Array]:
        """Return the metrics; a class that is never predicted has a precision of 0, as in scikit-learn."""
        hits, predicted, there = (sums[..., part * self._classes : (part + 1) * self._classes] for part in range(3))
        rows = there.sum(axis=-1)
        shares = there / rows[..., None]
        values = {
            "accuracy": hits.sum(axis=-1) / rows,
            "weighted_precision": (_ratio(hits, predicted) * shares).sum(axis=-1),
            "weighted_recall": hits.sum(axis=-1) / rows,
        }
        for name, beta in F_SCORES.items():
            score = _ratio((1 + beta**2) * hits, beta**2 * there + predicted)
            values["weighted_" + name] = (score * shares).sum(axis=-1)
        values["log_loss"] = sums[..., -1] / rows
        return values

    def share_rows(self, metric: str, total: Array) -> float:
        """Return the rows: both shares are of all."""
        return float(total[2 * self._classes : 3 * self._classes].sum())

    def baseline(self, rows: Rows) -> tuple[str, dict[str, float]]:
        """Predict the most frequent class."""
        there = np.bincount(rows["label"], rows.weights(), minlength=self._classes)
        most = int(there.argmax())
        hits, predicted = np.zeros((2, self._classes))
        hits[most], predicted[most] = there[most], there.sum()
        loss = entropy(there / there.sum()) * there.sum()
        values = self.of_sums(np.concatenate([hits, predicted, there, [loss]]))
        return "always class {}".format(most), {name: float(value) for name, value in values.items()}

    def why(self, rows: Rows, metric: str) -> str:
        """Name what the rows lack: with any row at all, every metric has a value."""
        return "the weights of the validation rows are all 0"

    def curves(self, rows: Rows) -> dict[str, Any]:
        """Return calibration and histogram of the confidence, each class's metrics, and the confusion matrix."""
        labels, predicted, confidence = rows["label"], rows["predicted"], rows["confidence"]
        weights, right = rows.weights(), labels == predicted
        edges = np.linspace(0, 1, HISTOGRAM_BINS + 1)
        curves: dict[str, Any] = {
            "calibration": calibration(confidence, right, weights),
            "score_histogram": {
                "edges": edges.tolist(),
                "counts": {
                    "right": histogram(confidence[right], edges, weights[right]),
                    "wrong": histogram(confidence[~right], edges, weights[~right]),
                },
            },
            "per_class": self._per_class(rows),
        }
        if self._classes <= MOST_CLASSES_IN_MATRIX:
            curves["confusion_matrix"] = {"counts": self.confusion_matrix(rows)}
        return curves

    def confusion_matrix(self, rows: Rows) -> list[list[float]]:
        """Return the rows by true class, then by predicted class."""
        cells = rows["label"].astype(np.int64) * self._classes + rows["predicted"]
        sums = np.bincount(cells, rows.weights(), minlength=self._classes**2)
        return [counts(line) for line in sums.reshape(self._classes, self._classes)]

    def _per_class(self, rows: Rows) -> list[dict[str, Any]]:
        total = self._total(rows)
        hits, predicted, there = (total[part * self._classes : (part + 1) * self._classes] for part in range(3))
        precision, recall = _ratio(hits, predicted), _ratio(hits, there)
        f1 = _ratio(2 * hits, there + predicted)
        number_of_rows = np.bincount(rows["label"], minlength=self._classes)
        return [
            {
                "class": number,
                "rows": int(number_of_rows[number]),
                "precision": float(precision[number]) if predicted[number] else None,
                "recall": float(recall[number]) if there[number] else None,
                "f1": float(f1[number]) if there[number] + predicted[number] else None,
            }
            for number in range(self._classes)
        ]

    def _by_class(self, blocks: Array, count: int, classes: Array, weights: Array) -> Array:
        cells = np.bincount(blocks * self._classes + classes, weights, minlength=count * self._classes)
        return cells.reshape(count, self._classes)


def _ratio(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.zeros_like(part, dtype=np.float64), where=whole > 0)
