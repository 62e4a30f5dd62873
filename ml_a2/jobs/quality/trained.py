"""What the training said of the validation rows when it ended, as the state machine tells it to the evaluation.

Variables carry it, since each of them holds 256 characters only: one for each metric, a JSON list of its last value, or
an empty one where the training has not printed that metric, or where nothing was trained.
"""

from __future__ import annotations

import json
import math
from typing import Mapping, NamedTuple

from .errors import EvaluationError

# The metrics that can be compared with what the evaluation measures, in the image's words.
METRICS = (
    "auc", "logloss", "error", "merror", "mlogloss", "accuracy", "balanced_accuracy", "f1", "f1_binary", "f1_macro",
    "precision", "precision_macro", "precision_micro", "recall", "recall_macro", "recall_micro", "rmse", "mae", "mse",
    "r2", "rmsle", "mape", "mphe", "poisson-nloglik", "gamma-nloglik",
)  # fmt: skip
# The end of the list of metrics that were asked for: by the last of them the training stops early.
LAST_ASKED = "TRAINED_LAST_ASKED"
# The metric by which a tuning judges, `["validation:auc"]`: where there is one, it stops by that.
TUNED = "TRAINED_TUNED"


class Trained(NamedTuple):
    """Metrics by name of the model that was kept, and whether that is the model of the best round, not of the last."""

    metrics: dict[str, float]
    best_round: bool


def variable(metric: str) -> str:
    """Return the name of the variable that holds a metric's last value."""
    return "TRAINED_" + metric.replace("-", "_")


def read_trained(environment: Mapping[str, str], best_score: float | None) -> Trained:
    """Return what the training said.

    Args:
        environment: the job's variables.
        best_score: of the metric by which the training stops early, in the round whose model was kept; None where it
            kept the last round's. Of all other metrics nothing is known of that round.

    Raises:
        EvaluationError: a variable holds something else than the state machine writes.
    """
    last = {metric: _numbers(environment, variable(metric)) for metric in METRICS}
    if best_score is None:
        return Trained({metric: values[-1] for metric, values in last.items() if values}, False)
    stopped_on = stopping_metric(environment)
    known = stopped_on in last and last[stopped_on] and math.isfinite(best_score)
    return Trained({stopped_on: best_score} if known else {}, True)


def stopping_metric(environment: Mapping[str, str]) -> str:
    """Return the metric by which a training stops early; empty where that is not told."""
    tuned = environment.get(TUNED, "").strip('[]"')
    return (tuned.partition(":")[2] or environment.get(LAST_ASKED, "").strip('[]" ')).strip()


def _numbers(environment: Mapping[str, str], name: str) -> list[float]:
    text = environment.get(name, "[]")
    try:
        return [float(value) for value in json.loads(text)]
    except (ValueError, TypeError) as error:
        raise EvaluationError("the variable {} is {!r}, not a JSON list of numbers".format(name, text)) from error
