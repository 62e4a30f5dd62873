"""`ml-a2 list`, `show` and `compare`, as a person calls them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ml_a2.cli import main
from tests.records.manifests import execution, manifest, write_run


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command is called: two runs, the second one with another model."""
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "runs", "first")
    write_run(
        tmp_path / "runs",
        "second",
        execution=execution("second", started="2026-11-24T11:00:00.000+00:00"),
        metrics={"auc": 0.95, "log_loss": 0.5},
        hyperparameters={"num_round": "20", "objective": "binary:logistic"},
    )
    return tmp_path


def _ml_a2(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def _json(*arguments: str) -> dict[str, Any]:
    answer = _ml_a2(*arguments, "--json")
    assert answer.exit_code == 0, answer.output
    assert answer.stdout.count("\n") == 1
    document: dict[str, Any] = json.loads(answer.stdout)
    return document


def test_list_shows_a_line_for_each_run(folder: Path) -> None:
    """The newest first, with the metric that stands for the model; what cannot be read says why."""
    (folder / "runs" / "third").mkdir()
    lines = [line.split() for line in _ml_a2("list").output.splitlines()]
    assert lines[0][:5] == ["execution", "status", "metric", "data", "target"]
    assert lines[1][:6] == ["second", "SUCCEEDED", "auc", "0.95000", "customers.csv", "churned"]
    assert lines[1][-3:] == ["6.5", "binary:logistic", "none"]
    assert (lines[2][0], lines[3]) == ("first", ["third", "UNREADABLE"])
    assert " ".join(lines[4]).startswith("third: runs/third/manifest.json cannot be read")
    assert "the newest 1; --limit shows more" in _ml_a2("list", "--limit", "1").output


def test_list_as_json() -> None:
    """One object: executions with their metrics, and whether there are more."""
    document = _json("list", "--limit", "1")
    assert [run["name"] for run in document["executions"]] == ["second"]
    told = document["executions"][0]
    assert (told["metrics"], told["data"], told["target"]) == (
        {"auc": 0.95, "log_loss": 0.5}, "customers.csv", "churned",
    )  # fmt: skip
    assert document["more"] is True


def test_list_without_runs_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No error: there is simply none yet."""
    monkeypatch.chdir(tmp_path / "runs")
    answer = _ml_a2("list")
    assert (answer.exit_code, answer.output) == (0, "no executions yet; `ml-a2 run` starts one\n")
    assert _json("list") == {"executions": [], "more": False}


def test_show_tells_everything_of_a_run() -> None:
    """Data with hashes and versions, hyperparameters, metrics with their intervals."""
    output = _ml_a2("show", "first").output
    for words in (
        "status    SUCCEEDED",
        "train            customers.csv",
        "customers.csv              dddddddddddd",
        "validation/validation.csv  cccccccccccc  version 2",
        "num round  10",
        "label mapping       no = 0, yes = 1",
        "auc       0.90000  0.85000 to 0.94000 (95%)",
        "log_loss  0.40000",
    ):
        assert words in output


def test_show_tells_of_a_failure(folder: Path) -> None:
    """Stage, error and cause; no metrics, no headings of nothing."""
    failure = {"stage": "Training", "error": "TrainingJobFailed", "cause": "no rows\nat all"}
    write_run(
        folder / "runs", "bad", execution=execution("bad", status="FAILED"), failure=failure, metrics={}, model=None
    )
    output = _ml_a2("show", "bad").output
    assert "error     TrainingJobFailed" in output
    assert "cause     no rows\n            at all" in output
    assert "metrics" not in output
    assert "model" not in output


def test_show_as_json_is_the_manifest_with_the_evaluation() -> None:
    """Nothing is left out."""
    document = _json("show", "runs/first")
    assert document.pop("evaluation")["confidence_intervals"]["level"] == 0.95
    assert document == manifest("first")


def test_compare_marks_differences_and_the_best() -> None:
    """By signs: the highest auc, the lowest log loss, the hyperparameter that differs."""
    lines = [" ".join(line.split()) for line in _ml_a2("compare", "first", "second").output.splitlines()]
    assert "!= auc 0.90000 0.95000 *" in lines
    assert "!= log_loss 0.40000 * 0.50000" in lines
    assert "!= num_round 10 20" in lines
    assert "customers.csv SHA-256 dddddddddddd dddddddddddd" in lines
    assert "training image sagemaker-xgboost:1.7-1 sagemaker-xgboost:1.7-1" in lines
    assert lines[-1] == "!= differs * best"


def test_a_part_of_a_name_and_last_are_understood(folder: Path) -> None:
    """By every command that takes runs; the newest is the last one."""
    for given, name in (("last", "second"), ("sec", "second"), ("irs", "first")):
        assert _json("show", given)["execution"]["name"] == name
    assert _json("compare", "irs", "last")["executions"] == ["first", "second"]
    assert json.loads(_ml_a2("verify", "irst", "--no-repeat", "--json").stdout)["run"] == "first"
    assert _json("report", "econ") == {"report": "runs/second/report.html", "missing": []}


def test_compare_warns_of_metrics_of_other_rows(folder: Path) -> None:
    """A better number on other rows is no better model."""
    data = manifest("other")["data"]
    files = [{**file, "sha256": "0" * 64} for file in data["files"]]
    write_run(folder / "runs", "other", data={**data, "files": files})
    assert (
        _ml_a2("compare", "first", "other").output.splitlines()[-1].endswith("these metrics may be of different rows")
    )


def test_compare_as_json() -> None:
    """Values in the order of the executions, with what differs and what is best."""
    document = _json("compare", "second", "first")
    assert document["executions"] == ["second", "first"]
    assert document["same_validation_rows"] is True
    assert document["metrics"]["auc"] == {"values": [0.95, 0.9], "differs": True, "best": [True, False]}
    assert document["hyperparameters"]["objective"]["differs"] is False
    assert document["data"]["customers.csv SHA-256"]["values"] == ["d" * 64] * 2


def test_another_folder_of_runs(tmp_path: Path) -> None:
    """Named with --runs."""
    write_run(tmp_path / "elsewhere", "there")
    assert [run["name"] for run in _json("list", "--runs", "elsewhere")["executions"]] == ["there"]
    assert _json("show", "there", "--runs", "elsewhere")["execution"]["name"] == "there"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "third"], "run 'third' does not exist in runs; there is second, first"),
        (["compare", "first"], "compare needs two runs or more"),
        (["compare"], "compare needs two runs or more"),
        (["compare", "first", "third"], "run 'third' does not exist"),
        (["show", "s"], "run 's' is ambiguous in runs: second, first; give more of the name, or 'last'"),
        (["report", "firts"], "run 'firts' does not exist in runs; there is second, first; did you mean 'first'?"),
        (["show", "first", "--runs", "nowhere"], "nowhere does not exist; name the folder of runs"),
        (["list", "--runs", "runs", "--region", "eu-central-1"], "--runs names a folder of this machine"),
        (["list", "--profile", "nobody-of-this-name"], "AWS configuration: The config profile"),
        (["verify", "third"], "run 'third' does not exist in runs; there is second, first"),
    ],
)
def test_fails_on_bad_input(arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, exit status 2; with --json that line in an object, too."""
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    answer = _ml_a2(*arguments)
    assert answer.exit_code == 2, answer.output
    assert answer.stderr.startswith("error: ")
    assert words in answer.stderr
    assert answer.stdout == ""
    assert words in json.loads(_ml_a2(*arguments, "--json").stdout)["error"]["message"]


def test_an_endpoint_in_the_environment_is_read_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the runs of this machine, unless they are named; what cannot be reached is exit status 1."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    for name, value in {"ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x", "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    answer = _ml_a2("list")
    assert answer.exit_code == 1
    assert 'AWS cannot be reached: Could not connect to the endpoint URL: "http://127.0.0.1:9/"' in answer.stderr
    assert len(_json("list", "--runs", "runs")["executions"]) == 2
