"""The training's last metrics against the evaluation's: silent about the same rows, loud about others."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from ml_a2.local.images.xgboost.metric_definitions import METRIC_DEFINITIONS
from tests.jobs.conftest import evaluate  # noqa: F401  # finds the modules below
from tests.jobs.trainings import compare, drawn, train

from quality.errors import EvaluationError  # isort: skip
from quality.trained import LAST_ASKED, METRICS, TUNED, Trained, read_trained, stopping_metric, variable  # isort: skip
from quality.tripwire import classification  # isort: skip

# More of them by hand, with -s: the last line says how many there were.
RUNS = int(os.environ.get("TRIPWIRE_RUNS", "16"))
RECORDED = Path(__file__).parents[1] / "local" / "images" / "conformance"
RECORDED_CASES = [
    case
    for case in json.loads((RECORDED / "cases.json").read_text(encoding="utf-8"))
    if case["expected"]["model_files"] == ["xgboost-model"]
    and {channel["config"]["ContentType"] for channel in case["channels"].values()} == {"text/csv"}
    # Validation rows with other columns than the training's are refused by the evaluation.
    and "validation" in case["channels"]
    and case["name"] != "col_mismatch"
]


def test_is_silent_about_trainings_of_every_kind(tmp_path: Path) -> None:
    """Random data, objectives, metrics and parameters: the same rows have the same metrics on both sides."""
    seed = trained = compared = 0
    while trained < RUNS:
        seed += 1
        hyperparameters, channels, weighted = drawn(seed)
        folder = tmp_path / str(seed)
        if (environment := train(folder, hyperparameters, channels)) is None:
            continue
        found = _compare_if_finite(folder, environment, weighted=weighted)
        trained += 1
        if found:
            compared += len(found["metrics"])
            assert not found["differing"], (seed, hyperparameters, found)
    assert compared >= RUNS / 2
    print(f"{trained} trainings of {seed}, {compared} metrics compared")


def _compare_if_finite(folder: Path, environment: dict[str, str], *, weighted: bool) -> Any:
    try:
        return compare(folder, environment, weighted=weighted)
    except EvaluationError as error:
        if "predicts no finite number" not in str(error):
            raise
        return None  # a training that has grown beyond all bounds has no evaluation


@pytest.mark.parametrize("case", RECORDED_CASES, ids=[case["name"] for case in RECORDED_CASES])
def test_is_silent_about_the_recorded_cases(case: dict[str, Any], tmp_path: Path) -> None:
    """What the real image was seen to train is evaluated without a difference; each metric of a kind is compared."""
    channels = {
        name: "".join((RECORDED / file).read_text(encoding="utf-8") for file in channel["files"].values())
        for name, channel in case["channels"].items()
    }
    environment = train(tmp_path, case["hyperparameters"], channels)
    assert environment is not None
    found = compare(tmp_path, environment, weighted=case["hyperparameters"].get("csv_weights") == "1")
    assert found is None or not found["differing"], found
    if case["hyperparameters"].get("eval_metric") in ("auc", "mlogloss,merror,accuracy,f1_macro"):
        assert found["metrics"]
        assert not found["not_compared"]


ROWS = {
    name: "".join(
        f"{int(a + b + c > 0)},{a:.5g},{b:.5g},{c:.5g}\n"
        for a, b, c in np.random.default_rng(seed).normal(size=(400, 3))
    )
    for seed, name in enumerate(("train", "validation"))
}
FIRST, REST = ROWS["validation"].split("\n", 1)
# What may become of the validation rows between training and evaluation.
ALTERED = {
    "a label is another": f"{1 - int(FIRST[0])}{FIRST[1:]}\n{REST}",
    "rows are missing": REST.split("\n", 20)[-1],
    "a column is without values": "".join(f"{line.rsplit(',', 1)[0]},\n" for line in ROWS["validation"].splitlines()),
    "two columns are exchanged": "".join(
        ",".join(np.array(line.split(","))[[0, 2, 1, 3]]) + "\n" for line in ROWS["validation"].splitlines()
    ),
}


@pytest.mark.parametrize("altered", ALTERED.values(), ids=ALTERED)
@pytest.mark.parametrize(
    "hyperparameters",
    [
        {"objective": "binary:logistic", "eval_metric": "auc,logloss"},
        {"objective": "binary:logistic", "eval_metric": "logloss,auc", "early_stopping_rounds": "3", "eta": "1"},
        {"objective": "multi:softprob", "num_class": "2", "eval_metric": "mlogloss"},
        {"objective": "reg:squarederror", "eval_metric": "mae"},
        {"objective": "multi:softmax", "num_class": "3", "eval_metric": "merror,mlogloss"},
    ],
    ids=lambda hyperparameters: "-".join(hyperparameters.values()),
)
def test_tells_of_other_rows(hyperparameters: dict[str, str], altered: str, tmp_path: Path) -> None:
    """Whatever differs between the rows that were trained and evaluated on, the metrics differ, and are named."""
    environment = train(tmp_path, {"num_round": "30", **hyperparameters}, ROWS)
    assert environment is not None
    same, other = compare(tmp_path, environment), compare(tmp_path, environment, rows=altered)
    assert same["differing"] == []
    assert set(other["differing"]) == set(other["metrics"]) != set()
    for metric in other["differing"]:
        assert abs(other["metrics"][metric]["training"] - other["metrics"][metric]["evaluation"]) > 1e-5


def test_the_model_of_the_best_round_is_compared_with_the_best_round(tmp_path: Path) -> None:
    """Where training stops early, the last round's metrics are of a model that is not kept."""
    stops = {"objective": "binary:logistic", "eval_metric": "auc,logloss", "early_stopping_rounds": "3", "eta": "1"}
    environment = train(tmp_path, {"num_round": "50", **stops}, ROWS)
    assert environment is not None
    found = compare(tmp_path, environment)
    assert (found["round"], list(found["metrics"]), found["differing"]) == ("best", ["logloss"], [])
    assert found["metrics"]["logloss"]["training"] < json.loads(environment[variable("logloss")])[0]


