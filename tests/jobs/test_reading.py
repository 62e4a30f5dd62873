"""The validation rows are what the training read, or the evaluation says which cell is no number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from quality import cells, data, files
from quality.errors import EvaluationError

from ml_a2.local.images.xgboost.matrices import load_matrices


def read_by_the_training(folder: Path, *, weighted: bool = False) -> tuple[Any, Any, Any]:
    """Return labels (n,), weights (n,) and features (n, columns) of a channel, NaN where there is none."""
    matrix = load_matrices({"train": folder}, "csv", weighted=weighted, together=False)[0]["train"]
    return matrix.get_label(), matrix.get_weight(), _dense(matrix, matrix.num_col())


def _dense(matrix: Any, columns: int) -> Any:
    found = np.full((matrix.num_row(), columns), np.nan, np.float32)
    values = matrix.get_data().tocoo()
    found[values.row, values.col] = values.data
    return found


def read_by_the_evaluation(folder: Path, features: int, *, weighted: bool = False) -> tuple[Any, Any, Any]:
    """Return the same of the evaluation, the features as slices and groups get them."""
    chunks = list(data.read_folder(str(folder), features, weighted))
    for chunk in chunks:
        columns = np.stack(chunk.columns(list(range(features))), axis=1)
        np.testing.assert_array_equal(columns, _dense(chunk.matrix, features))
    labels = np.concatenate([chunk.labels for chunk in chunks])
    weights = np.concatenate([chunk.weights for chunk in chunks]) if weighted else np.empty(0)
    return labels, weights, np.concatenate([_dense(chunk.matrix, features) for chunk in chunks])


def assert_both_read_the_same(folder: Path, features: int, *, weighted: bool = False) -> None:
    """Compare row by row; of several files XGBoost reads them in the order in which the disk has them."""
    here = read_by_the_evaluation(folder, features, weighted=weighted)
    there = read_by_the_training(folder, weighted=weighted)
    counted = there[2].shape[1]  # XGBoost counts no column after the last one that has a value
    assert np.isnan(here[2][:, counted:]).all()
    ours, theirs = (
        np.column_stack([labels, *([weights] if weighted else []), values[:, :counted]])
        for labels, weights, values in (here, there)
    )
    if len(files.data_files(str(folder))) > 1:
        ours, theirs = (np.array(sorted(each.tolist(), key=repr)) for each in (ours, theirs))
    np.testing.assert_array_equal(ours, theirs)


def _random_rows(seed: int, rows: int = 200) -> list[list[str]]:
    """Draw a label, a weight and three features a row, decimals of any length, some cells empty."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(rows, 3)) * 10.0 ** random.integers(-12, 12, size=(rows, 3))
    texts = [[f"{value:.{random.integers(1, 17)}g}" for value in row] for row in numbers]
    return [
        [str(random.integers(0, 2)), f"{random.random():.3f}", *("" if random.random() < 0.1 else cell for cell in row)]
        for row in texts
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t", " "])
@pytest.mark.parametrize("weighted", [False, True])
def test_both_read_the_same_whatever_the_delimiter(tmp_path: Path, delimiter: str, weighted: bool) -> None:
    """The first line tells it, for every file of the channel."""
    rows = _random_rows(1)
    rows[0] = ["1", "0.5", "2", "3", "4"]  # in most others another character occurs as often as the bar
    if delimiter.isspace():
        rows = [[cell or "0" for cell in row] for row in rows]
    for number, part in enumerate((rows[:90], rows[90:])):
        (tmp_path / f"{number}.csv").write_text("".join(delimiter.join(row) + "\n" for row in part))
    assert_both_read_the_same(tmp_path, 3 if weighted else 4, weighted=weighted)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n"])
def test_both_read_the_same_in_small_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """Also where a part ends in rows whose last columns are empty, and with each kind of line end."""
    monkeypatch.setattr(files, "BYTES_AT_ONCE", 300)
    lines = [",".join(row) for row in _random_rows(2, 60)]
    lines[20:40] = [line.rsplit(",", 2)[0] + ",," for line in lines[20:40]]
    (tmp_path / "a.csv").write_text(end.join(lines), newline="")
    assert_both_read_the_same(tmp_path, 4)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff1,2,3\n0,4,5\n",
        "1,2,3\n\ufeff0,4,5",
        "1,2,3,\n0,4,5,\n",
        "1,2,3\n0,4\n",
        "1,2\n0,4,5\n",
        "1,2,\n0,,5\n",
        "1, 2,3\n 0,4 , 5 \n",
        "1,nan,3\n0,NA,NaN\n1, null ,5\n",
        "1,.5,3\n0,-.5,+.25\n",
        "1,5.,3\n0,-5.e3,+2.\n",
        "1,5.,3\n0,.5,1E-3\n",
        "1,20000000000000000000,3\n0,1e-50,5e-45\n",
        "1,1e39,3\n0,0.1000000014901161193847656250000001,5\n",
        "1.0,16777217,3\n0,0.30000001192092896,5\n",
    ],
)
def test_both_read_the_same_of_what_is_unusual(tmp_path: Path, text: str) -> None:
    """Marks, blanks around numbers, short rows, words for missing values, numbers out of range."""
    (tmp_path / "a.csv").write_text(text)
    assert_both_read_the_same(tmp_path, 2)


