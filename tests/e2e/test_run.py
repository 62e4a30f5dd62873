"""`ml-a2 run`, as a person calls it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from sklearn import metrics

from ml_a2.loading import load_sample
from ml_a2.local.assembly import PLACE
from tests.rows import table_of

RESULT_KEYS = ["execution", "status", "metrics", "gate", "run_directory", "failure", "seconds"]
SHORT = ("--set", "num_round=10")


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ml_a2.cli", "run", *arguments]
    environment = {name: os.environ[name] for name in ("PATH", "HOME", PLACE) if name in os.environ}
    if (folder / "tmp").is_dir():
        environment["TMPDIR"] = str(folder / "tmp")
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


def _result(folder: Path, *arguments: str) -> dict[str, Any]:
    answer = _run(folder, "--json", *arguments)
    assert answer.stdout.count("\n") == 1, answer.stderr
    result: dict[str, Any] = json.loads(answer.stdout)
    assert list(result) == RESULT_KEYS
    assert answer.returncode == (0 if result["status"] == "SUCCEEDED" else 1), answer.stderr
    return result


def _model(run_directory: Path) -> xgb.Booster:
    with tarfile.open(run_directory / "model.tar.gz") as tar:
        member = tar.extractfile("xgboost-model")
        assert member is not None
        return xgb.Booster(model_file=bytearray(member.read()))


@pytest.fixture(scope="module")
def breast_cancer(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("breast-cancer")
    return folder, _result(folder)


@pytest.mark.xdist_group("run")
def test_without_arguments_trains_on_breast_cancer(breast_cancer: tuple[Path, dict[str, Any]]) -> None:
    """569 patients, an AUC of at least 0.98, and everything in the run directory."""
    folder, result = breast_cancer
    assert (result["status"], result["gate"], result["failure"]) == ("SUCCEEDED", "none", None)
    assert result["metrics"]["auc"] >= 0.98
    run = folder / result["run_directory"]
    assert {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()} == {
        "manifest.json", "evaluation.json", "curves.json", "report.html", "model.tar.gz", "history.json",
        "notifications.json", "logs/training.log", "logs/evaluation.log",
    }  # fmt: skip
    assert json.loads((run / "notifications.json").read_text()) == []


@pytest.mark.xdist_group("run")
def test_scoring_by_hand_gives_the_reported_metrics(breast_cancer: tuple[Path, dict[str, Any]]) -> None:
    """The model in the archive, applied to the same validation rows, has the metrics that were reported."""
    folder, result = breast_cancer
    data = load_sample("breast-cancer")
    table = table_of(data.validation)
    labels, features = table.iloc[:, 0], table.iloc[:, 1:].to_numpy(dtype=np.float32)
    scores = _model(folder / result["run_directory"]).predict(xgb.DMatrix(features))
    assert result["metrics"]["auc"] == pytest.approx(metrics.roc_auc_score(labels, scores), abs=1e-9)
    assert result["metrics"]["accuracy"] == pytest.approx(metrics.accuracy_score(labels, scores > 0.5), abs=1e-9)
    log = (folder / result["run_directory"] / "logs/training.log").read_text().splitlines()
    assert log[-1].endswith(f"validation-auc:{result['metrics']['auc']:.5f}")


@pytest.mark.xdist_group("run")
def test_history_has_every_state_that_was_passed(breast_cancer: tuple[Path, dict[str, Any]]) -> None:
    """The events are those of the Step Functions API, in order, from start to success."""
    folder, result = breast_cancer
    history = json.loads((folder / result["run_directory"] / "history.json").read_text())
    assert [event["id"] for event in history] == list(range(1, len(history) + 1))
    assert (history[0]["type"], history[-1]["type"]) == ("ExecutionStarted", "ExecutionSucceeded")
    entered = list(
        dict.fromkeys(e["stateEnteredEventDetails"]["name"] for e in history if "stateEnteredEventDetails" in e)
    )
    assert entered == [
        "NameJobs", "ApplyDefaults", "MergeHyperparameters", "ModelGiven?", "CreateTrainingJob", "WaitForTraining",
        "DescribeTrainingJob", "TrainingStatus?", "UseTrainedModel", "CreateProcessingJob", "WaitForEvaluation",
        "DescribeProcessingJob", "EvaluationStatus?", "ReadEvaluation", "PipelineSucceeded",
    ]  # fmt: skip


@pytest.mark.xdist_group("run")
def test_equal_seeds_give_equal_metrics(breast_cancer: tuple[Path, dict[str, Any]]) -> None:
    """A second run reuses the assembly and gives the same numbers; another seed splits otherwise."""
    folder, result = breast_cancer
    again = _run(folder, "--json")
    assert json.loads(again.stdout)["metrics"] == result["metrics"]
    assert "unchanged since the last synth" in again.stderr
    assert _result(folder, "--seed", "7")["metrics"] != result["metrics"]


def test_regression_and_its_model(tmp_path: Path) -> None:
    """Diabetes is a regression, and its metrics are those of scoring by hand."""
    result = _result(tmp_path, "--sample", "diabetes", *SHORT)
    data = load_sample("diabetes")
    table = table_of(data.validation)
    labels, features = table.iloc[:, 0], table.iloc[:, 1:].to_numpy(dtype=np.float32)
    predicted = _model(tmp_path / result["run_directory"]).predict(xgb.DMatrix(features)).astype(float)
    assert result["metrics"]["mae"] == pytest.approx(metrics.mean_absolute_error(labels, predicted), abs=1e-9)
    assert result["metrics"]["r2"] == pytest.approx(metrics.r2_score(labels, predicted), abs=1e-9)


def test_ten_classes(tmp_path: Path) -> None:
    """Digits are ten classes."""
    result = _result(tmp_path, "--sample", "digits", *SHORT)
    assert result["metrics"]["accuracy"] > 0.85
    assert set(result["metrics"]) >= {"accuracy", "weighted_precision", "weighted_recall", "weighted_f1"}


def _own_csv(folder: Path) -> Path:
    random = np.random.default_rng(1)
    income = random.normal(50, 10, 200).round(2)
    table = pd.DataFrame(
        {
            "income, yearly": income,
            'the "label"': np.where(income + random.normal(0, 3, 200) > 50, "stays", "leaves"),
            "age": random.integers(20, 60, 200),
        }
    )
    table.loc[3, "age"] = np.nan
    table.to_csv(folder / "own.csv", index=False)
    return folder / "own.csv"


def test_own_csv_with_text_labels_and_quoted_names(tmp_path: Path) -> None:
    """A person's own file works, and the mapping of its labels is kept."""
    path = _own_csv(tmp_path)
    result = _result(tmp_path, "--train", str(path), "--target-column", 'the "label"', *SHORT)
    assert result["metrics"]["auc"] > 0.8
    manifest = json.loads((tmp_path / result["run_directory"] / "manifest.json").read_text())
    assert manifest["problem"]["label_mapping"] == {"leaves": 0, "stays": 1}
    assert manifest["data"]["feature_columns"] == ["income, yearly", "age"]
    assert manifest["data"]["split_seed"] == 42


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--train", "own.csv"], "--train needs --target-column"),
        (["--target-column", "y"], "add --train FILE"),
        (["--train", "own.csv", "--sample", "digits", "--target-column", "age"], "exclude each other"),
        (["--train", "nowhere.csv", "--target-column", "y"], "nowhere.csv does not exist"),
        (["--train", "own.csv", "--target-column", "salary"], "own.csv has no column 'salary'"),
        (["--train", "own.csv", "--target-column", "income, yearly"], "own.csv, column 'the \"label\"', row 2"),
        (["--train", "own.csv", "--target-column", "age"], "own.csv, column 'the \"label\"', row 2"),
        (["--sample", "digits", "--set", "eval_metric=auc"], "Metric 'auc' can only be applied"),
        (["--set", "etaa=1"], "Extraneous hyperparameter found: etaa"),
        (["--set", "eta=2"], "Hyperparameter eta: 2.0 is not in [0, 1]"),
        (["--sample", "digits", "--set", "objective=binary:logistic"], "needs 2 distinct labels, there are 10"),
        (["--set", "eta"], "'eta' is not NAME=VALUE"),
        (["--assembly", "nowhere"], "nowhere/manifest.json cannot be read"),
        (["--settings", "nowhere.toml"], "nowhere.toml does not exist"),
        (["--region", "mx-central-1"], "mx-central-1"),
        (["--sample", "iris"], "'iris' is not one of"),
    ],
)
def test_fails_on_bad_input_before_anything_starts(tmp_path: Path, arguments: list[str], words: str) -> None:
    """Each bad input: its error in one line, exit status 2, nothing written, nothing started.

    The stack that is deployed while the data is read goes, too.
    """
    _own_csv(tmp_path)
    (tmp_path / "tmp").mkdir()
    answer = _run(tmp_path, *arguments)
    assert answer.returncode == 2, answer.stderr
    assert words in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not (tmp_path / "runs").exists()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_data_is_told_of_before_an_assembly_that_cannot_be_deployed(tmp_path: Path) -> None:
    """Both are looked at at the same time."""
    answer = _run(tmp_path, "--assembly", "nowhere", "--train", "nowhere.csv", "--target-column", "y")
    assert answer.returncode == 2
    assert answer.stderr.startswith("error: nowhere.csv does not exist")


