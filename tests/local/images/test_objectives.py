"""Every objective of the image as 1.7.4 trained and measured it, recorded with that version on the same rows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml_a2.local.images.xgboost.engine import xgb
from ml_a2.local.images.xgboost.hyperparameters import hyperparameter_table
from ml_a2.local.images.xgboost.image_errors import AlgorithmError
from ml_a2.local.images.xgboost.plan import Folders, Version
from ml_a2.local.images.xgboost.precision import mean_average_precision
from ml_a2.local.images.xgboost.training import train

RANDOM = np.random.RandomState(0)
ROWS = RANDOM.randn(200, 4).astype(np.float32)
SIGNAL = ROWS[:, 0] + 0.3 * RANDOM.randn(200)
LABELS = {
    "real": SIGNAL,
    "two": (SIGNAL > 0).astype(float),
    "three": np.digitize(SIGNAL, [-0.5, 0.5]),
    "count": np.floor(np.exp(SIGNAL)),
    "positive": np.exp(SIGNAL),
    "share": 1 / (1 + np.exp(-SIGNAL)),
    "grade": np.digitize(SIGNAL, [-1, 0, 1]),
}
# The labels of each objective, the metric that it has by default in 1.7.4, and its values after each of three rounds.
# Rankings are learned otherwise since, so that only their metric's name is the same.
RECORDED: dict[str, tuple[str, str, list[float] | None]] = {
    "binary:logistic": ("two", "logloss", [0.48489, 0.36529, 0.28599]),
    "binary:logitraw": ("two", "logloss", [0.19812, 0.09435, -0.10331]),
    "binary:hinge": ("two", "error", [0.555, 0.075, 0.01]),
    "count:poisson": ("count", "poisson-nloglik", [1.93861, 1.73993, 1.55746]),
    "multi:softmax": ("three", "mlogloss", [0.81118, 0.62689, 0.50361]),
    "multi:softprob": ("three", "mlogloss", [0.81118, 0.62689, 0.50361]),
    "rank:pairwise": ("grade", "map", None),
    "rank:ndcg": ("grade", "map", None),
    "rank:map": ("two", "map", None),
    "reg:linear": ("real", "rmse", [0.88061, 0.65154, 0.48893]),
    "reg:squarederror": ("real", "rmse", [0.88061, 0.65154, 0.48893]),
    "reg:logistic": ("share", "rmse", [0.1657, 0.12907, 0.10293]),
    "reg:gamma": ("positive", "gamma-nloglik", [1.96115, 1.61388, 1.37765]),
    "reg:pseudohubererror": ("real", "mphe", [0.10351, 0.05708, 0.03569]),
    "reg:squaredlogerror": ("positive", "rmsle", [0.57303, 0.50335, 0.44245]),
    "reg:absoluteerror": ("real", "mae", [0.62039, 0.44582, 0.32218]),
    "reg:tweedie": ("positive", "tweedie-nloglik@1.5", [5.29732, 4.92305, 4.69732]),
    "survival:cox": ("positive", "cox-nloglik", [3.91303, 3.73768, 3.61218]),
}
# Those that 1.7.4 refuses: the first needs bounds of its labels, which no channel has, the second is no objective.
REFUSED = {
    "survival:aft": "Check failed: info.labels_lower_bound_.Size() == ndata (0 vs. 200)",
    "aft_loss_distribution": "Unknown objective function: `aft_loss_distribution`",
}


def _lines(labels: Any, parameters: dict[str, Any], folder: Path, capsys: Any) -> list[dict[str, float]]:
    """Train on the rows, and return the metrics of each round."""
    folders = Folders(folder / "model", folder / "output")
    train(
        {"num_round": 3, "verbosity": 0, **parameters},
        {"train": xgb.DMatrix(ROWS, label=labels)},
        None,
        folders,
        Version("1.7-1"),
    )
    lines = [line.split("\t")[1:] for line in capsys.readouterr().out.splitlines() if re.match(r"\[\d+\]\t", line)]
    return [{name: float(value) for name, _, value in (each.rpartition(":") for each in line)} for line in lines]


def test_all_objectives_are_recorded() -> None:
    """The table of hyperparameters has no objective that is missing here."""
    assert set(hyperparameter_table()["objective"]._choices) == {*RECORDED, *REFUSED}


@pytest.mark.parametrize("objective", RECORDED)
def test_an_objective_has_the_metric_of_1_7(objective: str, tmp_path: Path, capsys: Any) -> None:
    """Without eval_metric: the metric's name, and its values to the last digit that is printed."""
    labels, metric, values = RECORDED[objective]
    parameters = {"objective": objective, **({"num_class": 3} if objective.startswith("multi:") else {})}
    lines = _lines(LABELS[labels], parameters, tmp_path, capsys)
    assert [list(line) for line in lines] == [[f"train-{metric}"]] * 3
    if values:
        assert [line[f"train-{metric}"] for line in lines] == pytest.approx(values, abs=1.1e-5)


