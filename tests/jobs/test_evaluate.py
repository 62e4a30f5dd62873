"""evaluate.py: metrics are scikit-learn's, bad input ends in an exit message."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb
from quality import files
from sklearn import metrics

from ml_a2.jobs import evaluate
from tests.jobs.cases import Floats, evaluated, labelled_rows, pack, trained, values_of, write


@pytest.fixture
def case(tmp_path: Path) -> Any:
    def run(objective: str, classes: int, **parameters: Any) -> tuple[dict[str, Any], xgb.Booster, Floats, Floats]:
        labels, features = labelled_rows(7, classes)
        more = {"num_class": classes} if objective.startswith("multi") else {}
        booster = trained(labels, features, objective=objective, **more, **parameters)
        model = pack(tmp_path / "model", booster)
        data = write(tmp_path / "validation", labels, features)
        return evaluated(model, data)[0], booster, labels, features

    return run


@pytest.mark.parametrize("objective", ["binary:logistic", "binary:logitraw"])
def test_binary_metrics_are_those_of_the_scored_rows(case: Any, objective: str) -> None:
    """Scoring the rows by hand gives the reported metrics."""
    evaluation, booster, labels, features = case(objective, 2)
    scores = booster.predict(xgb.DMatrix(features)).astype(float)
    predicted = scores > (0.5 if objective == "binary:logistic" else 0)
    values = values_of(evaluation, "binary_classification_metrics")
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
    values = values_of(evaluation, "multiclass_classification_metrics")
    assert values["accuracy"] == pytest.approx(metrics.accuracy_score(labels, predicted), abs=1e-12)
    assert values["weighted_f1"] == pytest.approx(metrics.f1_score(labels, predicted, average="weighted"), abs=1e-12)


def test_regression_metrics_are_those_of_the_scored_rows(case: Any) -> None:
    """Mae, mse, rmse and r2 are scikit-learn's."""
    evaluation, booster, labels, features = case("reg:squarederror", 0)
    predicted = booster.predict(xgb.DMatrix(features)).astype(float)
    values = values_of(evaluation, "regression_metrics")
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
    labels, features = labelled_rows(3, 0)
    counts = np.floor(np.exp(labels / 3))
    booster = trained(counts, features, objective="count:poisson")
    evaluation, _ = evaluated(pack(tmp_path / "m", booster), write(tmp_path / "v", counts, features))
    expected = metrics.mean_absolute_error(counts, booster.predict(xgb.DMatrix(features)))
    assert evaluation["regression_metrics"]["mae"]["value"] == pytest.approx(expected, rel=1e-6)


