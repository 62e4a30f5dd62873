"""Evaluate a trained XGBoost model on validation data: evaluation.json in SageMaker's model quality format.

One standalone file for the SageMaker scikit-learn image 1.2-1 (Python 3.8 or 3.9, pandas 1.1.3, scikit-learn 1.2.1).
The image has no xgboost: it is installed from the wheel that lies beside this file, without a network.

Validation data is CSV without a header, the label first, as the model was trained on it. It is read in chunks; only
labels and scores stay in memory.
"""

from __future__ import annotations

import argparse
import glob
import json
import math
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import traceback
from contextlib import closing
from datetime import datetime, timezone

import numpy as np
import pandas as pd
from sklearn import metrics

# Seen: models of 3.0.5 predict the same in 2.1.4, those of 3.2.0 do not, since base_score is stored otherwise.
FIRST_UNREADABLE = (3, 1)

CELLS_PER_CHUNK = 2_000_000

# "Model Monitor computes standard deviation by randomly sampling 80% of the data 5 times", and only from 200 rows on.
# Source: SageMaker Developer Guide, "Model quality metrics".
SAMPLES, SAMPLED_SHARE, FEWEST_ROWS = 5, 0.8, 200
SEED = 20240901

# The state machine reads the evaluation into its state, which holds 262,144 bytes; the matrix grows with the square.
MOST_CLASSES_IN_MATRIX = 100

BINARY = ("binary:logistic", "binary:logitraw", "binary:hinge")
MULTI_CLASS = ("multi:softmax", "multi:softprob")
REGRESSION = ("reg:", "count:poisson")


class EvaluationError(Exception):
    """The evaluation cannot be done; the message is for a person."""


def main(arguments=None):
    """Run the evaluation; on an error write the exit message and return 1."""
    options = parse_arguments(arguments)
    try:
        evaluation = evaluate(options.model, options.validation)
        os.makedirs(options.output, exist_ok=True)
        with open(os.path.join(options.output, "evaluation.json"), "w", encoding="utf-8") as file:
            json.dump(evaluation, file, separators=(",", ":"), allow_nan=False)
    except Exception as error:  # whatever went wrong must reach the exit message
        traceback.print_exc()
        os.makedirs(os.path.dirname(options.message) or ".", exist_ok=True)
        with open(options.message, "w", encoding="utf-8") as file:
            file.write("{}: {}".format(type(error).__name__, error))
        return 1
    print_metrics(evaluation)
    return 0


def parse_arguments(arguments=None):
    """Read the paths; the defaults are those of a processing container."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="/opt/ml/processing/input/model", help="folder with model.tar.gz")
    parser.add_argument("--validation", default="/opt/ml/processing/input/validation", help="folder with CSV files")
    parser.add_argument("--output", default="/opt/ml/processing/output", help="folder for evaluation.json")
    parser.add_argument("--message", default="/opt/ml/output/message", help="file for the reason of a failure")
    return parser.parse_args(arguments)


def evaluate(model_folder, validation_folder):
    """Return the content of evaluation.json."""
    booster = load_model(model_folder)
    objective, classes = read_objective(booster)
    kind = problem_kind(objective)
    labels, predictions = score(booster, objective, validation_folder, classes)
    compute = {"binary": binary_metrics, "multiclass": multiclass_metrics, "regression": regression_metrics}[kind]
    values = with_deviations(compute, labels, predictions)
    if kind != "regression" and classes <= MOST_CLASSES_IN_MATRIX:
        values["confusion_matrix"] = confusion_matrix(labels, predicted_classes(predictions), classes)
    key = "regression_metrics" if kind == "regression" else "{}_classification_metrics".format(kind)
    return {
        "version": 0.0,
        "dataset": {"item_count": len(labels), "evaluation_time": datetime.now(timezone.utc).isoformat()},
        "objective": objective,
        "sampling_seed": SEED,
        key: values,
    }


# --- the model ------------------------------------------------------------------------------------------------------


def load_model(folder):
    """Load `xgboost-model` out of model.tar.gz."""
    xgboost = import_xgboost()
    archive = os.path.join(folder, "model.tar.gz")
    if not os.path.isfile(archive):
        raise EvaluationError("there is no model.tar.gz in {}".format(folder))
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "xgboost-model")
        try:
            with tarfile.open(archive) as tar:
                member = tar.extractfile("xgboost-model")
                with open(path, "wb") as file:
                    file.write(member.read())
        except (tarfile.TarError, KeyError, AttributeError, OSError, EOFError) as error:
            raise EvaluationError("{} holds no model 'xgboost-model': {}".format(archive, error)) from error
        check_version(path)
        booster = xgboost.Booster()
        try:
            booster.load_model(path)
        except xgboost.core.XGBoostError as error:
            raise EvaluationError(
                "the model cannot be loaded: {}".format(str(error).split("Stack trace")[0].strip())
            ) from error
    return booster


def check_version(path):
    """Refuse a model of XGBoost 3.1 or later: 2.1.4 reads it without a word, and predicts something else.

    UBJSON ends with the version's three numbers; the binary format of 1.7 has none there.
    """
    with open(path, "rb") as file:
        file.seek(max(0, os.path.getsize(path) - 256))
        found = re.search(rb"version\[#L.{8}i(.)i(.)i.\}$", file.read(), re.DOTALL)
    if found and (ord(found.group(1)), ord(found.group(2))) >= FIRST_UNREADABLE:
        message = (
            "the model was written by XGBoost {}.{}, whose models this evaluation would read wrongly; train with the"
        )
        raise EvaluationError(message.format(ord(found.group(1)), ord(found.group(2))) + " image 1.7-1 or 3.0-5")


def import_xgboost():
    """Import xgboost; where it is missing, install the wheel beside this file, for this process only."""
    try:
        import xgboost
    except ImportError:
        wheels = glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), "xgboost*.whl"))
        if not wheels:
            raise EvaluationError("xgboost cannot be imported, and no xgboost wheel lies beside evaluate.py") from None
        target = tempfile.mkdtemp(prefix="xgboost-")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", target]
        subprocess.check_call([*command, "--disable-pip-version-check", wheels[0]])
        sys.path.insert(0, target)
        import xgboost
    return xgboost


def read_objective(booster):
    """Return the model's objective and its number of classes, 2 for a binary one and 0 for a regression."""
    learner = json.loads(booster.save_config())["learner"]
    objective = learner["objective"]["name"]
    if objective in MULTI_CLASS:
        return objective, int(learner["learner_model_param"]["num_class"])
    return objective, 2 if objective in BINARY else 0


