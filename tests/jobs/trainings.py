"""Trainings by the image's stand-in, and evaluations of their models: one process, the files between them as on AWS."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import os
import random
import tarfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ml_a2.jobs import evaluate
from ml_a2.jobs.quality.trained import LAST_ASKED, METRICS, TUNED, variable
from ml_a2.local.images.xgboost.__main__ import main
from ml_a2.local.images.xgboost.metric_definitions import METRIC_DEFINITIONS
from ml_a2.local.sagemaker.final_metrics import FinalMetrics

CHANNEL = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "ContentType": "text/csv"}
OBJECTIVES = (
    "binary:logistic", "binary:logistic", "binary:hinge", "binary:logitraw", "multi:softmax", "multi:softprob",
    "reg:squarederror", "reg:squaredlogerror", "reg:absoluteerror", "reg:pseudohubererror", "reg:logistic", "reg:gamma",
    "reg:tweedie", "count:poisson", "rank:pairwise",
)  # fmt: skip
BINARY = ("auc", "aucpr", "logloss", "error", "error@0.7", "accuracy", "balanced_accuracy", "f1", "f1_binary",
          "f1_macro", "precision", "precision_macro", "precision_micro", "recall", "recall_macro", "recall_micro",
          "rmse", "mae")  # fmt: skip
MULTICLASS = ("merror", "mlogloss", "accuracy", "balanced_accuracy", "f1", "f1_macro", "precision_macro",
              "precision_micro", "recall_macro", "recall_micro")  # fmt: skip
REGRESSION = ("rmse", "mae", "mse", "r2", "rmsle", "mape", "mphe", "poisson-nloglik", "gamma-nloglik")
RANKING = ("ndcg", "map", "auc", "map@5")


def train(folder: Path, hyperparameters: dict[str, str], channels: dict[str, str]) -> dict[str, str] | None:
    """Train, pack the model, and return the variables that the state machine sets; None where the image refuses."""
    config = folder / "input/config"
    config.mkdir(parents=True)
    # One thread: more would wait for one another beside other tests. Silent: a warning is an error here.
    quiet = {"nthread": "1", "verbosity": "0", **hyperparameters}
    (config / "hyperparameters.json").write_text(json.dumps(quiet), encoding="utf-8")
    (config / "inputdataconfig.json").write_text(json.dumps(dict.fromkeys(channels, CHANNEL)), encoding="utf-8")
    for name, rows in channels.items():
        (folder / "input/data" / name).mkdir(parents=True)
        (folder / "input/data" / name / "rows.csv").write_text(rows, encoding="utf-8")
    written = io.StringIO()
    silent = contextlib.redirect_stderr(io.StringIO())
    with patch.dict(os.environ, SAGEMAKER_BASE_DIR=str(folder)), contextlib.redirect_stdout(written), silent:
        if main(["train"]):
            return None
    if not (model := folder / "model/xgboost-model").is_file():
        return None
    with tarfile.open(folder / "model.tar.gz", "w:gz") as archive:
        archive.add(model, arcname="xgboost-model")
    return variables(hyperparameters, written.getvalue().splitlines())


def variables(hyperparameters: dict[str, str], lines: list[str]) -> dict[str, str]:
    """Return what the state machine makes of DescribeTrainingJob's answer."""
    metrics = FinalMetrics(METRIC_DEFINITIONS)
    for line in lines:
        metrics.read(line, dt.datetime.now(dt.UTC))
    last = {metric["MetricName"]: metric["Value"] for metric in metrics.answer()}
    found = {variable(name): f"validation:{name}" for name in METRICS}
    asked = json.dumps([hyperparameters["eval_metric"]] if "eval_metric" in hyperparameters else [])
    tuned = hyperparameters.get("_tuning_objective_metric")
    return {
        **{name: json.dumps([last[metric]] if metric in last else []) for name, metric in found.items()},
        LAST_ASKED: asked.rpartition(",")[2],
        TUNED: json.dumps([tuned] if tuned else []),
    }


