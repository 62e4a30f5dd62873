"""What a training is refused for before it starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml_a2.channel_files import Reading
from ml_a2.channel_writing import TableRows
from ml_a2.dataset import Dataset
from ml_a2.errors import UserError
from ml_a2.local.trial.examination import examine_dataset, examine_files, is_ordinary, refuse_unrunnable
from ml_a2.problem import DEFAULTS, KINDS, Problem
from ml_a2.settings import Settings

RANDOM = np.random.default_rng(5)
SIGNAL = RANDOM.normal(size=240)
# Labels that come sorted, so that the first rows lack classes.
ORDER = np.argsort(SIGNAL)
LABELS = {
    "binary": (SIGNAL > 0).astype(int),
    "multiclass": np.digitize(SIGNAL, [-0.5, 0.5]),
    "regression": 1 / (1 + np.exp(-SIGNAL)),
    "ranking": (SIGNAL > 0).astype(int),
}


def _dataset(objective: str) -> Dataset:
    kind = KINDS[objective]
    features = SIGNAL[:, None] + RANDOM.normal(size=(240, 3))
    table = pd.DataFrame(np.column_stack([LABELS[kind], features])[ORDER], columns=["y", "a", "b", "c"])
    classes = {"binary": (0, 1), "multiclass": (0, 1, 2)}.get(kind, ())
    problem = Problem(kind, objective, DEFAULTS[kind][1], classes)
    return Dataset(TableRows(table), TableRows(table.iloc[::3]), "y", ("a", "b", "c"), problem, {}, ())


def _hyperparameters(objective: str, **others: str) -> dict[str, str]:
    named = {"num_round": "50", "objective": objective}
    return {**named, **({"num_class": "3"} if objective.startswith("multi:") else {}), **others}


def _found(objective: str, settings: dict[str, Any] | None = None, **others: str) -> list[str]:
    stack = Settings.model_validate(settings or {})
    findings = examine_dataset(_dataset(objective), _hyperparameters(objective, **others), stack, lambda _: None)
    return [f"{each.severity} {each.where}: {each.problem}" for each in findings]


@pytest.mark.parametrize("objective", ["binary:hinge", "multi:softmax", "reg:gamma", "count:poisson", "rank:pairwise"])
def test_what_trains_is_not_refused(objective: str) -> None:
    """Also with labels in order, few rows, and hyperparameters that narrow the choice of rows and features."""
    others = {"subsample": "0.05", "colsample_bytree": "0.4", "booster": "dart", "rate_drop": "0.9", "nthread": "500"}
    assert _found(objective, **others) == []


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ({"tree_method": "hist", "monotone_constraints": "(1,0,0,-1)"}, "monotone_constraints=(1,0,0,-1): The size of"),
        ({"tree_method": "hist", "interaction_constraints": "[[1,2]]"}, "interaction_constraints=[[1,2]]: Constrained"),
        ({"process_type": "update", "updater": "refresh"}, "process_type=update: No more tree left for updating"),
        ({"base_score": "1"}, "base_score=1: base_score must be in (0,1)"),
        ({"max_depth": "0"}, "max_depth=0: exact tree method doesn't support unlimited depth"),
        ({"updater": "refresh"}, "updater=refresh: Updater: `refresh` can not be used to create new trees"),
        ({"eval_metric": "merror"}, "eval_metric=merror: MultiClassEvaluation: label must be in [0, num_class)"),
        ({"num_class": "2"}, "num_class=2: "),
        ({"lambda": "1e39"}, "lambda=1e39: Out of range value for reg_lambda"),
        ({"sampling_method": "gradient_based", "subsample": "0.5"}, "sampling_method=gradient_based: Only uniform"),
        ({"tree_method": "gpu_hist"}, "tree_method=gpu_hist needs a GPU, and ml.m5.xlarge has none"),
        ({"_kfold": "3"}, "_kfold=3 leaves a model for each fold"),
        ({"updater": "sync"}, "updater=sync is one that the image accepts and XGBoost 1.7 does not have"),
    ],
)
def test_fails_for_what_only_xgboost_refuses(others: dict[str, str], words: str) -> None:
    """The hyperparameter by its name, in XGBoost's words."""
    (found,) = _found("binary:logistic", **others)
    assert found.startswith("error the hyperparameters: ")
    assert words in found


