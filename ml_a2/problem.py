"""What is to be learned: the kind of problem, its objective and metric, and its classes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ml_a2.data.cells import shown, some
from ml_a2.data.suspicion.labels import told_alike
from ml_a2.errors import DataError, UserError
from ml_a2.suggestions import did_you_mean

# Integers with at most this many distinct values count as classes when no objective says otherwise.
MOST_INFERRED_CLASSES = 20

KINDS = {
    "binary:logistic": "binary", "binary:logitraw": "binary", "binary:hinge": "binary",
    "multi:softmax": "multiclass", "multi:softprob": "multiclass",
    "count:poisson": "regression", "reg:gamma": "regression", "reg:linear": "regression",
    "reg:logistic": "regression", "reg:pseudohubererror": "regression", "reg:squarederror": "regression",
    "reg:squaredlogerror": "regression", "reg:absoluteerror": "regression", "reg:tweedie": "regression",
    "rank:pairwise": "ranking", "rank:ndcg": "ranking", "rank:map": "ranking",
}  # fmt: skip
DEFAULTS = {
    "binary": ("binary:logistic", "auc"),
    "multiclass": ("multi:softprob", "mlogloss"),
    "regression": ("reg:squarederror", "rmse"),
    "ranking": ("rank:pairwise", "ndcg"),
}

# What an objective asks of its labels beyond being numbers: a lower end, and whether it is excluded.
LABEL_RANGES: Mapping[str, tuple[float, float]] = {
    "count:poisson": (0, math.inf), "reg:tweedie": (0, math.inf), "reg:gamma": (math.nextafter(0, 1), math.inf),
    "reg:logistic": (0, 1), "reg:squaredlogerror": (math.nextafter(-1, 0), math.inf),
    "rank:pairwise": (0, math.inf), "rank:ndcg": (0, 31), "rank:map": (0, 1),
}  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """The kind (binary, multiclass, regression, ranking), and what the training job is asked for."""

    kind: str
    objective: str
    metric: str
    classes: tuple[Any, ...] = ()
    inferred: bool = False
    hyperparameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_classes(self) -> bool:
        """Tell whether labels are classes, not values."""
        return self.kind in ("binary", "multiclass")

    @property
    def label_mapping(self) -> dict[str, int]:
        """Return how labels are encoded: 0, 1, ... in sorted order; empty where labels are values."""
        return {str(label): code for code, label in enumerate(self.classes)}

    @property
    def taken_for_classes(self) -> str:
        """Return that several whole numbers were taken for classes, to begin a sentence with; nothing otherwise."""
        words = any(isinstance(label, str) for label in self.classes)
        if words or not self.inferred or self.kind != "multiclass":
            return ""
        return f"the target was taken for classes ({len(self.classes)} different whole numbers): "

    @property
    def taken_for_values(self) -> str:
        """Return how they are taken for values, to begin a remedy with; nothing otherwise."""
        return "for a regression add --set objective=reg:squarederror, otherwise " if self.taken_for_classes else ""


class Labels(Protocol):
    """The target's values in the training rows, none of them missing."""

    def kind(self) -> str:
        """Return the kind of problem that they look like."""

    def distinct(self) -> Iterable[Any]:
        """Return each of them once."""


def infer_problem(labels: Labels, objective: str | None, name: str, column: str) -> Problem:
    """Choose the kind by the objective, or by the labels when none is given.

    Args:
        labels: those of the training rows.
        objective: the objective that was chosen, None to infer it.
        name: the file, for errors.
        column: the target column, for errors.

    Raises:
        DataError: the objective is not one that can be evaluated, or does not fit the labels.
    """
    if objective is not None and objective not in KINDS:
        question = did_you_mean(objective, KINDS)
        raise DataError(f"objective {objective!r} cannot be evaluated; choose one of {', '.join(KINDS)}{question}")
    kind = KINDS[objective] if objective else labels.kind()
    chosen, metric = (objective or DEFAULTS[kind][0]), DEFAULTS[kind][1]
    classes = () if kind in ("regression", "ranking") else tuple(sorted(labels.distinct(), key=_sort_key))
    where = f"{name}, column {column!r}"
    if kind in ("binary", "multiclass"):
        _check_number(classes, chosen, where)
    hyperparameters = {"objective": chosen, "eval_metric": metric}
    if kind == "multiclass":
        hyperparameters["num_class"] = str(len(classes))
    return Problem(kind, chosen, metric, classes, objective is None, hyperparameters)


def _check_number(classes: Sequence[Any], objective: str, where: str) -> None:
    binary = KINDS[objective] == "binary"
    wanted = f"{where}: objective {objective!r} needs {'' if binary else 'at least '}2 distinct labels, "
    if len(classes) == 1:
        only = f"there is 1: every label is {shown(classes[0])}"
        raise DataError(f"{wanted}{only}; add rows of other classes, or name another target")
    if binary and len(classes) != 2:
        remedy = "remove the others, or choose objective 'multi:softprob' for classes, 'reg:squarederror' for values"
        raise DataError(
            f"{wanted}there are {len(classes)}: {some(classes)}; {told_alike(classes) or remedy}".rstrip("; ")
        )


def merge_hyperparameters(problem: Problem, stack: Mapping[str, str], chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the hyperparameters of an execution's input, which are laid over the stack's own.

    Args:
        problem: what the data asks for.
        stack: those that the settings file names.
        chosen: those chosen for this execution alone; they win.

    Raises:
        UserError: a number of classes was chosen that the data does not have, or weights, which it has not.
    """
    named = {**stack, **chosen}
    if named.get("csv_weights", "0") != "0":
        raise UserError(
            f"csv_weights {named['csv_weights']!r} would take the first feature for the rows' weights: data is written "
            "without a weight column here; leave it out, or upload weighted files and start the execution yourself"
        )
    if "num_class" in named and named["num_class"] != problem.hyperparameters.get("num_class"):
        raise UserError(
            f"num_class {named['num_class']!r} does not fit the data: objective {problem.objective!r} with "
            f"{len(problem.classes)} distinct labels; leave it out, it is set from the data"
        )
    asked = {name: value for name, value in problem.hyperparameters.items() if name not in stack}
    return {**asked, **chosen}


def likely_kind(distinct: int, *, numbers: bool, whole: bool) -> str:
    """Return what labels look like.

    Args:
        distinct: how many of them are distinct.
        numbers: whether they are numbers, and not only true and false.
        whole: whether all of the numbers are whole.
    """
    if not numbers:
        return "binary" if distinct <= 2 else "multiclass"
    if whole and distinct <= 2:
        return "binary"
    return "multiclass" if whole and distinct <= MOST_INFERRED_CLASSES else "regression"


def label_range(problem: Problem) -> tuple[float, float]:
    """Return the least and the largest label that the objective takes, both included."""
    return LABEL_RANGES.get(problem.objective, (-math.inf, math.inf))


def _sort_key(label: Any) -> Any:
    return str(label) if isinstance(label, str) else label
