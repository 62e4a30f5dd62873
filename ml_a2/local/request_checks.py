"""What the image, or the API before it, would refuse about a training job's hyperparameters, or silently ignore."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ml_a2.errors import HyperparameterError
from ml_a2.finding import Finding
from ml_a2.local.images.xgboost.hyperparameters import check_hyperparameters

# CreateTrainingJob, HyperParameters.
MOST_HYPERPARAMETERS, LONGEST_NAME, LONGEST_VALUE = 100, 256, 2500
WHERE = "the hyperparameters"


def check_request(hyperparameters: Mapping[str, str], *, has_validation: bool) -> Iterator[Finding]:
    """Yield what is wrong with the hyperparameters of a training job, as the API would get them."""
    if len(hyperparameters) > MOST_HYPERPARAMETERS:
        problem = f"there are {len(hyperparameters)}, at most {MOST_HYPERPARAMETERS} are allowed"
        yield Finding("error", WHERE, problem, "leave out those that have their defaults")
    for name, value in hyperparameters.items():
        if len(name) > LONGEST_NAME or len(value) > LONGEST_VALUE:
            problem = f"{name[:40]!r} is too long: {len(name)} and {len(value)} characters"
            allowed = f"a name has at most {LONGEST_NAME} characters, a value {LONGEST_VALUE}"
            yield Finding("error", WHERE, problem, allowed)
    try:
        check_hyperparameters(hyperparameters)
    except HyperparameterError as error:
        yield Finding("error", WHERE, str(error), "see the table of the built-in algorithm's hyperparameters")
    yield from _check_what_follows(hyperparameters)
    if "early_stopping_rounds" in hyperparameters:
        has_metric = "eval_metric" in hyperparameters or "_tuning_objective_metric" in hyperparameters
        if not (has_metric and has_validation):
            missing = "a validation channel" if has_metric else "an eval_metric"
            problem = f"early_stopping_rounds is ignored without a word: there is no {missing.split(' ', 1)[1]}"
            yield Finding("warning", WHERE, problem, f"add {missing}, or remove early_stopping_rounds")


def _check_what_follows(hyperparameters: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what the image accepts, and XGBoost 1.7 or this pipeline cannot take."""
    if folds := hyperparameters.get("_kfold"):
        problem = (
            f"_kfold={folds} leaves a model for each fold, xgboost-model-0, -1, ..., and no xgboost-model, which the "
            "evaluation takes"
        )
        yield Finding("error", WHERE, problem, "leave _kfold out: the validation rows judge the one model")
    if "sync" in hyperparameters.get("updater", "").split(","):
        problem = "updater=sync is one that the image accepts and XGBoost 1.7 does not have"
        yield Finding("error", WHERE, problem, "leave out sync")
