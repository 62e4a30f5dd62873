"""Executions side by side: what differs, and which value of a metric is best."""

from __future__ import annotations

from typing import Any

import pytest

from ml_a2.records.comparison import Row, compare, same_validation_rows
from ml_a2.records.record import Record
from tests.records.manifests import manifest


@pytest.mark.parametrize(
    ("name", "values", "best"),
    [
        ("auc", (0.8, 0.9, 0.7), (False, True, False)),
        ("rmse", (0.8, 0.9, 0.7), (False, False, True)),
        ("false_positive_rate", (0.1, 0.2), (True, False)),
        ("log_loss", (0.5, None, 0.4), (False, False, True)),
        ("mean_poisson_deviance", (2.0, 1.0), (False, True)),
        ("auc", (0.9, 0.9, 0.1), (True, True, False)),
        ("auc", (0.9, 0.9), (False, False)),
        ("auc", (0.9, None), (False, False)),
    ],
)
def test_the_best_value_is_the_lowest_of_errors_and_the_highest_of_the_rest(
    name: str, values: tuple[float | None, ...], best: tuple[bool, ...]
) -> None:
    """Equal ones share it; where all are equal, or there is only one, none is best."""
    assert Row(name, values).best() == best


def _records(**changes: Any) -> list[Record]:
    return [Record("a", manifest("a")), Record("b", manifest("b", **changes))]


def test_every_name_that_any_execution_has_is_a_row() -> None:
    """Metrics and hyperparameters of the one that the other one lacks are empty there."""
    sections = compare(_records(metrics={"auc": 0.95}, hyperparameters={"num_round": "10", "eta": "0.1"}))
    assert sections["metrics"] == [Row("auc", (0.9, 0.95)), Row("log_loss", (0.4, None))]
    assert Row("eta", (None, "0.1")) in sections["hyperparameters"]
    assert [row.name for row in sections["hyperparameters"] if row.differs] == ["objective", "eta"]
    assert not any(row.differs for row in sections["run"])


def test_data_are_compared_by_hash_and_by_their_own_features() -> None:
    """Other files and other columns stand out, equal ones do not."""
    data = manifest("b")["data"]
    changed = [{**data["sources"][0], "sha256": "0" * 64}]
    rows = compare(_records(data={**data, "sources": changed, "feature_columns": ["age", "debt"]}))["data"]
    assert {row.name for row in rows if row.differs} == {"customers.csv SHA-256", "features of its own"}
    assert Row("features of its own", ("income", "debt")) in rows


def test_metrics_are_of_the_same_rows_only_when_hashes_say_so() -> None:
    """Another file, or none that is known, is not the same."""
    assert same_validation_rows(_records())
    data = manifest("b")["data"]
    files = [{**file, "sha256": "0" * 64} for file in data["files"]]
    assert not same_validation_rows(_records(data={**data, "files": files}))
    assert not same_validation_rows([Record(name, manifest(name, data={})) for name in "ab"])
