"""Write down an execution: what went in, what ran and what came of it, so that it can be repeated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ml_a2 import contract
from ml_a2.client import Outcome, Uploaded, last_known, metric_values
from ml_a2.dataset import Dataset
from ml_a2.digest import file_sha256, members_sha256
from ml_a2.errors import UserError
from ml_a2.finding import Finding
from ml_a2.records.given_model import GivenModel
from ml_a2.records.manifest import as_iso, environment, execution_facts, job_facts
from ml_a2.records.request import Prepared, Request

COLUMNS_KEY = f"{contract.CODE_PREFIX}{contract.COLUMNS_FILE}"
# The inputs of the jobs by the prefixes under which they lie.
CHANNELS = {contract.TRAIN_PREFIX: "train", contract.VALIDATION_PREFIX: "validation", contract.CODE_PREFIX: "code"}


@dataclass(frozen=True)
class StoredModel:
    """A model in its bucket, and the copy of it that was fetched."""

    uri: str
    version_id: str | None
    archive: Path


@dataclass(frozen=True)
class Ended:
    """An execution that has ended: what it was given, how it went and what it left."""

    name: str
    arn: str
    outcome: Outcome
    history: list[dict[str, Any]]
    # Seconds of each Wait state, as the definition has them.
    waits: Mapping[str, int]
    uploaded: Mapping[str, Uploaded]
    template_sha256: str
    evaluation: Mapping[str, Any]
    model: StoredModel | None
    stand_in: str | None
    # Of the command that ran it, from its beginning until this was written down.
    seconds: float
    # What a person was warned of before it began.
    warnings: tuple[Finding, ...] = ()


def manifest_of(asked: Request, prepared: Prepared, ended: Ended) -> dict[str, Any]:
    """Return the manifest of an execution."""
    training, evaluation = last_known(ended.history, "training"), last_known(ended.history, "evaluation")
    failure = ended.outcome.failure
    jobs = job_facts(training, evaluation)
    return {
        "execution": {
            **execution_facts(ended.name, ended.arn, ended.outcome),
            "seconds": round(ended.seconds, 3),
        },
        "gate": ended.outcome.gate,
        "failure": asdict(failure) if failure else None,
        "warnings": [warning.as_json() for warning in ended.warnings],
        "template_sha256": ended.template_sha256,
        "data": {**_data(prepared.dataset), **_files(prepared, ended.uploaded.values())},
        "code": [
            {"key": o.key, "version_id": o.version_id, "sha256": o.sha256}
            for o in ended.uploaded.values()
            if _is_code(o)
        ],
        "model": _model(ended, prepared.model),
        "problem": _problem(prepared.dataset),
        **jobs,
        "hyperparameters": jobs["hyperparameters"] or _planned(asked, prepared),
        "stand_in": ended.stand_in,
        "seeds": {
            "split": prepared.dataset.origin.get("split_seed"),
            "sampling": ended.evaluation.get("sampling_seed"),
        },
        "timings": {
            "states": _states(ended.history, ended.waits),
            "training_seconds": _seconds(training.get("TrainingStartTime"), training.get("TrainingEndTime")),
            "evaluation_seconds": _seconds(evaluation.get("ProcessingStartTime"), evaluation.get("ProcessingEndTime")),
            "speed": asked.speed,
        },
        "metrics": metric_values(ended.evaluation),
        **environment(),
        "request": asked.as_json(),
    }


def file_hashes(paths: Mapping[str, Path]) -> dict[str, str]:
    """Return the SHA-256 of files by their keys."""
    return {key: file_sha256(path) for key, path in paths.items()}


def _is_code(uploaded: Uploaded) -> bool:
    # The columns' names lie beside the code and belong to the data.
    return uploaded.key.startswith(contract.CODE_PREFIX) and uploaded.key != COLUMNS_KEY


def _planned(asked: Request, prepared: Prepared) -> dict[str, str]:
    return dict(prepared.model.hyperparameters if prepared.model else asked.hyperparameters)


def _data(dataset: Dataset) -> dict[str, Any]:
    return {
        **dataset.origin,
        "target_column": dataset.target_column,
        "feature_columns": list(dataset.feature_columns),
        "train_rows": dataset.train_rows,
        "validation_rows": len(dataset.validation),
    }


def _files(prepared: Prepared, uploaded: Iterable[Uploaded]) -> dict[str, Any]:
    files = [
        {
            "channel": CHANNELS[f"{o.key.split('/', maxsplit=1)[0]}/"],
            "key": o.key,
            "version_id": o.version_id,
            "sha256": o.sha256,
            "bytes": o.size,
        }
        for o in uploaded
        if not _is_code(o)
    ]
    return {"files": files, "sources": [dict(source) for source in prepared.sources]}


def _problem(dataset: Dataset) -> dict[str, Any]:
    problem = dataset.problem
    return {
        "kind": problem.kind,
        "objective": problem.objective,
        "objective_inferred": problem.inferred,
        "label_mapping": problem.label_mapping,
    }


def _model(ended: Ended, given: GivenModel | None) -> dict[str, Any] | None:
    stored = ended.model
    if stored is None:
        return None
    try:
        files = members_sha256(stored.archive)
    except UserError:
        files = {}  # a broken archive is what the evaluation reports; that there are no files in it is said here
    return {
        "uri": stored.uri,
        "version_id": stored.version_id,
        "sha256": file_sha256(stored.archive),
        "files": [{"name": name, "sha256": sha256} for name, sha256 in sorted(files.items())],
        "given": {"run": given.run, "path": str(given.archive)} if given else None,
        "package_arn": last_known(ended.history, contract.MODEL_PACKAGE_FIELD).get("ModelPackageArn"),
    }


def _states(history: list[dict[str, Any]], waits: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return each state once, in the order of first visits: when it was entered, how often, how long in all."""
    states: dict[str, dict[str, Any]] = {}
    inside: dict[str, dt.datetime] = {}
    for event in history:
        if entered := event.get("stateEnteredEventDetails"):
            name, time = entered["name"], event["timestamp"]
            inside[name] = time
            state = states.setdefault(name, {"name": name, "entered": as_iso(time), "seconds": 0.0, "visits": 0})
            state["visits"] += 1
            if name in waits:
                # `seconds` is what passed; on the laptop waits are shortened.
                state["nominal_seconds"] = state["visits"] * waits[name]
        elif exited := event.get("stateExitedEventDetails"):
            since = inside.pop(exited["name"])
            states[exited["name"]]["seconds"] += (event["timestamp"] - since).total_seconds()
    for name, since in inside.items():  # where it was stopped, or failed
        states[name]["seconds"] += (history[-1]["timestamp"] - since).total_seconds()
    return [{**state, "seconds": round(state["seconds"], 3)} for state in states.values()]


def _seconds(start: Any, end: Any) -> float | None:
    if not (isinstance(start, str) and isinstance(end, str)):
        return None  # the job did not come so far
    return round((dt.datetime.fromisoformat(end) - dt.datetime.fromisoformat(start)).total_seconds(), 3)
