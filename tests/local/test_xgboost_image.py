"""The stand-in for the XGBoost image, through its own interface: a folder, a command, an exit code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb

from ml_a2.errors import UserError
from ml_a2.local.images.xgboost.hyperparameters import (
    check_hyperparameters,
    hyperparameter_table,
    parse_hyperparameters,
)
from ml_a2.local.images.xgboost.image_errors import ImageUserError

CSV = {
    "ContentType": "text/csv",
    "TrainingInputMode": "File",
    "S3DistributionType": "FullyReplicated",
    "RecordWrapperType": "None",
}
BINARY = {"num_round": "5", "objective": "binary:logistic", "eval_metric": "auc"}


@dataclass
class Ran:
    """What a training left."""

    exit_code: int
    output: str
    failure: str
    base: Path

    @property
    def rounds(self) -> list[str]:
        return [line for line in self.output.splitlines() if re.match(r"\[\d+\]\t", line)]


@pytest.fixture
def image(tmp_path: Path) -> Any:
    def run(hyperparameters: dict[str, str], channels: dict[str, dict[str, str]], configuration: Any = None) -> Ran:
        config = tmp_path / "input/config"
        config.mkdir(parents=True)
        (config / "hyperparameters.json").write_text(json.dumps(hyperparameters))
        described = configuration or dict.fromkeys(channels, CSV)
        (config / "inputdataconfig.json").write_text(json.dumps(described))
        for channel, contents in channels.items():
            for name, text in contents.items():
                path = tmp_path / "input/data" / channel / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        environment = {**os.environ, "SAGEMAKER_BASE_DIR": str(tmp_path)}
        command = [sys.executable, "-m", "ml_a2.local.images.xgboost", "train"]
        answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        failure = tmp_path / "output" / "failure"
        return Ran(answer.returncode, answer.stdout, failure.read_text() if failure.exists() else "", tmp_path)

    return run


def _rows(seed: int, rows: int = 120, classes: int = 2) -> str:
    random = np.random.default_rng(seed)
    features = random.normal(size=(rows, 3))
    labels = np.digitize(
        features[:, 0] + random.normal(size=rows) / 2, np.linspace(-1, 1, classes - 1) if classes > 2 else [0]
    )
    return "".join(f"{label},{a:.6f},{b:.6f},{c:.6f}\n" for label, (a, b, c) in zip(labels, features, strict=True))


def test_trains_and_writes_the_legacy_format(image: Any) -> None:
    """A metric line a round on standard output, and a model whose first bytes are 1.7-1's."""
    ran = image(BINARY, {"train": {"t.csv": _rows(1)}, "validation": {"v.csv": _rows(2)}})
    assert ran.exit_code == 0, ran.failure
    assert len(ran.rounds) == 5
    assert re.fullmatch(r"\[4\]\ttrain-auc:0\.\d{5}\tvalidation-auc:0\.\d{5}", ran.rounds[-1])
    model = ran.base / "model" / "xgboost-model"
    assert model.read_bytes()[:4] == b"binf"
    assert [path.name for path in model.parent.iterdir()] == ["xgboost-model"]
    assert xgb.Booster(model_file=model).num_boosted_rounds() == 5


def test_computes_with_the_defaults_of_1_7(image: Any) -> None:
    """Unset, tree_method is exact and base_score one half: the same numbers as with both set."""
    text = _rows(3)
    ran = image({**BINARY, "eval_metric": "logloss"}, {"train": {"t.csv": text}})
    cells = np.array([line.split(",") for line in text.splitlines()], dtype=np.float32)
    matrix = xgb.DMatrix(cells[:, 1:], label=cells[:, 0])
    log: dict[str, Any] = {}
    parameters = {"objective": "binary:logistic", "eval_metric": "logloss", "tree_method": "exact", "base_score": 0.5}
    xgb.train(parameters, matrix, 5, evals=[(matrix, "train")], evals_result=log, verbose_eval=False)
    assert ran.rounds[-1] == f"[4]\ttrain-logloss:{log['train']['logloss'][-1]:.5f}"


def test_additional_metrics_follow_xgboosts_own(image: Any) -> None:
    """The container's metrics come after XGBoost's, in the order asked for, by scikit-learn's definitions."""
    ran = image({**BINARY, "eval_metric": "f1,auc,accuracy"}, {"train": {"t.csv": _rows(1)}})
    names = [part.partition(":")[0] for part in ran.rounds[0].split("\t")[1:]]
    assert names == ["train-auc", "train-f1", "train-accuracy"]


def test_multi_class_trains(image: Any) -> None:
    """Several classes with num_class."""
    parameters = {"num_round": "3", "objective": "multi:softprob", "num_class": "3", "eval_metric": "merror"}
    ran = image(parameters, {"train": {"t.csv": _rows(1, classes=3)}})
    assert (ran.exit_code, len(ran.rounds)) == (0, 3)


