"""The manifest of an execution as a document: what is in it, and whether it is one."""

from __future__ import annotations

import datetime as dt
import json
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ml_a2 import __version__, contract
from ml_a2.client import Outcome
from ml_a2.errors import UserError
from ml_a2.records.shape import COUNT, NUMBER, TEXT, misfit

_FILES = [{"channel": TEXT, "key": str, "path": str, "name": str, "version_id": TEXT, "sha256": str, "bytes": NUMBER}]
_PROBLEM = {"kind": TEXT, "objective": TEXT, "label_mapping": (None, {"*": NUMBER})}
# What is read from a manifest, as `shape.misfit` takes it. One of an older version has fewer keys.
SHAPE: Mapping[str, Any] = {
    "execution": {"name": str, "status": str, "arn": TEXT, "seconds": COUNT, "started": TEXT, "ended": TEXT},
    "gate": TEXT,
    "failure": (None, {"*": TEXT}),
    "template_sha256": TEXT,
    "data": {
        "train": TEXT,
        "validation": TEXT,
        "target_column": TEXT,
        "feature_columns": [str],
        "train_rows": COUNT,
        "validation_rows": COUNT,
        "files": _FILES,
        "sources": _FILES,
    },
    "code": _FILES,
    "model": (None, {"uri": TEXT, "sha256": TEXT, "files": _FILES, "given": (None, {"path": TEXT, "sha256": TEXT})}),
    "problem": (None, _PROBLEM),
    "hyperparameters": {"*": str},
    "training_image": TEXT,
    "evaluation_image": TEXT,
    "metrics": {"*": NUMBER},
    "versions": {"*": TEXT},
    "platform": TEXT,
    "timings": {"states": list},
    "request": (None, dict),
}
# What each has.
NEEDED = ("execution", "metrics", "hyperparameters", "data")
# Packages that decide about numbers, and the engine.
PACKAGES = ("moto", "scikit-learn", "pandas", "numpy", "scipy", "pyarrow")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a run.

    Raises:
        UserError: it is not there, or is no manifest.
    """
    path = folder / contract.MANIFEST_FILE
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}; the run did not come to its end") from error
    return check(parse(content, str(path)), str(path))


def parse(content: bytes, where: str) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        UserError: it is none.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise UserError(f"{where} must be a JSON object")
    return document


def check(document: dict[str, Any], where: str) -> dict[str, Any]:
    """Refuse what is no manifest; one of an older version only has fewer keys.

    Raises:
        UserError: names what is wrong with it.
    """
    wrong = misfit(document, SHAPE) or _missing(document)
    if wrong:
        raise UserError(f"{where} is no manifest of a run: {wrong}")
    for time in ("started", "ended"):
        _check_time(document["execution"].get(time), where)
    return document


def _missing(document: Mapping[str, Any]) -> str | None:
    missing = [key for key in NEEDED if key not in document]
    missing += [f"execution.{key}" for key in ("name", "status") if key not in document.get("execution", (key,))]
    return f"{missing[0]!r} is missing" if missing else None


def _check_time(time: str | None, where: str) -> None:
    try:
        dt.datetime.fromisoformat(time or "2026-01-01")
    except ValueError as error:
        raise UserError(f"{where} is no manifest of a run: {time!r:.80} is not a time") from error


def execution_facts(name: str, arn: str, outcome: Outcome) -> dict[str, Any]:
    """Return what a manifest tells of the execution itself."""
    started, ended = outcome.started, outcome.ended
    return {
        "name": name,
        "arn": arn,
        "status": outcome.status,
        "seconds": round((ended - started).total_seconds(), 3) if started and ended else None,
        "started": as_iso(started) if started else None,
        "ended": as_iso(ended) if ended else None,
    }


def job_facts(training: Mapping[str, Any], evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a manifest tells of the two jobs, out of the answers to their Describe calls."""
    return {
        "hyperparameters": training.get("HyperParameters", {}),
        "training_image": training.get("AlgorithmSpecification", {}).get("TrainingImage"),
        "evaluation_image": evaluation.get("AppSpecification", {}).get("ImageUri"),
    }


def environment() -> dict[str, Any]:
    """Return what computes here: versions by name, and the platform."""
    return {
        "versions": {
            "ml-a2": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in PACKAGES},
            "xgboost": xgboost_version(),
        },
        "platform": f"{platform.system()} {platform.machine()}",
    }


def xgboost_version() -> str:
    """Return the version of the package that is installed under one of XGBoost's two names."""
    try:
        return version("xgboost-cpu")
    except PackageNotFoundError:
        return version("xgboost")


def as_iso(time: dt.datetime) -> str:
    """Write a time as every record does: UTC, milliseconds."""
    return time.astimezone(dt.UTC).isoformat(timespec="milliseconds")
