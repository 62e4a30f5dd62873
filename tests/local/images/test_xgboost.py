"""The stand-in for the XGBoost image, through its own interface: a folder, a command, an exit code."""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb

from ml_a2.errors import HyperparameterError
from ml_a2.local.images.xgboost.hyperparameters import (
    check_hyperparameters,
    hyperparameter_table,
    parse_hyperparameters,
)
from ml_a2.local.images.xgboost.image_errors import UserError
from tests.local.images.encodings import as_libsvm, as_parquet, as_recordio, cells

CSV = {
    "ContentType": "text/csv",
    "TrainingInputMode": "File",
    "S3DistributionType": "FullyReplicated",
    "RecordWrapperType": "None",
}
COMMAND = [sys.executable, "-m", "ml_a2.local.images.xgboost", "train"]
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
    def prepare(hyperparameters: Any, channels: dict[str, dict[str, str | bytes]], configuration: Any = None) -> Any:
        config = tmp_path / "input/config"
        config.mkdir(parents=True, exist_ok=True)
        (config / "hyperparameters.json").write_text(json.dumps(hyperparameters))
        described = configuration or dict.fromkeys(channels, CSV)
        (config / "inputdataconfig.json").write_text(json.dumps(described))
        for channel, contents in channels.items():
            for name, text in contents.items():
                path = tmp_path / "input/data" / channel / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(text if isinstance(text, bytes) else text.encode())
        environment = {**os.environ, "SAGEMAKER_BASE_DIR": str(tmp_path)}
        return {"args": COMMAND, "env": environment, "text": True}

    def run(*arguments: Any) -> Ran:
        answer = subprocess.run(**prepare(*arguments), capture_output=True, check=False)
        failure = tmp_path / "output" / "failure"
        return Ran(answer.returncode, answer.stdout, failure.read_text() if failure.exists() else "", tmp_path)

    run.prepare = prepare  # type: ignore[attr-defined]  # for tests that do not wait for the end
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
    table = cells(text)
    matrix = xgb.DMatrix(table[:, 1:], label=table[:, 0])
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


@pytest.mark.parametrize(("metric", "lines_after_the_best"), [("logloss", 3), ("accuracy", 2), ("auc,f1", 2)])
def test_the_stopping_round_has_a_line_where_xgboost_alone_measures(
    image: Any, metric: str, lines_after_the_best: int
) -> None:
    """As it was in most runs of the container: with a metric of the container's own that line is missing."""
    parameters = {**BINARY, "eval_metric": metric, "num_round": "200", "early_stopping_rounds": "3"}
    ran = image(parameters, {"train": {"t.csv": _rows(1)}, "validation": {"v.csv": _rows(2)}})
    kept = xgb.Booster(model_file=ran.base / "model" / "xgboost-model").num_boosted_rounds()
    assert kept < 190
    assert len(ran.rounds) == kept + lines_after_the_best


