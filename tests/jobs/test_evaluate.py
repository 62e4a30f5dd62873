"""evaluate.py: metrics are scikit-learn's, bad input ends in an exit message, the image's own packages suffice."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics

from ml_a2.evaluation_code import evaluation_files
from ml_a2.jobs import evaluate

Floats = NDArray[np.float64]


def _trained(labels: Floats, features: Floats, **parameters: Any) -> xgb.Booster:
    matrix = xgb.DMatrix(features, label=labels)
    return xgb.train({"tree_method": "exact", "max_depth": 3, **parameters}, matrix, num_boost_round=5)


def _pack(folder: Path, booster: xgb.Booster) -> Path:
    """Write model.tar.gz as the training image does: the legacy binary format."""
    folder.mkdir(parents=True, exist_ok=True)
    model = folder / "xgboost-model.deprecated"
    booster.save_model(model)
    with tarfile.open(folder / "model.tar.gz", "w:gz") as tar:
        tar.add(model, arcname="xgboost-model")
    model.unlink()
    return folder


def _write(folder: Path, labels: Floats, features: Floats, name: str = "v.csv") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    np.savetxt(folder / name, np.column_stack([labels, features]), delimiter=",", fmt="%.9g")
    return folder


def _data(seed: int, classes: int, rows: int = 300) -> tuple[Floats, Floats]:
    random = np.random.default_rng(seed)
    features = random.normal(size=(rows, 4)).astype(np.float32).astype(np.float64)
    if classes == 0:
        return features[:, 0] * 3 + random.normal(size=rows), features
    labels = np.clip(
        np.digitize(features[:, 0] + random.normal(size=rows), np.linspace(-1, 1, classes - 1)), 0, classes - 1
    )
    labels[:classes] = np.arange(classes)
    return labels.astype(float), features


@pytest.fixture
def case(tmp_path: Path) -> Any:
    def run(objective: str, classes: int, **parameters: Any) -> tuple[dict[str, Any], xgb.Booster, Floats, Floats]:
        labels, features = _data(7, classes)
        more = {"num_class": classes} if objective.startswith("multi") else {}
        booster = _trained(labels, features, objective=objective, **more, **parameters)
        model = _pack(tmp_path / "model", booster)
        data = _write(tmp_path / "validation", labels, features)
        return evaluate.evaluate(str(model), str(data)), booster, labels, features

    return run


def _values(evaluation: dict[str, Any], key: str) -> dict[str, float]:
    return {name: metric["value"] for name, metric in evaluation[key].items() if name != "confusion_matrix"}


@pytest.mark.parametrize("objective", ["binary:logistic", "binary:logitraw"])
def test_binary_metrics_are_those_of_the_scored_rows(case: Any, objective: str) -> None:
    """Scoring the rows by hand gives the reported metrics."""
    evaluation, booster, labels, features = case(objective, 2)
    scores = booster.predict(xgb.DMatrix(features)).astype(float)
    predicted = scores > (0.5 if objective == "binary:logistic" else 0)
    values = _values(evaluation, "binary_classification_metrics")
    assert values["auc"] == pytest.approx(metrics.roc_auc_score(labels, scores), abs=1e-12)
    assert values["accuracy"] == pytest.approx(metrics.accuracy_score(labels, predicted), abs=1e-12)
    assert values["f1"] == pytest.approx(metrics.f1_score(labels, predicted), abs=1e-12)
    matrix = evaluation["binary_classification_metrics"]["confusion_matrix"]
    assert [[matrix[r][c] for c in "01"] for r in "01"] == metrics.confusion_matrix(labels, predicted).tolist()


@pytest.mark.parametrize("objective", ["multi:softprob", "multi:softmax"])
def test_multiclass_metrics_are_those_of_the_scored_rows(case: Any, objective: str) -> None:
    """Both multi-class objectives are evaluated on their most probable class."""
    evaluation, booster, labels, features = case(objective, 4)
    scores = booster.predict(xgb.DMatrix(features))
    predicted = scores.argmax(axis=1) if scores.ndim > 1 else scores
    values = _values(evaluation, "multiclass_classification_metrics")
    assert values["accuracy"] == pytest.approx(metrics.accuracy_score(labels, predicted), abs=1e-12)
    assert values["weighted_f1"] == pytest.approx(metrics.f1_score(labels, predicted, average="weighted"), abs=1e-12)


def test_regression_metrics_are_those_of_the_scored_rows(case: Any) -> None:
    """Mae, mse, rmse and r2 are scikit-learn's."""
    evaluation, booster, labels, features = case("reg:squarederror", 0)
    predicted = booster.predict(xgb.DMatrix(features)).astype(float)
    values = _values(evaluation, "regression_metrics")
    assert values == pytest.approx(
        {
            "mae": metrics.mean_absolute_error(labels, predicted),
            "mse": metrics.mean_squared_error(labels, predicted),
            "rmse": metrics.root_mean_squared_error(labels, predicted),
            "r2": metrics.r2_score(labels, predicted),
        },
        rel=1e-6,  # the labels were written with nine digits
    )