def compare(folder: Path, environment: dict[str, str], *, weighted: bool = False, rows: str | None = None) -> Any:
    """Evaluate the packed model on the validation rows, or on others; return `training` of evaluation.json."""
    validation = folder / "input/data/validation"
    if rows is not None:
        validation = folder / "altered"
        validation.mkdir()
        (validation / "rows.csv").write_text(rows, encoding="utf-8")
    words = ["--model", str(folder), "--validation", str(validation), *(["--weights"] if weighted else [])]
    with patch.dict(os.environ, environment):
        return evaluate.evaluate(evaluate.parse_arguments(words))[0]["training"]


def drawn(seed: int) -> tuple[dict[str, str], dict[str, str], bool]:
    """Draw hyperparameters, channels, and whether rows are weighted."""
    dice = random.Random(seed)
    objective = dice.choice(OBJECTIVES)
    classes = dice.randint(2, 6)
    hyperparameters = {
        "num_round": str(dice.randint(1, 40)),
        "objective": objective,
        "eta": str(dice.choice([0.05, 0.3, 1])),
    }
    if objective.startswith("multi:"):
        hyperparameters["num_class"] = str(classes)
    metrics = _metrics(objective)
    if dice.random() < 0.8:
        hyperparameters["eval_metric"] = ",".join(dice.sample(metrics, dice.randint(1, min(4, len(metrics)))))
        if dice.random() < 0.5:
            hyperparameters["early_stopping_rounds"] = str(dice.randint(1, 5))
    hyperparameters |= _parameters(dice)
    weighted = dice.random() < 0.3
    if weighted:
        hyperparameters["csv_weights"] = "1"
    columns, scale, noise = dice.randint(1, 6), 10 ** dice.uniform(-2, 5), dice.choice([0, 0.3, 3])
    channels = {
        name: "".join(
            _row(dice, objective, classes, columns, scale=scale, noise=noise, weighted=weighted)
            for _ in range(dice.randint(2, 300))
        )
        for name in ("train", "validation")
    }
    return hyperparameters, channels, weighted


def _metrics(objective: str) -> tuple[str, ...]:
    if objective.startswith("binary:"):
        return BINARY
    if objective.startswith("multi:"):
        return MULTICLASS
    return RANKING if objective.startswith("rank:") else REGRESSION


def _parameters(dice: random.Random) -> dict[str, str]:
    booster = dice.choice(["gbtree", "gbtree", "gbtree", "dart", "gblinear"])
    choices = {
        "max_depth": [1, 3, 8], "subsample": [0.5, 1], "colsample_bytree": [0.5, 1], "min_child_weight": [0, 1, 5],
        "lambda": [0, 1], "tree_method": ["auto", "exact", "hist", "approx"], "seed": [1, 2],
        "num_parallel_tree": [1, 1, 3], "scale_pos_weight": [1, 5], "rate_drop": [0.3],
    }  # fmt: skip
    of_trees = {name for name in choices if name not in ("lambda", "seed", "scale_pos_weight")}
    found = {"booster": booster}
    for name, values in choices.items():
        skipped = name in of_trees and (booster == "gblinear" or (name == "rate_drop" and booster != "dart"))
        if not skipped and dice.random() < 0.5:
            found[name] = str(dice.choice(values))
    return found


def _row(
    dice: random.Random, objective: str, classes: int, columns: int, *, scale: float, noise: float, weighted: bool
) -> str:
    features = [dice.choice([dice.gauss(0, 1), float(dice.randint(0, 3))]) for _ in range(columns)]
    signal = sum(features) + noise * dice.gauss(0, 1)
    if objective.startswith("binary:"):
        label: float = signal > 0
    elif objective.startswith("multi:"):
        label = int(abs(signal) * 2) % classes
    elif objective.startswith("rank:"):
        label = max(0, min(4, round(signal)))
    elif objective == "reg:logistic":
        label = min(1, abs(signal) / 5)
    elif objective == "count:poisson":
        label = round(abs(signal) * min(scale, 1000))
    else:
        label = (abs(signal) + 1e-3) * scale
    cells = ["" if dice.random() < 0.05 else f"{each:.6g}" for each in features]
    weight = [f"{dice.choice([0.5, 1, 3, 0.123456])}"] if weighted else []
    return ",".join([f"{float(label):.9g}", *weight, *cells]) + "\n"
