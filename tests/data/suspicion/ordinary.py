"""Made-up tables as people have them: of every kind of column, with labels that features tell something of."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from ml_a2.dataset import Dataset, Split
from ml_a2.dataset_checks import check_dataset
from ml_a2.finding import Finding
from ml_a2.preparation import prepare
from ml_a2.source import Source

Numbers = np.ndarray
KINDS = ("binary", "multiclass", "regression")


def _columns(rng: np.random.Generator, rows: int) -> dict[str, Callable[[], Numbers]]:
    """Return how a column of each kind is made."""
    return {
        "height": lambda: rng.normal(170, 10, rows).round(1),
        "measure": lambda: rng.normal(0, rng.uniform(0.1, 100), rows),
        "age": lambda: rng.integers(18, 90, rows),
        "flag": lambda: (rng.random(rows) < rng.uniform(0.02, 0.98)).astype(int),
        "grade": lambda: rng.integers(0, int(rng.integers(2, 12)), rows),
        "income": lambda: rng.lognormal(10, 1, rows).round(-2),
        "cents": lambda: rng.lognormal(8, 2, rows).astype(np.int64),
        "visits": lambda: rng.poisson(rng.uniform(0.05, 5), rows),
        "code": lambda: rng.choice(rng.integers(1000, 99999, int(rng.integers(2, 200))), rows),
        "mostly_zero": lambda: np.where(rng.random(rows) < 0.95, 0, rng.exponential(10, rows)),
        "share": lambda: rng.beta(2, 5, rows),
        "pixel": lambda: rng.integers(0, 17, rows) * (rng.random(rows) < 0.4),
        "month": lambda: rng.integers(1, 13, rows),
        "constant": lambda: np.full(rows, 3.0),
        "coordinate": lambda: rng.uniform(-180, 180, rows).round(4),
    }


def features(rng: np.random.Generator, rows: int, columns: int) -> pd.DataFrame:
    """Return columns of any kinds, some of which follow others but for noise, some with missing values."""
    kinds = _columns(rng, rows)
    table: dict[str, Numbers] = {}
    for number in range(columns):
        kind = str(rng.choice(list(kinds)))
        values = kinds[kind]().astype(float)
        if table and rng.random() < 0.2:  # related to another one
            other = table[str(rng.choice(list(table)))]
            values = np.nan_to_num(other) * rng.uniform(0.5, 2) + rng.normal(0, np.nanstd(other) * 0.1 + 0.1, rows)
        if rng.random() < 0.2:
            values = np.where(rng.random(rows) < rng.uniform(0, 0.3), np.nan, values)
            values[0] = 1.0  # a column has a value
        table[f"{kind}_{number}"] = values
    return pd.DataFrame(table)


def labels(rng: np.random.Generator, table: pd.DataFrame, kind: str) -> Numbers:
    """Return labels of which the features tell something, and noise the rest."""
    known = table.fillna(0)
    scaled = (known - known.mean()) / (known.std(ddof=0) + 1e-9)
    score = (scaled * rng.normal(0, 1, len(scaled.columns))).sum(axis=1).to_numpy()
    score = score / (score.std() + 1e-9) + rng.normal(0, rng.uniform(0.5, 2), len(score))
    if kind == "regression":
        return score * rng.uniform(1, 1000) + 0.5
    classes = 2 if kind == "binary" else int(rng.integers(3, 7))
    cuts = np.quantile(score, np.linspace(0, 1, classes + 1)[1:-1] if classes > 2 else [rng.uniform(0.1, 0.9)])
    return np.searchsorted(cuts, score).astype(float)


def table_of_kind(seed: int, kind: str, rows: int, columns: int) -> pd.DataFrame:
    """Return an ordinary table, the same for the same numbers, with the label in column `y`."""
    rng = np.random.default_rng(seed)
    table = features(rng, rows, columns)
    values = labels(rng, table, kind)
    table.insert(0, "y", values if kind == "regression" else values.astype(int))
    return table


def prepared(train: pd.DataFrame, validation: pd.DataFrame | None = None) -> Dataset:
    """Prepare tables as a person gives them, but for their files."""
    sources = [
        Source(name, table.reset_index(drop=True), 2)
        for name, table in (("train.csv", train), ("validation.csv", validation))
        if table is not None
    ]
    return prepare(sources[0], sources[1] if len(sources) > 1 else None, "y", None, Split())


def found_in(train: pd.DataFrame, validation: pd.DataFrame | None = None) -> list[Finding]:
    """Return what is found in tables."""
    return list(check_dataset(prepared(train, validation), {}))
