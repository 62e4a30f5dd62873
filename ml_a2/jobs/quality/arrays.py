"""The rows that were scored: named columns of the same length, as small as they can be kept."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Rows:
    """Columns by name; row i of all of them belongs together."""

    def __init__(self, columns: dict[str, Array]) -> None:
        """Take columns of the same length."""
        self._columns = columns

    def __getitem__(self, name: str) -> Array:
        """Return a column."""
        return self._columns[name]

    def __contains__(self, name: str) -> bool:
        """Tell whether there is a column."""
        return name in self._columns

    def get(self, name: str) -> Array | None:
        """Return a column, None where there is none."""
        return self._columns.get(name)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(next(iter(self._columns.values())))

    def take(self, chosen: Array) -> Rows:
        """Return some of the rows, by their numbers or by a mask."""
        return Rows({name: column[chosen] for name, column in self._columns.items()})

    def sort(self, name: str) -> None:
        """Order the rows by a column, the largest first; a copy of one column at a time."""
        order = np.argsort(self._columns[name], kind="stable")[::-1]
        for key in self._columns:
            self._columns[key] = self._columns[key][order]

    def weights(self, chosen: slice = slice(None)) -> Array:
        """Return the rows' weights (n,), 1 each where there are none."""
        if "weight" in self:
            return self["weight"][chosen]
        return np.broadcast_to(1.0, len(range(len(self))[chosen]))


class RowsBuilder:
    """Collects rows chunk by chunk."""

    def __init__(self) -> None:
        """Begin without rows."""
        self._chunks: dict[str, list[Array]] = {}

    def add(self, columns: dict[str, Array]) -> None:
        """Add a chunk; every chunk has the same columns."""
        for name, column in columns.items():
            self._chunks.setdefault(name, []).append(column)

    def build(self) -> Rows:
        """Return all rows; the chunks are given up column by column, so that no two copies of all are held."""
        return Rows({name: np.concatenate(self._chunks.pop(name)) for name in list(self._chunks)})