def problem_kind(objective):
    """Return binary, multiclass or regression."""
    if objective in BINARY:
        return "binary"
    if objective in MULTI_CLASS:
        return "multiclass"
    if objective.startswith(REGRESSION):
        return "regression"
    raise EvaluationError(
        "objective {!r} cannot be evaluated: only binary, multi-class and regression".format(objective)
    )


# --- the data -------------------------------------------------------------------------------------------------------


def score(booster, objective, folder, classes):
    """Read the validation files in chunks and predict.

    Returns:
        Labels (n,), and per row the probability of class 1 (n,), of each class (n, classes), or the value (n,).
    """
    files = sorted(name for name in glob.glob(os.path.join(folder, "**"), recursive=True) if os.path.isfile(name))
    labels, predictions = [], []
    for name in files:
        for first_row, chunk in read_chunks(name):
            found, features = split(chunk, name, first_row)
            if features.shape[1] != booster.num_features():
                message = "{} has {} feature columns, but the model was trained on {}"
                counts = features.shape[1], booster.num_features()
                raise EvaluationError(message.format(os.path.basename(name), *counts))
            if classes:
                check_labels(found, classes, name, first_row)
            labels.append(found)
            predictions.append(predict(booster, objective, features))
    if not labels:
        raise EvaluationError("there is no validation data in {}".format(folder))
    return np.concatenate(labels), np.concatenate(predictions)


def predict(booster, objective, features):
    """Predict probabilities or values, also for the objectives whose own prediction is something else."""
    import xgboost

    matrix = xgboost.DMatrix(features)
    if objective == "multi:softmax":
        margins = booster.predict(matrix, output_margin=True).astype(np.float64)
        exponents = np.exp(margins - margins.max(axis=1, keepdims=True))
        return exponents / exponents.sum(axis=1, keepdims=True)
    predictions = booster.predict(matrix).astype(np.float64)
    return 1 / (1 + np.exp(-predictions)) if objective == "binary:logitraw" else predictions


