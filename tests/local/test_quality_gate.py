"""The quality gate decides in the executed state machine, on what the evaluation wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ml_a2.contract import CHAMPION_KEY, OUTPUT_MODEL_ARTIFACTS_BUCKET, STACK_NAME
from ml_a2.local.rehearsal import Result, Scenario, Stage, rows
from ml_a2.local.runtime import LocalRuntime
from ml_a2.local.scenarios import FAILED_ALARM, FOR_GOOD, Act, train
from ml_a2.settings import GateCondition, GateSettings, Settings

TWO = (GateCondition(metric="auc", minimum=0.8), GateCondition(metric="false_positive_rate", maximum=0.4))


def _assembly(folder: Path, *conditions: GateCondition, **champion: Any) -> Path:
    from aws_cdk import App

    from ml_a2.stack import MlA2Stack

    app = App(outdir=str(folder / "cdk.out"), analytics_reporting=False)
    MlA2Stack(app, STACK_NAME, settings=Settings(gate=GateSettings(conditions=conditions, **champion)))
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
    """A rate that is not defined on the data is left out by the evaluation: nothing to pass with."""
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


def _refused(name: str, act: Act, told: str, error: str = "QualityGateFailed") -> Scenario:
    return Scenario(
        name, act, error=error, cause=told, messages=["the QualityGate stage failed"], alarms=FAILED_ALARM, told=told
    )


def test_what_lies_in_between_is_decided_by_the_interval(tmp_path: Path) -> None:
    """The value reaches the minimum and the lower end of its interval does not: the condition says which one counts."""
    with LocalRuntime(speed=1000) as runtime:
        stage = Stage(runtime, _assembly(tmp_path / "first"))
        arn = stage.execute()
        evaluation = stage.pipeline.outcome(arn).output["result"]["evaluation"]
    value = evaluation["binary_classification_metrics"]["auc"]["value"]
    lower = evaluation["confidence_intervals"]["metrics"]["auc"]["lower"]
    between = GateCondition(metric="auc", minimum=(value + lower) / 2)
    assert (
        _execute(_assembly(tmp_path / "value", between), Scenario("it", train(), status="SUCCEEDED")).problems() == []
    )
    strict = between.model_copy(update={"interval": True})
    scenario = _refused(
        "the interval", train(), f"auc is {value} and its 95 percent interval ends at {lower}, of which"
    )
    assert _execute(_assembly(tmp_path / "interval", strict), scenario).problems() == []


def test_an_interval_that_is_not_there_decides_nothing(tmp_path: Path) -> None:
    """One group of a ranking has no interval; here it is the labels that are all alike."""
    told = "no number for the metric r2"

    def all_alike(stage: Stage) -> str:
        stage.put("validation/one/v.csv", "1,2.5,0,0\n1,2.0,0,0\n")
        return stage.execute(
            hyperparameters={"objective": "reg:squarederror", "eval_metric": "rmse", "num_round": "3"},
            validation_prefix="validation/one/",
        )

    condition = GateCondition(metric="r2", minimum=0.1, interval=True)
    scenario = _refused("alike", all_alike, told, "QualityGateUndecided")
    assert _execute(_assembly(tmp_path, condition), scenario).problems() == []


def test_a_champion_is_beaten_kept_or_replaced(tmp_path: Path) -> None:
    """The first accepted model is the champion; a worse one is turned down, a better one takes its place."""
    assembly = _assembly(tmp_path, champion=True, champion_tolerance=0.02)

    with LocalRuntime(speed=1000) as runtime:
        stage = Stage(runtime, assembly)
        first = Result.of(stage, Scenario("the first", train(), status="SUCCEEDED"))
        assert first.problems() == []
        assert first.outcome.gate == "passed"
        assert first.outcome.output["result"]["evaluation"]["champion"] is None
        assert _champion(stage) == first.outcome.output["model_artifact"]
        shuffled = "".join(f"{number % 2},{line.partition(',')[2]}\n" for number, line in enumerate(rows(1).split()))
        stage.put("train/worse/t.csv", shuffled)
        worse = train(train_prefix="train/worse/", hyperparameters={"num_round": "3"})
        lost = Result.of(stage, _refused("a worse one", worse, "that of the champion on the same rows 0.9"))
        assert lost.problems() == []
        assert lost.outcome.gate == "failed"
        assert _champion(stage) == first.outcome.output["model_artifact"]
        stage.put("train/better/t.csv", rows(1) + rows(3))
        good = train(train_prefix="train/better/", hyperparameters={"num_round": "3"})
        better = Result.of(stage, Scenario("a better one", good, status="SUCCEEDED"))
        assert better.problems() == []
        assert better.outcome.output["result"]["evaluation"]["champion"]["worse_by"]["auc"] < 0.02
        assert _champion(stage) == better.outcome.output["model_artifact"]


def _champion(stage: Stage) -> str:
    bucket = stage.outputs[OUTPUT_MODEL_ARTIFACTS_BUCKET]
    content = stage.runtime.clients.s3.get_object(Bucket=bucket, Key=CHAMPION_KEY)["Body"].read()
    artifact: str = json.loads(content)["model_artifact"]
    return artifact


@pytest.mark.parametrize("operation", ["ListObjectsV2", "PutObject"])
def test_a_champion_that_cannot_be_found_or_named_is_told(tmp_path: Path, operation: str) -> None:
    """The call fails for good: no model passes in silence, and none is named in silence."""
    assembly = _assembly(tmp_path, champion=True)
    scenario = Scenario(
        "throttled", train(f"s3:{operation}={FOR_GOOD}"), cause="Rate exceeded",
        messages=["the QualityGate stage failed"], alarms=FAILED_ALARM, told="Rate exceeded",
    )  # fmt: skip
    assert _execute(assembly, scenario).problems() == []


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
