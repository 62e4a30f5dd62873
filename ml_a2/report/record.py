"""What a run left behind: the files of its directory, and careful ways to read what stands in them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ml_a2 import contract
from ml_a2.errors import UserError
from ml_a2.execution_events import TrainingRound
from ml_a2.learning_curve import rounds_of

# Beyond it differences and margins overflow; NaN is no smaller either.
LARGEST = 1e100

HISTORY_FILE = "history.json"
TRAINING_LOG = "logs/training.log"
# A log beyond this is not read: it has more than rounds.
LARGEST_LOG = 64 << 20
BESIDE = (
    contract.MANIFEST_FILE,
    contract.EVALUATION_FILE,
    contract.CURVES_FILE,
    HISTORY_FILE,
    "notifications.json",
    contract.MODEL_ARCHIVE,
    TRAINING_LOG,
    "logs/evaluation.log",
)


@dataclass(frozen=True)
class Record:
    """The content of a run directory; whatever an execution did not come to is empty."""

    manifest: dict[str, Any]
    evaluation: dict[str, Any] = field(default_factory=dict)
    curves: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    # Of the training's log.
    rounds: tuple[TrainingRound, ...] = ()
    # Files that are there and hold something else than they should.
    unreadable: tuple[str, ...] = ()
    # What lies beside the report, as paths from the run directory.
    files: tuple[str, ...] = ()


def read_record(folder: Path) -> Record:
    """Read a run directory; only the manifest must be there.

    Raises:
        UserError: there is no manifest that can be read.
    """
    unreadable: list[str] = []
    manifest = _read(folder / contract.MANIFEST_FILE, dict, unreadable)
    if not manifest:
        raise UserError(
            f"{folder} has no {contract.MANIFEST_FILE} that can be read; name a folder that 'ml-a2 run' has written"
        )
    return Record(
        manifest,
        _read(folder / contract.EVALUATION_FILE, dict, unreadable) or {},
        _read(folder / contract.CURVES_FILE, dict, unreadable) or {},
        [event for event in _read(folder / HISTORY_FILE, list, unreadable) or [] if isinstance(event, dict)],
        _rounds(folder / TRAINING_LOG),
        tuple(unreadable),
        tuple(path for path in BESIDE if (folder / path).is_file()),
    )


def _rounds(path: Path) -> tuple[TrainingRound, ...]:
    """Return the rounds of a training, none where its log is not at hand."""
    try:
        if path.stat().st_size > LARGEST_LOG:
            return ()
        return tuple(rounds_of(path.read_text(encoding="utf-8", errors="replace").splitlines()))
    except OSError:
        return ()


def _read(path: Path, kind: type, unreadable: list[str]) -> Any:
    """Return the JSON of a file, or None: a job that failed may have left anything."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        unreadable.append(path.name)
        return None
    if not isinstance(content, kind):
        unreadable.append(path.name)
        return None
    return content


def at(tree: Any, *keys: str) -> Any:
    """Return what lies under the keys, None where the way ends before."""
    for key in keys:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree


def table(tree: Any, *keys: str) -> dict[str, Any]:
    """Return the object under the keys, an empty one where there is none."""
    found = at(tree, *keys)
    return found if isinstance(found, dict) else {}


def items(tree: Any, *keys: str) -> list[Any]:
    """Return the list under the keys, an empty one where there is none."""
    found = at(tree, *keys)
    return found if isinstance(found, list) else []


def objects(tree: Any, *keys: str) -> list[dict[str, Any]]:
    """Return the objects of the list under the keys."""
    return [item for item in items(tree, *keys) if isinstance(item, dict)]


def number(value: Any) -> float | None:
    """Return a number that can be drawn, None for anything else: metrics without a value are written as words."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) <= LARGEST else None


def numbers(tree: Any, *keys: str) -> list[float | None]:
    """Return the list under the keys as numbers, in its own length."""
    return [number(value) for value in items(tree, *keys)]


def pairs(tree: Any, x: str, y: str) -> list[tuple[float, float]]:
    """Return the points of a curve that have both coordinates."""
    both = zip(numbers(tree, x), numbers(tree, y), strict=False)
    return [(a, b) for a, b in both if a is not None and b is not None]


def hyperparameters_of(record: Record) -> dict[str, str]:
    """Return what the model was trained with."""
    return {name: value for name, value in table(record.manifest, "hyperparameters").items() if isinstance(value, str)}
