"""One training as it was asked for: what goes to XGBoost, how a version of the image computes, where results go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_a2.local.images.xgboost.counted_auc import counted_aucs
from ml_a2.local.images.xgboost.engine import xgb
from ml_a2.local.images.xgboost.rounds import MODEL, Checkpoints, Rounds, early_stopping, keep_for_termination

# XGBoost 1.7 chose `approx` instead of `exact` from this many rows on when tree_method was not set.
EXACT_BELOW_ROWS = 4 << 20
DEFAULT_BASE_SCORE = 0.5
# Its base score 1.7 estimated, too.
ESTIMATED = "reg:absoluteerror"


@dataclass(frozen=True)
class Folders:
    """Where a training leaves what it makes."""

    model: Path
    output_data: Path
    checkpoints: Path | None = None


@dataclass(frozen=True)
class Version:
    """How a version of the image computes and stores its model."""

    tag: str

    @property
    def is_legacy(self) -> bool:
        """Tell whether it is XGBoost 1.7: other defaults, and the binary format that begins with `binf`."""
        return self.tag.startswith("1.")

    def defaults(self, parameters: Mapping[str, Any], rows: int) -> dict[str, Any]:
        """Fill in 1.7's defaults where 2.1 has others that change numbers (contract, section 1)."""
        given = dict(parameters)
        if given.get("booster") == "gblinear" and given.get("updater", "shotgun") == "shotgun":
            # Its threads race one another, so that no two runs are alike; one thread gives what was recorded.
            given.setdefault("nthread", 1)
        if self.is_legacy:
            if given.get("booster", "gbtree") != "gblinear" and given.get("tree_method", "auto") == "auto":
                # `exact` cannot be shared among hosts.
                alone = xgb.collective.get_world_size() == 1
                given["tree_method"] = "exact" if alone and rows < EXACT_BELOW_ROWS else "approx"
            if given.get("objective") != ESTIMATED:
                given.setdefault("base_score", DEFAULT_BASE_SCORE)
        return given

    def save(self, booster: xgb.Booster, path: Path) -> None:
        """Write a model; XGBoost 2.1.4 chooses the format by the file's ending."""
        written = path.with_name(path.name + (".deprecated" if self.is_legacy else ".ubj"))
        with xgb.config_context(verbosity=0):  # 1.7 does not warn of its own format
            booster.save_model(written)
        written.replace(path)


@dataclass(frozen=True)
class Plan:
    """One training as it was asked for: parameters for XGBoost, rounds, metrics, and what else is to be done."""

    parameters: dict[str, Any]
    rounds: int
    feval: Any
    patience: int | None
    stop_on: str | None
    # Whether the round that stops the training early has a metric line. The container leaves it to chance: XGBoost 1.7
    # goes through a set of callbacks until one says stop. It had one in 27 of 34 runs in which XGBoost computes all of
    # the metrics, and in 5 of 31 in which the container adds its own.
    prints_last: bool
    saves_on_termination: bool
    folds: int | None
    repetitions: int
    version: Version
    folders: Folders
    is_master: bool

    def train(
        self, matrix: xgb.DMatrix, watched: Mapping[str, xgb.DMatrix], fold: int | None = None, results: Any = None
    ) -> xgb.Booster:
        """Train one model on a matrix, printing the metrics of the watched ones."""
        name = MODEL if fold is None else f"{MODEL}-{fold}"
        checkpoints = self._checkpoints(fold)
        after_each: list[Callable[[xgb.Booster, int], None]] = (
            [checkpoints.keep] if checkpoints and self.is_master else []
        )
        if self.saves_on_termination and self.is_master:
            after_each.append(keep_for_termination(self.folders.model, name, self.version.save))
        stops = self.patience and self.stop_on and "validation" in watched
        stopping = early_stopping(self.patience or 0, self.stop_on or "", save_best=self.is_master) if stops else None
        done = checkpoints.first if checkpoints else 0
        # The results of a fold are XGBoost's; the channels that it watches are not what it trains on.
        counted = counted_aucs(self.parameters, matrix, watched) if self.feval is None and fold is None else {}
        return xgb.train(
            self.parameters,
            matrix,
            num_boost_round=self.rounds - done,
            evals=[(each, channel) for channel, each in watched.items() if channel not in counted],
            feval=self.feval,
            evals_result=results,
            callbacks=[
                Rounds(
                    tuple(watched),
                    prints=self.is_master,
                    prints_last=self.prints_last,
                    counted=counted,
                    after_each=after_each,
                    stopping=stopping,
                )
            ],
            xgb_model=str(checkpoints.model) if checkpoints and checkpoints.model else None,
            verbose_eval=False,
        )

    def save(self, booster: xgb.Booster, fold: int | None = None) -> None:
        """Write a model under its name; of several hosts only the first does."""
        if self.is_master:
            self.folders.model.mkdir(parents=True, exist_ok=True)
            self.version.save(booster, self.folders.model / (MODEL if fold is None else f"{MODEL}-{fold}"))

    def _checkpoints(self, fold: int | None) -> Checkpoints | None:
        folder = self.folders.checkpoints
        if folder is None:
            return None
        return Checkpoints(folder if fold is None else folder / f"model-{fold}")
