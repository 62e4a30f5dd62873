"""Made-up tables of a binary target and normally distributed features, as a person would have them: CSV with a header.

A table of given size is always the same, and is made once. It is written by a process of its own, so that the memory
of whoever measures stays small.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

TARGET = "target"
ROWS_AT_ONCE = 50_000
# How much each of the first features says about the target; what they leave open keeps models from being perfect.
WEIGHTS = (1.0, -0.7, 0.5, -0.4, 0.3)
# In the names of files: another way to make them is another number.
EDITION = 1


@dataclass(frozen=True)
class Size:
    """How many rows to train and to validate on, and how many features each has."""

    rows: int
    validation_rows: int
    columns: int

    def __str__(self) -> str:
        """Say it for a person."""
        return f"{self.rows:,} + {self.validation_rows:,} rows x {self.columns} columns"


@dataclass(frozen=True)
class Tables:
    """Two files of one size."""

    size: Size
    train: Path
    validation: Path

    @property
    def megabytes(self) -> float:
        """Return how large the two are together."""
        return (self.train.stat().st_size + self.validation.stat().st_size) / 1e6


def tables(size: Size, cache: Path, tell: Callable[[str], None]) -> Tables:
    """Return the two files of a size, made where the cache lacks them, and read once: no way meets a cold disk."""
    folder = cache / "data"
    train, validation = (
        _made(folder / f"{rows}x{size.columns}-{seed}-{EDITION}.csv", (rows, size.columns, seed), True, tell)
        for rows, seed in ((size.rows, 1), (size.validation_rows, 2))
    )
    return Tables(size, train, validation)


def channel(rows: int, columns: int, cache: Path, tell: Callable[[str], None]) -> Path:
    """Return the one file of a folder as a channel has it, without a header; made and read once as tables are."""
    folder = cache / "data" / f"channel-{rows}x{columns}-{EDITION}"
    return _made(folder / "train.csv", (rows, columns, 1), False, tell)


def _made(path: Path, numbers: tuple[int, int, int], header: bool, tell: Callable[[str], None]) -> Path:
    if not path.is_file():
        tell(f"making {path.name}, once")
        path.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "bench.data", str(path), *map(str, numbers), *(["--header"] if header else [])]
        subprocess.run(command, check=True, cwd=Path(__file__).parents[1])
    with path.open("rb") as file:
        while file.read(1 << 20):
            pass
    return path


def write(path: Path, rows: int, columns: int, seed: int, *, header: bool) -> None:
    """Write one table; what is only half written has another name."""
    import numpy as np

    random = np.random.default_rng([seed, rows, columns])
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("wb") as file:
        if header:
            file.write((",".join([TARGET, *(f"f{number}" for number in range(columns))]) + "\n").encode())
        for first in range(0, rows, ROWS_AT_ONCE):
            _write_rows(file, random, min(ROWS_AT_ONCE, rows - first), columns)
    unfinished.replace(path)


def _write_rows(file: object, random: np.random.Generator, rows: int, columns: int) -> None:
    import pyarrow as pa
    from pyarrow import csv

    features = random.normal(size=(rows, columns)).round(6)
    names = [TARGET, *map(str, range(columns))]
    table = pa.table([pa.array(_labels(features, random)), *map(pa.array, features.T.copy())], names=names)
    csv.write_csv(table, file, csv.WriteOptions(include_header=False))


def _labels(features: npt.NDArray[np.float64], random: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return labels: (n,) 0 or 1, by the first features, two of them only together, and by chance."""
    import numpy as np

    known = features[:, : len(WEIGHTS)] @ np.array(WEIGHTS[: features.shape[1]])
    together = features[:, 0] * features[:, 1 % features.shape[1]]
    labels: npt.NDArray[np.int64] = (known + together + random.normal(size=len(features)) > 0).astype(np.int64)
    return labels


def main() -> None:
    """Write the table that the command line describes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    for name in ("rows", "columns", "seed"):
        parser.add_argument(name, type=int)
    parser.add_argument("--header", action="store_true")
    options = parser.parse_args()
    write(options.path, options.rows, options.columns, options.seed, header=options.header)


if __name__ == "__main__":
    main()
