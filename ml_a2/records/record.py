"""What is known of executions: a record of each, read from the run directories of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ml_a2 import contract
from ml_a2.errors import UserError
from ml_a2.records.manifest import parse, read_manifest
from ml_a2.records.names import name_meant
from ml_a2.records.shape import NUMBER, misfit

UNREADABLE = "UNREADABLE"

# What is read here from evaluation.json, as `misfit` takes it; metrics are looked at one by one.
EVALUATION = {
    "confidence_intervals": (None, {"level": NUMBER, "metrics": {"*": (None, {"lower": NUMBER, "upper": NUMBER})}})
}


@dataclass(frozen=True)
class Record:
    """An execution: its manifest, or as much of one as is known, and its evaluation."""

    name: str
    document: dict[str, Any]
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    # Why nothing more is known.
    problem: str | None = None

    @property
    def status(self) -> str:
        """Return the status as Step Functions has it, or that the record cannot be read."""
        return UNREADABLE if self.problem else str(self.document["execution"]["status"])

    @property
    def started(self) -> str:
        """Return when the execution began, in ISO 8601; empty where nobody wrote it down."""
        return str(self.execution.get("started") or "")

    @property
    def execution(self) -> dict[str, Any]:
        """Return name, ARN, status and times."""
        return dict(self.document.get("execution", {}))

    @property
    def metrics(self) -> dict[str, float]:
        """Return the metrics by name."""
        return dict(self.document.get("metrics", {}))

    @property
    def hyperparameters(self) -> dict[str, str]:
        """Return what the model was trained with."""
        return dict(self.document.get("hyperparameters", {}))

    @property
    def data(self) -> dict[str, Any]:
        """Return where the rows came from, how many there were, and the files' hashes."""
        return dict(self.document.get("data", {}))

    @property
    def objective(self) -> str:
        """Return what was learned; empty where it is not known."""
        problem = self.document.get("problem") or {}
        return str(problem.get("objective") or self.hyperparameters.get("objective") or "")

    def summary(self) -> dict[str, Any]:
        """Return what a list of executions tells of this one."""
        return {
            "name": self.name,
            "status": self.status,
            "started": self.started or None,
            "seconds": self.execution.get("seconds"),
            "data": self.data.get("train") or self.data.get("validation"),
            "target": self.data.get("target_column"),
            "objective": self.objective or None,
            "gate": self.document.get("gate"),
            "metrics": self.metrics,
            "problem": self.problem,
        }


class Records(Protocol):
    """Where executions are written down."""

    def newest(self, limit: int) -> tuple[list[Record], bool]:
        """Return at most so many executions, the newest first, and whether there are more."""

    def get(self, name: str) -> Record:
        """Return an execution with its evaluation; the name may be a part of it, or `last`.

        Raises:
            UserError: there is none of this name, or what is written down of it cannot be read.
        """


class RunDirectories:
    """The executions of this machine, each in its folder."""

    def __init__(self, folder: Path) -> None:
        """Remember where the folders lie."""
        self._folder = folder

    def newest(self, limit: int | None = None) -> tuple[list[Record], bool]:
        """Return the newest executions first, at most so many, and whether there are more; one cannot hide another."""
        records = sorted(map(self._listed, _run_names(self._folder)), key=lambda r: (r.started, r.name), reverse=True)
        return records[:limit], limit is not None and len(records) > limit

    def get(self, name: str) -> Record:
        """Return an execution with its evaluation; the name is one that find_run understands.

        Raises:
            UserError: there is none of this name, or what is written down of it cannot be read.
        """
        folder = find_run(name, self._folder)
        document = read_manifest(folder)
        path = folder / contract.EVALUATION_FILE
        evaluation = parse(path.read_bytes(), str(path)) if path.is_file() else {}
        if wrong := misfit(evaluation, EVALUATION):
            raise UserError(f"{path} is not an evaluation: {wrong}")
        return Record(folder.resolve().name, document, evaluation)

    def _listed(self, name: str) -> Record:
        try:
            return Record(name, read_manifest(self._folder / name))
        except UserError as error:
            return Record(name, {}, problem=str(error))


def find_run(text: str, runs: Path) -> Path:
    """Return a run's folder by a path to it, by its name, by a part of that, or as `last`.

    Raises:
        UserError: there is none, or a part of a name is of several.
    """
    for folder in (runs / text, Path(text)):
        if text and folder.is_dir() and (folder.parent == runs or (folder / contract.MANIFEST_FILE).exists()):
            return folder
    newest, _ = RunDirectories(runs).newest()
    return runs / name_meant(text, [record.name for record in newest], "run", runs)


def _run_names(runs: Path) -> list[str]:
    if not runs.is_dir():
        return []
    return [path.name for path in runs.iterdir() if path.is_dir() and not path.name.startswith(".")]
