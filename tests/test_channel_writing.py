"""A channel's file holds the person's numbers, whether it was written anew or taken over as it is."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb

from ml_a2.channel_files import LARGEST_VALUE
from ml_a2.channel_writing import TableRows
from ml_a2.dataset import Dataset
from ml_a2.digest import HashedFile, file_sha256
from ml_a2.errors import DataError
from ml_a2.loading import load_files

# How many cells are drawn: 100,000 times what ML_A2_FUZZ says.
CELLS = 100_000 * max(1, int(os.environ.get("ML_A2_FUZZ", "0")))
ROWS = "1,0.10,-2\n0,1e-3,3\n" * 8


def _load(folder: Path, text: str, target: str = "y") -> Dataset:
    path = folder / "rows.csv"
    path.write_bytes(text.encode())
    return load_files(path, path, target)


def _written(dataset: Dataset, folder: Path) -> str:
    channels = folder / "channels"
    channels.mkdir()
    (train,), (validation,) = dataset.write(channels)
    assert train.read_bytes() == validation.read_bytes()
    return train.read_text()


def test_rows_that_are_a_channel_already_are_taken_over_as_they_are(tmp_path: Path) -> None:
    """Below the header not a digit is written otherwise."""
    assert _written(_load(tmp_path, "y,a,b\n" + ROWS), tmp_path) == ROWS


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("a,y,b\n" + "0.10,1,-2\n1e-3,0,3\n" * 8, "y"),  # the label is not first
        ("y,a,b\n" + ROWS.replace("-2", '"-2"'), "y"),  # quotes, which the image does not read
        ("y,a,b\r\n" + ROWS.replace("\n", "\r\n"), "y"),
        ("y,a,b\n\n" + ROWS, "y"),  # an empty line
        ("y,a,b\n" + ROWS.replace("1,0.10", "yes,0.10").replace("0,1e-3", "no,1e-3"), "y"),  # labels get numbers
        ("y,a,b\n" + ROWS.replace("1,0.10", "7,0.10"), "y"),  # other numbers
        ("y,a,b\n" + ROWS.replace("1,0.10", " 1, 0.10"), "y"),
        ('"y",a,b\n' + ROWS, "y"),
    ],
)
def test_other_rows_are_written_anew_with_the_same_numbers(tmp_path: Path, text: str, target: str) -> None:
    """Whatever a person's file looks like, the channel's has the label first and nothing but numbers."""
    assert _written(_load(tmp_path, text, target), tmp_path) == "1,0.1,-2\n0,0.001,3\n" * 8


def test_missing_values_become_empty_cells(tmp_path: Path) -> None:
    """What pandas reads as missing is not left to the image, which would take NA for a number."""
    text = "y,a,b\n" + ROWS + "1,NA,5\n0,,6\n"
    assert _written(_load(tmp_path, text), tmp_path).splitlines()[-2:] == ["1,,5", "0,,6"]


def test_fails_on_a_file_that_changed_after_it_was_checked(tmp_path: Path) -> None:
    """Rows that nobody has checked are not trained on."""
    dataset = _load(tmp_path, "y,a,b\n" + ROWS)
    (tmp_path / "rows.csv").write_text("y,a,b\n" + ROWS + "1,x,5\n")
    with pytest.raises(DataError, match=r"rows\.csv was changed while it was read"):
        dataset.write(tmp_path)


@pytest.mark.parametrize("first", ["0.10", "NA"])  # a channel already, and a table
def test_channels_are_hashed_while_they_are_written(tmp_path: Path, first: str) -> None:
    """By whatever opens their files."""
    digests: dict[Path, Any] = {}

    def opened(path: Path) -> HashedFile:
        digests[path] = hashlib.sha256()
        return HashedFile(path, [digests[path]])

    (tmp_path / "channels").mkdir()
    train, validation = _load(tmp_path, f"y,a,b\n1,{first},2\n{ROWS}").write(tmp_path / "channels", 2, opened)
    assert {path: digest.hexdigest() for path, digest in digests.items()} == {
        path: file_sha256(path) for path in (*train, *validation)
    }


def test_numbers_come_back_as_they_were(tmp_path: Path) -> None:
    """Every number is read as the same 32-bit number again, by XGBoost and by all who round, in several blocks too."""
    random = np.random.default_rng(3)
    numbers = random.normal(size=(120_000, 2)) * 10.0 ** random.integers(-8, 8, size=(120_000, 2))
    table = pd.DataFrame(numbers, columns=["a", "b"]).assign(whole=np.arange(120_000), flag=numbers[:, 0] > 0)
    table.iloc[7, 1] = np.nan
    again = _read_again(tmp_path, table)
    np.testing.assert_array_equal(again, table.to_numpy(np.float64).astype(np.float32))


def _read_again(folder: Path, table: pd.DataFrame) -> Any:
    """Write a table and read it with both kinds of reader; return what they agree on."""
    path = folder / "rows.csv"
    with path.open("wb") as file:
        TableRows(table).write([file])
    rows = [[float(cell or "nan") for cell in line.split(",")] for line in path.read_text().splitlines()]
    rounded = np.array(rows).astype(np.float32)
    matrix = xgb.DMatrix(f"{path}?format=csv&label_column=0&delimiter=,")
    cells = matrix.get_data().tocoo()
    by_xgboost = np.full(table.shape, np.nan, np.float32)
    by_xgboost[:, 0] = matrix.get_label()
    by_xgboost[cells.row, cells.col + 1] = cells.data
    np.testing.assert_array_equal(by_xgboost, rounded)
    return by_xgboost


def _any_numbers(random: np.random.Generator, count: int) -> dict[str, Any]:
    """Draw numbers of every kind and size within 32 bits."""
    halves = random.integers(0, 2**32, count, dtype=np.uint32).view(np.float32)
    wholes = random.integers(0, 2**64, count, dtype=np.uint64).view(np.float64)
    digits = np.round(random.normal(size=count) * 10.0 ** random.integers(-3, 6, count), 3)
    return {
        "single": np.where(np.isfinite(halves), halves, np.float32(0)),
        "double": np.where(np.abs(wholes) < LARGEST_VALUE, wholes, 0.0),
        "short": digits,
        "tiny": 10.0 ** -random.uniform(9, 46, count),
        "huge": -(10.0 ** random.uniform(8, 38.5, count)),
        "count": random.integers(-(2**63), 2**63 - 1, count),
        "serial": random.integers(2**63, 2**64 - 1, count, dtype=np.uint64),
        "small": random.integers(-300, 300, count).astype(np.int16),
        "flag": random.random(count) > 0.5,
        "gaps": np.where(random.random(count) > 0.5, digits, np.nan),
        "near": 1e-4 + random.normal(size=count) * 1e-7,
    }


@pytest.mark.parametrize("seed", range(max(1, CELLS // 50_000)))
def test_any_number_is_read_as_the_same_by_every_reader(tmp_path: Path, seed: int) -> None:
    """Training, evaluation and whoever else reads a channel take the 32-bit number that is nearest to a person's."""
    table = pd.DataFrame(_any_numbers(np.random.default_rng(seed), 50_000 // 11)).assign(last=1)
    table.insert(0, "label", np.arange(len(table)) % 2)
    expected = np.stack([table[name].to_numpy().astype(np.float32) for name in table], axis=1)
    np.testing.assert_array_equal(_read_again(tmp_path, table), expected)


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ([True, False], "1 0"),
        ([9e-50, 2e-200], "0 0"),
        ([2e19, -1e20], "20000000000000000000 -100000000000000000000"),
        ([13.7, 0.1], "13.7 0.1"),
        ([16777217, 2**53], "16777217 9007199254740992"),
        ([5.0, 0.00001], "5 0.00001"),
        ([np.float32(2.0211263e-38), 1.0], "0.0000000000020211263e-26 1"),  # the one of ten million that took longest
        (pd.array([1, None], dtype="Int64"), "1 "),
        (pd.array([True, None], dtype="boolean"), "1 "),
        (pd.array([0.5, None], dtype="float64[pyarrow]"), "0.5 "),
    ],
)
def test_numbers_are_written_plainly(tmp_path: Path, values: Any, written: str) -> None:
    """Flags as 1 and 0, what is nearer to 0 than 32 bits reach as 0, and a person's decimals as they are."""
    table = pd.DataFrame({"label": [0, 1], "value": values, "last": 1})
    _read_again(tmp_path, table)
    cells = [line.split(",")[1] for line in (tmp_path / "rows.csv").read_text().splitlines()]
    assert [float(cell or "nan") for cell in cells] == pytest.approx(
        [float(cell or "nan") for cell in written.split(" ")], rel=1e-7, nan_ok=True
    )
    if "000000000000000000" not in written:
        assert cells == written.split(" ")
