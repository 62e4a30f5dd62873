"""The champion between runs: each run begins with empty buckets, so their folder remembers the last accepted model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ml_a2 import contract
from ml_a2.client import Outcome, Pipeline
from ml_a2.errors import UserError

FILE = "champion.json"


@dataclass(frozen=True)
class ChampionOfRuns:
    """The last accepted model of a folder of runs, and whether this run's state machine asks for it."""

    runs: Path
    is_asked_for: bool

    @classmethod
    def of(cls, runs: Path, template: Mapping[str, Any]) -> Self:
        """Look into the template that is executed."""
        return cls(runs, contract.CHAMPION_KEY in json.dumps(template))

    def bring(self, pipeline: Pipeline) -> str | None:
        """Put the champion where the state machine looks for it, and return the run that it is of.

        Raises:
            UserError: what is remembered cannot be read.
            PlatformError: the bucket does not take it.
        """
        path = self.runs / FILE
        if not path.exists() or not self.is_asked_for:
            return None
        try:
            name = str(json.loads(path.read_text(encoding="utf-8"))["run"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise UserError(f"{path} cannot be read: {error!r}; remove it to begin without a champion") from error
        archive = self.runs / name / contract.MODEL_ARCHIVE
        if not archive.is_file():
            raise UserError(f"{path} names the run {name!r}, and there is no {archive}; remove {path} to begin anew")
        pipeline.name_champion(pipeline.upload_model(archive, f"champion-{name}"))
        return name

    def keep(self, outcome: Outcome, name: str) -> None:
        """Remember the run's model when it was accepted."""
        if outcome.gate != "passed" or not self.is_asked_for:
            return
        path = self.runs / FILE
        unfinished = path.with_name(f".{FILE}.{name}")
        unfinished.write_text(json.dumps({"run": name}) + "\n", encoding="utf-8")
        unfinished.replace(path)
