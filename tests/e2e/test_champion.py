"""The champion between runs: each run begins with empty buckets, and the folder of runs remembers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ml_a2.contract import STACK_NAME
from ml_a2.settings import GateSettings, Settings


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from aws_cdk import App

    from ml_a2.stack import MlA2Stack

    folder = tmp_path_factory.mktemp("champion")
    app = App(outdir=str(folder / "cdk.out"), analytics_reporting=False)
    MlA2Stack(app, STACK_NAME, settings=Settings(gate=GateSettings(champion=True)))
    app.synth()
    return folder


def _run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ml_a2.cli", "run", "--json", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.xdist_group("champion")
def test_a_run_is_judged_by_the_last_accepted_one(folder: Path) -> None:
    """The first is accepted, a worse one is turned down with exit status 3 and does not become the champion."""
    first = _run(folder, "--assembly", "cdk.out", "--set", "num_round=20")
    assert first.returncode == 0, first.stderr
    name = json.loads(first.stdout)["execution"]
    assert json.loads((folder / "runs/champion.json").read_text()) == {"run": name}
    worse = _run(folder, "--assembly", "cdk.out", "--set", "num_round=1", "--set", "max_depth=1")
    assert worse.returncode == 3, worse.stderr
    assert f"the champion to compare with is that of {name}" in worse.stderr
    assert "that of the champion on the same rows" in json.loads(worse.stdout)["failure"]["cause"]
    assert json.loads((folder / "runs/champion.json").read_text()) == {"run": name}
    assert "champion" in (folder / json.loads(worse.stdout)["run_directory"] / "report.html").read_text()


@pytest.mark.xdist_group("champion")
@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"run": "gone"}', "names the run 'gone', and there is no"),
        ("{", "cannot be read: JSONDecodeError"),
        ("[]", "cannot be read: TypeError"),
    ],
)
def test_fails_on_a_champion_that_is_not_there(folder: Path, content: str, words: str) -> None:
    """The message names the file to remove; nothing is started."""
    runs = folder / "other" / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    (runs / "champion.json").write_text(content)
    answer = _run(folder / "other", "--assembly", "../cdk.out")
    assert answer.returncode == 2
    assert words in answer.stderr
    assert "champion.json" in answer.stderr
    assert [path.name for path in runs.iterdir()] == ["champion.json"]
