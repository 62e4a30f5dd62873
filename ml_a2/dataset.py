"""A person's data as two channels, headerless CSV with the label first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ml_a2.data.cells import MISSING_WORDS, some
from ml_a2.data.suspicion.examination import Surveys
from ml_a2.problem import Problem


class Target(Protocol):
    """A binary file that is being written."""

    def write(self, block: bytes, /) -> Any:
        """Write all of the bytes."""


Opener = Callable[[Path], AbstractContextManager[Target]]


class Rows(Protocol):
    """Rows of a channel, in memory or in a file that is one already."""

    def __len__(self) -> int:
        """Return how many there are."""

    def write(self, targets: Sequence[Target]) -> None:
        """Write them to a file: label first, no header, empty cells for missing values; of several, in turn."""


@dataclass(frozen=True)
class Split:
    """Which rows are held out where no validation file is given: a share in (0, 1), and the seed that picks them."""

    fraction: float = 0.2
    seed: int = 42


@dataclass(frozen=True)
class Dataset:
    """Training and validation rows, encoded for the algorithm."""

    # None where a model is evaluated that exists already.
    train: Rows | None
    validation: Rows
    target_column: str
    feature_columns: tuple[str, ...]
    problem: Problem
    origin: dict[str, Any]
    surveys: Surveys

    @property
    def train_rows(self) -> int:
        """Return the number of rows that are trained on."""
        return len(self.train) if self.train else 0

    def describe(self) -> str:
        """Return one line for a person: where from, how much, and what is predicted."""
        problem = self.problem
        read_as = self.origin.get("read_as", {})
        names = filter(None, (self.origin["train"], self.origin["validation"]))
        origin = " and ".join(f"{name} ({read_as[name]})" if name in read_as else name for name in names)
        inferred = ", inferred from the labels" if problem.inferred else ""
        if words := [label for label in problem.classes if label in MISSING_WORDS]:
            inferred += f", {some(words)} taken for {'a class' if len(words) == 1 else 'classes'}"
        training = f"{self.train_rows} training and " if self.train else ""
        return (
            f"{origin}: {training}{len(self.validation)} validation rows, "
            f"{len(self.feature_columns)} features, target {self.target_column!r}, {problem.objective}{inferred}"
        )

    def columns(self) -> dict[str, Any]:
        """Return the person's own names: of the target, of the features, and of the classes by their numbers."""
        classes = list(self.problem.label_mapping) or None
        return {"target": self.target_column, "features": list(self.feature_columns), "classes": classes}

    def write(
        self, folder: Path, parts: int = 1, opened: Opener = lambda path: path.open("wb")
    ) -> tuple[list[Path], list[Path]]:
        """Write the channels' files into a folder.

        Args:
            folder: where to.
            parts: into how many files of about the same size the training rows go, one for each host that shares them.
            opened: opens a file to be written.

        Returns:
            The files of the train channel, none where nothing is trained, and those of the validation channel.
        """
        validation = folder / "validation.csv"
        _write(self.validation, [validation], opened)
        if self.train is None:
            return [], [validation]
        names = ["train.csv"] if parts == 1 else [f"train-{number:02}.csv" for number in range(1, parts + 1)]
        train = [folder / name for name in names]
        _write(self.train, train, opened)
        return train, [validation]


def _write(rows: Rows, paths: Sequence[Path], opened: Opener) -> None:
    with ExitStack() as files:
        rows.write([files.enter_context(opened(path)) for path in paths])