def test_fails_for_validation_rows_with_more_columns(image: Any) -> None:
    """XGBoost knows of them before the first round: the model has as many features as the widest channel."""
    wider = "".join(f"{line},1\n" for line in _rows(2).splitlines())
    ran = image(BINARY, {"train": {"t.csv": _rows(1)}, "validation": {"v.csv": wider}})
    assert ran.exit_code == 1
    assert "num_feature == p_fmat->Info().num_col_ (4 vs. 3)" in ran.failure
    assert ran.rounds == []


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
        ({"booster": "gblinear", "updater": "prune"}, "Linear updater should be one of these options"),
        ({"process_type": "update", "updater": "sync"}, "process_type 'update' can only be used with updater"),
        ({"updater": "shotgun"}, "Tree updater should be selected from these options: 'grow_colmaker', 'distcol'"),
        ({"updater": "distcol,grow_colmaker"}, "Only one tree grow plugin can be selected."),
        ({"eval_metric": "logloss@2"}, "Metric 'logloss@2' is not supported. Parameter 'eval_metric' with"),
        ({"eval_metric": "error@half"}, "Threshold value 't' in 'error@t' expects float input."),
        ({"eval_metric": "aft-nloglik"}, "Metric 'aft-nloglik' can only be applied for 'survival:aft' objective."),
        (
            {"monotone_constraints": "1", "tree_method": "hist"},
            "Hyperparameter monotone_constraints: unexpected failure",
        ),
        ({"interaction_constraints": "[[0]]", "tree_method": "hist"}, "Hyperparameter interaction_constraints: value"),
        ({"use_dask_gpu_training": "true"}, "Some configurations unsuitable for Dask GPU training were found"),
        ({"tree_method": "gpu_hist"}, ""),
        ({"num_round": "0"}, "Hyperparameter num_round: 0 is not in [1, +inf)"),
    ],
)
def test_fails_in_the_containers_words(image: Any, change: dict[str, str], words: str) -> None:
    """A refused hyperparameter: exit code 1, the message last in the failure file, no model."""
    ran = image({**BINARY, **change}, {"train": {"t.csv": _rows(1)}})
    assert ran.exit_code == 1
    assert ran.failure.startswith("framework error: \nTraceback")
    assert words in ran.failure
    assert ran.failure.endswith(ran.failure.rpartition("Error: ")[2])
    assert not (ran.base / "model").exists()