@pytest.mark.parametrize("objective", REFUSED)
def test_fails_for_an_objective_that_1_7_refuses(objective: str, tmp_path: Path, capsys: Any) -> None:
    """Two pass the table and then fail in XGBoost."""
    with pytest.raises(AlgorithmError) as refusal:
        _lines(LABELS["positive"], {"objective": objective}, tmp_path, capsys)
    assert REFUSED[objective] in str(refusal.value)


def test_the_default_metric_stays_beside_those_that_the_container_adds(tmp_path: Path, capsys: Any) -> None:
    """XGBoost's own metric is the objective's as long as none of its own is asked for."""
    lines = _lines(LABELS["positive"], {"objective": "reg:gamma", "eval_metric": ["r2"]}, tmp_path, capsys)
    assert [list(line) for line in lines] == [["train-gamma-nloglik", "train-r2"]] * 3


def test_precision_is_measured_on_grades(tmp_path: Path, capsys: Any) -> None:
    """`map` of labels beyond 0 and 1, which XGBoost 2.1 refuses: each but 0 is relevant; others stand beside it."""
    parameters = {"objective": "rank:pairwise", "eval_metric": ["map@5", "auc", "map"]}
    lines = _lines(LABELS["grade"], parameters, tmp_path, capsys)
    assert set(lines[0]) == {"train-auc", "train-map@5", "train-map"}
    assert lines[-1]["train-map"] > 0.9


def test_precision_is_that_of_1_7() -> None:
    """By hand: (1/1 + 2/3) / 2 in the first group, nothing relevant in the second, 1/2 of one in the third."""
    matrix = xgb.DMatrix(np.zeros((8, 1)), label=[3, 0, 1, 0, 0, 0, 0, 2])
    matrix.set_group([4, 2, 2])
    scores = np.array([9, 8, 7, 6, 2, 1, 5, 4], dtype=np.float32)
    assert mean_average_precision("map")(scores, matrix) == pytest.approx(((1 + 2 / 3) / 2 + 1 + 1 / 2) / 3)
    assert mean_average_precision("map@1")(scores, matrix) == pytest.approx((1 / 2 + 1 + 0) / 3)


@pytest.mark.parametrize(
    ("parameters", "labels", "words"),
    [
        ({"objective": "reg:squarederror", "eval_metric": ["aucpr"]}, "grade", "auc <= local_area (nan vs. 1)"),
        ({"objective": "rank:pairwise", "eval_metric": ["auc", "aucpr"]}, "grade", "auc <= local_area"),
        ({"objective": "binary:logistic", "predictor": "gpu_predictor"}, "two", "No visible GPU is found for XGBoost"),
        ({"objective": "binary:logistic", "updater": ["grow_histmaker", "sync"]}, "two", "map::at"),
    ],
)
def test_fails_for_what_only_1_7_refuses(
    parameters: dict[str, Any], labels: str, words: str, tmp_path: Path, capsys: Any
) -> None:
    """In 1.7's words, though 2.1 would train."""
    with pytest.raises(AlgorithmError) as refusal:
        _lines(LABELS[labels], parameters, tmp_path, capsys)
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("parameters", "labels"),
    [
        ({"objective": "reg:squarederror", "eval_metric": ["aucpr"]}, "share"),
        ({"objective": "binary:logitraw", "eval_metric": ["aucpr"]}, "two"),
        ({"objective": "multi:softprob", "num_class": 3, "eval_metric": ["aucpr"]}, "three"),
        ({"objective": "binary:logistic", "predictor": "cpu_predictor", "updater": ["grow_histmaker"]}, "two"),
    ],
)
def test_what_1_7_takes_is_taken(parameters: dict[str, Any], labels: str, tmp_path: Path, capsys: Any) -> None:
    """The neighbours of what it refuses."""
    assert len(_lines(LABELS[labels], parameters, tmp_path, capsys)) == 3
