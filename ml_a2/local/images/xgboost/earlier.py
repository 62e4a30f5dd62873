"""What XGBoost 1.7 refuses and 2.1 does not, in 1.7's words; found by running 1.7.4 beside 2.1.4."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml_a2.local.images.xgboost.engine import xgb


def refuse_as_1_7(parameters: Mapping[str, Any], watched: Mapping[str, xgb.DMatrix]) -> None:
    """Refuse what 1.7 does on a machine without a GPU.

    Args:
        parameters: XGBoost's own, with the metrics that are asked of it.
        watched: the channels, on which the metrics are computed.

    Raises:
        ValueError: 1.7 would not train.
    """
    if parameters.get("booster", "gbtree") != "gblinear":
        if parameters.get("predictor") == "gpu_predictor":
            raise ValueError(
                "Check failed: common::AllVisibleGPUs() >= 1 (0 vs. 1) : No visible GPU is found for XGBoost."
            )
        if "sync" in parameters.get("updater", "").split(","):
            raise ValueError("map::at")
    is_of_one_class = not parameters.get("objective", "").startswith("multi:")
    if is_of_one_class and "aucpr" in parameters.get("eval_metric", ()):
        for matrix in watched.values():
            labels = matrix.get_label()
            if labels.min() < 0 or labels.max() > 1 or labels.min() == 1:
                raise ValueError("Check failed: auc <= local_area (nan vs. 1) : ")