def test_both_read_the_same_files(tmp_path: Path) -> None:
    """Those in folders up to two deep, in one order, and of an empty one nothing."""
    for number, name in enumerate(("b.csv", "a/c.csv", "a-d.csv", "a/b/e.csv", "a/z.csv")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{number},{number}.5,7\n")
    (tmp_path / "a/b/empty.csv").touch()
    (tmp_path / "a/b/c").mkdir()
    (tmp_path / "a/b/c/deep.csv").write_text("9,9,9\n")
    assert_both_read_the_same(tmp_path, 2)
    assert read_by_the_evaluation(tmp_path, 2)[0].tolist() == [3, 1, 4, 2, 0]
    (tmp_path / ".hidden").write_text("words")
    assert len(read_by_the_evaluation(tmp_path, 2)[0]) == 5


BROKEN = [
    ("1,true,3", "row 2, column 2: 'true' is not a number"),
    ("1,2,False", "row 2, column 3: 'False' is not a number"),
    ("1,2 %,3", "row 2, column 2: '2 %' is not a number"),
    ("1,2020-01-02,3", "row 2, column 2: '2020-01-02' is not a number"),
    ('1,"2",3', "row 2, column 2: '\"2\"' is not a number"),
    ("1,1-2,3", "row 2, column 2: '1-2' is not a number"),
    ("1,1e5-2,3", "row 2, column 2: '1e5-2' is not a number"),
    ("1,1e-5e2,3", "row 2, column 2: '1e-5e2' is not a number"),
    ("1,1e-5.2,3", "row 2, column 2: '1e-5.2' is not a number"),
    ("1,1.2.3,3", "row 2, column 2: '1.2.3' is not a number"),
    ("1,.,3", "row 2, column 2: '.' is not a number"),
    ("1,-.,3", "row 2, column 2: '-.' is not a number"),
    ("1,.e5,3", "row 2, column 2: '.e5' is not a number"),
    ("1,e5,3", "row 2, column 2: 'e5' is not a number"),
    ("1,5e,3", "row 2, column 2: '5e' is not a number"),
    ("1,5e+,3", "row 2, column 2: '5e+' is not a number"),
    ("1,5f,3", "row 2, column 2: '5f' is not a number"),
    ("1,0x10,3", "row 2, column 2: '0x10' is not a number"),
    ("1,1_000,3", "row 2, column 2: '1_000' is not a number"),
    ("1,--5,3", "row 2, column 2: '--5' is not a number"),
    ("1,1 2,3", "row 2, column 2: '1 2' is not a number"),
    ("1,nan(1),3", r"row 2, column 2: 'nan\(1\)' is not a number"),
    ("1,inf,3", "row 2, column 2: 'inf' is not a number"),
    ("1,1.#IND,3", "row 2, column 2: '1.#IND' is not a number"),
    ("1, ,3", "row 2, column 2: ' ' is only blanks, which the training reads as 0; leave the cell empty"),
    ("1,2, ", "row 2, column 3: ' ' is only blanks, which the training reads as the label of the next row"),
    (" ", "row 2, column 1: ' ' is only blanks"),
    (",2,3", "row 2: the label is missing or infinite"),
    ("nan,2,3", "row 2: the label is missing or infinite"),
    ("-inf,2,3", "row 2: the label is missing or infinite"),
    ("yes,2,3", "row 2, column 1: 'yes' is not a number"),
    ("1", "row 1 and what follows: XGBoost cannot read it: .*Delimiter ',' is not found"),
    ("1,2,3,4", "row 2 has 3 feature columns, but the model was trained on 2"),
    ("1,2\x003,3", r"row 2, column 2: '2\\x003' is not a number"),
]


@pytest.mark.parametrize(("line", "words"), BROKEN)
def test_fails_on_a_cell_that_is_no_number(tmp_path: Path, line: str, words: str) -> None:
    """File, row and column are named, and the cell is shown as it is."""
    (tmp_path / "v.csv").write_text(f"0,1,2\n{line}\n0,3,4\n")
    with pytest.raises(EvaluationError, match=r"^v\.csv, " + words.replace("+", r"\+")):
        read_by_the_evaluation(tmp_path, 2)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("1,,3", "row 2: the weight is missing, infinite or below 0"),
        ("1,nan,3", "row 2: the weight is missing, infinite or below 0"),
        ("1,-1,3", "row 2: the weight is missing, infinite or below 0"),
        ("1,inf,3", "row 2: the weight is missing, infinite or below 0"),
    ],
)
def test_fails_on_a_weight_that_is_none(tmp_path: Path, line: str, words: str) -> None:
    """XGBoost reads an empty one as 0."""
    (tmp_path / "v.csv").write_text(f"0,1,2\n{line}\n0,0,4\n")
    with pytest.raises(EvaluationError, match=words):
        read_by_the_evaluation(tmp_path, 1, weighted=True)


