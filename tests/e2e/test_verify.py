"""`ml-a2 verify`, as a person calls it: what is the same as in a run, and what is not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from ml_a2.cli import main

pytestmark = pytest.mark.xdist_group("verify")
INPUTS = ("data", "code", "template", "environment")


def _ml_a2(folder: Path, *arguments: str) -> Result:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return CliRunner().invoke(main, arguments)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a person's file, and a run on it named `one`."""
    folder = tmp_path_factory.mktemp("original")
    random = np.random.default_rng(1)
    age = random.normal(50, 10, 200).round(2)
    left = np.where(age + random.normal(0, 5, 200) > 50, "yes", "no")
    pd.DataFrame({"age": age, "income": random.integers(1, 9, 200), "left": left}).to_csv(folder / "own.csv")
    options = ("--train", "own.csv", "--target-column", "left", "--set", "num_round=5", "--speed", "1000")
    answer = _ml_a2(folder, "run", *options)
    assert answer.exit_code == 0, answer.output
    (run,) = (folder / "runs").iterdir()
    run.rename(run.parent / "one")
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """A copy of it that was moved elsewhere; the original's own place is out of sight."""
    shutil.copytree(original, tmp_path / "copy")
    _change(tmp_path / "copy", lambda manifest: manifest["request"].update(directory=str(tmp_path / "copy")))
    return tmp_path / "copy"