def test_fails_for_what_the_evaluation_refuses() -> None:
    """The processing job's own arguments are tried, on the model of the rounds."""
    (found,) = _found("binary:logistic", {"evaluation": {"slices": ["a", "d"]}})
    assert found.startswith("error the evaluation: ")
    assert "there is no feature 'd' to evaluate by; there are 'a', 'b', 'c'" in found
    assert _found("binary:logistic", {"evaluation": {"slices": ["a", "f2"]}}) == []


def test_what_another_instance_can_do_is_tried_without_its_gpu() -> None:
    """On ml.g4dn.xlarge it is untried; what else is wrong is found all the same."""
    settings = {"training": {"instance_type": "ml.g4dn.xlarge"}}
    warning, error = _found("binary:logistic", settings, tree_method="gpu_hist", base_score="0")
    assert "tree_method=gpu_hist needs a GPU, which ml.g4dn.xlarge has" in warning
    assert error.startswith("error the hyperparameters: XGBoost refuses to train with base_score=0: ")


def test_fails_to_run_what_would_be_refused() -> None:
    """Before anything starts, with each error; a GPU that this machine has not is one."""
    dataset = _dataset("binary:logistic")
    with pytest.raises(UserError, match="base_score must be in"):
        refuse_unrunnable(dataset, _hyperparameters("binary:logistic", base_score="1"), Settings())
    with pytest.raises(UserError, match="_kfold=2 leaves a model for each fold"):
        refuse_unrunnable(dataset, _hyperparameters("binary:logistic", _kfold="2"), Settings())
    on_gpu = Settings.model_validate({"training": {"instance_type": "ml.p3.2xlarge"}})
    with pytest.raises(UserError, match="cannot be tried here"):
        refuse_unrunnable(dataset, _hyperparameters("binary:logistic", tree_method="gpu_hist"), on_gpu)
    assert refuse_unrunnable(dataset, _hyperparameters("binary:logistic", max_bin="16"), Settings()) == ()


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({"eval_metric": "auc", "max_depth": "6", "eta": "0.3", "early_stopping_rounds": "5"}, True),
        ({"eval_metric": "merror"}, False),
        ({"max_depth": "0"}, False),
        ({"eta": "5e-324"}, False),
        ({"lambda": "nan"}, False),
        ({"tree_method": "hist"}, False),
    ],
)
def test_what_is_never_refused_is_not_tried_before_a_run(others: dict[str, str], *, expected: bool) -> None:
    """Bounds within which XGBoost has taken each of them."""
    assert is_ordinary(_hyperparameters("binary:logistic", **others)) is expected


def test_files_that_are_channels_are_tried_too(tmp_path: Path) -> None:
    """Weights and folders as the image reads them; the evaluation is told of the weights."""
    for name in ("train", "validation"):
        (tmp_path / name).mkdir()
        rows = np.column_stack([LABELS["binary"], np.ones(240), SIGNAL, RANDOM.normal(size=240)])[ORDER]
        np.savetxt(tmp_path / name / "rows.csv", rows, delimiter=",", fmt="%.6g")
    paths = {name: tmp_path / name for name in ("train", "validation")}
    reading = Reading("csv", weighted=True)
    named = _hyperparameters("binary:logistic", csv_weights="1", tree_method="hist")
    assert list(examine_files(paths, reading, named, Settings(), lambda _: None)) == []
    wrong = {**named, "monotone_constraints": "(1,0,1)"}
    (found,) = examine_files(paths, reading, wrong, Settings(), lambda _: None)
    assert "(3 vs. 2)" in found.problem
