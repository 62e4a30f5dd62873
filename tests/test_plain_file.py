"""A file that is a channel already but for its header is recognised, in any number of blocks, and no other one."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_a2 import plain_file
from ml_a2.errors import DataError
from ml_a2.loading import load_files
from ml_a2.plain_file import read_plain_file

HEADER = "y,a,b\n"


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few rows be several blocks."""
    monkeypatch.setattr(plain_file, "BYTES_AT_ONCE", 64)


def _file(folder: Path, text: str) -> Path:
    path = folder / "rows.csv"
    path.write_bytes(text.encode())
    return path


def test_labels_of_all_blocks_in_order(tmp_path: Path) -> None:
    """Whole numbers stay whole; the last line may lack its end."""
    text = HEADER + "".join(f"{row % 7},{row / 3},-{row}e-3\n" for row in range(500))
    file = read_plain_file(_file(tmp_path, text.rstrip("\n")), "y")
    assert file is not None
    assert file.columns == ("y", "a", "b")
    assert file.labels.dtype == np.int64
    assert file.labels.tolist() == [row % 7 for row in range(500)]


def test_labels_are_fractions_where_one_of_them_is(tmp_path: Path) -> None:
    """As in a table of the whole file."""
    file = read_plain_file(_file(tmp_path, HEADER + "1,2,3\n" * 100 + "0.5,2,3\n" + "2,2,3\n" * 100), "y")
    assert file is not None
    assert file.labels.dtype == np.float64
    assert file.labels[99:102].tolist() == [1, 0.5, 2]


ROWS = "1,0.10,-2\n0,1e-3,3\n" * 30


@pytest.mark.parametrize("place", [0, 31, 60])
@pytest.mark.parametrize(
    "row",
    [
        "1,,5",
        "1,NA,5",
        "1,nan,5",
        "1,inf,5",
        "1,-1e39,5",  # beyond 32 bits
        "1,1e999,5",
        "1,2",
        "1,2,3,4",
        "1,2,x",
        "yes,2,3",
        ",2,3",
        "True,2,3",
        "2020-01-01,2,3",
        '1,"2",3',
        "1, 2,3",
        "1,2\t,3",
        "1,2,3\r",
        "1,2,0x10",
        "1,2,--3",
        "0x1,2,3",  # a whole number for Arrow
        "1,2,1_000",
        "",
        "#1,2,3",
    ],
)
def test_a_single_other_row_is_found_wherever_it_stands(tmp_path: Path, row: str, place: int) -> None:
    """In the first block, in the middle and at the end."""
    lines = ROWS.splitlines()
    lines.insert(place, row)
    assert read_plain_file(_file(tmp_path, HEADER + "\n".join(lines) + "\n"), "y") is None


@pytest.mark.parametrize(
    "header", ["a,y,b", "y,a,a", "y,,b", '"y",a,b', "y,a,b\r", "\ufeffy,a,b", "y", "", "y,a", "y,a,b,c"]
)
def test_other_headers_are_left_to_a_table(tmp_path: Path, header: str) -> None:
    """Names that are not unique or quoted, another first column, or another number of them."""
    assert read_plain_file(_file(tmp_path, f"{header}\n{ROWS}"), "y") is None


def test_names_that_are_no_text_are_left_to_a_table(tmp_path: Path) -> None:
    """In an encoding that is not UTF-8."""
    path = tmp_path / "rows.csv"
    path.write_bytes(b"y,\xe4,b\n" + ROWS.encode())
    assert read_plain_file(path, "y") is None


@pytest.mark.parametrize(
    "cell",
    [
        "1e-50", "1e-40", "0.00000000000000000012", "0.0000000000000000000001e20", "0.0001e38", "20000000000000000000",
        "123456789012345678901234e-20", "1e-005", "1e30",
    ],
)  # fmt: skip
@pytest.mark.parametrize("row", ["1,{},2", "{},1,2", "1,-{},2"])
def test_numbers_that_xgboost_does_not_read_as_they_are_are_left_to_a_table(
    tmp_path: Path, row: str, cell: str
) -> None:
    """It loses digits, overflows, or clips exponents; a table is written so that it does not matter."""
    assert read_plain_file(_file(tmp_path, HEADER + ROWS + row.format(cell) + "\n"), "y") is None