def test_json_is_one_object_also_when_nothing_could_start(tmp_path: Path) -> None:
    """A caller of --json can read what went wrong."""
    answer = _run(tmp_path, "--json", "--train", "nowhere.csv", "--target-column", "y")
    assert answer.returncode == 2
    result = json.loads(answer.stdout)
    assert list(result) == RESULT_KEYS
    assert (result["status"], result["failure"]["error"]) == ("NOT_STARTED", "DataError")
    assert "nowhere.csv does not exist" in result["failure"]["cause"]


def _changed(assembly: Path, folder: Path, change: Callable[[str], str]) -> str:
    copy = folder / "changed.out"
    shutil.copytree(assembly, copy)
    path = copy / "MlA2TrainingEvaluationStack.template.json"
    before = path.read_text()
    after = change(before)
    assert after != before
    path.write_text(after)
    return str(copy)


def test_fails_for_an_image_of_another_registry(assembly: Path, tmp_path: Path) -> None:
    """The reason names the image, a person is notified, and the exit status is 1."""
    changed = _changed(assembly, tmp_path, lambda text: text.replace("683313688378", "111122223333"))
    result = _result(tmp_path, "--assembly", changed, *SHORT)
    assert result["status"] == "FAILED"
    assert result["failure"]["stage"] == "Training"
    assert "account '111122223333' is not that of SageMaker's images in us-east-1" in result["failure"]["cause"]
    notifications = json.loads((tmp_path / result["run_directory"] / "notifications.json").read_text())
    assert [n["Subject"] for n in notifications][:1] == ["MlA2TrainingEvaluationStack: the Training stage failed"]
    assert [n["Subject"].split()[0] for n in notifications[1:]] == ["ALARM:"]
    assert "111122223333" in notifications[0]["Message"]


