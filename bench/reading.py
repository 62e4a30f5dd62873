"""How fast, and in how much memory, the XGBoost image reads a channel of CSV, beside pandas on the same file."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bench.data import channel
from bench.measure import Usage, measure
from bench.plan import Plan, Section, table
from bench.runs import interleaved, ratios, spread

ROWS, ROWS_IF_QUICK, COLUMNS = 1_000_000, 100_000, 28
PROJECT = Path(__file__).parents[1]


def read_as_the_image(path: Path) -> None:
    """Load the channel as the image does."""
    from ml_a2.local.images.xgboost.matrices import load_matrices

    matrices, _ = load_matrices({"train": path.parent}, "csv", weighted=False, together=False)
    assert matrices["train"].num_row() > 0


def read_with_pandas(path: Path) -> None:
    """Load the table."""
    import numpy as np
    import pandas as pd

    assert len(pd.read_csv(path, header=None, dtype=np.float32)) > 0


def read_for_training_with_pandas(path: Path) -> None:
    """Load the table and make the matrix of it, as a plain script does before it can train."""
    import numpy as np
    import pandas as pd
    import xgboost as xgb

    table = pd.read_csv(path, header=None, dtype=np.float32)
    assert xgb.DMatrix(table.iloc[:, 1:], label=table.iloc[:, 0]).num_row() > 0


IMAGE = "the XGBoost image"
# Each with the modules that it imports before its time is taken: those are paid once a process, whatever the data.
WAYS: dict[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    IMAGE: (read_as_the_image, ("ml_a2.local.images.xgboost.matrices",)),
    "pandas": (read_with_pandas, ("pandas",)),
    "pandas and matrix": (read_for_training_with_pandas, ("pandas", "xgboost")),
}


def run(plan: Plan) -> Section:
    """Measure all ways on one file."""
    rows = ROWS_IF_QUICK if plan.quick else ROWS
    path = channel(rows, COLUMNS, plan.cache, plan.tell)
    runs = interleaved({way: _way(way, path) for way in WAYS}, plan.repetitions, plan.tell)
    size = path.stat().st_size / 1e6
    head = (f"{rows:,} rows x {COLUMNS} columns, {size:.0f} MB, without imports", "seconds", "largest process")
    lines = [
        (way, str(spread(usages, "seconds")), f"{spread(usages, 'largest_mb').median:.0f} MB")
        for way, usages in runs.items()
    ]
    for other in [way for way in WAYS if way != IMAGE]:
        values = (ratios(runs[IMAGE], runs[other], value) for value in ("seconds", "largest_mb"))
        time_ratio, memory_ratio = values
        lines.append((f"{IMAGE} / {other}", str(time_ratio), f"{memory_ratio.median:.2f}"))
    return Section(table(head, lines))


def _way(way: str, path: Path) -> Callable[[], Usage]:
    def once() -> Usage:
        usage = measure([sys.executable, "-m", "bench.reading", way, str(path)], PROJECT)
        return replace(usage, seconds=json.loads(usage.output))

    return once


def main() -> None:
    """Read a file one way, and print the seconds that it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("path", type=Path)
    options = parser.parse_args()
    read, modules = WAYS[options.way]
    for module in modules:
        importlib.import_module(module)
    began = time.perf_counter()
    read(options.path)
    print(json.dumps(time.perf_counter() - began))


if __name__ == "__main__":
    main()
