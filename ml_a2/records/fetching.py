"""Bring what an execution of a deployed stack left into a folder, as `ml-a2 run` leaves it."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from ml_a2 import contract
from ml_a2.client import AwsClients, Pipeline, job_name
from ml_a2.errors import UserError
from ml_a2.job_logs import STAGES
from ml_a2.records.manifest import as_iso, read_manifest
from ml_a2.records.record import Record

HISTORY_FILE = "history.json"


def fetch_run(record: Record, clients: AwsClients, pipeline: Pipeline, folder: Path) -> list[str]:
    """Write the files of an execution into a folder, and return the names of those that are not there.

    Args:
        record: the execution, as Step Functions and S3 know it.
        clients: of the services.
        pipeline: the deployed stack.
        folder: a new one, or one of the same execution.

    Raises:
        UserError: the folder is another execution's.
    """
    _is_free(folder, record)
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    _write_json(folder / contract.MANIFEST_FILE, record.document)
    missing = []
    for file, uri in {
        contract.EVALUATION_FILE: pipeline.evaluation_uri(record.name),
        contract.CURVES_FILE: pipeline.curves_uri(record.name),
    }.items():
        if not pipeline.fetch(uri, folder / file):
            missing.append(file)
    history = _history(pipeline, record, clients)
    if history is None:
        return [*missing, HISTORY_FILE, *(_log_file(stage) for stage in STAGES)]
    _write_json(folder / HISTORY_FILE, history)
    return [*missing, *_fetch_logs(pipeline, history, folder)]


def _is_free(folder: Path, record: Record) -> None:
    if not (folder / contract.MANIFEST_FILE).exists():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UserError(f"{folder} is there and no run; name another folder with --output DIR")
        return
    known, arn = read_manifest(folder)["execution"], record.execution.get("arn")
    if known.get("arn") != arn:
        raise UserError(f"{folder} is of {known.get('arn')}, not of {arn}; name another folder with --output DIR")


def _history(pipeline: Pipeline, record: Record, clients: AwsClients) -> list[dict[str, Any]] | None:
    """Return the events; None when Step Functions has forgotten the execution, which it does after 90 days."""
    arn = pipeline.execution_arn(record.name)
    try:
        return pipeline.history(arn)
    except clients.stepfunctions.exceptions.ExecutionDoesNotExist:
        return None


def _fetch_logs(pipeline: Pipeline, history: list[dict[str, Any]], folder: Path) -> list[str]:
    missing = []
    for stage, where in STAGES.items():
        job = job_name(history, where.field)
        lines = pipeline.log(where.log_group, job) if job else []
        if lines:
            text = "".join(f"{line}\n" for line in lines)
            (folder / _log_file(stage)).write_text(text, encoding="utf-8")
        else:
            missing.append(_log_file(stage))
    return missing


def _log_file(stage: str) -> str:
    return f"logs/{stage.lower()}.log"


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2, default=_as_text) + "\n", encoding="utf-8")


def _as_text(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return as_iso(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