def test_counts_are_evaluated_on_their_own_scale(tmp_path: Path) -> None:
    """A Poisson model predicts counts, not their logarithms."""
    labels, features = _data(3, 0)
    counts = np.floor(np.exp(labels / 3))
    booster = _trained(counts, features, objective="count:poisson")
    evaluation = evaluate.evaluate(str(_pack(tmp_path / "m", booster)), str(_write(tmp_path / "v", counts, features)))
    expected = metrics.mean_absolute_error(counts, booster.predict(xgb.DMatrix(features)))
    assert evaluation["regression_metrics"]["mae"]["value"] == pytest.approx(expected, rel=1e-6)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32 - 1), st.integers(2, 200), st.booleans())
def test_binary_metrics_equal_scikit_learns_on_random_data(seed: int, rows: int, ties: bool) -> None:
    """On random scores, with and without ties, every binary metric is scikit-learn's."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, rows).astype(float)
    labels[:2] = 0, 1
    scores = random.random(rows).round(1 if ties else 12)
    predicted = scores > 0.5
    values = evaluate.binary_metrics(labels, scores)
    assert values["auc"] == pytest.approx(metrics.roc_auc_score(labels, scores), abs=1e-9)
    assert values["au_prc"] == pytest.approx(metrics.average_precision_score(labels, scores), abs=1e-9)
    assert values["precision"] == pytest.approx(metrics.precision_score(labels, predicted, zero_division=0), abs=1e-9)
    assert values["recall"] == values["true_positive_rate"]
    specificity = metrics.recall_score(labels, predicted, pos_label=0, zero_division=0)
    assert values["true_negative_rate"] == pytest.approx(specificity, abs=1e-9)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(3, 50))
def test_multiclass_metrics_equal_scikit_learns_on_random_data(seed: int, classes: int) -> None:
    """With 3 to 50 classes every metric is scikit-learn's."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, 200).astype(float)
    scores = random.random((200, classes))
    values = evaluate.multiclass_metrics(labels, scores)
    precision = metrics.precision_score(labels, scores.argmax(axis=1), average="weighted", zero_division=0)
    assert values["weighted_precision"] == pytest.approx(precision, abs=1e-9)


def test_metrics_undefined_for_one_class_are_left_out() -> None:
    """AUC on a single class is no number, and none is made up."""
    values = evaluate.binary_metrics(np.ones(5), np.linspace(0, 1, 5))
    assert "auc" not in values
    assert values["true_negative_rate"] is None


def test_standard_deviations_need_two_hundred_rows() -> None:
    """Below that SageMaker writes NaN; above, the deviation of five samples of 80 %, the same each time."""
    labels, scores = np.tile([0.0, 1.0], 100), np.random.default_rng(1).random(200)
    assert (
        evaluate.with_deviations(evaluate.binary_metrics, labels[:199], scores[:199])["auc"]["standard_deviation"]
        == "NaN"
    )
    first = evaluate.with_deviations(evaluate.binary_metrics, labels, scores)
    assert 0 < first["auc"]["standard_deviation"] < 0.1
    assert first == evaluate.with_deviations(evaluate.binary_metrics, labels, scores)