@pytest.mark.parametrize("delimiter", ["\t", " "])
def test_fails_on_an_empty_cell_between_blanks(tmp_path: Path, delimiter: str) -> None:
    """XGBoost passes over blanks before a number: it would take the next cell's."""
    (tmp_path / "v.csv").write_text("0,1,2,3\n1,,2,3\n".replace(",", delimiter))
    with pytest.raises(EvaluationError, match="row 2, column 2: '' is nothing between two blanks"):
        read_by_the_evaluation(tmp_path, 3)


@pytest.mark.parametrize("text", ["5\n6\n", "word\n"])
def test_fails_without_a_delimiter(tmp_path: Path, text: str) -> None:
    """Of a single column none can be told."""
    (tmp_path / "v.csv").write_text(text)
    with pytest.raises(EvaluationError, match=r"v\.csv, row 1: no delimiter can be told"):
        read_by_the_evaluation(tmp_path, 1)


def test_rows_are_numbered_as_the_lines_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty lines count, and so do the parts before."""
    monkeypatch.setattr(files, "BYTES_AT_ONCE", 64)
    (tmp_path / "v.csv").write_text("0,1,2\n\r\n\n" + "1,1,2\r\n" * 30 + "\n2,1,x\n")
    with pytest.raises(EvaluationError, match=r"v\.csv, row 35, column 3: 'x'"):
        read_by_the_evaluation(tmp_path, 2)
    (tmp_path / "v.csv").write_text("0,1,2\n\n\n" + "1,1,2\r\n" * 30 + "\n2,1,3\n")
    chunk = list(data.read_folder(str(tmp_path), 2, weighted=False))[-1]
    assert chunk.place(len(chunk.labels) - 1) == "v.csv, row 35"


@pytest.mark.parametrize("text", [b"1,2.5,-3e-5\n0,,\n", b"1,+.5,7\n", b"1,5.,7\n", b"\n1,2,3\n\n"])
def test_plain_numbers_need_no_second_look(text: bytes) -> None:
    """What nearly every file consists of is told from its bytes at once."""
    assert cells.are_plain(text, ",")
