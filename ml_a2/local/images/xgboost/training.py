"""Training: XGBoost 2.1.4 made to compute as 1.7 does, a metric line each round, the model in the image's format."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from ml_a2.local.images.xgboost.cross_validation import cross_validate
from ml_a2.local.images.xgboost.earlier import refuse_as_1_7
from ml_a2.local.images.xgboost.engine import xgb
from ml_a2.local.images.xgboost.image_errors import AlgorithmError, ImageError, UserError
from ml_a2.local.images.xgboost.metrics import ADDITIONAL, measured
from ml_a2.local.images.xgboost.plan import Folders, Plan, Version

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
        if version.is_legacy:
            refuse_as_1_7(plan.parameters, data)
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
    metrics, feval = measured(wanted, parameters.get("objective", ""), is_legacy=version.is_legacy)
    parameters.update(metrics)
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
        not any(name in ADDITIONAL for name in wanted),
        terminated == "true",
        folds,
        repetitions,
        version,
        folders,
        is_master,
    )
