"""Executions side by side: what ran, on which data, how it was trained, and which metrics are best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ml_a2.records.record import Record

LOWER_IS_BETTER = {
    "mae", "mse", "rmse", "log_loss", "false_positive_rate", "false_negative_rate", "mean_poisson_deviance",
}  # fmt: skip
SECTIONS = ("run", "data", "hyperparameters", "metrics")


@dataclass(frozen=True)
class Row:
    """One value of each execution, None where it has none."""

    name: str
    values: tuple[Any, ...]

    @property
    def differs(self) -> bool:
        """Tell whether not all of them are the same."""
        return any(value != self.values[0] for value in self.values)

    def best(self) -> tuple[bool, ...]:
        """Tell of each value of a metric whether it is a best one; none is where all are the same."""
        numbers = [value for value in self.values if value is not None]
        if not self.differs or len(numbers) < 2:
            return (False,) * len(self.values)
        best = min(numbers) if self.name in LOWER_IS_BETTER else max(numbers)
        return tuple(value == best for value in self.values)


def compare(records: Sequence[Record]) -> dict[str, list[Row]]:
    """Return the rows of each section, every name that any of the executions has."""
    tables = {
        "run": [_run(record) for record in records],
        "data": [_data(record, records) for record in records],
        "hyperparameters": [record.hyperparameters for record in records],
        "metrics": [record.metrics for record in records],
    }
    return {section: _rows(tables[section]) for section in SECTIONS}


def same_validation_rows(records: Sequence[Record]) -> bool:
    """Tell whether metrics are of the same rows; where no hashes were kept, it is not known, so they are not."""
    hashes = {
        tuple(file.get("sha256") for file in record.data.get("files", []) if file.get("channel") == "validation")
        for record in records
    }
    return len(hashes) == 1 and hashes != {()}


def _rows(tables: Sequence[dict[str, Any]]) -> list[Row]:
    names = dict.fromkeys(name for table in tables for name in table)
    return [Row(name, tuple(table.get(name) for table in tables)) for name in names]


def _run(record: Record) -> dict[str, Any]:
    document = record.document
    return {
        "status": record.status,
        "gate": document.get("gate"),
        "objective": record.objective or None,
        "template": document.get("template_sha256"),
        "training image": document.get("training_image"),
        "evaluation image": document.get("evaluation_image"),
    }


def _data(record: Record, records: Sequence[Record]) -> dict[str, Any]:
    data, common = record.data, _common_features(records)
    own = [name for name in data.get("feature_columns", []) if name not in common]
    return {
        "train": data.get("train"),
        "validation": data.get("validation"),
        "target": data.get("target_column"),
        "training rows": data.get("train_rows"),
        "validation rows": data.get("validation_rows"),
        "features": len(data["feature_columns"]) if "feature_columns" in data else None,
        "features of its own": ", ".join(own) or None,
        **{f"{source.get('path')} SHA-256": source.get("sha256") for source in data.get("sources", [])},
        **{f"{file.get('key')} SHA-256": file.get("sha256") for file in data.get("files", [])},
    }


def _common_features(records: Sequence[Record]) -> set[str]:
    return set.intersection(*(set(record.data.get("feature_columns", [])) for record in records))
