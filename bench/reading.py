"""How fast, and in how much memory, the XGBoost image reads a channel of CSV, beside pandas on the same file.

Every measurement is a process of its own; they are interleaved, so that whatever else the machine does meets all.
Absolute times mean nothing on another machine: the ratio of the medians does.
"""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROWS, COLUMNS, REPETITIONS = 1_000_000, 28, 5


def read_as_the_image(path: Path) -> None:
    """Load the channel as the image does."""
    from ml_a2.local.images.xgboost.matrices import load_matrices

    matrices, _ = load_matrices({"train": path.parent}, "csv", weighted=False, together=False)
    assert matrices["train"].num_row() > 0


def read_with_pandas(path: Path) -> None:
    """Load the table."""
    import pandas as pd

    assert len(pd.read_csv(path, header=None, dtype=np.float32)) > 0


def read_for_training_with_pandas(path: Path) -> None:
    """Load the table and make the matrix of it, as a plain script does before it can train."""
    import pandas as pd
    import xgboost as xgb

    table = pd.read_csv(path, header=None, dtype=np.float32)
    assert xgb.DMatrix(table.iloc[:, 1:], label=table.iloc[:, 0]).num_row() > 0


# Each with the modules that it imports before its time is taken: those are paid once a process, whatever the data.
WAYS: dict[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    "image": (read_as_the_image, ("ml_a2.local.images.xgboost.matrices",)),
    "pandas": (read_with_pandas, ("pandas",)),
    "pandas and matrix": (read_for_training_with_pandas, ("pandas", "xgboost")),
}


def measure(way: str, path: Path) -> tuple[float, float]:
    """Return the seconds that reading takes in a process of its own, without its imports, and its peak memory in MB."""
    command = [sys.executable, "-m", "bench.reading", "--measure", way, str(path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
    seconds, megabytes = json.loads(answer.stdout)
    return seconds, megabytes


def _measure_here(way: str, path: Path) -> None:
    read, modules = WAYS[way]
    for module in modules:
        importlib.import_module(module)
    began = time.perf_counter()
    read(path)
    seconds = time.perf_counter() - began
    print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))


def write_rows(path: Path, rows: int, columns: int) -> None:
    """Write rows of a label and normally distributed features."""
    random = np.random.default_rng(1)
    with path.open("w", encoding="ascii") as file:
        for first in range(0, rows, 50_000):
            count = min(50_000, rows - first)
            features = random.normal(size=(count, columns))
            labels = (features[:, 0] > 0).astype(int)
            lines = (
                f"{label}," + ",".join(f"{value:.6f}" for value in row)
                for label, row in zip(labels, features, strict=True)
            )
            file.write("\n".join(lines) + "\n")


def main() -> int:
    """Measure all ways and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    parser.add_argument("--measure", nargs=2, metavar=("WAY", "PATH"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        _measure_here(options.measure[0], Path(options.measure[1]))
        return 0
    with tempfile.TemporaryDirectory(prefix="ml-a2-bench-") as folder:
        path = Path(folder, "train.csv")
        print(f"writing {options.rows} rows x {COLUMNS} columns", file=sys.stderr)
        write_rows(path, options.rows, COLUMNS)
        found: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
        for number in range(options.repetitions):
            for way in WAYS:
                found[way].append(measure(way, path))
                print(f"{number + 1}/{options.repetitions} {way}: {found[way][-1][0]:.2f} s", file=sys.stderr)
        size = path.stat().st_size / 1e6
    medians = {way: [statistics.median(values) for values in zip(*runs, strict=True)] for way, runs in found.items()}
    print(
        f"| {options.rows} rows x {COLUMNS} columns, {size:.0f} MB | median seconds | peak memory, MB |\n|---|---|---|"
    )
    for way, (seconds, megabytes) in medians.items():
        print(f"| {way} | {seconds:.2f} | {megabytes:.0f} |")
    for other in [way for way in WAYS if way != "image"]:
        ratios = [medians["image"][index] / medians[other][index] for index in range(2)]
        print(f"| image / {other} | {ratios[0]:.2f} | {ratios[1]:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
