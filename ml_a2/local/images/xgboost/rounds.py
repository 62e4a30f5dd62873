"""What happens after each round: the metric line, checkpoints, the model for a termination, stopping early."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from ml_a2.learning_curve import MAXIMISED
from ml_a2.local.images.xgboost.counted_auc import CountedAuc
from ml_a2.local.images.xgboost.engine import xgb

CHECKPOINT = "xgboost-checkpoint"
MODEL = "xgboost-model"

Save = Callable[[xgb.Booster, Path], None]


class Rounds(xgb.callback.TrainingCallback):  # type: ignore[misc]  # xgboost publishes no types
    """Does it all in one order: XGBoost calls several callbacks in no certain one, and not all in the last round."""

    def __init__(
        self,
        channels: Sequence[str],
        *,
        prints: bool,
        prints_last: bool,
        counted: Mapping[str, CountedAuc],
        after_each: Sequence[Callable[[xgb.Booster, int], None]],
        stopping: xgb.callback.EarlyStopping | None,
    ) -> None:
        """Take what is done.

        Args:
            channels: the watched ones, in the order in which their metrics are printed.
            prints: whether this host writes the metric lines, from which the service reads its metrics.
            prints_last: whether the round that stops the training early has a line, too.
            counted: what counts a channel's AUC, where XGBoost is not asked for it.
            after_each: what else is done with the model after a round, by the round's number.
            stopping: what decides about stopping early.
        """
        super().__init__()
        self._channels = channels
        self._prints = prints
        self._prints_last = prints_last
        self._counted = counted
        self._after_each = after_each
        self._stopping = stopping

    def before_training(self, model: Any) -> Any:
        """Prepare to stop early."""
        return self._stopping.before_training(model) if self._stopping else model

    def after_training(self, model: Any) -> Any:
        """Keep the best rounds only, when stopping early."""
        return self._stopping.after_training(model) if self._stopping else model

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Print and keep, and tell whether to stop."""
        log = {**evals_log, **{channel: {"auc": [count(model)]} for channel, count in self._counted.items()}}
        values = [
            f"{channel}-{metric}:{scores[-1]:.5f}"
            for channel in self._channels
            for metric, scores in log.get(channel, {}).items()
        ]
        stops = bool(self._stopping and self._stopping.after_iteration(model, epoch, log))
        if self._prints and values and (self._prints_last or not stops):
            # In one piece: whoever reads wakes up for each, beside the next round.
            print("\t".join([f"[{epoch}]", *values]) + "\n", end="", flush=True)
        for act in self._after_each:
            act(model, epoch)
        return stops


def early_stopping(rounds: int, metric: str, *, save_best: bool) -> xgb.callback.EarlyStopping:
    """Return what stops when the validation metric has not become better for so many rounds."""
    return xgb.callback.EarlyStopping(
        rounds, metric_name=metric, data_name="validation", maximize=metric in MAXIMISED, save_best=save_best
    )


class Checkpoints:
    """The checkpoints of one training as 1.7-1 writes them: one, after the round whose number is the first.

    It asks XGBoost for a checkpoint every `first` rounds, which is 0 unless it resumes, and gives it a name that it
    does not look for itself when it resumes: `xgboost-checkpoint_0.json`, not `xgboost-checkpoint.0`.
    """

    def __init__(self, folder: Path) -> None:
        """Find the newest checkpoint that a training can go on from."""
        self._folder = folder
        found = [path for path in folder.glob(f"{CHECKPOINT}.*") if re.fullmatch(rf"{CHECKPOINT}\.\d+", path.name)]
        self.model = max(found, key=lambda path: int(path.suffix[1:]), default=None)
        self.first = int(self.model.suffix[1:]) + 1 if self.model else 0
        self._since = 0

    def keep(self, booster: xgb.Booster, round_number: int) -> None:
        """Write a checkpoint when it is due."""
        if self._since == self.first:
            self._folder.mkdir(parents=True, exist_ok=True)
            booster.save_model(self._folder / f"{CHECKPOINT}_{round_number}.json")
            self._since = 0
        self._since += 1


def keep_for_termination(folder: Path, name: str, save: Save) -> Callable[[xgb.Booster, int], None]:
    """Return what writes the model after each round, and end with it when the service says SIGTERM."""

    def end(number: int, frame: object) -> NoReturn:
        for path in folder.iterdir():
            if path.is_file() and not path.name.startswith(MODEL):
                path.unlink()
        os._exit(0)

    signal.signal(signal.SIGTERM, end)

    def keep(booster: xgb.Booster, round_number: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f".{name}"
        save(booster, partial)
        partial.replace(folder / name)

    return keep