@pytest.mark.parametrize(
    ("channels", "configuration", "words"),
    [
        ({"train": {}}, None, "No data in training channel path"),
        ({"train": {".hidden": "1,2\n"}}, None, "Hidden file found in the data path! Remove that before training."),
        ({"train": {"t.csv": ""}}, None, "No data in training channel path"),
        ({"validation": {"v.csv": "1,2\n"}}, None, "'SM_CHANNEL_TRAIN'"),
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
    with pytest.raises(UserError, match="Missing required hyperparameter: num_round"):
        parse_hyperparameters({"eta": "0.5"})
    with pytest.raises(
        HyperparameterError, match="the XGBoost image would refuse this: Extraneous hyperparameter found: etaa"
    ):
        check_hyperparameters({"num_round": "1", "etaa": "0.5"})


def test_fails_on_a_wrong_command() -> None:
    """The image knows `train` alone."""
    answer = subprocess.run(
        [sys.executable, "-m", "ml_a2.local.images.xgboost", "serve"], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 2
    assert "usage" in answer.stderr


def _typed(content_type: str) -> dict[str, str]:
    return {**CSV, "ContentType": content_type}


@pytest.mark.parametrize(
    ("content_type", "encode"),
    [
        ("text/libsvm", as_libsvm),
        ("application/x-parquet", as_parquet),
        ("application/x-recordio-protobuf", partial(as_recordio, is_sparse=False)),
        ("recordio-protobuf", partial(as_recordio, is_sparse=True)),
    ],
)
def test_every_format_gives_the_same_model(image: Any, tmp_path: Path, content_type: str, encode: Any) -> None:
    """The same rows as LIBSVM, Parquet or RecordIO train to the same metrics as CSV."""
    text = _rows(1)
    ran = image(BINARY, {"train": {"t": encode(text)}}, {"train": _typed(content_type)})
    assert ran.exit_code == 0, ran.failure
    table, log = cells(text), {}  # type: ignore[var-annotated]
    matrix = xgb.DMatrix(table[:, 1:], label=table[:, 0])
    parameters = {"objective": "binary:logistic", "eval_metric": "auc", "tree_method": "exact", "base_score": 0.5}
    xgb.train(parameters, matrix, 5, evals=[(matrix, "train")], evals_result=log, verbose_eval=False)
    assert ran.rounds[-1] == f"[4]\ttrain-auc:{log['train']['auc'][-1]:.5f}"


@pytest.mark.parametrize(
    ("content_type", "payload", "words"),
    [
        ("libsvm", b"1,2,3\n", "of file 't' is not 'LIBSVM' format. Please ensure the file is in 'LIBSVM' format."),
        ("parquet", b"1,2,3\n", "Failed to load parquet data with exception:"),
        ("recordio-protobuf", b"1,2,3,4,5\n", "t is no RecordIO: a record begins with"),
        ("recordio-protobuf", struct.pack("<II", 0xCED7230A, 99), "t ends in the middle of a record"),
    ],
)
def test_fails_for_files_in_another_format(image: Any, content_type: str, payload: bytes, words: str) -> None:
    """What cannot be read is told with its file, exit code 1."""
    ran = image(BINARY, {"train": {"t": payload}}, {"train": _typed(content_type)})
    assert ran.exit_code == 1
    assert words in ran.failure


def test_k_fold_makes_a_model_a_fold_and_predictions(image: Any) -> None:
    """Three folds, twice: six models, means after each repetition and over all, a prediction for every row."""
    parameters = {**BINARY, "_kfold": "3", "_num_cv_round": "2"}
    ran = image(parameters, {"train": {"t.csv": _rows(1)}, "validation": {"v.csv": _rows(2, rows=60)}})
    assert ran.exit_code == 0, ran.failure
    assert len(ran.rounds) == 6 * 5 + 2 + 1
    assert ran.rounds[-1].startswith("[5]\ttrain-auc:")
    assert sorted(path.name for path in (ran.base / "model").iterdir()) == [f"xgboost-model-{n}" for n in range(6)]
    predictions = np.loadtxt(ran.base / "output" / "data" / "predictions.csv", delimiter=",")
    assert predictions.shape == (180, 3)
    assert set(predictions[:, 0]) == set(predictions[:, 2]) == {0.0, 1.0}
    assert ((predictions[:, 1] > 0) & (predictions[:, 1] < 1)).all()


def test_k_fold_without_validation_prints_the_training_rows(image: Any) -> None:
    """Its means are of the channels that there are: as many models, predictions for the training rows."""
    ran = image({**BINARY, "_kfold": "3"}, {"train": {"t.csv": _rows(1)}})
    assert ran.exit_code == 0, ran.failure
    assert len(ran.rounds) == 3 * 5 + 1
    last = [float(line.rpartition(":")[2]) for line in ran.rounds if line.startswith("[4]\t")]
    name, _, mean = ran.rounds[-1].rpartition(":")
    assert name == "[5]\ttrain-auc"
    assert float(mean) == pytest.approx(sum(last) / 3, abs=2e-5)
    assert sorted(path.name for path in (ran.base / "model").iterdir()) == [f"xgboost-model-{n}" for n in range(3)]
    assert np.loadtxt(ran.base / "output" / "data" / "predictions.csv", delimiter=",").shape == (120, 3)


def test_a_metric_to_tune_is_shown_and_decides_about_stopping(image: Any) -> None:
    """`_tuning_objective_metric` joins the metrics that were asked for, in one sorted list."""
    parameters = {**BINARY, "_tuning_objective_metric": "validation:logloss", "eval_metric": "error,auc"}
    ran = image(parameters, {"train": {"t.csv": _rows(1)}, "validation": {"v.csv": _rows(2)}})
    names = [part.partition(":")[0] for part in ran.rounds[0].split("\t")[1:4]]
    assert names == ["train-auc", "train-error", "train-logloss"]


def test_a_terminated_training_leaves_its_model_when_asked_to(image: Any, tmp_path: Path) -> None:
    """SIGTERM with save_model_on_termination: exit code 0 and the model of the rounds until then."""
    parameters = {**BINARY, "num_round": "1000000", "save_model_on_termination": "true"}
    process = subprocess.Popen(**image.prepare(parameters, {"train": {"t.csv": _rows(1)}}), stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(6)]
        process.terminate()
        process.communicate(timeout=60)
    finally:
        process.kill()
    assert lines[-1].startswith("[5]\t")
    assert process.returncode == 0
    base = tmp_path
    assert [path.name for path in (base / "model").iterdir()] == ["xgboost-model"]
    assert xgb.Booster(model_file=base / "model" / "xgboost-model").num_boosted_rounds() >= 5


def test_checkpoints_are_those_of_1_7(image: Any, tmp_path: Path) -> None:
    """One checkpoint, after the first round, under a name that no later training resumes from."""
    config = tmp_path / "input" / "config"
    config.mkdir(parents=True)
    (config / "checkpointconfig.json").write_text(json.dumps({"LocalPath": "/opt/ml/checkpoints"}))
    ran = image(BINARY, {"train": {"t.csv": _rows(1)}})
    assert ran.exit_code == 0, ran.failure
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["xgboost-checkpoint_0.json"]


def test_a_checkpoint_by_its_own_name_is_resumed_from(image: Any, tmp_path: Path) -> None:
    """`xgboost-checkpoint.2` is three rounds done: two of five are left, numbered from 0 again."""
    config, checkpoints = tmp_path / "input" / "config", tmp_path / "checkpoints"
    for folder in (config, checkpoints):
        folder.mkdir(parents=True)
    (config / "checkpointconfig.json").write_text(json.dumps({"LocalPath": "/opt/ml/checkpoints"}))
    table = cells(_rows(1))
    parameters = {"objective": "binary:logistic", "tree_method": "exact", "base_score": 0.5}
    done = xgb.train(parameters, xgb.DMatrix(table[:, 1:], label=table[:, 0]), 3)
    done.save_model(checkpoints / "done.json")
    (checkpoints / "done.json").rename(checkpoints / "xgboost-checkpoint.2")
    ran = image(BINARY, {"train": {"t.csv": _rows(1)}})
    assert ran.exit_code == 0, ran.failure
    assert [line.partition("\t")[0] for line in ran.rounds] == ["[0]", "[1]"]
    assert xgb.Booster(model_file=tmp_path / "model" / "xgboost-model").num_boosted_rounds() == 5


@pytest.mark.parametrize("version", ["3.0-5", "3.2-0"])
def test_later_images_write_ubjson_with_their_own_defaults(
    image: Any, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    """The model begins as UBJSON does, and tree_method and base_score are XGBoost's own choice."""
    monkeypatch.setenv("ML_A2_XGBOOST_IMAGE", version)
    text = _rows(3)
    ran = image({**BINARY, "eval_metric": "logloss"}, {"train": {"t.csv": text}})
    assert ran.exit_code == 0, ran.failure
    assert (ran.base / "model" / "xgboost-model").read_bytes()[:2] == b"{L"
    table, log = cells(text), {}  # type: ignore[var-annotated]
    matrix = xgb.DMatrix(table[:, 1:], label=table[:, 0])
    parameters = {"objective": "binary:logistic", "eval_metric": "logloss"}
    xgb.train(parameters, matrix, 5, evals=[(matrix, "train")], evals_result=log, verbose_eval=False)
    assert ran.rounds[-1] == f"[4]\ttrain-logloss:{log['train']['logloss'][-1]:.5f}"


def test_the_training_rows_auc_is_printed_as_xgboost_finds_it(image: Any) -> None:
    """The same numbers, in the same place, as when XGBoost computes them beside another metric."""
    channels = {"train": {"t.csv": _rows(1, 900)}, "validation": {"v.csv": _rows(2)}}
    alone = image(BINARY, channels).rounds
    beside = image({**BINARY, "eval_metric": "auc,logloss"}, channels).rounds
    assert [re.findall(r"\S+-auc:\S+", line) for line in beside] == [line.split("\t")[1:] for line in alone]
    assert re.fullmatch(r"\[0\]\ttrain-auc:0\.\d{5}\tvalidation-auc:0\.\d{5}", alone[0])