def test_a_best_round_of_dart_is_not_compared(tmp_path: Path) -> None:
    """Later rounds weigh its trees anew, so that what is kept is not what was measured."""
    stops = {"objective": "reg:squarederror", "eval_metric": "rmse", "early_stopping_rounds": "3", "eta": "1"}
    environment = train(tmp_path, {"num_round": "50", "booster": "dart", "rate_drop": "0.5", **stops}, ROWS)
    assert environment is not None
    assert compare(tmp_path, environment) is None


def test_a_model_that_was_not_trained_here_is_compared_with_nothing(tmp_path: Path) -> None:
    """Empty variables, or none at all, give no comparison."""
    environment = train(tmp_path, {"num_round": "3", "objective": "binary:logistic"}, ROWS)
    assert environment is not None
    assert compare(tmp_path, {}) is None
    assert compare(tmp_path, dict.fromkeys(environment, "[]")) is None


@pytest.mark.parametrize(
    ("environment", "metric"),
    [
        ({LAST_ASKED: '["auc"]', TUNED: "[]"}, "auc"),
        ({LAST_ASKED: 'logloss"]', TUNED: "[]"}, "logloss"),
        ({LAST_ASKED: ' error@0.7"]', TUNED: "[]"}, "error@0.7"),
        ({LAST_ASKED: 'logloss"]', TUNED: '["validation:mae"]'}, "mae"),
        ({LAST_ASKED: "[]", TUNED: "[]"}, ""),
        ({}, ""),
    ],
)
def test_the_metric_that_stops_a_training_is_known(environment: dict[str, str], metric: str) -> None:
    """It is the last that was asked for, or the one that a tuning judges by."""
    assert stopping_metric(environment) == metric


def test_a_best_round_by_another_metric_is_not_compared() -> None:
    """Of a metric by which the training does not stop, the best round's value is not known."""
    environment = {variable("auc"): "[0.9]", LAST_ASKED: 'error@0.7"]'}
    assert read_trained(environment, 0.1) == Trained({}, best_round=True)
    assert read_trained({**environment, LAST_ASKED: '["auc"]'}, 0.1) == Trained({"auc": 0.1}, best_round=True)
    assert read_trained(environment, None) == Trained({"auc": 0.9}, best_round=False)


def test_the_variables_are_ones_that_a_job_may_have() -> None:
    """SageMaker takes 100 of them, named so; every metric is one that the service finds in the log."""
    names = {*map(variable, METRICS), LAST_ASKED, TUNED}
    assert len(names) == len(METRICS) + 2 <= 100
    assert all(re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", name) for name in names)
    assert {f"validation:{metric}" for metric in METRICS} <= set(METRIC_DEFINITIONS)


@pytest.mark.parametrize("value", ["0.5,", "many", "[null]", '["x"]', "0.5"])
def test_fails_on_a_variable_that_is_no_list_of_numbers(value: str) -> None:
    """The variable is named with its value."""
    with pytest.raises(EvaluationError, match="the variable TRAINED_auc is"):
        read_trained({variable("auc"): value}, None)


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("rows", [1, 3, 200])
def test_the_containers_metrics_are_scikit_learns(classes: int, rows: int) -> None:
    """Each of them is what scikit-learn computes, also where a class is missing on either side."""
    random = np.random.default_rng(rows)
    labels, predicted = random.integers(0, classes, (2, rows))
    options: dict[str, Any] = {"zero_division": 0}
    expected = {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "balanced_accuracy": metrics.recall_score(
            labels, predicted, average="macro", labels=np.unique(labels), **options
        ),
        "f1": metrics.f1_score(labels, predicted, average="macro", **options),
        "f1_macro": metrics.f1_score(labels, predicted, average="macro", **options),
        **{
            f"precision_{a}": metrics.precision_score(labels, predicted, average=a, **options)
            for a in ("macro", "micro")
        },
        **{f"recall_{a}": metrics.recall_score(labels, predicted, average=a, **options) for a in ("macro", "micro")},
    }
    if classes == 2:
        expected["f1_binary"] = metrics.f1_score(labels, predicted, **options)
        expected["precision"] = metrics.precision_score(labels, predicted, **options)
        expected["recall"] = metrics.recall_score(labels, predicted, **options)
    found = {name: ranges[0].lowest for name, ranges in classification(labels, predicted, classes).items()}
    assert found == pytest.approx(expected)
