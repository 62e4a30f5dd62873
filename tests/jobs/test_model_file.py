"""What lies in the place of a model is named for what it is, by the evaluation and before anything is started."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb
from sklearn.linear_model import LogisticRegression

from ml_a2.errors import UserError
from ml_a2.jobs.quality.errors import EvaluationError
from ml_a2.jobs.quality.model import load_model
from ml_a2.records.given_model import find_model

FEATURES, LABELS = np.random.default_rng(1).normal(size=(40, 2)), np.arange(40) % 2
LOADED: list[str] = []


@pytest.fixture(scope="module")
def booster() -> Any:
    return xgb.train({"objective": "binary:logistic", "nthread": 1}, xgb.DMatrix(FEATURES, label=LABELS), 2)


def _pack(folder: Path, content: bytes, name: str = "xgboost-model") -> Path:
    with tarfile.open(folder / "model.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    return folder / "model.tar.gz"


def _both(archive: Path) -> str:
    """Return what both say of it, which must be one line of a length that can be read."""
    with pytest.raises(EvaluationError) as in_the_job:
        load_model(str(archive.parent))
    with pytest.raises(UserError) as before:
        find_model(archive)
    assert str(in_the_job.value).splitlines() == [str(before.value)]
    assert len(str(before.value)) < len(str(archive)) + 400
    return str(before.value)


class _Trap:
    """Tells when it is loaded."""

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        """Return what loading would call."""
        return LOADED.append, ("loaded",)


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda booster: booster, "a pickle of xgboost.core.Booster, which is not loaded"),
        (lambda booster: {"model": booster}, "a pickle of xgboost.core.Booster, which is not loaded"),
        (lambda booster: booster, "images before 1.3-1 wrote such files, and training scripts do"),
        (lambda booster: booster, "save it anew with model.save_model('xgboost-model')"),
        (lambda booster: LogisticRegression().fit(FEATURES, LABELS), "only models of XGBoost can be evaluated"),
        (lambda booster: _Trap(), "is a pickle"),
    ],
)
def test_a_pickle_is_named_and_never_loaded(
    tmp_path: Path, booster: Any, protocol: int, make: Callable[[Any], Any], words: str
) -> None:
    """Of any protocol and class, with the way to a model that can be read."""
    content = pickle.dumps(make(booster), protocol)
    assert words in _both(_pack(tmp_path, content))
    assert LOADED == []


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_of_a_wrapped_booster_the_booster_is_to_be_saved(tmp_path: Path, protocol: int) -> None:
    """Its class alone tells: XGBoost has no wrappers where it was loaded without scikit-learn."""
    begin = bytes([0x80, protocol]) if protocol else b""
    content = begin + b"cxgboost.sklearn\nXGBClassifier\n)\x81."
    assert "model.get_booster().save_model('xgboost-model')" in _both(_pack(tmp_path, content))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda booster: b"", "'xgboost-model' has no bytes"),
        (lambda booster: zlib.compress(pickle.dumps(booster)), "compressed by joblib, with a pickle in it"),
        (
            lambda booster: f"booster[0]:\n{booster.get_dump()[0]}".encode(),
            "text dump",
        ),
        (lambda booster: b"\x08\x07\x12\x07pytorch\x1a\x052.0.1:\x8b\x01", "is an ONNX model, not a model of XGBoost"),
        (lambda booster: gzip.compress(bytes(booster.save_raw("json"))), "is gzip, not a model of XGBoost"),
        (lambda booster: b"{}", "cannot be read as a model of XGBoost (Invalid model format)"),
        (lambda booster: b"y,a\n1,2\n", "cannot be read as a model of XGBoost ("),
        (lambda booster: bytes(booster.save_raw("json"))[:-200], "cannot be read as a model of XGBoost ("),
        (lambda booster: bytes(booster.save_raw("ubj"))[:-200], "cannot be read as a model of XGBoost ("),
    ],
)
def test_other_files_in_its_place_are_named(
    tmp_path: Path, booster: Any, make: Callable[[Any], bytes], words: str
) -> None:
    """Empty, compressed, of another library, damaged: in one line."""
    assert words in _both(_pack(tmp_path, make(booster)))


@pytest.mark.parametrize("form", ["json", "ubj", "deprecated"])
def test_every_format_of_xgboost_is_read(tmp_path: Path, booster: Any, form: str) -> None:
    """The three that its images and save_model have written."""
    assert find_model(_pack(tmp_path, bytes(booster.save_raw(form)))).feature_count == 2


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xgboost-model", b"model")
    return file.getvalue()


def _tar_of_one() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("xgboost-model"))
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "holds no model: it has no bytes, not a tar archive compressed with gzip"),
        (b"y,a\n1,2\n", "it is text, not a tar archive"),
        (_zip(), "it is zip, not a tar archive"),
        (_tar_of_one(), "it is tar, not a tar archive compressed with gzip"),
        (pickle.dumps(xgb.DMatrix), "is a pickle of xgboost.core.DMatrix, which is not loaded"),
        (b"binf" + bytes(200), "it is an XGBoost model, not a tar archive"),
        (gzip.compress(b"no tar" * 200), "it is damaged, or no tar archive compressed with gzip"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value,  # archives hold the time at which they were made
)
def test_what_is_no_archive_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    """With the command that makes one."""
    (tmp_path / "model.tar.gz").write_bytes(content)
    assert words in _both(tmp_path / "model.tar.gz")


def test_an_archive_without_the_model_tells_what_is_there(tmp_path: Path) -> None:
    """At most five names, each cut; of k folds the image writes several models."""
    assert "holds no model 'xgboost-model', but 'model.pkl'" in _both(_pack(tmp_path, b"x", "model.pkl"))
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        for number in range(40):
            tar.addfile(tarfile.TarInfo(f"xgboost-model-{number}"))
    assert _both(tmp_path / "model.tar.gz").endswith("'xgboost-model-3', 'xgboost-model-4' and others")
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz"):
        pass
    assert _both(tmp_path / "model.tar.gz").endswith("holds no model 'xgboost-model', and no other file")
