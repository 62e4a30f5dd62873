"""Evaluate a trained XGBoost model on validation data: evaluation.json in SageMaker's model quality format.

It runs in the SageMaker scikit-learn image 1.2-1 (Python 3.8 or 3.9, pandas 1.1.3, scikit-learn 1.2.1) and needs what
lies beside it: the folder `quality`, the xgboost wheel, since that image has no xgboost, and, if there is one,
columns.json with the names of columns and classes.

Validation data is CSV without a header, the label first, read by XGBoost's own reader as the training read it. It is
read in chunks; of a row only its label, its score and the features that are named for slices or groups stay in memory.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import math
import os
import sys
import traceback
from datetime import datetime, timezone
from typing import Any

CODE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, CODE)
try:
    from quality import data
    from quality.arrays import Rows, RowsBuilder
    from quality.binary import Binary
    from quality.errors import EvaluationError
    from quality.intervals import LEVEL, REPLICATES, SEED
    from quality.kind import Kind
    from quality.model import Model, load_model
    from quality.multiclass import MOST_CLASSES_IN_MATRIX, Multiclass
    from quality.names import Names, read_names
    from quality.ranking import Ranking
    from quality.regression import Regression
    from quality.slices import PREFIX, slices
    from quality.trained import read_trained
    from quality.tripwire import against_training
except ImportError as error:
    raise SystemExit("{}; evaluate.py needs the folder 'quality' beside it: upload both".format(error)) from error

# Metrics of which less is better; of the others, more is.
LESS_IS_BETTER = {
    "mae", "mse", "rmse", "log_loss", "mean_poisson_deviance", "false_positive_rate", "false_negative_rate",
}  # fmt: skip
MOST_FEATURES = 1000


def main(arguments: list[str] | None = None) -> int:
    """Run the evaluation; on an error write the exit message and return 1."""
    options = parse_arguments(arguments)
    try:
        evaluation, curves = evaluate(options)
        os.makedirs(options.output, exist_ok=True)
        for name, content in (("evaluation.json", evaluation), ("curves.json", curves)):
            with open(os.path.join(options.output, name), "w", encoding="utf-8") as file:
                json.dump(content, file, separators=(",", ":"), allow_nan=False)
    except Exception as error:  # whatever went wrong must reach the exit message
        if isinstance(error, EvaluationError):  # the person's data or model: where it was found in here helps nobody
            print("error: {}".format(error), file=sys.stderr)
        else:
            traceback.print_exc()
        os.makedirs(os.path.dirname(options.message) or ".", exist_ok=True)
        with open(options.message, "w", encoding="utf-8") as file:
            file.write("{}: {}".format(type(error).__name__, error))
        return 1
    print_metrics(evaluation)
    return 0


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the paths; the defaults are those of a processing container."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--model", default="/opt/ml/processing/input/model", help="folder with model.tar.gz")
    parser.add_argument("--validation", default="/opt/ml/processing/input/validation", help="folder with CSV files")
    parser.add_argument("--output", default="/opt/ml/processing/output", help="folder for evaluation.json")
    parser.add_argument("--message", default="/opt/ml/output/message", help="file for the reason of a failure")
    parser.add_argument("--champion", help="folder with the model.tar.gz to compare with; the same file is none")
    parser.add_argument("--weights", action="store_true", help="the second column is the weight of a row")
    parser.add_argument("--slice", action="append", default=[], metavar="FEATURE", help="also measure parts by this")
    parser.add_argument("--group", metavar="FEATURE", help="the feature that tells the groups of a ranking apart")
    return parser.parse_args(arguments)


def evaluate(options: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the content of evaluation.json and of curves.json."""
    model = load_model(options.model)
    names = read_names(CODE, model.features, model.classes)
    options.slice = [names.features[names.number(feature)] for feature in options.slice]
    kind = kind_of(model)
    models = [model, *champions(options, model)]
    scored = score(models, kind, names, options)
    check_weights(scored[0])
    measured = [kind.prepare(rows) for rows in scored]
    values = kind.values(measured[0])
    evaluation = {
        "version": 0.0,
        "dataset": {"item_count": len(scored[0]), "evaluation_time": datetime.now(timezone.utc).isoformat()},
        "objective": model.objective,
        "kind": model.kind,
        "sampling_seed": SEED,
        kind.key: metrics_of(kind, measured[0], values),
        "confidence_intervals": intervals_of(kind, measured[0]),
        "baseline": baseline_of(kind, measured[0]),
        "undefined": {name: kind.why(measured[0], name) for name, value in values.items() if not math.isfinite(value)},
        "slices": slices(kind, scored[0], options.slice),
        "champion": compare(values, kind.values(measured[1])) if len(measured) > 1 else None,
        "training": against_training(
            model.objective, measured[0], values, read_trained(os.environ, model.best_score())
        ),
    }
    curves = {"version": 1, "kind": model.kind, "target": names.target, "classes": names.classes}
    return evaluation, {**curves, **kind.curves(measured[0]), "feature_importance": importance_of(model, names)}


def kind_of(model: Model) -> Kind:
    """Return what measures such a model."""
    if model.kind == "binary":
        return Binary(model.objective)
    if model.kind == "multiclass":
        return Multiclass(model.classes)
    return Ranking() if model.kind == "ranking" else Regression(model.objective)


