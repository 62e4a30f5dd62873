"""`ml-a2 run --model`, as a person calls it: a model that exists already, evaluated again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from ml_a2.cli import main

pytestmark = pytest.mark.xdist_group("given-model")


def _ml_a2(folder: Path, *arguments: str) -> Result:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return CliRunner().invoke(main, arguments)


def _run(folder: Path, *arguments: str) -> dict[str, Any]:
    answer = _ml_a2(folder, "run", "--json", "--speed", "1000", *arguments)
    assert answer.exit_code == 0, answer.output
    result: dict[str, Any] = json.loads(answer.stdout)
    return result


def _manifest(folder: Path, result: dict[str, Any]) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / result["run_directory"] / "manifest.json").read_text())
    return manifest


def _table(seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    age, income = random.normal(50, 10, 120).round(2), random.integers(1, 9, 120)
    left = np.where(age + random.normal(0, 5, 120) > 50, "yes", "no")
    return pd.DataFrame({"age": age, "income": income, "left": left})


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A folder with three months of rows, and a run on two of them."""
    folder = tmp_path_factory.mktemp("trained")
    for seed, month in enumerate(("may", "june", "july")):
        _table(seed).to_csv(folder / f"{month}.csv", index=False)
    options = ("--train", "may.csv", "--validation", "june.csv", "--target-column", "left", "--set", "num_round=5")
    return folder, _run(folder, *options)


def test_the_same_rows_give_the_same_metrics(trained: tuple[Path, dict[str, Any]]) -> None:
    """Without training; the record is complete, and the model is that of the run."""
    folder, first = trained
    second = _run(folder, "--model", first["execution"], "--validation", "june.csv")
    assert second["metrics"] == first["metrics"]
    before, after = _manifest(folder, first), _manifest(folder, second)
    assert after["model"]["given"] == {
        "run": first["execution"],
        "path": f"{first['run_directory']}/model.tar.gz",
    }
    assert after["model"]["uri"].endswith(f"/models/{second['execution']}/output/model.tar.gz")
    assert after["model"]["files"] == before["model"]["files"]
    for key in ("hyperparameters", "template_sha256", "code"):
        hashes = [[c["sha256"] for c in m[key]] if key == "code" else m[key] for m in (before, after)]
        assert hashes[0] == hashes[1]
    assert after["problem"]["label_mapping"] == {"no": 0, "yes": 1}
    assert [file["key"] for file in after["data"]["files"]] == ["validation/validation.csv", "evaluation/columns.json"]
    assert (after["data"]["train"], after["data"]["train_rows"]) == (None, 0)
    assert after["timings"]["training_seconds"] is None
    states = [state["name"] for state in after["timings"]["states"]]
    assert "UseGivenModel" in states
    assert "CreateTrainingJob" not in states
    run = folder / second["run_directory"]
    assert (run / "model.tar.gz").read_bytes() == (folder / first["run_directory"] / "model.tar.gz").read_bytes()
    assert not (run / "logs" / "training.log").exists()


def test_new_rows_are_all_evaluated_and_can_be_verified(trained: tuple[Path, dict[str, Any]]) -> None:
    """None is split off; a run without training is repeated as well, and notices another model."""
    folder, first = trained
    result = _run(folder, "--model", first["run_directory"], "--validation", "july.csv", "--target-column", "left")
    assert _manifest(folder, result)["data"]["validation_rows"] == 120
    answer = _ml_a2(folder, "verify", result["execution"], "--json")
    assert answer.exit_code == 0, answer.output
    shutil.copytree(folder, folder.parent / "other")
    other = folder.parent / "other"
    path = other / result["run_directory"] / "manifest.json"
    path.write_text(path.read_text().replace(str(folder), str(other)))
    (other / first["run_directory"] / "model.tar.gz").write_bytes(b"another one")
    answer = _ml_a2(other, "verify", result["execution"], "--json")
    checks = json.loads(answer.stdout)["checks"]
    assert answer.exit_code == 1
    assert checks["given model"]["result"] == "differs"
    assert (checks["data"]["result"], checks["metrics"]["result"]) == ("identical", "not checked")


def test_an_archive_from_elsewhere_takes_class_numbers(trained: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    """Nothing but the archive: labels are 0 and 1, and mean the same."""
    folder, first = trained
    shutil.copy(folder / first["run_directory"] / "model.tar.gz", tmp_path)
    table = pd.read_csv(folder / "june.csv").replace({"left": {"no": 0, "yes": 1}})
    table.to_csv(tmp_path / "june.csv", index=False)
    options = ("--model", "model.tar.gz", "--validation", "june.csv", "--target-column", "left")
    result = _run(tmp_path, *options)
    assert result["metrics"] == first["metrics"]
    manifest = _manifest(tmp_path, result)
    assert manifest["model"]["given"] == {"run": None, "path": "model.tar.gz"}
    assert manifest["problem"]["objective"] == "binary:logistic"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "RUN"], "--model needs rows to be evaluated on; add --validation FILE or --sample NAME"),
        (["--model", "RUN", "--train", "may.csv"], "--train is to learn from, and --model has learned"),
        (["--model", "RUN", "--validation", "june.csv", "--set", "eta=1"], "--set decides how a model is trained"),
        (["--model", "RUN", "--validation", "june.csv", "--seed", "1"], "--seed decides what is trained on"),
        (["--model", "RUN", "--validation", "june.csv", "--validation-fraction", "0.5"], "--validation-fraction"),
        (["--model", "RUN", "--validation", "june.csv", "--sample", "digits"], "exclude each other"),
        (["--model", "RUN", "--sample", "diabetes"], "sample diabetes"),
        (["--model", "RUN", "--validation", "wrong.csv"], "wrong.csv has no column 'income'; the model was trained on"),
        (["--model", "RUN", "--validation", "gone.csv"], "gone.csv does not exist"),
        (
            ["--model", "RUN", "--validation", "june.csv", "--target-column", "age"],
            "the target 'age' is a feature of the model",
        ),
        (["--model", "june.csv", "--validation", "june.csv"], "june.csv holds no model: it is text"),
        (["--model", "gone", "--validation", "june.csv"], "run 'gone' does not exist in runs; there is "),
    ],
)
def test_fails_on_bad_input_before_anything_starts(
    trained: tuple[Path, dict[str, Any]], arguments: list[str], words: str
) -> None:
    """One line, exit status 2, no further run."""
    folder, first = trained
    (folder / "wrong.csv").write_text("left,age,debt\nyes,1,2\n")
    runs = sorted((folder / "runs").iterdir())
    answer = _ml_a2(folder, "run", *(first["execution"] if word == "RUN" else word for word in arguments))
    assert answer.exit_code == 2, answer.output
    assert words in answer.stderr
    assert answer.stderr.count("\n") == 1
    assert sorted((folder / "runs").iterdir()) == runs
