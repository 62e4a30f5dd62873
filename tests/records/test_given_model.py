"""A model that exists already, on new rows: its own labels and features count."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb

from ml_a2.errors import DataError, UserError
from ml_a2.records.given_model import find_model
from ml_a2.records.request import Request
from tests.records.manifests import manifest
from tests.rows import table_of


def _archive(folder: Path, objective: str = "binary:logistic", features: int = 2, **parameters: Any) -> Path:
    random = np.random.default_rng(1)
    matrix = xgb.DMatrix(random.normal(size=(40, features)), label=np.arange(40) % parameters.get("num_class", 2))
    booster = xgb.train({"objective": objective, "nthread": 1, **parameters}, matrix, 2)
    raw = bytes(booster.save_raw("json"))
    folder.mkdir(exist_ok=True)
    with tarfile.open(folder / "model.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("xgboost-model")
        info.size = len(raw)
        tar.addfile(info, io.BytesIO(raw))
    return folder / "model.tar.gz"


def _run(folder: Path, mapping: Mapping[str, int], kind: str = "binary") -> Path:
    _archive(folder)
    problem = {"kind": kind, "objective": "binary:logistic", "objective_inferred": True, "label_mapping": mapping}
    (folder / "manifest.json").write_text(json.dumps(manifest("old", model=None, problem=problem)))
    return folder


def _rows(folder: Path, text: str) -> Path:
    (folder / "new.csv").write_text(text)
    return folder / "new.csv"


@pytest.mark.parametrize(
    ("mapping", "labels", "encoded"),
    [
        ({"no": 0, "yes": 1}, ("yes", "no", "yes"), [1, 0, 1]),
        ({"1": 0, "2": 1}, ("2", "1", "1"), [1, 0, 0]),
        ({"1.5": 0, "2.5": 1}, ("2.5", "1.5", "1.5"), [1, 0, 0]),
        ({"-1": 0, "1": 1}, ("1.0", "-1.0", "1.0"), [1, 0, 1]),
        ({"False": 0, "True": 1}, ("True", "False", "True"), [1, 0, 1]),
        ({"01": 0, "7": 1}, ("7", "7", "7"), [1, 1, 1]),
    ],
)
def test_labels_are_encoded_as_the_model_was_trained(
    tmp_path: Path, mapping: Mapping[str, int], labels: tuple[str, ...], encoded: list[int]
) -> None:
    """Whatever occurs in the new file, one class alone too; features in the model's order, all rows kept."""
    model = find_model(_run(tmp_path / "run", mapping))
    text = "churned,income,age\n" + "".join(f"{label},{i},{i + 10}\n" for i, label in enumerate(labels))
    dataset = model.load_file(_rows(tmp_path, text), None)
    assert table_of(dataset.validation)["churned"].tolist() == encoded
    assert list(table_of(dataset.validation).columns) == ["churned", "age", "income"]
    assert dataset.train is None
    assert dataset.problem.label_mapping == mapping
    assert dataset.describe().startswith(f"{tmp_path / 'new.csv'}: 3 validation rows, 2 features")


@pytest.mark.parametrize(
    ("header", "row", "words"),
    [
        ("churned,age", "yes,1", "no column 'income'; the model was trained on 'age', 'income'"),
        ("churned,age,income,debt", "yes,1,2,3", "a column 'debt', which the model was not trained on"),
        ("left,age,income", "yes,1,2", "no column 'churned'"),
        ("churned,age,income", "maybe,1,2", "row 2: label 'maybe' does not occur in the training rows"),
        ("churned,age,income", "yes,old,2", "column 'age', row 2: 'old' is not a number"),
        ("churned,age,income", ",1,2", "row 2: the label is missing"),
        ("churned,age,income,age", "yes,1,2,3", "more than one column 'age'"),
    ],
)
def test_fails_on_rows_that_do_not_fit_the_model(tmp_path: Path, header: str, row: str, words: str) -> None:
    """File, column and row are named."""
    model = find_model(_run(tmp_path / "run", {"no": 0, "yes": 1}))
    with pytest.raises(DataError, match=words):
        model.load_file(_rows(tmp_path, f"{header}\n{row}\n"), None)


