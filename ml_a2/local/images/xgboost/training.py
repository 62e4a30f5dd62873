"""Training: XGBoost 2.1.4 made to compute as 1.7 does, a metric line each round, the model in the image's format."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_a2.local.images.xgboost.cross_validation import cross_validate
from ml_a2.local.images.xgboost.engine import xgb
from ml_a2.local.images.xgboost.image_errors import AlgorithmError, ImageError, UserError
from ml_a2.local.images.xgboost.metrics import split_metrics
from ml_a2.local.images.xgboost.rounds import MODEL, Checkpoints, Rounds, early_stopping, keep_for_termination

# XGBoost 1.7 chose `approx` instead of `exact` from this many rows on when tree_method was not set.
EXACT_BELOW_ROWS = 4 << 20
DEFAULT_BASE_SCORE = 0.5
# Parts of XGBoost's messages that the container takes for the caller's mistake.
CALLERS_MISTAKES = (
    "label must be in [0,1] for logistic regression",
    "label must be in [0, num_class)",
    "Target is multiclass but average='binary'",
    "feature_names mismatch",
    "Check failed: preds.size() == info.labels_.size()",
    "Check failed: !auc_error AUC: the dataset only contains pos or neg samples",
    "Check failed: base_score > 0.0f && base_score < 1.0f base_score must be in (0,1) for logistic loss",
    "Check failed: label_correct PoissonRegression: label must be nonnegative",
    "Check failed: label_correct TweedieRegression: label must be nonnegative",
    "Parameter reg_lambda should be greater equal to 0",
)


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
        if self.is_legacy:
            if given.get("booster", "gbtree") != "gblinear" and given.get("tree_method", "auto") == "auto":
                # `exact` cannot be shared among hosts.
                alone = xgb.collective.get_world_size() == 1
                given["tree_method"] = "exact" if alone and rows < EXACT_BELOW_ROWS else "approx"
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
        return xgb.train(
            self.parameters,
            matrix,
            num_boost_round=self.rounds - done,
            evals=[(each, channel) for channel, each in watched.items()],
            feval=self.feval,
            evals_result=results,
            callbacks=[Rounds(prints=self.is_master, after_each=after_each, stopping=stopping)],
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


def train(
    hyperparameters: Mapping[str, Any],
    data: Mapping[str, xgb.DMatrix],
    together: xgb.DMatrix | None,
    folders: Folders,
    version: Version,
    *,
    is_master: bool = True,
) -> None:
    """Train on the matrices of the channels and write the model, or one a fold.

    Args:
        hyperparameters: parsed values, by name.
        data: `train`, and `validation` if there is one.
        together: the rows of both, for k-fold cross validation.
        folders: where the results go.
        version: the image's.
        is_master: whether this is the first of several hosts, which alone prints and writes.

    Raises:
        UserError: XGBoost refuses for a reason that the container takes for the caller's mistake.
        AlgorithmError: XGBoost refuses for any other.
    """
    plan = _plan(hyperparameters, data, folders, version, is_master=is_master)
    try:
        with warnings.catch_warnings():
            # `feval` gets margins, as the container's metrics do; its successor gets transformed predictions.
            warnings.filterwarnings("ignore", message=".*feval.*")
            if plan.folds is None:
                models = [plan.train(data["train"], data)]
            else:
                models = cross_validate(plan, data, together or data["train"])
    except ImageError:
        raise
    except Exception as error:
        if any(part in str(error) for part in CALLERS_MISTAKES):
            raise UserError(str(error)) from error
        raise AlgorithmError(f"XGB train call failed with exception:\n {error}") from error
    for fold, model in enumerate(models):
        plan.save(model, None if plan.folds is None else fold)


def _plan(
    hyperparameters: Mapping[str, Any],
    data: Mapping[str, xgb.DMatrix],
    folders: Folders,
    version: Version,
    *,
    is_master: bool,
) -> Plan:
    parameters = dict(hyperparameters)
    if parameters.pop("use_dask_gpu_training", "false") == "true":
        raise UserError(
            "Some configurations unsuitable for Dask GPU training were found: Dask training is only available for "
            "`gpu_hist` training on GPU instances."
        )
    if updater := parameters.get("updater"):
        parameters["updater"] = ",".join(updater)
    rounds = parameters.pop("num_round")
    terminated = parameters.pop("save_model_on_termination", "false")
    tuned = parameters.pop("_tuning_objective_metric", None)
    asked = parameters.pop("eval_metric", None)
    tuned_metrics = tuned.split(":")[1].split(",") if tuned else None
    # Of a metric to tune and others to show, the container makes one sorted list.
    wanted = sorted({*tuned_metrics, *asked}) if tuned_metrics and asked else tuned_metrics or asked or []
    own, feval = split_metrics(wanted)
    if own:
        parameters["eval_metric"] = own
    patience = parameters.pop("early_stopping_rounds", None)
    folds = parameters.pop("_kfold", None)
    repetitions = parameters.pop("_num_cv_round", 1)
    # What only the container reads, XGBoost warns of and ignores.
    for name in ("csv_weights", "prob_buffer_row"):
        parameters.pop(name, None)
    return Plan(
        version.defaults(parameters, data["train"].num_row()),
        rounds,
        feval,
        patience,
        (tuned_metrics or asked or [None])[-1],
        terminated == "true",
        folds,
        repetitions,
        version,
        folders,
        is_master,
    )
