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
from numpy.typing import NDArray
from quality import data as data_module
from sklearn import metrics

from ml_a2.contract import CODE_PREFIX
from ml_a2.evaluation_code import evaluation_files
from ml_a2.jobs import evaluate

Floats = NDArray[np.float64]


def _trained(labels: Floats, features: Floats, **parameters: Any) -> xgb.Booster:
    matrix = xgb.DMatrix(features, label=labels)
    trees = {} if parameters.get("booster") == "gblinear" else {"tree_method": "exact", "max_depth": 3}
    return xgb.train({**trees, **parameters}, matrix, num_boost_round=5)


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


def _evaluate(model: Path, data: Path, *more: str) -> tuple[dict[str, Any], dict[str, Any]]:
    options = evaluate.parse_arguments(["--model", str(model), "--validation", str(data), *more])
    evaluation, curves = evaluate.evaluate(options)
    json.dumps([evaluation, curves], allow_nan=False)
    return evaluation, curves


@pytest.fixture
def case(tmp_path: Path) -> Any:
    def run(objective: str, classes: int, **parameters: Any) -> tuple[dict[str, Any], xgb.Booster, Floats, Floats]:
        labels, features = _data(7, classes)
        more = {"num_class": classes} if objective.startswith("multi") else {}
        booster = _trained(labels, features, objective=objective, **more, **parameters)
        model = _pack(tmp_path / "model", booster)
        data = _write(tmp_path / "validation", labels, features)
        return _evaluate(model, data)[0], booster, labels, features

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
    evaluation, _ = _evaluate(_pack(tmp_path / "m", booster), _write(tmp_path / "v", counts, features))
    expected = metrics.mean_absolute_error(counts, booster.predict(xgb.DMatrix(features)))
    assert evaluation["regression_metrics"]["mae"]["value"] == pytest.approx(expected, rel=1e-6)


