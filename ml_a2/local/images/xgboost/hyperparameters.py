"""The 53 hyperparameters of the built-in algorithm: names, types and ranges of version 1.7-1.

Source: hyperparameters.tsv, the container's own validation schema as a table.
"""

from __future__ import annotations

import ast
import csv
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from ml_a2.errors import HyperparameterError
from ml_a2.local.images.xgboost.image_errors import ImageUserError

MULTI_CLASS = ("multi:softmax", "multi:softprob")
# They choose the container's mode and reporting, and are no parameters of XGBoost.
OF_THE_CONTAINER = ("save_model_on_termination", "use_dask_gpu_training", "prob_buffer_row")
# What the local stand-in does not do yet; the values are those that ask for nothing.
NOT_CARRIED_OUT = {
    "_kfold": None, "_num_cv_round": None, "_tuning_objective_metric": None,
    "save_model_on_termination": "false", "use_dask_gpu_training": "false",
}  # fmt: skip
LINEAR_UPDATERS = {"shotgun", "coord_descent"}
PROCESS_UPDATERS = {"refresh", "prune"}
TREE_METHODS = ("exact", "hist", "approx")
TREE_UPDATERS = {"grow_colmaker", "distcol", "grow_histmaker", "grow_skmaker", "sync", "refresh", "prune"}


@dataclass(frozen=True)
class Hyperparameter:
    """One row of the table."""

    name: str
    kind: str
    required: bool
    allowed: str
    aliases: tuple[str, ...]

    def parse(self, text: str) -> Any:
        """Return the value in its own type.

        Raises:
            ImageUserError: it cannot be parsed, or lies outside the range.
        """
        try:
            value = _PARSERS[self.kind](text)
        except (ValueError, SyntaxError) as error:
            name = type(error).__name__
            raise ImageUserError(f"Hyperparameter {self.name}: could not parse value (caused by {name})") from error
        if self.kind == "CommaSeparatedList":
            if not set(value) <= set(self._choices):
                raise ImageUserError(f"Hyperparameter {self.name}: value {value} not in range {self.allowed}")
        elif self.kind == "Categorical":
            if value not in self._choices:
                raise ImageUserError(f"Hyperparameter {self.name}: {value} is not in {self.allowed}")
        elif self.kind in ("Integer", "Continuous") and not self._within(value):
            raise ImageUserError(f"Hyperparameter {self.name}: {value} is not in {self.allowed}")
        return value

    @property
    def _choices(self) -> list[str]:
        choices: list[str] = ast.literal_eval(self.allowed)
        return choices

    def _within(self, value: float) -> bool:
        """Test an interval by what it excludes, as the container does: nan passes."""
        match = re.fullmatch(r"([\[(])(\S+), (\S+)([\])])", self.allowed)
        assert match, self.allowed
        low, high = float(match[2]), float(match[3])
        below = value < low if match[1] == "[" else value <= low
        above = value > high if match[4] == "]" else value >= high
        return not below and not above


def parse_hyperparameters(given: Mapping[str, object]) -> dict[str, Any]:
    """Check and convert the hyperparameters of a job.

    Raises:
        ImageUserError: one is unknown, missing, unparsable or out of range.
    """
    table = hyperparameter_table()
    by_alias = {alias: row.name for row in table.values() for alias in row.aliases}
    named = {by_alias.get(name, name): str(text) for name, text in given.items()}
    for name in named:
        if name not in table:
            raise ImageUserError(f"Extraneous hyperparameter found: {name}")
    for row in table.values():
        if row.required and row.name not in named:
            raise ImageUserError(f"Missing required hyperparameter: {row.name}")
    values = {name: table[name].parse(text) for name, text in named.items()}
    if values.get("objective") in MULTI_CLASS and "num_class" not in values:
        raise ImageUserError("Require input for parameter 'num_class' for multi-classification")
    _check_dependencies(values)
    for name, harmless in NOT_CARRIED_OUT.items():
        if name in values and values[name] != harmless:
            raise ImageUserError(f"hyperparameter {name} is not carried out locally yet; see docs/fidelity.md")
    return {name: value for name, value in values.items() if name not in OF_THE_CONTAINER}


def _check_dependencies(values: Mapping[str, Any]) -> None:
    """Refuse what the container refuses in combination."""
    if "eval_metric" in values:
        objective = values["objective"]  # the container dies with this KeyError as well
        if "auc" in values["eval_metric"] and not objective.startswith(("binary:", "rank:")):
            raise ImageUserError("Metric 'auc' can only be applied for classification and ranking problems.")
    for name, methods in (("monotone_constraints", ("exact", "hist")), ("interaction_constraints", TREE_METHODS)):
        if name in values and values.get("tree_method") not in methods:
            raise ImageUserError(f"{name} can be used only when the tree_method parameter is set to one of {methods}.")
    if "updater" in values:
        _check_updater(set(values["updater"]), values)


def _check_updater(updater: set[str], values: Mapping[str, Any]) -> None:
    if values.get("booster") == "gblinear":
        allowed, single = LINEAR_UPDATERS, True
    elif values.get("process_type") == "update":
        allowed, single = PROCESS_UPDATERS, False
    else:
        allowed, single = TREE_UPDATERS, False
    if not updater <= allowed or (single and len(updater) != 1):
        raise ImageUserError(f"Hyperparameter updater: {sorted(updater)} does not fit; choose from {sorted(allowed)}")


def check_hyperparameters(given: Mapping[str, str]) -> None:
    """Check names, values and combinations before anything is started.

    Raises:
        HyperparameterError: names the hyperparameter and what is allowed.
    """
    try:
        parse_hyperparameters(given)
    except ImageUserError as problem:
        raise HyperparameterError(f"the XGBoost image would refuse this: {problem}") from problem


@cache
def hyperparameter_table() -> dict[str, Hyperparameter]:
    """Return the table, by name."""
    text = files(__package__).joinpath("hyperparameters.tsv").read_text(encoding="utf-8")
    return {
        row["name"]: Hyperparameter(
            row["name"],
            row["type"],
            row["required"] == "True",
            row["range"],
            tuple(filter(None, row["aliases"].split(","))),
        )
        for row in csv.DictReader(text.splitlines(), delimiter="\t")
    }


_PARSERS: dict[str, Callable[[str], Any]] = {
    "Integer": int,
    "Continuous": float,
    "Categorical": str,
    "CommaSeparatedList": lambda text: text.split(","),
    "Tuple": lambda text: text if isinstance(ast.literal_eval(text), tuple) else _fail(),
    "NestedList": lambda text: text if isinstance(json.loads(text), list) else _fail(),
}


def _fail() -> str:
    raise ValueError
