"""A number, or a count: SageMaker's regression metrics, and the deviance of counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import Array, Rows
from .intervals import SEED
from .kind import HISTOGRAM_BINS, Kind, bin_edges, by_block, calibration, histogram

POISSON = "count:poisson"
MOST_POINTS = 500


class Regression(Kind):
    """Measures predicted values."""

    key = "regression_metrics"
    order = "prediction"

    def __init__(self, objective: str) -> None:
        """Take the objective: counts have a metric more."""
        self._counts = objective == POISSON

    def compact(self, labels: Array, predictions: Array) -> dict[str, Array]:
        """Keep both."""
        return {"label": labels, "prediction": predictions}

    def sums(self, rows: Rows, chosen: slice, blocks: Array, count: int) -> Array:
        """Sum weights, errors, and labels about a value in their middle, so that no digits are lost."""
        labels, weights = rows["label"][chosen], rows.weights(chosen)
        predictions = rows["prediction"][chosen].astype(np.float64)
        errors, centered = labels - predictions, labels - rows["label"][len(rows) // 2]
        statistics = [np.ones_like(errors), np.abs(errors), errors**2, centered, centered**2]
        if self._counts:
            statistics.append(poisson_deviances(labels, predictions))
        return by_block(blocks, count, *(each * weights for each in statistics))

    def of_sums(self, sums: Array) -> dict[str, Array]:
        """Return the metrics; r2 needs labels that differ."""
        rows = sums[..., 0]
        with np.errstate(invalid="ignore", divide="ignore"):
            mse = sums[..., 2] / rows
            variance = sums[..., 4] / rows - (sums[..., 3] / rows) ** 2
            # What rounding leaves of labels that are all alike is no variance.
            variance = np.where(variance > 1e-12 * np.abs(sums[..., 4] / rows), variance, np.nan)
            values = {"mae": sums[..., 1] / rows, "mse": mse, "rmse": np.sqrt(mse), "r2": 1 - mse / variance}
            if self._counts:
                values["mean_poisson_deviance"] = sums[..., 5] / rows
        return values

    def baseline(self, rows: Rows) -> tuple[str, dict[str, float]]:
        """Predict the mean of the labels."""
        mean = float(np.average(rows["label"], weights=rows.weights()))
        constant = {"label": rows["label"], "prediction": np.full(len(rows), mean)}
        if "weight" in rows:
            constant["weight"] = rows["weight"]
        values = self.values(Rows(constant))
        if np.isfinite(values["r2"]):
            values["r2"] = 0.0  # by definition; what rounding leaves is no figure
        if self._counts and mean <= 0:
            values["mean_poisson_deviance"] = float("nan")
        return "always the mean, {:.6g}".format(mean), values

    def why(self, rows: Rows, metric: str) -> str:
        """Name what the rows lack."""
        return "the labels of the validation rows are all alike"

    def curves(self, rows: Rows) -> dict[str, Any]:
        """Return the residuals' histogram, a sample of predictions, and the means in bins."""
        labels, predictions = rows["label"], rows["prediction"]
        residuals = labels - predictions
        edges = bin_edges(residuals, HISTOGRAM_BINS)
        chosen = np.arange(len(rows))
        if len(rows) > MOST_POINTS:
            chosen = np.sort(np.random.RandomState(SEED).randint(0, len(rows), MOST_POINTS))
        return {
            "residuals": {"edges": edges.tolist(), "counts": histogram(residuals, edges, rows.weights())},
            "predictions": {
                "actual": labels[chosen].astype(float).tolist(),
                "predicted": predictions[chosen].astype(float).tolist(),
            },
            "calibration": calibration(predictions, labels, rows.weights()),
        }


def poisson_deviances(labels: Array, predictions: Array) -> Array:
    """Return twice the log likelihood that a count (n,) lacks of the best, (n,)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.where(labels > 0, labels * np.log(labels / predictions), 0.0)
        return np.asarray(2 * (logs - labels + predictions))
