"""Models that are really trained, and data, as a training leaves them and an evaluation takes them."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from ml_a2.jobs import evaluate

Floats = NDArray[np.float64]


def trained(labels: Floats, features: Floats, **parameters: Any) -> xgb.Booster:
    matrix = xgb.DMatrix(features, label=labels)
    trees = {} if parameters.get("booster") == "gblinear" else {"tree_method": "exact", "max_depth": 3}
    return xgb.train({**trees, **parameters}, matrix, num_boost_round=5)


def pack(folder: Path, booster: xgb.Booster) -> Path:
    """Write model.tar.gz as the training image does: the legacy binary format."""
    folder.mkdir(parents=True, exist_ok=True)
    model = folder / "xgboost-model.deprecated"
    booster.save_model(model)
    with tarfile.open(folder / "model.tar.gz", "w:gz") as tar:
        tar.add(model, arcname="xgboost-model")
    model.unlink()
    return folder


def write(folder: Path, labels: Floats, features: Floats, name: str = "v.csv") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    np.savetxt(folder / name, np.column_stack([labels, features]), delimiter=",", fmt="%.9g")
    return folder


def labelled_rows(seed: int, classes: int, rows: int = 300) -> tuple[Floats, Floats]:
    random = np.random.default_rng(seed)
    features = random.normal(size=(rows, 4)).astype(np.float32).astype(np.float64)
    if classes == 0:
        return features[:, 0] * 3 + random.normal(size=rows), features
    labels = np.clip(
        np.digitize(features[:, 0] + random.normal(size=rows), np.linspace(-1, 1, classes - 1)), 0, classes - 1
    )
    labels[:classes] = np.arange(classes)
    return labels.astype(float), features


def evaluated(model: Path, data: Path, *more: str) -> tuple[dict[str, Any], dict[str, Any]]:
    options = evaluate.parse_arguments(["--model", str(model), "--validation", str(data), *more])
    evaluation, curves = evaluate.evaluate(options)
    json.dumps([evaluation, curves], allow_nan=False)
    return evaluation, curves


def values_of(evaluation: dict[str, Any], key: str) -> dict[str, float]:
    return {name: metric["value"] for name, metric in evaluation[key].items() if name != "confusion_matrix"}
