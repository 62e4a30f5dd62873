"""Run directories of every kind: small models, really trained, and the files that a run leaves."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from sklearn import datasets, metrics
from sklearn.model_selection import train_test_split

from tests.report.run_files import history, manifest_of

KINDS = ("binary", "multiclass", "regression", "ranking")
Arrays = Any
Scores = dict[str, float]


@dataclass
class Sample:
    """The files of a run directory, as objects; a file whose object is None is not there."""

    manifest: dict[str, Any]
    evaluation: dict[str, Any] | None = None
    curves: dict[str, Any] | None = None
    history: list[dict[str, Any]] | None = field(default_factory=list)
    log: str = "[0]\ttrain-auc:0.9\n"

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("manifest", "evaluation", "curves", "history"):
            if getattr(self, name) is not None:
                (folder / f"{name}.json").write_text(json.dumps(getattr(self, name)), encoding="utf-8")
        (folder / "logs").mkdir(exist_ok=True)
        (folder / "logs" / "training.log").write_text(self.log, encoding="utf-8")
        return folder


def sample(kind: str) -> Sample:
    """Return a run of this kind; every call another copy, which a test may change."""
    return Sample(**json.loads(_as_json(kind)))


@functools.cache
def _as_json(kind: str) -> str:
    made = {"binary": _binary, "multiclass": _multiclass, "regression": _regression, "ranking": _ranking}[kind]()
    return json.dumps(made.__dict__)


# --- the kinds -------------------------------------------------------------------------------------------------------


def _binary() -> Sample:
    data = datasets.load_breast_cancer()
    names = [str(name) for name in data.feature_names]
    model, features, labels = _train(data.data, data.target, names, objective="binary:logistic", eval_metric="auc")
    scores = model.predict(xgboost.DMatrix(features, feature_names=names))
    fpr, tpr, thresholds = metrics.roc_curve(labels, scores)
    precision, recall, cuts = metrics.precision_recall_curve(labels, scores)
    edges = np.linspace(0, 1, 21)
    curves = {
        "classes": ["malignant", "benign"],
        "roc": {
            "false_positive_rate": fpr.tolist(),
            "true_positive_rate": tpr.tolist(),
            "threshold": [None, *thresholds[1:].tolist()],
        },
        "precision_recall": {
            "recall": recall.tolist(),
            "precision": precision.tolist(),
            "threshold": [*cuts.tolist(), None],
        },
        "calibration": _calibration(scores, labels),
        "score_histogram": {
            "edges": edges.tolist(),
            "counts": {str(c): np.histogram(scores[labels == c], edges)[0].tolist() for c in (0, 1)},
        },
        "confusion_matrix": {"counts": metrics.confusion_matrix(labels, scores >= 0.5).tolist()},
    }
    evaluation = _evaluation("binary", "binary:logistic", labels, scores, _binary_scores)
    evaluation["baseline"] = {"predictor": "always class 1", "metrics": _binary_scores(labels, np.ones(len(labels)))}
    champion = evaluation["binary_classification_metrics"]
    evaluation["champion"] = {
        "metrics": {name: entry["value"] - 0.004 for name, entry in champion.items()},
        "worse_by": {name: 0.004 if "false" in name or "loss" in name else -0.004 for name in champion},
    }
    evaluation["slices"] = _slices(features, names, labels, scores, _binary_scores)
    return _sample("binary", names, model, evaluation, curves, ("diagnosis", {"malignant": 0, "benign": 1}))


def _multiclass() -> Sample:
    data = datasets.load_digits()
    names = [f"pixel {row},{column}" for row in range(8) for column in range(8)]
    model, features, labels = _train(
        data.data, data.target, names, objective="multi:softprob", num_class=10, eval_metric="mlogloss"
    )
    scores = model.predict(xgboost.DMatrix(features, feature_names=names))
    predicted, confidence = scores.argmax(axis=1), scores.max(axis=1)
    edges = np.linspace(0, 1, 21)
    right = predicted == labels
    report = metrics.precision_recall_fscore_support(labels, predicted, zero_division=0)
    curves = {
        "classes": None,
        "calibration": _calibration(confidence, right),
        "score_histogram": {
            "edges": edges.tolist(),
            "counts": {
                "right": np.histogram(confidence[right], edges)[0].tolist(),
                "wrong": np.histogram(confidence[~right], edges)[0].tolist(),
            },
        },
        "confusion_matrix": {"counts": metrics.confusion_matrix(labels, predicted).tolist()},
        "per_class": [
            {"class": c, "rows": int(n), "precision": float(p), "recall": float(r), "f1": float(f)}
            for c, (p, r, f, n) in enumerate(zip(*report, strict=True))
        ],
    }
    evaluation = _evaluation("multiclass", "multi:softprob", labels, scores, _multiclass_scores)
    always = np.tile(np.eye(10)[0] + 1e-3, (len(labels), 1))
    evaluation["baseline"] = {"predictor": "always class 0", "metrics": _multiclass_scores(labels, always)}
    evaluation["slices"] = _slices(features, names, labels, scores, _multiclass_scores, columns=(20, 42))
    return _sample("multiclass", names, model, evaluation, curves, ("digit", {str(c): c for c in range(10)}))


def _regression() -> Sample:
    data = datasets.load_diabetes(scaled=False)
    names = list(data.feature_names)
    model, features, labels = _train(data.data, data.target, names, objective="reg:squarederror", max_depth=3)
    scores = model.predict(xgboost.DMatrix(features, feature_names=names))
    counts, edges = np.histogram(labels - scores, 20)
    curves = {
        "classes": None,
        "residuals": {"edges": edges.tolist(), "counts": counts.tolist()},
        "predictions": {"actual": labels.tolist(), "predicted": scores.tolist()},
        "calibration": _calibration(scores, labels),
    }
    evaluation = _evaluation("regression", "reg:squarederror", labels, scores, _regression_scores)
    mean = float(data.target.mean())
    evaluation["baseline"] = {
        "predictor": f"always the mean, {mean:.1f}",
        "metrics": _regression_scores(labels, np.full(len(labels), mean)),
    }
    evaluation["slices"] = _slices(features, names, labels, scores, _regression_scores, columns=(1, 2))
    return _sample("regression", names, model, evaluation, curves, ("progression", None))


def _ranking() -> Sample:
    random = np.random.default_rng(7)
    names = ["relevance of title", "relevance of body", "clicks", "age in days"]
    sizes = random.integers(8, 16, 160)
    features = random.normal(size=(sizes.sum(), 4))
    labels = np.clip(np.round(features @ [1.0, 0.6, 0.5, -0.2] + random.normal(scale=0.9, size=len(features))), 0, 4)
    train = sizes[:120].sum()
    matrix = xgboost.DMatrix(features[:train], labels[:train], feature_names=names)
    matrix.set_group(sizes[:120])
    model = xgboost.train({"objective": "rank:ndcg", "max_depth": 3, "nthread": 1}, matrix, 40)
    scores = model.predict(xgboost.DMatrix(features[train:], feature_names=names))
    ends = np.cumsum(sizes[120:])[:-1]
    groups = list(zip(np.split(labels[train:], ends), np.split(scores, ends), strict=True))
    each = np.array([metrics.ndcg_score([true], [score]) for true, score in groups])
    at_ten = np.array([metrics.ndcg_score([true], [score], k=10) for true, score in groups])
    counts, edges = np.histogram(each, np.linspace(0, 1, 21))
    curves = {"classes": None, "group_ndcg": {"edges": edges.tolist(), "counts": counts.tolist()}}
    random_order = float(np.mean([metrics.ndcg_score([true], [random.random(len(true))]) for true, _ in groups]))
    evaluation = _frame("ranking", "rank:ndcg", len(scores))
    evaluation["ranking_metrics"] = {
        "ndcg": {"value": float(each.mean()), "standard_deviation": float(each.std() / len(each) ** 0.5)},
        "ndcg_at_10": {"value": float(at_ten.mean()), "standard_deviation": "NaN"},
        "map": {"value": "NaN", "standard_deviation": "NaN"},
    }
    evaluation["undefined"] = {"map": "the labels are not 0 and 1 alone"}
    evaluation["confidence_intervals"]["metrics"] = {"ndcg": _bootstrap(each, np.mean)}
    evaluation["baseline"] = {"predictor": "a random order", "metrics": {"ndcg": random_order}}
    return _sample("ranking", names, model, evaluation, curves, ("relevance", None))


# --- scores ----------------------------------------------------------------------------------------------------------


def _binary_scores(labels: Arrays, scores: Arrays) -> Scores:
    predicted = scores >= 0.5
    (tn, fp), (fn, tp) = metrics.confusion_matrix(labels, predicted, labels=[0, 1])
    values = {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "precision": metrics.precision_score(labels, predicted, zero_division=0),
        "recall": metrics.recall_score(labels, predicted, zero_division=0),
        "f0_5": metrics.fbeta_score(labels, predicted, beta=0.5, zero_division=0),
        "f1": metrics.f1_score(labels, predicted, zero_division=0),
        "f2": metrics.fbeta_score(labels, predicted, beta=2, zero_division=0),
        "true_positive_rate": tp / max(tp + fn, 1),
        "true_negative_rate": tn / max(tn + fp, 1),
        "false_positive_rate": fp / max(tn + fp, 1),
        "false_negative_rate": fn / max(tp + fn, 1),
    }
    if len(set(labels)) == 2:
        values["auc"] = metrics.roc_auc_score(labels, scores)
        values["au_prc"] = metrics.average_precision_score(labels, scores)
        values["log_loss"] = metrics.log_loss(labels, np.clip(scores, 1e-6, 1 - 1e-6))
    return {name: float(value) for name, value in values.items()}


def _multiclass_scores(labels: Arrays, scores: Arrays) -> Scores:
    predicted = scores.argmax(axis=1)
    values = {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "weighted_precision": metrics.precision_score(labels, predicted, average="weighted", zero_division=0),
        "weighted_recall": metrics.recall_score(labels, predicted, average="weighted", zero_division=0),
        "weighted_f1": metrics.f1_score(labels, predicted, average="weighted", zero_division=0),
        "log_loss": metrics.log_loss(labels, scores / scores.sum(axis=1, keepdims=True), labels=range(scores.shape[1])),
    }
    return {name: float(value) for name, value in values.items()}


def _regression_scores(labels: Arrays, scores: Arrays) -> Scores:
    mse = float(metrics.mean_squared_error(labels, scores))
    mae, r2 = metrics.mean_absolute_error(labels, scores), metrics.r2_score(labels, scores)
    return {"mae": float(mae), "mse": mse, "rmse": mse**0.5, "r2": float(r2)}


def _calibration(scores: Arrays, observed: Arrays) -> dict[str, Any]:
    bins = np.array_split(np.argsort(scores, kind="stable"), 10)
    return {
        "mean_predicted": [float(scores[rows].mean()) for rows in bins],
        "observed": [float(np.mean(observed[rows])) for rows in bins],
        "rows": [len(rows) for rows in bins],
    }


# --- evaluation.json -------------------------------------------------------------------------------------------------


def _frame(kind: str, objective: str, rows: int) -> dict[str, Any]:
    return {
        "version": 0.0,
        "dataset": {"item_count": rows, "evaluation_time": "2026-11-24T20:20:07.330464+00:00"},
        "objective": objective,
        "kind": kind,
        "sampling_seed": 20240901,
        "confidence_intervals": {"level": 0.95, "seed": 20240901, "replicates": 100, "metrics": {}},
        "undefined": {},
        "slices": [],
        "champion": None,
    }


def _evaluation(
    kind: str, objective: str, labels: Arrays, scores: Arrays, compute: Callable[[Arrays, Arrays], Scores]
) -> dict[str, Any]:
    random = np.random.default_rng(1)
    drawn = [random.integers(0, len(labels), len(labels)) for _ in range(100)]
    samples = [compute(labels[rows], scores[rows]) for rows in drawn]
    evaluation = _frame(kind, objective, len(labels))
    group = "regression_metrics" if kind == "regression" else f"{kind}_classification_metrics"
    values = compute(labels, scores)
    evaluation[group] = {
        name: {"value": value, "standard_deviation": float(np.std([s[name] for s in samples]))}
        for name, value in values.items()
    }
    evaluation["confidence_intervals"]["metrics"] = {
        name: _ends(np.array([s[name] for s in samples]), "DeLong" if name == "auc" else "bootstrap") for name in values
    }
    return evaluation


def _bootstrap(values: Arrays, compute: Callable[[Arrays], Any]) -> dict[str, Any]:
    random = np.random.default_rng(2)
    return _ends(np.array([compute(random.choice(values, len(values))) for _ in range(100)]), "bootstrap")


def _ends(samples: Arrays, method: str) -> dict[str, Any]:
    lower, upper = np.quantile(samples, (0.025, 0.975))
    return {"lower": float(lower), "upper": float(upper), "method": method}


def _slices(
    features: Arrays,
    names: list[str],
    labels: Arrays,
    scores: Arrays,
    compute: Callable[[Arrays, Arrays], Scores],
    columns: tuple[int, ...] = (0, 21),
) -> list[dict[str, Any]]:
    found = []
    for column in columns:
        values = features[:, column]
        edges = np.unique(np.quantile(values, (0, 0.1, 0.5, 1)))
        for low, high in pairwise(edges):
            rows = (values >= low) & ((values < high) | (high == edges[-1]))
            entry = {"column": names[column], "value": f"{low:.4g} to {high:.4g}", "rows": int(rows.sum())}
            found.append({**entry, "small": bool(rows.sum() < 30), "metrics": compute(labels[rows], scores[rows])})
    return found


# --- the run ---------------------------------------------------------------------------------------------------------


def _train(data: Arrays, target: Arrays, names: list[str], **parameters: Any) -> tuple[Any, Arrays, Arrays]:
    x, x_validation, y, y_validation = train_test_split(data, target, test_size=0.3, random_state=3)
    model = xgboost.train({"nthread": 1, **parameters}, xgboost.DMatrix(x, y, feature_names=names), 30)
    return model, x_validation, y_validation


def _sample(
    kind: str,
    names: list[str],
    model: Any,
    evaluation: dict[str, Any],
    curves: dict[str, Any],
    labels: tuple[str, dict[str, int] | None],
) -> Sample:
    target, mapping = labels
    gain = model.get_score(importance_type="total_gain")
    ranked = sorted(gain.items(), key=lambda entry: -entry[1])
    shares = [{"feature": feature, "share": value / sum(gain.values())} for feature, value in ranked]
    importance = {"measure": "gain", "features": shares}
    curves = {"version": 1, "kind": kind, "target": target, **curves, "feature_importance": importance}
    manifest = manifest_of(kind, names, target, mapping, evaluation["objective"])
    manifest["data"]["validation_rows"] = evaluation["dataset"]["item_count"]
    return Sample(manifest, evaluation, curves, history())