def test_fails_for_an_unknown_resource_type(assembly: Path, tmp_path: Path) -> None:
    """A type that does not exist is refused before anything starts."""
    changed = _changed(assembly, tmp_path, lambda text: text.replace("AWS::Logs::LogGroup", "AWS::Logs::LogBook"))
    answer = _run(tmp_path, "--assembly", changed)
    assert answer.returncode == 2
    assert "has type 'AWS::Logs::LogBook', which is not supported locally" in answer.stderr


def test_fails_for_a_choice_on_a_path_that_does_not_exist(assembly: Path, tmp_path: Path) -> None:
    """A choice that asks for a field which is never there fails with that path."""
    changed = _changed(
        assembly, tmp_path, lambda text: text.replace("$.training.TrainingJobStatus", "$.training.State")
    )
    result = _result(tmp_path, "--assembly", changed, *SHORT)
    assert (result["status"], result["failure"]["error"]) == ("FAILED", "States.Runtime")
    assert "Invalid path '$.training.State'" in result["failure"]["cause"]


def test_fails_for_a_role_without_pass_role(assembly: Path, tmp_path: Path) -> None:
    """Without iam:PassRole the first call is denied, as it would be in an account."""
    changed = _changed(assembly, tmp_path, lambda text: text.replace("iam:PassRole", "iam:GetRole"))
    result = _result(tmp_path, "--assembly", changed, *SHORT)
    assert result["status"] == "FAILED"
    assert "is not authorized to perform: iam:PassRole on resource" in result["failure"]["cause"]


def test_a_failing_training_names_its_reason(assembly: Path, tmp_path: Path) -> None:
    """The last words of the container reach the person, and the failure path ends FAILED."""
    changed = _changed(assembly, tmp_path, lambda text: text.replace("text/csv", "application/json"))
    answer = _run(tmp_path, "--assembly", changed, *SHORT)
    assert answer.returncode == 1
    assert "TrainingJobFailed" in answer.stdout
    assert "Channel configuration for 'train' channel is not supported" in answer.stdout
