"""The quality gate decides in the executed state machine, on what the evaluation wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ml_a2.contract import STACK_NAME
from ml_a2.local.rehearsal import Result, Scenario, Stage
from ml_a2.local.runtime import LocalRuntime
from ml_a2.local.scenarios import FAILED_ALARM, train
from ml_a2.settings import GateCondition, GateSettings, Settings

TWO = (GateCondition(metric="auc", minimum=0.8), GateCondition(metric="false_positive_rate", maximum=0.4))


def _assembly(folder: Path, *conditions: GateCondition) -> Path:
    from aws_cdk import App

    from ml_a2.stack import MlA2Stack

    app = App(outdir=str(folder / "cdk.out"), analytics_reporting=False)
    MlA2Stack(app, STACK_NAME, settings=Settings(gate=GateSettings(conditions=conditions)))
    app.synth()
    return folder / "cdk.out"


def _execute(assembly: Path, scenario: Scenario) -> Result:
    with LocalRuntime(speed=1000) as runtime:
        return Result.of(Stage(runtime, assembly), scenario)


def test_a_model_that_is_good_enough_passes(tmp_path: Path) -> None:
    """Every condition is met: the execution succeeds, and its output says so."""
    result = _execute(_assembly(tmp_path, *TWO), Scenario("a good model", train(), status="SUCCEEDED"))
    assert result.problems() == []
    assert result.outcome.gate == "passed"
    assert result.outcome.output["gate"] == "passed"


@pytest.mark.parametrize(
    ("conditions", "told"),
    [
        ([*TWO, GateCondition(metric="accuracy", minimum=1.5)], "wanted at least 1.5"),
        ([GateCondition(metric="accuracy", maximum=0.01)], "wanted at most 0.01"),
    ],
)
def test_a_model_that_is_not_is_turned_down_with_the_numbers(
    tmp_path: Path, conditions: list[GateCondition], told: str
) -> None:
    """The execution fails with its own error; the message has every number and what was wanted."""
    scenario = Scenario(
        "a poor model", train(), error="QualityGateFailed", cause=told, messages=["the QualityGate stage failed"],
        alarms=FAILED_ALARM, told=told,
    )  # fmt: skip
    result = _execute(_assembly(tmp_path, *conditions), scenario)
    assert result.problems() == []
    assert result.outcome.gate == "failed"
    for condition in conditions:
        assert f"{condition.metric} is " in result.bodies


def test_a_metric_that_is_not_there_decides_nothing(tmp_path: Path) -> None:
    """A gate on a regression's metric never lets a classifier pass; the failure names the metric."""
    told = "no number for the metric rmse"
    scenario = Scenario(
        "no such metric", train(), error="QualityGateUndecided", cause=told, messages=["the QualityGate stage failed"],
        alarms=FAILED_ALARM, told=told,
    )  # fmt: skip
    result = _execute(_assembly(tmp_path, *TWO, GateCondition(metric="rmse", maximum=100.0)), scenario)
    assert result.problems() == []
    assert result.outcome.gate == "none"


def test_a_metric_without_a_value_decides_nothing(tmp_path: Path) -> None:
    """Where a rate is not defined, the evaluation writes NaN in words, which is no number to pass with."""
    told = "no number for the metric true_negative_rate"

    def only_one_class(stage: Stage) -> str:
        stage.put("validation/one/v.csv", "1,2.5,0,0\n1,2.0,0,0\n")
        return stage.execute(validation_prefix="validation/one/")

    scenario = Scenario(
        "one class", only_one_class, error="QualityGateUndecided", cause=told,
        messages=["the QualityGate stage failed"], alarms=FAILED_ALARM,
    )  # fmt: skip
    condition = GateCondition(metric="true_negative_rate", minimum=0.1)
    assert _execute(_assembly(tmp_path, condition), scenario).problems() == []


def test_the_command_exits_with_3(tmp_path: Path) -> None:
    """A script can tell a model that was turned down from a pipeline that failed."""
    assembly = _assembly(tmp_path, GateCondition(metric="accuracy", minimum=0.999))
    command = [sys.executable, "-m", "ml_a2.cli", "run", "--assembly", str(assembly), "--json", "--set", "num_round=5"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert answer.returncode == 3, answer.stderr
    result = json.loads(answer.stdout)
    assert (result["status"], result["gate"], result["failure"]["stage"]) == ("FAILED", "failed", "QualityGate")
    assert "accuracy is 0.9" in result["failure"]["cause"]


def test_the_template_has_no_gate_without_conditions(template: dict[str, Any]) -> None:
    """Nothing of it is there by default."""
    assert "QualityGate" not in json.dumps(template)
