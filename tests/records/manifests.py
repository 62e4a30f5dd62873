"""Run directories as `ml-a2 run` leaves them, as far as reading them needs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def manifest(name: str, **changes: Any) -> dict[str, Any]:
    """Return a small manifest; changes replace whole keys."""
    return {
        "execution": {
            "name": name,
            "arn": f"arn:aws:states:us-east-1:123456789012:execution:machine:{name}",
            "status": "SUCCEEDED",
            "seconds": 6.5,
            "started": "2026-11-24T10:00:00.000+00:00",
            "ended": "2026-11-24T10:00:06.000+00:00",
        },
        "gate": "none",
        "failure": None,
        "template_sha256": "a" * 64,
        "data": {
            "train": "customers.csv",
            "validation": None,
            "target_column": "churned",
            "feature_columns": ["age", "income"],
            "train_rows": 80,
            "validation_rows": 20,
            "files": [
                {"channel": "train", "key": "train/train.csv", "version_id": "1", "sha256": "b" * 64, "bytes": 9},
                {"channel": "validation", "key": "validation/validation.csv", "version_id": "2", "sha256": "c" * 64,
                 "bytes": 9},
            ],
            "sources": [{"path": "customers.csv", "sha256": "d" * 64}],
        },
        "code": [{"key": "evaluation/evaluate.py", "version_id": "3", "sha256": "e" * 64}],
        "model": {"uri": "s3://models/m", "version_id": "4", "sha256": "f" * 64, "files": [], "given": None},
        "problem": {"kind": "binary", "objective": "binary:logistic", "objective_inferred": True,
                    "label_mapping": {"no": 0, "yes": 1}},
        "hyperparameters": {"num_round": "10", "objective": "binary:logistic"},
        "training_image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
        "evaluation_image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
        "metrics": {"auc": 0.9, "log_loss": 0.4},
        "versions": {"python": "3.11.7"},
        "request": {"directory": "/", "train": "customers.csv", "target_column": "churned"},
        **changes,
    }  # fmt: skip


def write_run(runs: Path, name: str, **changes: Any) -> Path:
    """Write a run directory with its manifest and its evaluation."""
    folder = runs / name
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(manifest(name, **changes)))
    evaluation = {
        "binary_classification_metrics": {"auc": {"value": 0.9, "standard_deviation": 0.01}},
        "confidence_intervals": {"level": 0.95, "metrics": {"auc": {"lower": 0.85, "upper": 0.94}}},
    }
    (folder / "evaluation.json").write_text(json.dumps(evaluation))
    return folder


def execution(name: str, **changes: Any) -> dict[str, Any]:
    """Return a manifest's part about the execution itself, changed."""
    facts: dict[str, Any] = {**manifest(name)["execution"], **changes}
    return facts
