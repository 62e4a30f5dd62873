"""Which hyperparameters go together: what the container refuses in combination.

Source: the container's public source; the words are those that a person finds in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ml_a2.local.images.xgboost.image_errors import UserError

Others = Mapping[str, Any]

LINEAR_UPDATERS = ("shotgun", "coord_descent")
PROCESS_UPDATERS = ("refresh", "prune")
TREE_UPDATERS = ("grow_colmaker", "distcol", "grow_histmaker", "grow_skmaker", "sync", "refresh", "prune")
TREE_GROWERS = ("grow_colmaker", "distcol", "grow_histmaker")
MULTI_CLASS = ("multi:softmax", "multi:softprob")


def check_dependencies(name: str, value: Any, others: Others) -> None:
    """Check one hyperparameter against those that it depends on.

    Raises:
        UserError: they do not go together.
        KeyError: `eval_metric` without `objective`; the container dies with it too.
    """
    if name in _CHECKS:
        _CHECKS[name](value, others)


def _updater(value: list[str], others: Others) -> None:
    if others.get("booster") == "gblinear":
        if len(value) != 1 or value[0] not in LINEAR_UPDATERS:
            raise UserError("Linear updater should be one of these options: 'shotgun', 'coord_descent'.")
    elif others.get("process_type") == "update":
        if not set(value) <= set(PROCESS_UPDATERS):
            raise UserError("process_type 'update' can only be used with updater 'refresh' and 'prune'")
    elif not set(value) <= set(TREE_UPDATERS):
        listed = ", ".join(map(repr, TREE_UPDATERS))
        raise UserError(f"Tree updater should be selected from these options: {listed}, 'shortgun', 'coord_descent'.")
    elif sum(each in TREE_GROWERS for each in value) > 1:
        raise UserError(
            "Only one tree grow plugin can be selected. Choose one from thefollowing: 'grow_colmaker', 'distcol', "
            "'grow_histmaker', 'grow_skmaker'"
        )


def _objective(value: str, others: Others) -> None:
    if value in MULTI_CLASS and "num_class" not in others:
        raise UserError("Require input for parameter 'num_class' for multi-classification")


def _eval_metric(value: list[str], others: Others) -> None:
    objective = others["objective"]
    if "auc" in value and not objective.startswith(("binary:", "rank:")):
        raise UserError("Metric 'auc' can only be applied for classification and ranking problems.")
    if "aft-nloglik" in value and objective != "survival:aft":
        raise UserError("Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.")


def _monotone_constraints(value: Any, others: Others) -> None:
    if others.get("tree_method") not in ("exact", "hist"):
        raise UserError(
            "monotone_constraints can be used only when the tree_method parameter is set to either 'exact' or 'hist'."
        )


def _interaction_constraints(value: Any, others: Others) -> None:
    if others.get("tree_method") not in ("exact", "hist", "approx"):
        raise UserError(
            "interaction_constraints can be used only when the tree_method parameter is set to either 'exact', 'hist' "
            "or 'approx'."
        )


_CHECKS: dict[str, Callable[[Any, Others], None]] = {
    "updater": _updater,
    "objective": _objective,
    "eval_metric": _eval_metric,
    "monotone_constraints": _monotone_constraints,
    "interaction_constraints": _interaction_constraints,
}
