"""What is told of XGBoost's words: those that a person needs, the hyperparameter, and what to do."""

from __future__ import annotations

import pytest

from ml_a2.local.trial.refusals import essence, refusal

TRACE = 'framework error: \nTraceback (most recent call last):\n  File "train.py", line 1, in train\n'
# XGBoost's messages as they were recorded, what is told of them, and the hyperparameters of which one is named.
MESSAGES = [
    (
        (
            "[20:55:41] /workspace/src/tree/split_evaluator.h:51: Check failed: p.monotone_constraints.size() <= "
            "n_features (4 vs. 3) : The size of monotone constraint should be less or equal to the number of features."
            "\nStack trace:\n  [bt] (0) libxgboost.so(+0x170a4e) [0x7fb5ba970a4e]"
        ),
        "The size of monotone constraint should be less or equal to the number of features. (4 vs. 3)",
        "monotone_constraints",
    ),
    (
        (
            "[20:51:25] ../src/objective/./regression_loss.h:94: Check failed: base_score > 0.0f && base_score < 1.0f: "
            "base_score must be in (0,1) for logistic loss, got: 1"
        ),
        "base_score must be in (0,1) for logistic loss, got: 1",
        "base_score",
    ),
    (
        "[20:51:40] ../src/learner.cc:461: Check failed: !std::isnan(mparam_.base_score):",
        "!std::isnan(mparam_.base_score)",
        "base_score",
    ),
    (
        "value 1 for Parameter max_bin should be greater equal to 2\nmax_bin: if using histogram-based algorithm",
        "value 1 for Parameter max_bin should be greater equal to 2 max_bin: if using histogram-based algorithm",
        "max_bin",
    ),
    (
        "Out of range value for learning_rate, value='5e-324'",
        "Out of range value for learning_rate, value='5e-324'",
        "eta",
    ),
    (
        "Out of range value for learning_rate, value='5e-324'",
        "Out of range value for learning_rate, value='5e-324'",
        "learning_rate",
    ),
    (
        (
            "[20:52:35] ../src/metric/elementwise_metric.cu:345: Check failed: preds.Size() == info.labels.Size() (360 "
            "vs. 120) : label and prediction size not match, hint: use merror or mlogloss"
        ),
        "label and prediction size not match, hint: use merror or mlogloss (360 vs. 120)",
        "eval_metric",
    ),
    (
        "[20:51:07] ../src/tree/tree_updater.cc:21: Unknown tree updater distcol",
        "Unknown tree updater distcol",
        "updater",
    ),
    (
        "[20:52:21] ../src/objective/aft_obj.cu:76: Check failed: info.labels_lower_bound_.Size() == ndata (0 vs. 9) :",
        "info.labels_lower_bound_.Size() == ndata (0 vs. 9)",
        "objective",
    ),
    (
        "Constrained features are not a subset of training data feature names",
        "Constrained features are not a subset of training data feature names",
        "interaction_constraints",
    ),
]


@pytest.mark.parametrize(("message", "words", "name"), MESSAGES)
def test_the_words_are_xgboosts_and_name_the_hyperparameter(message: str, words: str, name: str) -> None:
    """Neither the place in its source nor the stack is told; of a condition, what is said about it."""
    report = f"{TRACE}AlgorithmError: XGB train call failed with exception:\n {message}\n"
    report += f"XGB train call failed with exception:\n {message}"
    found = refusal(report, {"num_round": "5", name: "given"})
    assert found.severity == "error"
    assert found.problem == f"XGBoost refuses to train with {name}=given: {words}"
    assert found.remedy


def test_an_error_of_the_image_is_told_without_its_traceback() -> None:
    """The last exception's message, also where the failure repeats it."""
    words = "Failed to load csv data with exception:"
    found = refusal(f"{TRACE}ml_a2.local.images.xgboost.image_errors.UserError: {words}\n\n{words}", {})
    assert found.problem == f"XGBoost refuses to train with them: {words}"


def test_memory_of_this_machine_is_no_error() -> None:
    """The instance may have more."""
    assert refusal("XGB train call failed with exception:\n std::bad_alloc", {}).severity == "untried"


def test_long_words_are_cut() -> None:
    """Three hundred characters say enough."""
    assert len(essence("word " * 500)) == 303