def read_chunks(name):
    """Yield the number of the first row (from 1) and a table, a bounded number of cells at a time."""
    try:
        columns = pd.read_csv(name, header=None, nrows=1).shape[1]
        rows = max(1000, CELLS_PER_CHUNK // columns)
        first_row = 1
        with closing(pd.read_csv(name, header=None, chunksize=rows)) as chunks:  # pandas 1.1 has no `with` of its own
            for chunk in chunks:
                yield first_row, chunk
                first_row += len(chunk)
    except pd.errors.EmptyDataError:
        raise EvaluationError("{} is empty".format(os.path.basename(name))) from None
    except pd.errors.ParserError as error:
        raise EvaluationError("{} is no CSV: {}".format(os.path.basename(name), error)) from error


def split(chunk, name, first_row):
    """Return labels (n,) and features (n, columns) in 32 bits, as the model was trained; an empty cell is missing."""
    for column in chunk.columns:
        if not pd.api.types.is_numeric_dtype(chunk[column]):
            chunk[column] = to_numbers(chunk[column], name, first_row)
    labels = chunk.iloc[:, 0].to_numpy(dtype=np.float64)
    if np.isnan(labels).any():
        row = first_row + int(np.flatnonzero(np.isnan(labels))[0])
        raise EvaluationError("{}, row {}: the label is missing".format(os.path.basename(name), row))
    return labels, chunk.iloc[:, 1:].to_numpy(dtype=np.float32)


def to_numbers(cells, name, first_row):
    """Convert a column that was read as text, because of one cell at least."""
    converted = pd.to_numeric(cells, errors="coerce")
    wrong = (converted.isna() & cells.notna()).to_numpy()
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        message = "{}, row {}, column {}: {!r} is not a number"
        raise EvaluationError(message.format(os.path.basename(name), first_row + row, cells.name + 1, cells.iloc[row]))
    return converted


def check_labels(labels, classes, name, first_row):
    """Refuse labels that are no class."""
    wrong = ~np.isin(labels, np.arange(classes))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        message = "{}, row {}: label {:g} is not one of 0 to {}"
        raise EvaluationError(message.format(os.path.basename(name), first_row + row, labels[row], classes - 1))


# --- predictions and metrics ----------------------------------------------------------------------------------------


def predicted_classes(probabilities):
    """Return the most probable class; a probability of exactly one half is class 0, as in the container."""
    return probabilities.argmax(axis=1) if probabilities.ndim > 1 else (probabilities > 0.5).astype(int)


def binary_metrics(labels, probabilities):
    """Compute SageMaker's binary metrics; `probabilities` (n,) are of class 1."""
    predicted = predicted_classes(probabilities)
    matrix = metrics.confusion_matrix(labels, predicted, labels=[0, 1])
    (true_negative, false_positive), (false_negative, true_positive) = matrix
    options = {"zero_division": 0}
    values = {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "precision": metrics.precision_score(labels, predicted, **options),
        "recall": metrics.recall_score(labels, predicted, **options),
        "f0_5": metrics.fbeta_score(labels, predicted, beta=0.5, **options),
        "f1": metrics.f1_score(labels, predicted, **options),
        "f2": metrics.fbeta_score(labels, predicted, beta=2, **options),
        "true_positive_rate": share(true_positive, true_positive + false_negative),
        "true_negative_rate": share(true_negative, true_negative + false_positive),
        "false_positive_rate": share(false_positive, true_negative + false_positive),
        "false_negative_rate": share(false_negative, true_positive + false_negative),
    }
    if len(np.unique(labels)) == 2:  # neither is defined for one class
        values["auc"] = metrics.roc_auc_score(labels, probabilities)
        values["au_prc"] = metrics.average_precision_score(labels, probabilities)
    return values


def multiclass_metrics(labels, probabilities):
    """Compute SageMaker's multi-class metrics; `probabilities` is (n, classes)."""
    predicted = predicted_classes(probabilities)
    options = {"average": "weighted", "zero_division": 0}
    return {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "weighted_precision": metrics.precision_score(labels, predicted, **options),
        "weighted_recall": metrics.recall_score(labels, predicted, **options),
        "weighted_f0_5": metrics.fbeta_score(labels, predicted, beta=0.5, **options),
        "weighted_f1": metrics.f1_score(labels, predicted, **options),
        "weighted_f2": metrics.fbeta_score(labels, predicted, beta=2, **options),
    }


def regression_metrics(labels, predictions):
    """Compute SageMaker's regression metrics; r2 is left out where it is not defined, for a single row."""
    mse = metrics.mean_squared_error(labels, predictions)
    values = {"mae": metrics.mean_absolute_error(labels, predictions), "mse": mse, "rmse": math.sqrt(mse)}
    if len(labels) > 1:
        values["r2"] = metrics.r2_score(labels, predictions)
    return values


def with_deviations(compute, labels, predictions):
    """Return each metric with the standard deviation that SageMaker's own monitor would give it."""
    values = compute(labels, predictions)
    samples = []
    if len(labels) >= FEWEST_ROWS:
        random = np.random.RandomState(SEED)
        for _ in range(SAMPLES):
            chosen = random.choice(len(labels), int(len(labels) * SAMPLED_SHARE), replace=False)
            samples.append(compute(labels[chosen], predictions[chosen]))
    return {
        name: {"value": number(value), "standard_deviation": deviation([sample.get(name) for sample in samples])}
        for name, value in values.items()
    }


def deviation(values):
    """Return the standard deviation, or the word that SageMaker writes where there is none."""
    if not values or any(value is None or not math.isfinite(value) for value in values):
        return "NaN"
    return float(np.std(values, ddof=1))


def share(part, whole):
    """Return a ratio; None where it is not defined."""
    return float(part) / float(whole) if whole else None


def number(value):
    """Return a JSON number, or the word that SageMaker writes where there is none."""
    return float(value) if value is not None and math.isfinite(value) else "NaN"


def confusion_matrix(labels, predicted, classes):
    """Return counts by true class, then by predicted class."""
    matrix = metrics.confusion_matrix(labels, predicted, labels=list(range(classes)))
    return {str(row): {str(column): int(n) for column, n in enumerate(counts)} for row, counts in enumerate(matrix)}


def print_metrics(evaluation):
    """Write the metrics to the job's log."""
    for key, values in evaluation.items():
        if key.endswith("_metrics"):
            for name, metric in values.items():
                if name != "confusion_matrix":
                    print("{}={}".format(name, metric["value"]))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
