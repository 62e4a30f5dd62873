"""What XGBoost 1.7 measures otherwise than 2.1: an objective's own metric, and the mean average precision of rankings.

Found by running 1.7.4 beside 2.1.4, for every objective of the image.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_a2.local.images.xgboost.engine import xgb

Floats = NDArray[np.floating[Any]]

# The metric that is computed when none is asked for, where 2.1 has another one.
DEFAULTS = {"reg:gamma": "gamma-nloglik", "rank:pairwise": "map", "rank:ndcg": "map", "rank:map": "map"}


def default_metrics(objective: str) -> list[str]:
    """Return the metric of an objective in 1.7; none where XGBoost 2.1 has the same one."""
    return [DEFAULTS[objective]] if objective in DEFAULTS else []


def is_precision(metric: str) -> bool:
    """Tell whether a metric is the mean average precision, which 2.1 refuses for labels that are more than 0 and 1."""
    return metric.partition("@")[0] == "map"


def mean_average_precision(name: str) -> Callable[[Floats, xgb.DMatrix], float]:
    """Return the metric by its name, `map` or `map@N`: a row is relevant whose label is not 0; rows' weights count not.

    The name's N is how many rows of a group, the highest scores first, are looked at.
    """
    threshold = name.partition("@")[2]
    highest = int(float(threshold)) if threshold else None

    def measure(scores: Floats, matrix: xgb.DMatrix) -> float:
        labels = matrix.get_label()
        ends = matrix.get_uint_info("group_ptr")
        if len(ends) < 2:
            ends = np.array([0, len(labels)])
        groups = [slice(first, last) for first, last in pairwise(ends)]
        return float(np.mean([_average_precision(labels[each], scores[each], highest) for each in groups]))

    return measure


def _average_precision(labels: Floats, scores: Floats, highest: int | None) -> float:
    relevant = labels[np.argsort(-scores, kind="stable")] != 0
    if not relevant.any():
        return 1.0
    precisions = np.cumsum(relevant) / np.arange(1, len(relevant) + 1)
    return float(precisions[:highest][relevant[:highest]].sum() / relevant.sum())