def test_an_archive_alone_takes_class_numbers_and_counts_features(tmp_path: Path) -> None:
    """Nothing else is known of it: not the target, not the labels' names."""
    path = _archive(tmp_path / "bare", "multi:softprob", 3, num_class=4)
    model = find_model(path)
    assert (model.problem.kind, model.problem.label_mapping) == ("multiclass", {"0": 0, "1": 1, "2": 2, "3": 3})
    rows = _rows(tmp_path, "y,a,b,c\n3,1,2,3\n0,4,5,6\n")
    assert table_of(model.load_file(rows, "y").validation)["y"].tolist() == [3, 0]
    with pytest.raises(UserError, match="name the target with --target-column NAME"):
        model.load_file(rows, None)
    with pytest.raises(DataError, match=r"has 2 feature columns, but the model in .* was trained on 3"):
        model.load_file(_rows(tmp_path, "y,a,b\n3,1,2\n"), "y")
    with pytest.raises(DataError, match="label '4' does not occur"):
        model.load_file(_rows(tmp_path, "y,a,b,c\n4,1,2,3\n"), "y")


def test_a_regression_takes_values(tmp_path: Path) -> None:
    """Labels are values as they stand."""
    model = find_model(_archive(tmp_path / "bare", "reg:squarederror"))
    dataset = model.load_file(_rows(tmp_path, "y,a,b\n1.5,1,2\n"), "y")
    assert table_of(dataset.validation)["y"].tolist() == [1.5]


def test_fails_where_there_is_no_model(tmp_path: Path) -> None:
    """A failed run, no archive, an archive of something else, a model that is not its run's."""
    run = _run(tmp_path / "run", {"no": 0, "yes": 1})
    with pytest.raises(UserError, match=r"nowhere does not exist; name a run that has trained a model"):
        find_model(tmp_path / "nowhere")
    (run / "manifest.json").write_text(json.dumps(manifest("old")))  # with the hash of another one
    with pytest.raises(UserError, match=r"is not the model that .*manifest\.json tells of"):
        find_model(run)
    (run / "manifest.json").write_text(json.dumps(manifest("old", model=None, problem={"kind": "binary"})))
    with pytest.raises(UserError, match=r"manifest\.json does not tell of the model's data: there is no 'objective'"):
        find_model(run / "model.tar.gz")
    (run / "manifest.json").unlink()
    with pytest.raises(UserError, match=r"manifest\.json cannot be read"):
        find_model(run)
    (run / "model.tar.gz").write_bytes(b"text")
    with pytest.raises(UserError, match="holds no model: it is text, not a tar archive"):
        find_model(run / "model.tar.gz")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{}", "'xgboost-model' cannot be read as a model of XGBoost "),
        (b'{"a":' * 2_000_000, "XGBoost crashes on it"),  # it follows each level with a call of its own
    ],
)
def test_fails_on_a_file_that_is_no_model(tmp_path: Path, content: bytes, words: str) -> None:
    """Not even one that ends the process which reads it."""
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("xgboost-model")
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    with pytest.raises(UserError, match=words):
        find_model(tmp_path / "model.tar.gz")


def test_a_sample_gives_the_rows_that_the_model_did_not_train_on(tmp_path: Path) -> None:
    """The split is that of the model's own run; another sample is refused."""
    trained = Request(directory="/", sample="breast-cancer", seed=7, validation_fraction=0.3).prepare().dataset
    archive = _archive(tmp_path / "run", features=30)
    problem = {"kind": "binary", "objective": "binary:logistic", "label_mapping": trained.problem.label_mapping}
    data = {**trained.origin, **trained.columns(), "feature_columns": list(trained.feature_columns)}
    document = manifest("old", model=None, problem=problem, data={**data, "target_column": "target"})
    (tmp_path / "run" / "manifest.json").write_text(json.dumps(document))
    dataset = find_model(archive.parent).load_sample("breast-cancer")
    assert table_of(dataset.validation).equals(table_of(trained.validation))
    assert dataset.train is None
    assert dataset.origin["validation"] == "sample breast-cancer"
    with pytest.raises(DataError, match="sample digits"):
        find_model(archive.parent).load_sample("digits")
