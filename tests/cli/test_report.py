"""`ml-a2 report` makes the page again, of what lies in the run's directory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ml_a2.cli import main


def _manifest(folder: Path) -> None:
    folder.mkdir(parents=True)
    execution = {"name": folder.name, "arn": "arn", "status": "SUCCEEDED"}
    document = {"execution": execution, "metrics": {}, "hyperparameters": {}, "data": {}, "gate": "none"}
    (folder / "manifest.json").write_text(json.dumps(document))


def test_a_report_is_made_again(tmp_path: Path) -> None:
    """By the run's name or its path; the path of the page is printed."""
    _manifest(tmp_path / "runs" / "first")
    for run in ("first", str(tmp_path / "runs" / "first")):
        answer = CliRunner().invoke(main, ["report", run, "--runs", str(tmp_path / "runs")])
        assert answer.exit_code == 0, answer.output
        page = Path(answer.output.strip())
        assert page.read_text().startswith("<!doctype html>")
        page.unlink()
    answer = CliRunner().invoke(main, ["report", "first", "--runs", str(tmp_path / "runs"), "--json"])
    assert Path(json.loads(answer.stdout)["report"]).is_file()


def test_a_path_is_on_this_machine_whatever_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a mere name would be looked for behind the endpoint."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    _manifest(tmp_path / "runs" / "first")
    answer = CliRunner().invoke(main, ["report", str(tmp_path / "runs" / "first")])
    assert answer.exit_code == 0, answer.output


def test_fails_on_a_place_to_copy_to_without_anything_to_copy(tmp_path: Path) -> None:
    """A run of this machine stays in its folder."""
    _manifest(tmp_path / "runs" / "first")
    answer = CliRunner().invoke(main, ["report", "first", "--runs", str(tmp_path / "runs"), "--output", "x"])
    assert answer.exit_code == 2
    assert "--output is where an execution on AWS is copied to" in answer.output


def test_fails_on_a_run_that_is_not_there(tmp_path: Path) -> None:
    """The message names those that are."""
    _manifest(tmp_path / "runs" / "first")
    answer = CliRunner().invoke(main, ["report", "second", "--runs", str(tmp_path / "runs")])
    assert answer.exit_code == 2
    assert "run 'second' does not exist" in answer.output
    assert "there is first" in answer.output
