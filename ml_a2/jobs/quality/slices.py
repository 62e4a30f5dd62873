"""The same metrics for parts of the rows, by the values of a feature."""

from __future__ import annotations

from typing import Any, Iterator

import numpy as np

from .arrays import Array, Rows
from .kind import Kind

# A feature with more values is cut into quarters of the rows.
MOST_VALUES = 20
# Of fewer rows than this, a metric says little.
FEW_ROWS = 50
PREFIX = "slice:"


def slices(kind: Kind, rows: Rows, features: list[str]) -> list[dict[str, Any]]:
    """Return the metrics of each part by each feature, a column `slice:<feature>` of the scored rows."""
    found = []
    for feature in features:
        for value, chosen in parts(rows[PREFIX + feature]):
            values = kind.values(kind.prepare(rows.take(chosen)))
            count = int(chosen.sum())
            found.append(
                {
                    "column": feature,
                    "value": value,
                    "rows": count,
                    "small": count < FEW_ROWS,
                    "metrics": {name: each for name, each in values.items() if np.isfinite(each)},
                }
            )
    return found


def parts(values: Array) -> Iterator[tuple[str, Array]]:
    """Yield what a part has in common, in words, and which rows (n,) it has; empty cells are a part of their own."""
    missing = np.isnan(values)
    distinct = np.unique(values[~missing])
    if len(distinct) <= MOST_VALUES:
        for value in distinct:
            yield "{:.6g}".format(value), values == value
    else:
        edges = np.unique(np.percentile(values[~missing], [0, 25, 50, 75, 100]))
        for low, high in zip(edges[:-1], edges[1:]):
            is_last = high == edges[-1]
            chosen = (values >= low) & ((values <= high) if is_last else (values < high))
            yield "{:.6g} to {}{:.6g}".format(low, "" if is_last else "below ", high), chosen
    if missing.any():
        yield "missing", missing
