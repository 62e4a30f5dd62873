"""Folders as Spark writes them: what is checked is what the image reads, and the image here reads the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_a2.channel_checks import check_channels
from ml_a2.channel_files import Reading
from ml_a2.finding import Finding
from ml_a2.local.images.xgboost.image_errors import UserError
from ml_a2.local.images.xgboost.matrices import load_matrices

TABLE = pd.DataFrame({"y": [0, 1, 1, 0], "a": [0.5, 1.5, 2.5, 3.5], "b": [1, 2, 3, 4]})


def _check(train: Path, validation: Path | None = None) -> list[Finding]:
    paths = {"train": train} | ({"validation": validation} if validation else {})
    return list(check_channels(paths, Reading("parquet"), {"num_round": "1", "objective": "binary:logistic"}))


def _rows(folder: Path) -> int:
    matrices, _ = load_matrices({"train": folder}, "parquet", weighted=False, together=False)
    return int(matrices["train"].num_row())


def _write(folder: Path, name: str, table: pd.DataFrame = TABLE) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(path, index=False)
    return path


# What lies beside the files of rows, by who writes it.
BESIDE = {
    "_SUCCESS": b"",
    "_metadata": b"",
    "_started_123": b"{}",
    "_committed_123": b'{"added":[]}',
    "_temporary": b"",
}


@pytest.mark.parametrize("beside", BESIDE)
@pytest.mark.parametrize("folder", ["", "more", "day=2024-03-01"])
def test_names_with_an_underline_are_passed_over(tmp_path: Path, beside: str, folder: str) -> None:
    """No error in either channel, and the image trains on the rows beside them."""
    for channel in ("train", "validation"):
        _write(tmp_path / channel / folder, f"part-{channel}.parquet")
        (tmp_path / channel / beside).write_bytes(BESIDE[beside])
    found = _check(tmp_path / "train", tmp_path / "validation")
    assert [finding for finding in found if finding.severity == "error"] == []
    assert not [finding for finding in found if beside in finding.where or beside in finding.problem]
    assert _rows(tmp_path / "train") == len(TABLE)


@pytest.mark.parametrize("name", [".part-0.parquet.crc", "._SUCCESS.crc", ".DS_Store"])
def test_hidden_files_are_refused_before_pyarrow_sees_them(tmp_path: Path, name: str) -> None:
    """By the check and by the image."""
    _write(tmp_path, "part.parquet")
    (tmp_path / name).write_bytes(b"crc")
    assert ["is a hidden file" in finding.problem for finding in _check(tmp_path)] == [True]
    with pytest.raises(UserError, match="Hidden file found in the data path!"):
        _rows(tmp_path)


@pytest.mark.parametrize("name", ["empty.parquet", "SUCCESS"])
def test_an_empty_file_of_another_name_is_no_parquet(tmp_path: Path, name: str) -> None:
    """The image fails on it."""
    _write(tmp_path, "part.parquet")
    (tmp_path / name).write_bytes(b"")
    assert ["has no bytes: the image cannot read it as parquet" in each.problem for each in _check(tmp_path)] == [True]
    with pytest.raises(UserError, match="Failed to load parquet data"):
        _rows(tmp_path)


def test_rows_that_are_passed_over_are_told(tmp_path: Path) -> None:
    """Rows in a file whose name begins with "_" are not trained on; where there are no others, there is no data."""
    _write(tmp_path, "_part.parquet")
    assert [finding.severity for finding in _check(tmp_path)] == ["warning", "error"]
    with pytest.raises(UserError, match="Failed to load parquet data"):
        _rows(tmp_path)
    _write(tmp_path, "part.parquet")
    (finding,) = _check(tmp_path)
    assert "its rows are not read" in finding.problem
    assert _rows(tmp_path) == len(TABLE)


def test_a_column_that_only_folders_name_is_told_once(tmp_path: Path) -> None:
    """As Spark and Hive write it; the image reads the files without it."""
    for day in (1, 2):
        _write(tmp_path, f"day={day}/hour=0/part.parquet")
    assert [finding.problem.partition(" stands")[0] for finding in _check(tmp_path)] == [
        "column 'day'",
        "column 'hour'",
    ]
    matrices, _ = load_matrices({"train": tmp_path}, "parquet", weighted=False, together=False)
    assert (matrices["train"].num_row(), matrices["train"].num_col()) == (8, 2)


def test_an_index_that_pandas_wrote_is_no_column(tmp_path: Path) -> None:
    """The image reads with pandas, which makes an index of it again: it is told where a person named it."""
    TABLE.set_index(pd.Index([5, 7, 9, 11])).to_parquet(tmp_path / "t.parquet")
    assert _check(tmp_path) == []
    matrices, _ = load_matrices({"train": tmp_path}, "parquet", weighted=False, together=False)
    assert matrices["train"].num_col() == 2
    np.testing.assert_array_equal(matrices["train"].get_label(), TABLE["y"])
    TABLE.set_index("b").to_parquet(tmp_path / "t.parquet")
    assert ["column 'b' is an index that pandas wrote" in finding.problem for finding in _check(tmp_path)] == [True]
