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

# What a manifest of any version has, and of which type it is.
SHAPE: Mapping[str, type] = {"execution": dict, "metrics": dict, "hyperparameters": dict, "data": dict}
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
    for key, kind in SHAPE.items():
        if not isinstance(document.get(key), kind):
            raise UserError(
                f"{where} is no manifest of a run: {key!r} must be an object, not {document.get(key)!r:.80}"
            )
    for key in ("name", "status"):
        if not isinstance(document["execution"].get(key), str):
            raise UserError(f"{where} is no manifest of a run: execution has no {key}")
    return document


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
