"""The work as one script: read two tables, train, evaluate, and keep the model and its metrics."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pandas as pd
import xgboost as xgb
from sklearn import metrics

# What the built-in image starts from; XGBoost 2 would estimate it from the labels.
PARAMETERS = {
    "objective": "binary:logistic",
    "max_depth": 6,
    "tree_method": "hist",
    "eval_metric": "auc",
    "base_score": 0.5,
}
ROUNDS = 50


def main() -> None:
    """Train on one file, evaluate on the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train", type=Path)
    parser.add_argument("validation", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--score-training", action="store_true", help="after each round, as SageMaker's image does")
    options = parser.parse_args()
    train, validation = pd.read_csv(options.train), pd.read_csv(options.validation)
    train_matrix = xgb.DMatrix(train.drop(columns="target"), label=train["target"])
    validation_matrix = xgb.DMatrix(validation.drop(columns="target"), label=validation["target"])
    watched = [(train_matrix, "train")] if options.score_training else []
    watched += [(validation_matrix, "validation")]
    booster = xgb.train(PARAMETERS, train_matrix, ROUNDS, evals=watched, verbose_eval=10)
    scores = booster.predict(validation_matrix)
    labels, answers = validation["target"], scores > 0.5
    found = {
        "auc": metrics.roc_auc_score(labels, scores),
        "accuracy": metrics.accuracy_score(labels, answers),
        "precision": metrics.precision_score(labels, answers),
        "recall": metrics.recall_score(labels, answers),
        "f1": metrics.f1_score(labels, answers),
        "log_loss": metrics.log_loss(labels, scores),
    }
    options.output.mkdir(parents=True, exist_ok=True)
    booster.save_model(options.output / "model.ubj")
    (options.output / "metrics.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