def test_early_stopping_stops(image: Any) -> None:
    """Three rounds without progress on the validation channel end it; every round has its line, the best are kept."""
    parameters = {**BINARY, "num_round": "200", "early_stopping_rounds": "3"}
    ran = image(parameters, {"train": {"t.csv": _rows(1)}, "validation": {"v.csv": _rows(2)}})
    scores = [float(line.rpartition(":")[2]) for line in ran.rounds]
    assert len(scores) < 200
    assert [line.partition("\t")[0] for line in ran.rounds] == [f"[{number}]" for number in range(len(scores))]
    best = scores.index(max(scores))
    assert len(scores) == best + 1 + 3
    assert xgb.Booster(model_file=ran.base / "model" / "xgboost-model").num_boosted_rounds() == best + 1


def test_several_files_are_one_channel(image: Any) -> None:
    """Files of a channel are read as one, whatever they are called."""
    text = _rows(1)
    lines = text.splitlines(keepends=True)
    parts = {"a.csv": "".join(lines[:50]), "b/part-0": "".join(lines[50:])}
    ran = image(BINARY, {"train": parts})
    assert ran.exit_code == 0, ran.failure
    assert len(ran.rounds) == 5


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"foo": "1"}, "Extraneous hyperparameter found: foo"),
        ({"subsample": "0"}, "Hyperparameter subsample: 0.0 is not in (0, 1]"),
        ({"max_depth": "3.0"}, "Hyperparameter max_depth: could not parse value (caused by ValueError)"),
        ({"objective": "multi:softmax"}, "Require input for parameter 'num_class' for multi-classification"),
        ({"eval_metric": "foo"}, "Hyperparameter eval_metric: value ['foo'] not in range ['accuracy', 'auc', "),
        ({"objective": "reg:squarederror"}, "Metric 'auc' can only be applied for classification and ranking"),
        ({"monotone_constraints": "(1,0,0)"}, "monotone_constraints can be used only when the tree_method"),
        ({"booster": "gblinear", "updater": "prune"}, "Hyperparameter updater: ['prune'] does not fit"),
        ({"save_model_on_termination": "true"}, "hyperparameter save_model_on_termination is not carried out locally"),
        ({"num_round": "0"}, "Hyperparameter num_round: 0 is not in [1, +inf)"),
    ],
)
def test_fails_in_the_containers_words(image: Any, change: dict[str, str], words: str) -> None:
    """A refused hyperparameter: exit code 1, the message last in the failure file, no model."""
    ran = image({**BINARY, **change}, {"train": {"t.csv": _rows(1)}})
    assert ran.exit_code == 1
    assert ran.failure.startswith("framework error: \nTraceback")
    assert ran.failure.splitlines()[-1].startswith(words)
    assert not (ran.base / "model").exists()


@pytest.mark.parametrize(
    ("channels", "configuration", "words"),
    [
        ({"train": {}}, None, "No data in training channel path"),
        ({"train": {".hidden": "1,2\n"}}, None, "Hidden file found in the data path! Remove that before training."),
        ({"train": {"t.csv": ""}}, None, "No data in training channel path"),
        ({"validation": {"v.csv": "1,2\n"}}, None, "KeyError: 'SM_CHANNEL_TRAIN'"),
        ({"train": {"t.csv": "1,2\n"}, "test": {"t.csv": "1,2\n"}}, None, "Extraneous channel found: test"),
        (
            {"train": {"t.csv": "1,2\n"}},
            {"train": {**CSV, "ContentType": "text/csv;label_size=1"}},
            "Channel configuration for 'train' channel is not supported",
        ),
    ],
)
def test_fails_for_channels_that_the_container_refuses(
    image: Any, channels: Any, configuration: Any, words: str
) -> None:
    """Missing, empty, hidden and foreign channels fail as in the container."""
    ran = image(BINARY, channels, configuration)
    assert ran.exit_code == 1
    assert words in ran.failure


def test_the_table_has_all_hyperparameters_and_aliases_work() -> None:
    """53 hyperparameters; learning_rate is eta."""
    assert len(hyperparameter_table()) == 53
    assert parse_hyperparameters({"num_round": "1", "learning_rate": "0.5"}) == {"num_round": 1, "eta": 0.5}


def test_fails_without_num_round() -> None:
    """The one required hyperparameter is missed by name; before a run the stack may still give it."""
    with pytest.raises(ImageUserError, match="Missing required hyperparameter: num_round"):
        parse_hyperparameters({"eta": "0.5"})
    with pytest.raises(UserError, match="the XGBoost image would refuse this: Extraneous hyperparameter found: etaa"):
        check_hyperparameters({"num_round": "1", "etaa": "0.5"})


def test_fails_on_a_wrong_command() -> None:
    """The image knows `train` alone."""
    answer = subprocess.run(
        [sys.executable, "-m", "ml_a2.local.images.xgboost", "serve"], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 2
    assert "usage" in answer.stderr