def champions(options: argparse.Namespace, model: Model) -> list[Model]:
    """Return the model to compare with; none where it is the very same file, as before the first was accepted."""
    if options.champion is None:
        return []
    own, other = (os.path.join(folder, "model.tar.gz") for folder in (options.model, options.champion))
    if os.path.isfile(other) and filecmp.cmp(own, other, shallow=False):
        return []
    champion = load_model(options.champion)
    if (champion.kind, champion.classes, champion.features) != (model.kind, model.classes, model.features):
        message = "the champion is a {} model with {} features, this one is a {} model with {}: they cannot be compared"
        raise EvaluationError(message.format(champion.kind, champion.features, model.kind, model.features))
    return [champion]


def score(models: list[Model], kind: Kind, names: Names, options: argparse.Namespace) -> list[Rows]:
    """Read the validation files in chunks, and let each model predict every row."""
    model = models[0]
    kept = {PREFIX + feature: names.number(feature) for feature in options.slice}
    if options.group and model.kind == "ranking":
        kept["group"] = names.number(options.group)
    builders = [RowsBuilder() for _ in models]
    for chunk in data.read_folder(options.validation, model.features, options.weights):
        if model.classes:
            data.check_classes(chunk, model.classes)
        shared = dict(zip(kept, chunk.columns(list(kept.values()))))
        if chunk.weights is not None:
            shared["weight"] = chunk.weights
        for builder, each in zip(builders, models):
            predictions = each.predict(chunk.matrix)
            data.check_predictions(chunk, predictions)
            builder.add({**kind.compact(chunk.labels, predictions), **shared})
    return [builder.build() for builder in builders]


def check_weights(rows: Rows) -> None:
    """Refuse rows that all weigh nothing."""
    if "weight" in rows and not rows["weight"].sum() > 0:
        raise EvaluationError("the weights of the validation rows are all 0: there is nothing to measure")


def metrics_of(kind: Kind, rows: Rows, values: dict[str, float]) -> dict[str, Any]:
    """Return the metrics that have a value, in SageMaker's form; where it has no deviation, it writes NaN in words."""
    deviations = kind.deviations(rows)
    metrics: dict[str, Any] = {}
    for name, value in values.items():
        if math.isfinite(value):
            deviation = deviations.get(name, math.nan)
            metrics[name] = {
                "value": value,
                "standard_deviation": deviation if math.isfinite(deviation) else "NaN",
            }
    return {**metrics, **matrix_of(kind, rows)}


def matrix_of(kind: Kind, rows: Rows) -> dict[str, Any]:
    """Return the confusion matrix by true class, then by predicted class; too large a one is left out."""
    if not isinstance(kind, (Binary, Multiclass)):
        return {}
    counts = kind.confusion_matrix(rows)
    if len(counts) > MOST_CLASSES_IN_MATRIX:
        return {}
    matrix = {str(true): {str(column): n for column, n in enumerate(line)} for true, line in enumerate(counts)}
    return {"confusion_matrix": matrix}


def intervals_of(kind: Kind, rows: Rows) -> dict[str, Any]:
    """Return the confidence intervals and how they were found."""
    intervals = {name: interval._asdict() for name, interval in kind.intervals(rows).items()}
    return {"level": LEVEL, "seed": SEED, "replicates": REPLICATES, "metrics": intervals}


def baseline_of(kind: Kind, rows: Rows) -> dict[str, Any]:
    """Return what a predictor reaches that looks at no feature."""
    predictor, values = kind.baseline(rows)
    return {
        "predictor": predictor,
        "metrics": {name: value for name, value in values.items() if math.isfinite(value)},
    }


def compare(values: dict[str, float], champion: dict[str, float]) -> dict[str, Any]:
    """Return the champion's metrics, and by how much the new model is worse: below 0 where it is better."""
    both = [name for name in values if math.isfinite(values[name]) and math.isfinite(champion[name])]
    signs = {name: 1 if name in LESS_IS_BETTER else -1 for name in both}
    return {
        "metrics": {name: champion[name] for name in both},
        "worse_by": {name: signs[name] * (values[name] - champion[name]) for name in both},
    }


def importance_of(model: Model, names: Names) -> dict[str, Any]:
    """Return the features' shares, the largest first."""
    measure, shares = model.importance()
    ordered = sorted(shares.items(), key=lambda item: (-item[1], item[0]))[:MOST_FEATURES]
    return {
        "measure": measure,
        "features": [{"feature": names.features[number], "share": share} for number, share in ordered],
    }


def print_metrics(evaluation: dict[str, Any]) -> None:
    """Write the metrics to the job's log."""
    for key, values in evaluation.items():
        if key.endswith("_metrics"):
            for name, metric in values.items():
                if name != "confusion_matrix":
                    print("{}={}".format(name, metric["value"]))
    for name, reason in evaluation["undefined"].items():
        print("{} has no value: {}".format(name, reason))
    for name in (evaluation["training"] or {}).get("differing", []):
        both = evaluation["training"]["metrics"][name]
        message = (
            "WARNING: {} of the validation rows was {} at the end of the training, and is {} here: not the same rows"
        )
        print(message.format(name, both["training"], both["evaluation"]))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
