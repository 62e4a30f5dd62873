"""Hyperparameters: what the table allows trains, what it forbids never does, whatever else is chosen."""

from __future__ import annotations

import ast
import contextlib
import csv
import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import xgboost as xgb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_a2.errors import HyperparameterError
from ml_a2.local.images.xgboost import hyperparameters
from ml_a2.local.images.xgboost.hyperparameters import (
    check_hyperparameters,
    hyperparameter_table,
    parse_hyperparameters,
)
from ml_a2.local.images.xgboost.image_errors import ImageError
from ml_a2.local.images.xgboost.plan import Folders, Version
from ml_a2.local.images.xgboost.training import train

WORDS = st.sampled_from(["", "auto", "hist", "yes", "3.5", "[[1", "(1,", "nan", "auc", "validation:auc", "true", "-1"])
FITTING = {
    "Integer": st.integers(1, 3),
    "Continuous": st.floats(0.1, 0.9).map(lambda value: round(value, 2)),
    "Tuple": st.just("(0,1,0)"),
    "NestedList": st.just("[[1,2]]"),
}


def _values_of(row: Any) -> Any:
    """Draw a value of the row's own kind, most of them fitting, or now and then some word."""
    fitting = st.sampled_from(row._choices) if row.kind in ("Categorical", "CommaSeparatedList") else FITTING[row.kind]
    return st.integers(0, 9).flatmap(lambda chance: WORDS if chance == 0 else fitting)


@st.composite
def _hyperparameters(draw: Any) -> dict[str, str]:
    table = {**hyperparameter_table(), "learning_rate": hyperparameter_table()["eta"]}
    names = draw(st.lists(st.sampled_from(sorted(table)), max_size=6, unique=True))
    chosen = {"num_round": "2", "objective": draw(st.sampled_from(OBJECTIVES)), "num_class": "2"}
    if not chosen["objective"].startswith("multi:"):
        del chosen["num_class"]
    return chosen | {name: str(draw(_values_of(table[name]))) for name in names}


OBJECTIVES = ["binary:logistic", "binary:hinge", "multi:softprob", "reg:squarederror", "count:poisson", "rank:map"]


def _forbidden(name: str, text: str) -> bool:
    """Tell by the table alone, read by hand, whether a value is out of its range."""
    with (Path(hyperparameters.__file__).parent / "hyperparameters.tsv").open(encoding="utf-8") as file:
        rows = {row["name"]: row for row in csv.DictReader(file, delimiter="\t")}
    name = {"learning_rate": "eta"}.get(name, name)
    if name not in rows:
        return True
    kind, allowed = rows[name]["type"], rows[name]["range"]
    if kind == "Categorical":
        return text not in ast.literal_eval(allowed)
    if kind == "CommaSeparatedList":
        return any(part not in ast.literal_eval(allowed) for part in text.split(","))
    if kind not in ("Integer", "Continuous"):
        return False
    try:
        value = float(int(text)) if kind == "Integer" else float(text)
    except ValueError:
        return True
    low, high = (float(end) for end in allowed[1:-1].split(", "))
    return value < low or value > high or (allowed[0] == "(" and value == low) or (allowed[-1] == ")" and value == high)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_hyperparameters())
def test_any_hyperparameters_train_or_are_refused_in_words(chosen: dict[str, str]) -> None:
    """What the table forbids never trains; what is not refused beforehand trains, or XGBoost says why not."""
    try:
        check_hyperparameters(chosen)
    except HyperparameterError:
        return
    assert not any(_forbidden(name, text) for name, text in chosen.items()), chosen
    features = np.random.default_rng(1).normal(size=(40, 3))
    labels = (features[:, 0] > 0).astype(int)
    data = {"train": xgb.DMatrix(features[:30], label=labels[:30])}
    data["validation"] = xgb.DMatrix(features[30:], label=labels[30:])
    parsed = {**parse_hyperparameters(chosen), "nthread": 1, "verbosity": 0}
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        try:
            train(parsed, data, data["train"], Folders(Path(folder, "m"), Path(folder, "o")), Version("1.7-1"))
        except ImageError:
            return
        TRAINED.append(chosen)
        assert any(Path(folder, "m").iterdir())


def test_many_of_them_trained() -> None:
    """The test above is not one of refusals alone."""
    test_any_hyperparameters_train_or_are_refused_in_words()
    assert len(TRAINED) > 40


TRAINED: list[dict[str, str]] = []
