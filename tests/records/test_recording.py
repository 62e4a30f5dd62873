"""What is written down of an execution."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from ml_a2.client import Failure, Outcome, Uploaded
from ml_a2.finding import Finding
from ml_a2.records.manifest import check
from ml_a2.records.recording import Ended, StoredModel, manifest_of
from ml_a2.records.request import Prepared, Request

START = dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)
TRAINING = {
    "HyperParameters": {"num_round": "5"},
    "AlgorithmSpecification": {"TrainingImage": "registry/sagemaker-xgboost:1.7-1"},
    "TrainingStartTime": "2026-11-24T10:00:01.500Z",
    "TrainingEndTime": "2026-11-24T10:00:04Z",
}


def _event(seconds: float, kind: str, name: str, **state: Any) -> dict[str, Any]:
    field = "output" if kind == "Exited" else "input"
    details = {"name": name, field: json.dumps(state)}
    return {"timestamp": START + dt.timedelta(seconds=seconds), f"state{kind}EventDetails": details}


def _history() -> list[dict[str, Any]]:
    return [
        _event(0, "Entered", "CreateTrainingJob"),
        _event(1, "Exited", "CreateTrainingJob"),
        _event(1, "Entered", "WaitForTraining"),
        _event(1.3, "Exited", "WaitForTraining"),
        _event(1.3, "Entered", "WaitForTraining"),
        _event(1.6, "Exited", "WaitForTraining", training={"TrainingJobStatus": "InProgress"}),
        _event(1.6, "Entered", "DescribeTrainingJob"),
        _event(1.7, "Exited", "DescribeTrainingJob", training=TRAINING),
        _event(1.7, "Entered", "PipelineFailed", training=TRAINING),
        {"timestamp": START + dt.timedelta(seconds=2), "executionFailedEventDetails": {}},
    ]


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return Request(directory="/", sample="breast-cancer").prepare()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("xgboost-model")
        info.size = 5
        tar.addfile(info, io.BytesIO(b"model"))
    return tmp_path / "model.tar.gz"


def _manifest(prepared: Prepared, archive: Path | None, **changes: Any) -> dict[str, Any]:
    failure = Failure("Training", "TrainingJobFailed", "AlgorithmError")
    ended = Ended(
        **{
            "name": "one",
            "arn": "arn",
            "outcome": Outcome("FAILED", failure, {}, START, START + dt.timedelta(seconds=2)),
            "history": _history(),
            "waits": {"WaitForTraining": 30},
            "uploaded": {
                key: Uploaded(key, version, "0" * 64, 7)
                for key, version in (
                    ("train/train.csv", "1"),
                    ("validation/validation.csv", None),
                    ("evaluation/columns.json", "3"),
                    ("evaluation/evaluate.py", "4"),
                )
            },
            "template_sha256": "t",
            "evaluation": {"sampling_seed": 7, "binary_classification_metrics": {"auc": {"value": 0.5}}},
            "model": StoredModel("s3://models/m", "5", archive) if archive else None,
            "stand_in": None,
            "seconds": 9.0,
            **changes,
        }
    )
    return check(manifest_of(Request(directory="/", sample="breast-cancer", speed=100), prepared, ended), "here")


def test_states_stand_once_with_visits_and_nominal_waits(prepared: Prepared, archive: Path) -> None:
    """In the order of the first visit; waits are shortened here, so what they would be on AWS stands beside."""
    timings = _manifest(prepared, archive)["timings"]
    assert timings["states"] == [
        {"name": "CreateTrainingJob", "entered": "2026-11-24T10:00:00.000+00:00", "seconds": 1.0, "visits": 1},
        {
            "name": "WaitForTraining",
            "entered": "2026-11-24T10:00:01.000+00:00",
            "seconds": 0.6,
            "visits": 2,
            "nominal_seconds": 60,
        },
        {"name": "DescribeTrainingJob", "entered": "2026-11-24T10:00:01.600+00:00", "seconds": 0.1, "visits": 1},
        # Never left: the execution ended there.
        {"name": "PipelineFailed", "entered": "2026-11-24T10:00:01.700+00:00", "seconds": 0.3, "visits": 1},
    ]
    assert (timings["training_seconds"], timings["evaluation_seconds"], timings["speed"]) == (2.5, None, 100)


def test_a_failure_keeps_what_was_known_until_then(prepared: Prepared, archive: Path) -> None:
    """Stage, error and cause; hyperparameters and image of the job that failed, not only of the request."""
    manifest = _manifest(prepared, archive)
    assert manifest["failure"] == {"stage": "Training", "error": "TrainingJobFailed", "cause": "AlgorithmError"}
    assert manifest["hyperparameters"] == {"num_round": "5"}
    assert manifest["training_image"].endswith("xgboost:1.7-1")
    assert manifest["evaluation_image"] is None
    assert manifest["execution"]["ended"] == "2026-11-24T10:00:02.000+00:00"
    assert manifest["seeds"] == {"split": 42, "sampling": 7}


def test_before_any_job_hyperparameters_are_those_asked_for(prepared: Prepared) -> None:
    """An execution that was stopped at once."""
    manifest = _manifest(prepared, None, history=_history()[:1])
    assert manifest["hyperparameters"] == {}
    assert manifest["model"] is None
    assert manifest["timings"]["states"][0]["seconds"] == 0


def test_objects_are_told_apart_by_where_they_lie(prepared: Prepared, archive: Path) -> None:
    """The columns' names lie beside the code, and belong to the data."""
    manifest = _manifest(prepared, archive)
    assert [(file["channel"], file["key"], file["version_id"]) for file in manifest["data"]["files"]] == [
        ("train", "train/train.csv", "1"),
        ("validation", "validation/validation.csv", None),
        ("code", "evaluation/columns.json", "3"),
    ]
    assert [code["key"] for code in manifest["code"]] == ["evaluation/evaluate.py"]


def test_a_registered_model_has_its_packages_name(prepared: Prepared, archive: Path) -> None:
    """As the registry answered."""
    registered = _event(3, "Exited", "RegisterModel", model_package={"ModelPackageArn": "arn:of:it"})
    history = [*_history(), _event(2, "Entered", "RegisterModel"), registered]
    assert _manifest(prepared, archive, history=history)["model"]["package_arn"] == "arn:of:it"


def test_a_model_is_known_by_what_lies_in_its_archive(prepared: Prepared, archive: Path) -> None:
    """The archive's own hash changes with its times; a broken one has no files."""
    model = _manifest(prepared, archive)["model"]
    sha256 = hashlib.sha256(b"model").hexdigest()
    assert model["files"] == [{"name": "xgboost-model", "sha256": sha256}]
    assert model["sha256"] == hashlib.sha256(archive.read_bytes()).hexdigest()
    assert model["package_arn"] is None
    archive.write_bytes(b"broken")
    assert _manifest(prepared, archive)["model"]["files"] == []


def test_warnings_are_kept(prepared: Prepared) -> None:
    """What a person was told before the execution began."""
    warning = Finding("warning", "t.csv, column 'nr'", "counts the rows", "leave it out")
    assert _manifest(prepared, None, warnings=(warning,))["warnings"] == [warning.as_json()]
    assert _manifest(prepared, None)["warnings"] == []