def test_a_header_alone_is_left_to_a_table(tmp_path: Path) -> None:
    """There are no rows."""
    assert read_plain_file(_file(tmp_path, HEADER), "y") is None


NUMBER = st.one_of(
    st.integers(-(10**9), 10**9).map(str),
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(repr),
    st.sampled_from(
        ["0", "-0", "00", "1.", ".5", "1e5", "+1", "1E-05", "3.4e38", "3.5e38", "1e-400", "", "NA", " 1", "x"]
    ),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["0", "1"]), NUMBER, NUMBER), min_size=1, max_size=12))
def test_what_is_plain_is_what_pandas_reads_too(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]]
) -> None:
    """Every number of a plain file is a finite one for pandas, within 32 bits, and the labels are the same."""
    path = _file(tmp_path_factory.mktemp("plain"), HEADER + "".join(",".join(row) + "\n" for row in rows))
    file = read_plain_file(path, "y")
    table = pd.read_csv(path)
    numeric = all(map(pd.api.types.is_numeric_dtype, table.dtypes))
    if file is None:
        return
    assert numeric
    assert table["y"].tolist() == file.labels.tolist()
    assert table["y"].dtype == file.labels.dtype
    assert (table.abs() <= float(np.finfo(np.float32).max)).all(axis=None)


@pytest.mark.parametrize("at_once", [1, 2, 1000])
def test_hosts_get_a_row_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    """Each line whole, the last one, too."""
    file = read_plain_file(_file(tmp_path, HEADER + "0,1,1\n1,2,2\n0,3,3\n1,4,4\n0,5,5"), "y")
    assert file is not None
    targets = [io.BytesIO(), io.BytesIO()]
    monkeypatch.setattr(plain_file, "LINES_AT_ONCE", at_once)
    file.write(targets)
    assert [target.getvalue() for target in targets] == [b"0,1,1\n0,3,3\n0,5,5\n", b"1,2,2\n1,4,4\n"]


def test_what_is_wrong_in_one_of_two_files_is_told_as_ever(tmp_path: Path) -> None:
    """The rows of one file are plain, those of the other are not: file, column and line are named."""
    train = _file(tmp_path, HEADER + ROWS)
    validation = tmp_path / "validation.csv"
    validation.write_text(HEADER + ROWS + "1,x,3\n")
    with pytest.raises(DataError, match=r"validation\.csv, column 'a', row 62: 'x' is not a number"):
        load_files(train, validation, "y")


@pytest.mark.parametrize(("first", "second"), [("01", "x"), ("1.0", "x"), ("1", "True"), ("True", "x")])
def test_a_large_table_is_read_as_a_whole_where_its_parts_differ(tmp_path: Path, first: str, second: str) -> None:
    """A label that looks like a number in most parts of a large file stays the text that it is."""
    path = tmp_path / "rows.csv"
    path.write_text("y,a\n" + f"{first},1\n" * 900_000 + f"{second},2\n" * 100_000)
    dataset = load_files(path, None, "y")
    assert set(dataset.problem.classes) == {first, second}


def test_plain_files_are_loaded_without_pandas(tmp_path: Path) -> None:
    """Its import takes longer than most of such files."""
    path = _file(tmp_path, HEADER + ROWS)
    program = (
        "import sys; from pathlib import Path; from ml_a2.loading import load_files;"
        "path = Path(sys.argv[1]); print(load_files(path, path, 'y').describe()); print('pandas' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert "60 training and 60 validation rows, 2 features" in answer.stdout
    assert answer.stdout.splitlines()[-1] == "False"
