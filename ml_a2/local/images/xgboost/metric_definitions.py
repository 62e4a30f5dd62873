r"""The metrics that the service finds in the image's log lines, by the image's own definitions.

Source: the names are those of the container's public source, branch 1.7-1. There each value is `\S+`, which would take
the next metric of the line with it: a tab is `#011`, as in CloudWatch Logs. The expressions are those that
DescribeTrainingJob was seen to answer for other versions of the image.
"""

from __future__ import annotations

from collections.abc import Mapping

METRICS = (
    "accuracy", "auc", "aucpr", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "map", "ndcg", "precision", "r2",
    "recall", "precision_macro", "precision_micro", "recall_macro", "recall_micro", "aft-nloglik", "cox-nloglik",
    "error", "gamma-deviance", "gamma-nloglik", "interval-regression-accuracy", "logloss", "mae", "mape", "merror",
    "mlogloss", "mphe", "mse", "poisson-nloglik", "rmse", "rmsle", "tweedie-nloglik",
)  # fmt: skip
VALUE = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"
# Regular expressions by the metrics' names in CloudWatch.
METRIC_DEFINITIONS: Mapping[str, str] = {
    f"validation:{metric}": rf".*\[[0-9]+\].*#011validation-{metric}:{VALUE}.*" for metric in METRICS
}