def test_chunks_give_the_same_metrics(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Reading some rows at a time changes nothing."""
    labels, features = labelled_rows(5, 2, rows=3500)
    booster = trained(labels, features, objective="binary:logistic")
    model, data = pack(tmp_path / "m", booster), write(tmp_path / "v", labels, features)
    whole, curves = evaluated(model, data)
    monkeypatch.setattr(files, "BYTES_AT_ONCE", 30_000)
    assert 5 < len(list(files.read_blocks(str(data / "v.csv")))) < 10
    chunked, chunked_curves = evaluated(model, data)
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
def test_fails_with_an_exit_message(
    tmp_path: Path, rows: str | None, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bad validation data exits 1 and says in the message, and in one line of the log, what is wrong where."""
    labels, features = labelled_rows(7, 2)
    model = pack(tmp_path / "m", trained(labels, features, objective="binary:logistic"))
    (tmp_path / "v").mkdir()
    if rows is not None:
        (tmp_path / "v" / "v.csv").write_text(rows)
    assert _main(tmp_path, model) == 1
    assert words in (tmp_path / "output" / "message").read_text()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert words in line
    assert not (tmp_path / "out" / "evaluation.json").exists()


def test_an_error_that_nobody_foresaw_leaves_its_traceback_in_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log is all that is left of it on AWS; here a file lies where the output's folder must be."""
    labels, features = labelled_rows(7, 2)
    model = pack(tmp_path / "m", trained(labels, features, objective="binary:logistic"))
    write(tmp_path / "v", labels, features)
    (tmp_path / "out").write_text("")
    assert _main(tmp_path, model) == 1
    assert "Traceback" in capsys.readouterr().err
    assert (tmp_path / "output" / "message").read_text().startswith("FileExistsError: ")


@pytest.mark.parametrize("size", [0.0, 1.0, 1e-12, 1e6, 1e15, 1e30])
def test_residuals_that_hardly_differ_have_a_histogram(tmp_path: Path, size: float) -> None:
    """Labels of any size, all alike or nearly: numpy itself refuses bins that are narrower than its numbers."""
    _, features = labelled_rows(7, 2)
    labels = size * (1 + np.arange(len(features)) % 2 * np.finfo(np.float32).eps)
    booster = trained(labels, features, objective="reg:squarederror", base_score=size)
    _, curves = evaluated(pack(tmp_path / "m", booster), write(tmp_path / "v", labels, features))
    edges = curves["residuals"]["edges"]
    assert all(low < high for low, high in itertools.pairwise(edges))
    assert sum(curves["residuals"]["counts"]) == len(features)


def test_fails_where_the_model_predicts_no_number(tmp_path: Path) -> None:
    """A training that diverged leaves such a model; the row is named, and what to do."""
    labels, features = labelled_rows(7, 2)
    booster = trained(labels * 3e38, features, objective="reg:squarederror", eta=1.0, base_score=-3e38)
    assert not np.isfinite(booster.predict(xgb.DMatrix(features))).all()
    model = pack(tmp_path / "m", booster)
    write(tmp_path / "v", labels, features)
    assert _main(tmp_path, model) == 1
    assert "the model predicts no finite number" in (tmp_path / "output" / "message").read_text()


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
    labels, features = labelled_rows(7, 2)
    weak = pack(tmp_path / "weak", trained(labels, features[:, ::-1].copy(), objective="binary:logistic"))
    good = pack(tmp_path / "good", trained(labels, features, objective="binary:logistic"))
    data = write(tmp_path / "v", labels, features)
    alone = [values_of(evaluated(model, data)[0], "binary_classification_metrics") for model in (good, weak)]
    for model, champion, own, other in ((good, weak, *alone), (weak, good, *reversed(alone))):
        evaluation, _ = evaluated(model, data, "--champion", str(champion))
        assert evaluation["champion"]["metrics"] == pytest.approx(other)
        assert evaluation["champion"]["worse_by"]["auc"] == pytest.approx(other["auc"] - own["auc"])
        assert evaluation["champion"]["worse_by"]["log_loss"] == pytest.approx(own["log_loss"] - other["log_loss"])
        assert values_of(evaluation, "binary_classification_metrics") == own


def test_a_model_is_no_champion_of_itself(tmp_path: Path) -> None:
    """Before one was accepted, the state machine names the model itself."""
    labels, features = labelled_rows(7, 2)
    model = pack(tmp_path / "m", trained(labels, features, objective="binary:logistic"))
    data = write(tmp_path / "v", labels, features)
    assert evaluated(model, data, "--champion", str(model))[0]["champion"] is None
    assert evaluated(model, data)[0]["champion"] is None


def test_fails_on_a_champion_of_another_kind(tmp_path: Path) -> None:
    """The message names both."""
    labels, features = labelled_rows(7, 2)
    model = pack(tmp_path / "m", trained(labels, features, objective="binary:logistic"))
    other = pack(tmp_path / "c", trained(labels, features, objective="reg:squarederror"))
    write(tmp_path / "v", labels, features)
    assert _main(tmp_path, model, "--champion", str(other)) == 1
    message = (tmp_path / "output" / "message").read_text()
    assert "the champion is a regression model with 4 features, this one is a binary model with 4" in message


def test_slices_are_measured_alone(tmp_path: Path) -> None:
    """By value where a feature has few, by quarters otherwise; few rows are flagged, empty cells are a slice."""
    labels, features = labelled_rows(7, 2)
    features[:, 1] = np.repeat([0.0, 1.0, np.nan], [270, 20, 10])
    booster = trained(labels, features, objective="binary:logistic")
    model, data = pack(tmp_path / "m", booster), write(tmp_path / "v", labels, features)
    evaluation, _ = evaluated(model, data, "--slice=f1", "--slice=f0")
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
    labels, features = labelled_rows(7, 2)
    model = pack(tmp_path / "m", trained(labels, features, objective="binary:logistic"))
    data = write(tmp_path / "v", labels, features)
    columns({"target": "ill", "features": ["age", "size, mm", "-c", "d"], "classes": ["no", "yes"]})
    evaluation, curves = evaluated(model, data, "--slice=-c", "--slice=f1")
    assert (curves["target"], curves["classes"]) == ("ill", ["no", "yes"])
    shares = curves["feature_importance"]["features"]
    assert shares[0]["feature"] == "age"
    assert sum(each["share"] for each in shares) == pytest.approx(1)
    assert {each["column"] for each in evaluation["slices"]} == {"-c", "size, mm"}
    with pytest.raises(
        evaluate.EvaluationError, match="no feature 'weight' to evaluate by; there are 'age', 'size, mm'"
    ):
        evaluated(model, data, "--slice=weight")
    columns({"target": "ill", "features": ["of", "other", "data"], "classes": None})
    assert evaluated(model, data)[1]["feature_importance"]["features"][0]["feature"] == "f0"
    columns("{")
    with pytest.raises(evaluate.EvaluationError, match=r"columns\.json cannot be read: .*Error.*upload it again"):
        evaluated(model, data)


def test_the_second_column_can_be_a_weight(tmp_path: Path) -> None:
    """A row of weight 2 counts as two rows; without weight nothing is measured."""
    labels, features = labelled_rows(7, 2)
    booster = trained(labels, features, objective="binary:logistic")
    weights = np.where(features[:, 1] > 0, 2.0, 1.0)
    model = pack(tmp_path / "m", booster)
    data = write(tmp_path / "v", labels, np.column_stack([weights, features]))
    values = values_of(evaluated(model, data, "--weights")[0], "binary_classification_metrics")
    scores = booster.predict(xgb.DMatrix(features))
    assert values["auc"] == pytest.approx(metrics.roc_auc_score(labels, scores, sample_weight=weights), abs=1e-9)
    nothing = write(tmp_path / "n", labels, np.column_stack([weights * 0, features]))
    with pytest.raises(evaluate.EvaluationError, match="weights of the validation rows are all 0"):
        evaluated(model, nothing, "--weights")
    negative = write(tmp_path / "g", labels, np.column_stack([weights - 3, features]))
    with pytest.raises(evaluate.EvaluationError, match="row 1: the weight is missing, infinite or below 0"):
        evaluated(model, negative, "--weights")


def test_rankings_are_measured_by_group(tmp_path: Path) -> None:
    """The group is a feature; the rows are counted, not the groups."""
    labels, features = labelled_rows(7, 0)
    labels = np.clip(np.round(labels), 0, 4)
    features[:, 3] = np.arange(len(labels)) // 10
    booster = trained(labels, features, objective="rank:pairwise")
    model, data = pack(tmp_path / "m", booster), write(tmp_path / "v", labels, features)
    evaluation, curves = evaluated(model, data, "--group=f3", "--slice=f0")
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
    labels, features = labelled_rows(7, 0)
    labels = np.clip(np.round(labels), 0, 4)
    model = pack(tmp_path / "m", trained(labels, features, objective="rank:pairwise"))
    assert evaluated(model, write(tmp_path / "v", labels, features))[0]["ranking_metrics"]["ndcg"]["value"] > 0.5
    evaluation, _ = evaluated(model, write(tmp_path / "n", labels * 0, features))
    assert evaluation["ranking_metrics"] == {}
    assert set(evaluation["undefined"]) == {"ndcg", "ndcg_at_10", "map"}
    assert evaluation["undefined"]["map"] == "no group of the validation rows has a relevant row"
    assert (evaluation["baseline"]["metrics"], evaluation["confidence_intervals"]["metrics"]) == ({}, {})


@pytest.mark.parametrize("booster", ["gblinear", "dart"])
def test_every_booster_has_an_importance(case: Any, booster: str, tmp_path: Path) -> None:
    """Gain where there are splits, the size of the coefficients where there are none."""
    case("multi:softprob", 3, booster=booster, **({"nthread": 1} if booster == "gblinear" else {}))
    _, curves = evaluated(tmp_path / "model", tmp_path / "validation")
    assert curves["feature_importance"]["measure"] == ("weight" if booster == "gblinear" else "gain")
    assert curves["feature_importance"]["features"][0]["feature"] == "f0"


def test_the_largest_evaluation_stays_below_what_a_state_holds(tmp_path: Path) -> None:
    """Fifty classes and ten features with twenty slices each: less than 200 KB."""
    labels, features = labelled_rows(7, 50, rows=3000)
    features = np.column_stack([features[:, :1], np.random.default_rng(1).integers(0, 20, (3000, 10))])
    booster = trained(labels, features, objective="multi:softprob", num_class=50)
    model, data = pack(tmp_path / "m", booster), write(tmp_path / "v", labels, features)
    evaluation, _ = evaluated(model, data, *(f"--slice=f{number}" for number in range(1, 11)))
    assert len(evaluation["slices"]) == 200
    assert len(json.dumps(evaluation, separators=(",", ":"))) < 200_000