def test_chunks_give_the_same_metrics(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Reading a thousand rows at a time changes nothing, and holds no more than that."""
    labels, features = _data(5, 2, rows=3500)
    booster = _trained(labels, features, objective="binary:logistic")
    model, data = _pack(tmp_path / "m", booster), _write(tmp_path / "v", labels, features)
    whole = evaluate.evaluate(str(model), str(data))
    monkeypatch.setattr(evaluate, "CELLS_PER_CHUNK", 1)
    assert [len(chunk) for _, chunk in evaluate.read_chunks(str(data / "v.csv"))] == [1000, 1000, 1000, 500]
    chunked = evaluate.evaluate(str(model), str(data))
    assert chunked["binary_classification_metrics"] == whole["binary_classification_metrics"]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("0,1,2\n", "v.csv has 2 feature columns, but the model was trained on 4"),
        ("0,1,2,3,4\n,1,2,3,4\n", "v.csv, row 2: the label is missing"),
        ("0,1,2,3,4\n1,1,red,3,4\n", "v.csv, row 2, column 3: 'red' is not a number"),
        ("0,1,2,3,4\n2,1,2,3,4\n", "v.csv, row 2: label 2 is not one of 0 to 1"),
        ("", "v.csv is empty"),
        (None, "there is no validation data"),
    ],
)
def test_fails_with_an_exit_message(tmp_path: Path, rows: str | None, words: str) -> None:
    """Bad validation data exits 1 and says in /opt/ml/output/message what is wrong and where."""
    labels, features = _data(7, 2)
    model = _pack(tmp_path / "m", _trained(labels, features, objective="binary:logistic"))
    (tmp_path / "v").mkdir()
    if rows is not None:
        (tmp_path / "v" / "v.csv").write_text(rows)
    assert _main(tmp_path, model) == 1
    assert words in (tmp_path / "output" / "message").read_text()
    assert not (tmp_path / "out" / "evaluation.json").exists()


@pytest.mark.parametrize(("content", "words"), [(b"no archive", "holds no model"), (None, "there is no model.tar.gz")])
def test_fails_on_a_model_that_is_none(tmp_path: Path, content: bytes | None, words: str) -> None:
    """A missing or broken archive is told as such."""
    model = tmp_path / "m"
    model.mkdir()
    if content:
        (model / "model.tar.gz").write_bytes(content)
    assert _main(tmp_path, model) == 1
    assert words in (tmp_path / "output" / "message").read_text()


def _main(folder: Path, model: Path) -> int:
    paths = {"--model": model, "--validation": folder / "v", "--output": folder / "out"}
    words = [word for option, path in paths.items() for word in (option, str(path))]
    status: int = evaluate.main([*words, "--message", str(folder / "output" / "message")])
    return status


IMAGE_PACKAGES = ("numpy==1.24.1", "pandas==1.1.3", "scipy==1.8.0", "scikit-learn==1.2.1")


def _image_python() -> str | None:
    """Return a Python of the image's release, which can be elsewhere than on PATH."""
    for name in ("python3.9", "python3.8"):
        candidates = [shutil.which(name), *map(str, Path.home().glob(f".pyenv/versions/{name[6:]}.*/bin/{name}"))]
        for candidate in filter(None, candidates):
            if subprocess.run([candidate, "-c", "import venv"], capture_output=True, check=False).returncode == 0:
                return candidate
    return None


@pytest.mark.xdist_group("image")
def test_runs_in_the_image_with_its_own_packages_and_no_network(tmp_path: Path) -> None:
    """The image's Python and package set, no xgboost but the wheel beside the script, and no network at job time."""
    python = _image_python()
    if python is None:
        pytest.skip("no Python 3.9 or 3.8, the image's own, is on this machine")
    environment = tmp_path / "image"
    subprocess.run([python, "-m", "venv", str(environment)], check=True)
    install = [environment / "bin/python", "-m", "pip", "install", "--quiet", "--only-binary", ":all:", *IMAGE_PACKAGES]
    answer = subprocess.run(install, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        pytest.skip(f"the image's packages cannot be installed here: {answer.stderr[-300:]}")
    code = tmp_path / "code"
    code.mkdir()
    for path in evaluation_files().values():
        shutil.copy(path, code)
    labels, features = _data(7, 2)
    booster = _trained(labels, features, objective="binary:logistic")
    model, data = _pack(tmp_path / "m", booster), _write(tmp_path / "v", labels, features)
    command = [environment / "bin/python", code / "evaluate.py", "--model", model, "--validation", data]
    command += ["--output", tmp_path / "out", "--message", tmp_path / "message"]
    # An index that does not exist: whatever asked for the network would fail.
    without = {"PATH": os.environ["PATH"], "PIP_INDEX_URL": "http://127.0.0.1:1", "PIP_CONFIG_FILE": os.devnull}
    ran = subprocess.run(list(map(str, command)), env=without, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    there = json.loads((tmp_path / "out" / "evaluation.json").read_text())["binary_classification_metrics"]
    here = evaluate.evaluate(str(model), str(data))["binary_classification_metrics"]
    assert _values({"m": there}, "m") == pytest.approx(_values({"m": here}, "m"), abs=1e-9)
    assert sys.version_info[:2] >= (3, 11)  # so this is another Python than the one just run