def _change(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "runs" / "one" / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def _verify(folder: Path, *options: str, exit_code: int) -> dict[str, Any]:
    answer = _ml_a2(folder, "verify", "one", "--json", *options)
    assert answer.exit_code == exit_code, answer.output
    assert answer.stdout.count("\n") == 1
    document: dict[str, Any] = json.loads(answer.stdout)
    assert document["identical"] is (exit_code == 0)
    return document["checks"]  # type: ignore[no-any-return]


def _results(checks: dict[str, Any]) -> dict[str, str]:
    return {subject: check["result"] for subject, check in checks.items()}


def test_an_untouched_run_is_identical(original: Path) -> None:
    """It is repeated, and leaves no second run behind."""
    answer = _ml_a2(original, "verify", "one")
    assert answer.exit_code == 0, answer.output
    lines = [line.split() for line in answer.stdout.splitlines()]
    for subject in (*INPUTS, "model", "metrics"):
        assert [subject, "identical"] in lines
    assert lines[-1] == ["identical:", "runs/one"]
    assert ["PipelineSucceeded"] in lines
    assert [path.name for path in (original / "runs").iterdir()] == ["one"]


def test_one_changed_cell_names_the_file(folder: Path) -> None:
    """Nothing is repeated then, since other rows give other numbers, unless it is asked for."""
    table = pd.read_csv(folder / "own.csv", index_col=0)
    table.loc[17, "age"] += 20
    table.to_csv(folder / "own.csv")
    checks = _verify(folder, exit_code=1)
    assert _results(checks) == {
        "data": "differs", "code": "identical", "template": "identical", "environment": "identical",
        "model": "not checked", "metrics": "not checked",
    }  # fmt: skip
    assert checks["data"]["details"][0].startswith("own.csv has SHA-256 ")
    assert "--repeat does it all the same" in checks["metrics"]["details"][0]
    forced = _verify(folder, "--repeat", exit_code=1)
    assert (forced["data"]["result"], forced["model"]["result"]) == ("differs", "differs")
    assert forced["metrics"]["result"] != "not checked"


def test_without_repeating_only_hashes_are_compared(folder: Path) -> None:
    """Nothing is executed."""
    checks = _verify(folder, "--no-repeat", exit_code=0)
    assert _results(checks) == {**dict.fromkeys(INPUTS, "identical"), "model": "not checked", "metrics": "not checked"}


def _another_code(manifest: dict[str, Any]) -> None:
    manifest["code"][0]["sha256"] = "0" * 64
    manifest["code"].append({"key": "evaluation/gone.py", "version_id": None, "sha256": "0" * 64})
    del manifest["code"][1]


@pytest.mark.parametrize(
    ("change", "subject", "words"),
    [
        (_another_code, "code", ["evaluation/evaluate.py has SHA-256 ", "evaluation/gone.py is not there any more",
                                 " was not there"]),
        (lambda m: m.update(template_sha256="0" * 64), "template", ["cdk.out has SHA-256 ", ", had 000000000000"]),
        (lambda m: m["request"].update(settings="gone.toml"), "template", ["gone.toml does not exist"]),
        (lambda m: m["request"].update(assembly="gone"), "template", ["gone/manifest.json cannot be read"]),
        (lambda m: m["versions"].update(numpy="0.1"), "environment", ["numpy ", ', was "0.1"']),
        (lambda m: m.update(platform="Mac"), "environment", ["platform ", ', was "Mac"']),
        (lambda m: m["data"]["sources"][0].update(path="gone.csv"), "data", ["gone.csv cannot be read any more"]),
        (lambda m: m["data"]["files"][1].update(sha256="0" * 64), "data",
         ["validation/validation.csv has SHA-256 ", "made of the same data"]),
    ],
)  # fmt: skip
def test_what_differs_is_named(
    folder: Path, change: Callable[[dict[str, Any]], object], subject: str, words: list[str]
) -> None:
    """Each by itself: the others are identical."""
    _change(folder, change)
    checks = _verify(folder, "--no-repeat", exit_code=1)
    assert {name for name, result in _results(checks).items() if result == "differs"} == {subject}
    for word in words:
        assert any(word in detail for detail in checks[subject]["details"])


def test_other_metrics_and_another_model_are_told_with_both_values(folder: Path) -> None:
    """The model by what lies in its archive, the metrics by their values, exactly."""

    def change(manifest: dict[str, Any]) -> None:
        manifest["metrics"]["auc"] += 1e-12
        manifest["model"]["files"][0]["sha256"] = "0" * 64

    _change(folder, change)
    checks = _verify(folder, exit_code=1)
    assert _results(checks) == {**dict.fromkeys(INPUTS, "identical"), "model": "differs", "metrics": "differs"}
    assert checks["model"]["details"][0].endswith(", had 000000000000")
    (detail,) = checks["metrics"]["details"]
    assert detail.startswith("auc 0.")


def test_other_values_of_the_evaluation_are_told_by_their_path(folder: Path) -> None:
    """Where the metrics themselves agree; when it was made does not count."""
    path = folder / "runs" / "one" / "evaluation.json"
    evaluation = json.loads(path.read_text())
    evaluation["dataset"]["evaluation_time"] = "2000-01-01T00:00:00Z"
    evaluation["dataset"]["item_count"] = 7
    path.write_text(json.dumps(evaluation))
    checks = _verify(folder, exit_code=1)
    assert checks["metrics"] == {"result": "differs", "details": ["dataset.item_count 40, was 7"]}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.pop("request"), "has no 'request': it was written by an older ml-a2, which kept no hashes"),
        (lambda m: m["data"].pop("files"), "has no 'data.files'"),
        (lambda m: m.update(code=[{}]), "code is broken, so the run cannot be verified"),
        (lambda m: m.update(model="x"), "'model' must be an object, not 'x'"),
        (lambda m: m["request"].update(seed="many"), "manifest.json: request.seed is not what this version"),
        (lambda m: m.pop("metrics"), "manifest.json is no manifest of a run"),
    ],
)
def test_fails_on_a_run_that_cannot_be_verified(
    folder: Path, change: Callable[[dict[str, Any]], object], words: str
) -> None:
    """One line that says why, exit status 2."""
    _change(folder, change)
    answer = _ml_a2(folder, "verify", "one")
    assert answer.exit_code == 2, answer.output
    assert words in answer.stderr
    assert answer.stderr.count("\n") == 1
