"""From a person's table to the channel: XGBoost reads the numbers that stand in the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb

from ml_a2.loading import load_files


def _read_by_xgboost(folder: Path, cells: list[str], others: str = "7") -> Any:
    """Write a table with these cells, run it through, and return what XGBoost reads of the channel, NaN if missing."""
    table = folder / "table.csv"
    table.write_text("y,a,b\n" + "".join(f"{row % 2},{cell},{others}\n" for row, cell in enumerate(cells)))
    (folder / "channels").mkdir()
    (train,), _ = load_files(table, table, "y").write(folder / "channels")
    values = xgb.DMatrix(f"{train}?format=csv&label_column=0&delimiter=,").get_data().tocoo()
    found = np.full((len(cells), 2), np.nan, np.float32)
    found[values.row, values.col] = values.data
    return found[:, 0]


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["True", "False"], [1, 0]),
        (["true", "false"], [1, 0]),
        (["TRUE", "FALSE"], [1, 0]),
        (["True", ""], [1, np.nan]),
        (["9e-50", "3e-120"], [0, 0]),
        (["1e-40", "5e-45"], [1e-40, 5e-45]),
        (["0.00000000000000000012", "1"], [1.2e-19, 1]),
        (["0.0000000000000000000001e20", "1"], [0.01, 1]),
        (["0.0001e38", "1"], [1e34, 1]),
        (["20000000000000000000", "1"], [2e19, 1]),
        (["20000000000000000000", "99999999999999999999"], [2e19, 1e20]),
        (["18446744073709551615", "9223372036854775807"], [2.0**64, 2.0**63]),
        (["123456789012345678901234567890", "-5"], [123456789012345678901234567890.0, -5]),
        (["123456789012345678901234e-20", "1"], [1234.56789012345678901234, 1]),
        (["1e30", "1e-30"], [1e30, 1e-30]),
        (["1e+05", "1e-005"], [1e5, 1e-5]),
        (["0.1234567890123456789012345", "1"], [0.1234567890123456789012345, 1]),
    ],
)
def test_a_cell_is_trained_on_as_the_number_that_it_is(tmp_path: Path, cells: list[str], numbers: list[float]) -> None:
    """Whether the table is a channel already or is written anew."""
    expected = np.array(numbers, np.float64).astype(np.float32)
    np.testing.assert_array_equal(_read_by_xgboost(tmp_path, cells), expected)
    (tmp_path / "again").mkdir()
    np.testing.assert_array_equal(_read_by_xgboost(tmp_path / "again", cells, '"7"'), expected)
