"""Which rows are tried."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_a2.channel_writing import TableRows
from ml_a2.local.trial.rows import FIRST_ROWS, first_rows_of, first_rows_of_files


def _labels(rows: bytes) -> list[str]:
    return [line.split(",")[0] for line in rows.decode().splitlines()]


def test_short_channels_are_tried_whole() -> None:
    """Every row, in its order."""
    table = pd.DataFrame({"y": [0, 1, 0], "a": [0.5, np.nan, 2]})
    assert first_rows_of(TableRows(table), classes=2) == b"0,0.5\n1,\n0,2\n"


def test_a_class_that_comes_late_is_among_them() -> None:
    """Sorted labels: the first rows, and one of each class that they lack."""
    table = pd.DataFrame({"y": np.repeat([0, 1, 2], 3000), "a": np.arange(9000)})
    labels = _labels(first_rows_of(TableRows(table), classes=3))
    assert labels == ["0"] * FIRST_ROWS + ["1", "2"]


def test_a_feature_whose_values_come_late_has_one_among_them() -> None:
    """The algorithm would not count a column without any value."""
    values = np.full(9000, np.nan)
    values[7777:] = 5
    table = pd.DataFrame({"y": np.arange(9000.0), "a": np.arange(9000), "b": values})
    rows = first_rows_of(TableRows(table), classes=0).decode().splitlines()
    assert len(rows) == FIRST_ROWS + 1
    assert rows[-1] == "7777,7777,5"


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_row_that_weighs_is_among_them(tmp_path: Path, end: str) -> None:
    """Weights that are all 0 would be refused; files are read in their order, as one."""
    (tmp_path / "a").write_text("1;0;7\n" * 1000 + "1;0;8" + end)
    (tmp_path / "b").write_text("1;0.0;9\n1;0.5;10" + end)
    rows = first_rows_of_files([tmp_path / "a", tmp_path / "b"], ";", weighted=True, classes=0).decode().splitlines()
    assert rows == ["1;0;7"] * FIRST_ROWS + ["1;0.5;10"]
