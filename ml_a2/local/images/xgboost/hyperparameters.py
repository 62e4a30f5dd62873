"""The 53 hyperparameters of the built-in algorithm: names, types and ranges of version 1.7-1.

Source: hyperparameters.tsv, the container's own validation schema as a table; its public source for the order of the
checks and for what an unforeseen value does.
"""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from ml_a2.errors import HyperparameterError
from ml_a2.local.images.xgboost.dependencies import check_dependencies
from ml_a2.local.images.xgboost.image_errors import AlgorithmError, ImageError, UserError
from ml_a2.suggestions import did_you_mean

INTERVAL = re.compile(r"([\[(])(\S+), (\S+)([\])])")
# Metrics that take a threshold: error@0.7, ndcg@5.
WITH_THRESHOLD = ("error", "ndcg", "map")


@dataclass(frozen=True)
class Hyperparameter:
    """One row of the table."""

    name: str
    kind: str
    required: bool
    allowed: str
    aliases: tuple[str, ...]
    depends_on: tuple[str, ...]

    def parse(self, value: Any) -> Any:
        """Return the value in its own type.

        Raises:
            UserError: it is not written as one.
            Exception: whatever Python says of text that is no value at all; the container does not catch it either.
        """
        try:
            return _PARSERS[self.kind](value)
        except ValueError as error:
            raise UserError(f"Hyperparameter {self.name}: could not parse value", error) from error

    def check_range(self, value: Any) -> None:
        """Refuse a value out of range.

        Raises:
            UserError: it lies outside.
            AlgorithmError: it cannot be compared with the range.
        """
        try:
            outside, words = self._outside(value)
        except ImageError:
            raise
        except Exception as error:
            message = f"Hyperparameter {self.name}: unexpected failure when validating {value}"
            raise AlgorithmError(message, error) from error
        if outside:
            raise UserError(f"Hyperparameter {self.name}: {words}")

    def _outside(self, value: Any) -> tuple[bool, str]:
        if self.kind == "CommaSeparatedList":
            fits = all(map(self._is_metric if self.name == "eval_metric" else self._is_choice, value))
        elif self.kind == "Tuple":
            fits = all(map(self._is_choice, value))
        elif self.kind == "NestedList":
            fits = all(self._within(element) for outer in value for element in outer)
        else:
            fits = self._is_choice(value) if self.kind == "Categorical" else self._within(value)
            return not fits, f"{value} is not in {self.allowed}"
        return not fits, f"value {value} not in range {self.allowed}"

    def question(self, value: str) -> str:
        """Return which choice may be meant by a text, of several the first that is none; nothing where all are."""
        if self.kind not in ("Categorical", "CommaSeparatedList"):
            return ""
        parts = value.split(",") if self.kind == "CommaSeparatedList" else [value]
        wrong = [part for part in parts if part.partition("@")[0] not in self._choices]
        return did_you_mean(wrong[0], self._choices) if wrong else ""

    def _is_choice(self, value: Any) -> bool:
        return value in self._choices

    def _is_metric(self, metric: str) -> bool:
        if "<function" in metric:
            raise UserError(f"User defined evaluation metric {metric} is not supported yet.")
        if "@" not in metric:
            return self._is_choice(metric)
        name, threshold = (part.strip() for part in metric.split("@")[:2])
        if name not in WITH_THRESHOLD:
            raise UserError(
                f"Metric '{metric}' is not supported. Parameter 'eval_metric' with customized threshold should be one "
                "of these options: 'error', 'ndcg', 'map'."
            )
        try:
            float(threshold)
        except ValueError as error:
            raise UserError(f"Threshold value 't' in '{name}@t' expects float input.") from error
        return True

    @property
    def _choices(self) -> list[Any]:
        choices: list[Any] = ast.literal_eval(self.allowed)
        return choices

    def _within(self, value: float) -> bool:
        """Test an interval by what it excludes, as the container does: nan passes."""
        match = INTERVAL.fullmatch(self.allowed)
        assert match, self.allowed
        low, high = float(match[2]), float(match[3])
        below = value < low if match[1] == "[" else value <= low
        above = value > high if match[4] == "]" else value >= high
        return not below and not above


def parse_hyperparameters(given: Mapping[str, Any]) -> dict[str, Any]:
    """Check and convert the hyperparameters of a job, in the container's order.

    Raises:
        ImageError: one is unknown, missing, unparsable, out of range, or does not go with another.
    """
    table = hyperparameter_table()
    by_alias = {alias: row.name for row in table.values() for alias in row.aliases}
    named = {by_alias.get(name, name): value for name, value in given.items()}
    for row in table.values():
        if row.required and row.name not in named:
            raise UserError(f"Missing required hyperparameter: {row.name}")
    values = {}
    for name, value in named.items():
        if name not in table:
            raise UserError(f"Extraneous hyperparameter found: {name}")
        values[name] = table[name].parse(value)
    for name, value in values.items():
        table[name].check_range(value)
    checked: dict[str, Any] = {}
    for name in _dependencies_first(values, table):
        check_dependencies(
            name, values[name], {each: checked[each] for each in table[name].depends_on if each in checked}
        )
        checked[name] = values[name]
    return checked


def _dependencies_first(names: Mapping[str, Any], table: Mapping[str, Hyperparameter]) -> Sequence[str]:
    ordered: dict[str, None] = {}

    def visit(name: str) -> None:
        for other in table[name].depends_on:
            if other in names and other not in ordered:
                visit(other)
        ordered[name] = None

    for name in names:
        if name not in ordered:
            visit(name)
    return list(ordered)


def check_hyperparameters(given: Mapping[str, str]) -> None:
    """Check names, values and combinations before anything is started.

    Raises:
        HyperparameterError: says what the image would say.
    """
    try:
        parse_hyperparameters(given)
    except ImageError as problem:
        words = f"the XGBoost image would refuse this: {problem}{_question(given)}"
        raise HyperparameterError(words) from problem
    except Exception as problem:
        words = f"{type(problem).__name__}: {problem}"
        raise HyperparameterError(f"the XGBoost image would fail on this hyperparameter: {words}") from problem


def _question(given: Mapping[str, str]) -> str:
    """Return which name or value a person may have meant by the first that is not known."""
    table = hyperparameter_table()
    by_name = {name: row for row in table.values() for name in (row.name, *row.aliases)}
    for name in given:
        if name not in by_name and (question := did_you_mean(name, by_name)):
            return question
    for name, value in given.items():
        if question := by_name[name].question(value) if name in by_name else "":
            return question
    return ""


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
            tuple(filter(None, row["depends_on"].split(","))),
        )
        for row in csv.DictReader(text.splitlines(), delimiter="\t")
    }


def _evaluate(value: Any) -> Any:
    """Return what Python makes of the text: a tuple or list; the container evaluates it, here it is only read."""
    if not isinstance(value, str):
        return value
    try:
        return ast.literal_eval(value)
    except ValueError as error:
        raise NameError(f"{value!r} is no literal of Python") from error


_PARSERS: dict[str, Callable[[Any], Any]] = {
    "Integer": int,
    "Continuous": float,
    "Categorical": lambda value: value,
    "CommaSeparatedList": lambda value: value.split(","),
    "Tuple": _evaluate,
    "NestedList": _evaluate,
}
