"""Who mistypes a name is asked for the one that is close, wherever names are taken."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_a2.errors import HyperparameterError, SettingsError, UserError
from ml_a2.local.faults import Faults
from ml_a2.local.images.xgboost.hyperparameters import check_hyperparameters, hyperparameter_table
from ml_a2.settings import load_settings
from ml_a2.suggestions import did_you_mean

NAMES = sorted(hyperparameter_table())


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.sampled_from(NAMES), st.integers(0, 40), st.sampled_from(string.ascii_letters), st.booleans())
def test_a_name_with_one_letter_wrong_is_recognized(name: str, place: int, letter: str, left_out: bool) -> None:
    """Another letter, or one too few, in any name of some length; or a name that is as close."""
    place %= len(name)
    wrong = name[:place] + ("" if left_out else letter) + name[place + 1 :]
    if wrong.casefold() not in NAMES and len(name) > 5:
        assert did_you_mean(wrong, NAMES).startswith("; did you mean '")


def test_what_is_close_to_nothing_is_not_asked_for() -> None:
    """Nor is anything else where there are no names, or very many."""
    assert did_you_mean("zzzzzz", NAMES) == did_you_mean("eta", []) == did_you_mean("", NAMES) == ""
    assert did_you_mean("eta", (f"column {number}" for number in range(10**9))) == ""


@pytest.mark.parametrize(
    ("hyperparameters", "meant"),
    [
        ({"etaa": "0.1"}, "eta"),
        ({"max-depth": "3"}, "max_depth"),
        ({"Learning_Rate": "0.1"}, "learning_rate"),
        ({"n_round": "3"}, "num_round"),
        ({"objective": "binary:logistics"}, "binary:logistic"),
        ({"objective": "reg:squarederror", "eval_metric": "rmsle,rmze"}, "rmse"),
        ({"tree_method": "histo"}, "hist"),
    ],
)
def test_hyperparameters_are_asked_for(hyperparameters: dict[str, str], meant: str) -> None:
    """By name, alias or value, after what the image says."""
    with pytest.raises(HyperparameterError, match=rf"; did you mean '{meant}'\?$"):
        check_hyperparameters({"num_round": "1", **hyperparameters})


@pytest.mark.parametrize(
    ("toml", "meant"),
    [
        ("[trainning]\n", "training"),
        ("[training]\ninstance_typ = 1\n", "instance_type"),
        ("[training]\ninstance-count = 1\n", "instance_count"),
        ("[training]\nimage_version = '3.0-6'\n", "3.0-5"),
        ("environment = 'prodution'\n", "production"),
        ("[[gate.conditions]]\nmetric = 'auc'\nminimun = 1.0\n", "minimum"),
        ("[[gate.conditions]]\nmetric = 'acuracy'\nminimum = 1.0\n", "accuracy"),
        ("[registry]\napproval_status = 'approved'\n", "Approved"),
    ],
)
def test_settings_are_asked_for(tmp_path: Path, toml: str, meant: str) -> None:
    """Keys of any table, and words of which one is to be chosen."""
    (tmp_path / "pipeline.toml").write_text(toml)
    with pytest.raises(SettingsError, match=rf"did you mean '{meant}'\?"):
        load_settings(tmp_path / "pipeline.toml")


@pytest.mark.parametrize(
    ("spec", "meant"),
    [
        ("training=crahs", "crash"),
        ("trainig=crash", "training"),
        ("sagemaker:CreateTraningJob=ThrottlingException", "sagemaker:CreateTrainingJob"),
    ],
)
def test_faults_are_asked_for(spec: str, meant: str) -> None:
    """Stages, kinds and calls."""
    with pytest.raises(UserError, match=rf"; did you mean '{meant}'\?$"):
        Faults([("sagemaker", "create_training_job")]).inject([spec])
