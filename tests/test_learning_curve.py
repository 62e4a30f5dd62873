"""The learning curve: read from a log, and judged."""

from __future__ import annotations

import random

import pytest

from ml_a2.learning_curve import LearningCurve, learning_curve, rounds_of, stops_early
from ml_a2.training_warnings import other_rows, worse_at_the_end


def _curve(values: list[float], metric: str = "logloss") -> LearningCurve:
    return LearningCurve(metric, [], list(enumerate(values, 1)))


def test_rounds_are_read_from_lines_of_every_form() -> None:
    """Tabs or their escapes, with a host's name or without; other lines are none."""
    lines = ["[0]\ttrain-auc:0.5\tvalidation-auc:0.6", "INFO", "[algo-1] [1]#011train-auc:0.7#011validation-auc:0.8"]
    curve = learning_curve(rounds_of([*lines, "[2]\tis no metric", "[3] x"]), {})
    assert curve == LearningCurve("auc", [(1, 0.5), (2, 0.7)], [(1, 0.6), (2, 0.8)])
    assert curve.best == (2, 0.8)


@pytest.mark.parametrize(
    ("asked", "metric"), [({}, "logloss"), ({"eval_metric": "logloss,auc"}, "auc"), ({"eval_metric": "map"}, "logloss")]
)
def test_the_metric_is_the_last_that_was_asked_for(asked: dict[str, str], metric: str) -> None:
    """By that the image stops early; what was not printed has no curve."""
    lines = [f"[{n}]\tvalidation-logloss:0.5\tvalidation-auc:0.5" for n in range(2)]
    found = learning_curve(rounds_of(lines), asked)
    assert found is not None
    assert found.metric == metric


@pytest.mark.parametrize(
    "lines",
    [[], ["[0]\ttrain-auc:0.5"], ["[0]\ttrain-auc:0.5", "[1]\ttrain-auc:0.5", "[0]\ttrain-auc:0.5"]],
    ids=["no rounds", "one round", "several models"],
)
def test_there_is_no_curve_of_other_logs(lines: list[str]) -> None:
    """One round is no curve, and the folds of a cross validation are several."""
    assert learning_curve(rounds_of(lines), {}) is None


NOISE = random.Random(3)
FALLING = [0.3 + 0.4 * 0.9**n for n in range(100)]


@pytest.mark.parametrize(
    ("curve", "worse"),
    [
        (_curve(FALLING), False),
        (_curve([value + NOISE.gauss(0, 0.01) for value in FALLING]), False),
        (_curve([value + 0.003 * n for n, value in enumerate(FALLING)]), True),
        (_curve([value + 0.003 * n + NOISE.gauss(0, 0.01) for n, value in enumerate(FALLING)]), True),
        (_curve([1 - value for value in FALLING], "auc"), False),
        (_curve([1 - value - 0.003 * n for n, value in enumerate(FALLING)], "auc"), True),
        (_curve([*FALLING, 0.9]), False),
        (_curve([0.3] * 50), False),
        (_curve([]), False),
    ],
    ids=[
        "falls",
        "falls with noise",
        "rises",
        "rises with noise",
        "auc rises",
        "auc falls",
        "last jump",
        "flat",
        "none",
    ],
)
def test_a_training_gets_worse_when_it_does_so_by_more_than_noise(curve: LearningCurve, worse: bool) -> None:
    """The end is compared with the best round, by the curve's own steps."""
    assert curve.worsens() is worse


def test_what_other_rows_could_make_of_it_is_no_getting_worse() -> None:
    """A wide confidence interval holds the difference."""
    rounds = rounds_of(f"[{n}]\tvalidation-auc:{0.95 - abs(n - 20) / 10_000:.5f}" for n in range(100))
    bounds = {"lower": 0.85, "upper": 0.99}
    assert worse_at_the_end(rounds, {}, {"confidence_intervals": {"metrics": {"auc": bounds}}}) == ""
    words = worse_at_the_end(rounds, {}, {})
    assert "auc 0.95 in round 21, 0.9421 in the last, 100" in words
    assert words.endswith("`--set early_stopping_rounds=10 --set eval_metric=auc`")


@pytest.mark.parametrize(
    ("hyperparameters", "stops"),
    [
        ({}, False),
        ({"early_stopping_rounds": "5"}, False),
        ({"eval_metric": "auc"}, False),
        ({"early_stopping_rounds": "5", "eval_metric": "auc"}, True),
        ({"early_stopping_rounds": "5", "_tuning_objective_metric": "validation:auc"}, True),
    ],
)
def test_stopping_early_needs_a_metric(hyperparameters: dict[str, str], stops: bool) -> None:
    """Without one the image ignores it, and keeps the last round."""
    assert stops_early(hyperparameters) is stops


@pytest.mark.parametrize(
    "training",
    [
        None, 5, [], {}, {"differing": ["auc"]}, {"differing": 5, "metrics": {}},
        {"differing": [["auc"]], "metrics": 3},
        {"differing": [], "metrics": {"auc": {}}},
    ],
)  # fmt: skip
def test_an_evaluation_without_a_difference_says_nothing(training: object) -> None:
    """Whatever stands in its place."""
    assert other_rows({"training": training}) == ""
