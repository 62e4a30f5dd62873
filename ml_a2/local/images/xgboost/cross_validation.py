"""K-fold cross validation: a model a fold, the metrics on the channels as they are, predictions on each fold's rows.

Source: the container's public source: the metric lines are of the whole channels, not of the folds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_a2.local.images.xgboost.engine import xgb
from ml_a2.local.images.xgboost.plan import Plan

PREDICTIONS = "predictions.csv"


def cross_validate(plan: Plan, data: Mapping[str, xgb.DMatrix], together: xgb.DMatrix) -> list[xgb.Booster]:
    """Train on all rows but each fold's, and write what is predicted of those.

    Args:
        plan: the training; its folds and repetitions.
        data: the channels, whose metrics are printed.
        together: the rows of both channels, which are split into folds.

    Raises:
        AttributeError: there is no objective; the container dies with it too.
    """
    from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold

    objective: Any = plan.parameters.get("objective")
    is_classification = bool(plan.parameters.get("num_class") or objective.startswith("binary:"))
    splitter = RepeatedStratifiedKFold if is_classification else RepeatedKFold
    labels = together.get_label()
    folds = splitter(n_splits=plan.folds or 0, n_repeats=plan.repetitions)
    predictions = _Predictions(labels, plan.repetitions, is_classification=is_classification)
    models: list[xgb.Booster] = []
    results: list[Mapping[str, Mapping[str, Sequence[float]]]] = []
    for chosen, held_out in folds.split(range(len(labels)), labels if is_classification else None):
        result: dict[str, dict[str, list[float]]] = {}
        held_out_rows = together.slice(held_out)
        models.append(plan.train(together.slice(chosen), data, fold=len(models), results=result))
        results.append(result)
        predictions.keep(held_out, models[-1].predict(held_out_rows))
        if len(models) % (plan.folds or 1) == 0:
            _print_means(plan.rounds, results[-(plan.folds or 1) :])
    predictions.write(plan.folders.output_data / PREDICTIONS)
    if plan.repetitions > 1:
        _print_means(plan.rounds, results)
    return models


def _print_means(rounds: int, results: Sequence[Mapping[str, Mapping[str, Sequence[float]]]]) -> None:
    means = [
        f"{channel}-{metric}:{np.mean([result[channel][metric][-1] for result in results]):.5f}"
        for metric in results[0]["train"]
        for channel in results[0]
    ]
    print(f"[{rounds}]", *means, sep="\t", flush=True)


class _Predictions:
    """What was predicted of each row while it was held out: one prediction a repetition."""

    def __init__(self, labels: NDArray[Any], repetitions: int, *, is_classification: bool) -> None:
        self._labels = labels
        self._is_classification = is_classification
        self._values = np.zeros((len(labels), repetitions))
        self._probabilities = np.zeros((len(labels), repetitions))
        self._seen = np.zeros(len(labels), dtype=int)

    def keep(self, rows: NDArray[Any], predicted: NDArray[Any]) -> None:
        repetition = self._seen[rows]
        if not self._is_classification:
            self._values[rows, repetition] = predicted
        elif predicted.ndim > 1:
            self._values[rows, repetition] = predicted.argmax(axis=-1)
            self._probabilities[rows, repetition] = predicted.max(axis=-1)
        else:
            self._values[rows, repetition] = predicted > 0.5
            self._probabilities[rows, repetition] = predicted
        self._seen[rows] += 1

    def write(self, path: Path) -> None:
        """Write the label, then the mean probability and the class predicted most often, or the mean prediction."""
        columns = [self._labels]
        if self._is_classification:
            from scipy import stats

            columns += [self._probabilities.mean(axis=1), stats.mode(self._values, axis=1).mode]
        else:
            columns.append(self._values.mean(axis=1))
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savetxt(path, np.column_stack(columns), delimiter=",", fmt="%f")
