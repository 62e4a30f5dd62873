"""A channel's file holds the person's numbers, whether it was written anew or taken over as it is."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml_a2.channel_writing import TableRows
from ml_a2.dataset import Dataset
from ml_a2.digest import HashedFile, file_sha256
from ml_a2.errors import DataError
from ml_a2.loading import load_files

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
    """The shortest form of a number is read as the same number again, in several blocks too."""
    random = np.random.default_rng(3)
    numbers = random.normal(size=(250_000, 2)) * 10.0 ** random.integers(-30, 30, size=(250_000, 2))
    table = pd.DataFrame(numbers, columns=["a", "b"]).assign(whole=np.arange(250_000))
    table.iloc[7, 1] = np.nan
    with (tmp_path / "rows.csv").open("wb") as file:
        TableRows(table).write([file])
    again = pd.read_csv(tmp_path / "rows.csv", header=None)
    np.testing.assert_array_equal(again.to_numpy(), table.to_numpy())
