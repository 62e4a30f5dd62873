"""Only ways that do the same work are compared, with the same packages."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from bench.environment import PEERS, REQUIREMENTS
from bench.machine import pins
from bench.ways import COMPARED, HYPERPARAMETERS, DifferentResultsError, check_agreement

ROOT = Path(__file__).parents[2]
METRICS = dict.fromkeys(COMPARED, 0.8)


def test_the_same_metrics_agree() -> None:
    """Differences in the last digits are none, and metrics of one way alone are not compared."""
    check_agreement({**METRICS, "auc": 0.80004, "au_prc": 0.5}, METRICS, "here")


@pytest.mark.parametrize("value", [0.8002, 0.7998, float("nan")])
def test_fails_when_metrics_differ(value: float) -> None:
    """A faster way to other numbers is no faster way."""
    with pytest.raises(DifferentResultsError, match="here: auc is "):
        check_agreement({**METRICS, "auc": value}, METRICS, "here")


def test_fails_when_a_metric_is_missing() -> None:
    """What one way leaves out it does not have to compute."""
    with pytest.raises(DifferentResultsError, match="not every way has the metric 'log_loss'"):
        check_agreement({name: 0.8 for name in COMPARED if name != "log_loss"}, METRICS, "here")


@pytest.mark.parametrize("script", ["plain_script.py", "metaflow_flow.py"])
def test_peers_train_as_the_pipeline_is_told_to(script: str) -> None:
    """Rounds and parameters are those of `ml-a2 run`."""
    tree = ast.parse((PEERS / script).read_text(encoding="utf-8"))
    named = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    parameters = {name: str(value) for name, value in named["PARAMETERS"].items()}
    assert parameters == {
        **{name: value for name, value in HYPERPARAMETERS.items() if name != "num_round"},
        "objective": "binary:logistic",
        "base_score": "0.5",
    }
    assert str(named["ROUNDS"]) == HYPERPARAMETERS["num_round"]


def test_peers_have_the_versions_of_the_project() -> None:
    """What differs is the way, not the libraries."""
    locked = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    for name in ("numpy", "pandas", "scikit-learn", "scipy", "xgboost", "xgboost-cpu", "boto3"):
        assert any(line.split(" ;")[0] == f"{name}=={pins(REQUIREMENTS)[name]}" for line in locked), name