def test_chunks_give_the_same_metrics(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Reading a thousand rows at a time changes nothing, and holds no more than that."""
    labels, features = _data(5, 2, rows=3500)
    booster = _trained(labels, features, objective="binary:logistic")
    model, data = _pack(tmp_path / "m", booster), _write(tmp_path / "v", labels, features)
    whole, curves = _evaluate(model, data)
    monkeypatch.setattr(data_module, "CELLS_PER_CHUNK", 1)
    assert [len(chunk) for _, chunk in data_module.read_chunks(str(data / "v.csv"))] == [1000, 1000, 1000, 500]
    chunked, chunked_curves = _evaluate(model, data)
    assert chunked["binary_classification_metrics"] == whole["binary_classification_metrics"]
    assert chunked["confidence_intervals"] == whole["confidence_intervals"]
    assert chunked_curves == curves


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("0,1,2\n", "v.csv has 2 feature columns, but the model was trained on 4"),
        ("0,1,2,3,4\n,1,2,3,4\n", "v.csv, row 2: the label is missing"),
        ("0,1,2,3,4\ninf,1,2,3,4\n", "v.csv, row 2: the label is missing or infinite"),
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


def _main(folder: Path, model: Path, *more: str) -> int:
    paths = {"--model": model, "--validation": folder / "v", "--output": folder / "out"}
    words = [word for option, path in paths.items() for word in (option, str(path))]
    status: int = evaluate.main([*words, "--message", str(folder / "output" / "message"), *more])
    return status


def test_a_champion_is_measured_on_the_same_rows(tmp_path: Path) -> None:
    """What it reaches, and by how much the new model is worse: more for an error, less for a share."""
    labels, features = _data(7, 2)
    weak = _pack(tmp_path / "weak", _trained(labels, features[:, ::-1].copy(), objective="binary:logistic"))
    good = _pack(tmp_path / "good", _trained(labels, features, objective="binary:logistic"))
    data = _write(tmp_path / "v", labels, features)
    alone = [_values(_evaluate(model, data)[0], "binary_classification_metrics") for model in (good, weak)]
    for model, champion, own, other in ((good, weak, *alone), (weak, good, *reversed(alone))):
        evaluation, _ = _evaluate(model, data, "--champion", str(champion))
        assert evaluation["champion"]["metrics"] == pytest.approx(other)
        assert evaluation["champion"]["worse_by"]["auc"] == pytest.approx(other["auc"] - own["auc"])
        assert evaluation["champion"]["worse_by"]["log_loss"] == pytest.approx(own["log_loss"] - other["log_loss"])
        assert _values(evaluation, "binary_classification_metrics") == own


def test_a_model_is_no_champion_of_itself(tmp_path: Path) -> None:
    """Before one was accepted, the state machine names the model itself."""
    labels, features = _data(7, 2)
    model = _pack(tmp_path / "m", _trained(labels, features, objective="binary:logistic"))
    data = _write(tmp_path / "v", labels, features)
    assert _evaluate(model, data, "--champion", str(model))[0]["champion"] is None
    assert _evaluate(model, data)[0]["champion"] is None


def test_fails_on_a_champion_of_another_kind(tmp_path: Path) -> None:
    """The message names both."""
    labels, features = _data(7, 2)
    model = _pack(tmp_path / "m", _trained(labels, features, objective="binary:logistic"))
    other = _pack(tmp_path / "c", _trained(labels, features, objective="reg:squarederror"))
    _write(tmp_path / "v", labels, features)
    assert _main(tmp_path, model, "--champion", str(other)) == 1
    message = (tmp_path / "output" / "message").read_text()
    assert "the champion is a regression model with 4 features, this one is a binary model with 4" in message


def test_slices_are_measured_alone(tmp_path: Path) -> None:
    """By value where a feature has few, by quarters otherwise; few rows are flagged, empty cells are a slice."""
    labels, features = _data(7, 2)
    features[:, 1] = np.repeat([0.0, 1.0, np.nan], [270, 20, 10])
    booster = _trained(labels, features, objective="binary:logistic")
    model, data = _pack(tmp_path / "m", booster), _write(tmp_path / "v", labels, features)
    evaluation, _ = _evaluate(model, data, "--slice=f1", "--slice=f0")
    slices = evaluation["slices"]
    by_value = [each for each in slices if each["column"] == "f1"]
    assert [(each["value"], each["rows"], each["small"]) for each in by_value] == [
        ("0", 270, False), ("1", 20, True), ("missing", 10, True),
    ]  # fmt: skip
    scores = booster.predict(xgb.DMatrix(features[:270]))
    assert by_value[0]["metrics"]["auc"] == pytest.approx(metrics.roc_auc_score(labels[:270], scores), abs=1e-9)
    quarters = [each for each in slices if each["column"] == "f0"]
    assert [each["rows"] for each in quarters] == [75, 75, 75, 75]


@pytest.fixture
def columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write columns.json where the evaluation looks for it."""
    monkeypatch.setattr(evaluate, "CODE", str(tmp_path))
    return lambda content: (tmp_path / "columns.json").write_text(
        content if isinstance(content, str) else json.dumps(content)
    )


def test_names_are_the_persons_own(tmp_path: Path, columns: Any) -> None:
    """Importance and slices go by them; the curves tell the classes' names."""
    labels, features = _data(7, 2)
    model = _pack(tmp_path / "m", _trained(labels, features, objective="binary:logistic"))
    data = _write(tmp_path / "v", labels, features)
    columns({"target": "ill", "features": ["age", "size, mm", "-c", "d"], "classes": ["no", "yes"]})
    evaluation, curves = _evaluate(model, data, "--slice=-c", "--slice=f1")
    assert (curves["target"], curves["classes"]) == ("ill", ["no", "yes"])
    shares = curves["feature_importance"]["features"]
    assert shares[0]["feature"] == "age"
    assert sum(each["share"] for each in shares) == pytest.approx(1)
    assert {each["column"] for each in evaluation["slices"]} == {"-c", "size, mm"}
    with pytest.raises(
        evaluate.EvaluationError, match="no feature 'weight' to evaluate by; there are 'age', 'size, mm'"
    ):
        _evaluate(model, data, "--slice=weight")
    columns({"target": "ill", "features": ["of", "other", "data"], "classes": None})
    assert _evaluate(model, data)[1]["feature_importance"]["features"][0]["feature"] == "f0"
    columns("{")
    with pytest.raises(evaluate.EvaluationError, match=r"columns\.json cannot be read: .*Error.*upload it again"):
        _evaluate(model, data)


def test_the_second_column_can_be_a_weight(tmp_path: Path) -> None:
    """A row of weight 2 counts as two rows; without weight nothing is measured."""
    labels, features = _data(7, 2)
    booster = _trained(labels, features, objective="binary:logistic")
    weights = np.where(features[:, 1] > 0, 2.0, 1.0)
    model = _pack(tmp_path / "m", booster)
    data = _write(tmp_path / "v", labels, np.column_stack([weights, features]))
    values = _values(_evaluate(model, data, "--weights")[0], "binary_classification_metrics")
    scores = booster.predict(xgb.DMatrix(features))
    assert values["auc"] == pytest.approx(metrics.roc_auc_score(labels, scores, sample_weight=weights), abs=1e-9)
    nothing = _write(tmp_path / "n", labels, np.column_stack([weights * 0, features]))
    with pytest.raises(evaluate.EvaluationError, match="weights of the validation rows are all 0"):
        _evaluate(model, nothing, "--weights")
    negative = _write(tmp_path / "g", labels, np.column_stack([weights - 3, features]))
    with pytest.raises(evaluate.EvaluationError, match="row 1: the weight is missing, infinite or below 0"):
        _evaluate(model, negative, "--weights")


def test_rankings_are_measured_by_group(tmp_path: Path) -> None:
    """The group is a feature; the rows are counted, not the groups."""
    labels, features = _data(7, 0)
    labels = np.clip(np.round(labels), 0, 4)
    features[:, 3] = np.arange(len(labels)) // 10
    booster = _trained(labels, features, objective="rank:pairwise")
    model, data = _pack(tmp_path / "m", booster), _write(tmp_path / "v", labels, features)
    evaluation, curves = _evaluate(model, data, "--group=f3", "--slice=f0")
    scores = booster.predict(xgb.DMatrix(features)).astype(float)
    each = [
        metrics.ndcg_score([labels[first : first + 10]], [scores[first : first + 10]])
        for first in range(0, len(labels), 10)
        if labels[first : first + 10].any()
    ]
    assert evaluation["ranking_metrics"]["ndcg"]["value"] == pytest.approx(np.mean(each), abs=1e-9)
    assert evaluation["dataset"]["item_count"] == len(labels)
    assert sum(curves["group_ndcg"]["counts"]) == len(each)
    assert [each["rows"] for each in evaluation["slices"]] == [75, 75, 75, 75]
    assert all("ndcg" in each["metrics"] for each in evaluation["slices"])


def test_a_ranking_without_a_relevant_row_has_no_metric(tmp_path: Path) -> None:
    """Each has a reason instead, and without a group column all rows are one group."""
    labels, features = _data(7, 0)
    labels = np.clip(np.round(labels), 0, 4)
    model = _pack(tmp_path / "m", _trained(labels, features, objective="rank:pairwise"))
    assert _evaluate(model, _write(tmp_path / "v", labels, features))[0]["ranking_metrics"]["ndcg"]["value"] > 0.5
    evaluation, _ = _evaluate(model, _write(tmp_path / "n", labels * 0, features))
    assert evaluation["ranking_metrics"] == {}
    assert set(evaluation["undefined"]) == {"ndcg", "ndcg_at_10", "map"}
    assert evaluation["undefined"]["map"] == "no group of the validation rows has a relevant row"
    assert (evaluation["baseline"]["metrics"], evaluation["confidence_intervals"]["metrics"]) == ({}, {})


@pytest.mark.parametrize("booster", ["gblinear", "dart"])
def test_every_booster_has_an_importance(case: Any, booster: str, tmp_path: Path) -> None:
    """Gain where there are splits, the size of the coefficients where there are none."""
    case("multi:softprob", 3, booster=booster, **({"nthread": 1} if booster == "gblinear" else {}))
    _, curves = _evaluate(tmp_path / "model", tmp_path / "validation")
    assert curves["feature_importance"]["measure"] == ("weight" if booster == "gblinear" else "gain")
    assert curves["feature_importance"]["features"][0]["feature"] == "f0"


def test_the_largest_evaluation_stays_below_what_a_state_holds(tmp_path: Path) -> None:
    """Fifty classes and ten features with twenty slices each: less than 200 KB."""
    labels, features = _data(7, 50, rows=3000)
    features = np.column_stack([features[:, :1], np.random.default_rng(1).integers(0, 20, (3000, 10))])
    booster = _trained(labels, features, objective="multi:softprob", num_class=50)
    model, data = _pack(tmp_path / "m", booster), _write(tmp_path / "v", labels, features)
    evaluation, _ = _evaluate(model, data, *(f"--slice=f{number}" for number in range(1, 11)))
    assert len(evaluation["slices"]) == 200
    assert len(json.dumps(evaluation, separators=(",", ":"))) < 200_000


def test_evaluate_without_its_folder_says_so(tmp_path: Path) -> None:
    """Whoever uploads the script alone reads what is missing."""
    shutil.copy(evaluate.__file__, tmp_path / "evaluate.py")
    command = [sys.executable, "-I", str(tmp_path / "evaluate.py")]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "evaluate.py needs the folder 'quality' beside it: upload both" in answer.stderr


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
    for key, path in evaluation_files().items():
        target = code / key.removeprefix(CODE_PREFIX)
        target.parent.mkdir(exist_ok=True)
        shutil.copy(path, target)
    labels, features = _data(7, 2)
    booster = _trained(labels, features, objective="binary:logistic")
    model, data = _pack(tmp_path / "m", booster), _write(tmp_path / "v", labels, features)
    command = [environment / "bin/python", code / "evaluate.py", "--model", model, "--validation", data]
    command += ["--output", tmp_path / "out", "--message", tmp_path / "message"]
    # An index that does not exist: whatever asked for the network would fail.
    without = {"PATH": os.environ["PATH"], "PIP_INDEX_URL": "http://127.0.0.1:1", "PIP_CONFIG_FILE": os.devnull}
    ran = subprocess.run(list(map(str, command)), env=without, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    there = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    here, curves = _evaluate(model, data)
    key = "binary_classification_metrics"
    assert _values(there, key) == pytest.approx(_values(here, key), abs=1e-9)
    ends = {name: interval["lower"] for name, interval in here["confidence_intervals"]["metrics"].items()}
    for name, interval in there["confidence_intervals"]["metrics"].items():
        assert interval["lower"] == pytest.approx(ends[name], abs=1e-6)
    assert json.loads((tmp_path / "out" / "curves.json").read_text()).keys() == curves.keys()
    assert sys.version_info[:2] >= (3, 11)  # so this is another Python than the one just run
