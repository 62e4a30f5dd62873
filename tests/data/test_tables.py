"""Tables as people and their programs write them: read rightly, or refused for what they are."""

from __future__ import annotations

import bz2
import gzip
import io
import itertools
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_a2.data.cells import LONGEST_CELL, MISSING_WORDS, remedy_for, some
from ml_a2.dataset import Dataset, Split
from ml_a2.errors import DataError
from ml_a2.loading import load_files
from tests.data.foreign_files import foreign_files
from tests.rows import table_of

NUMBERS = np.round(np.random.default_rng(3).normal(size=(24, 2)) * 20, 4)
LABELS = np.arange(24) % 2


def _load(path: Path, target: str = "y", objective: str | None = None, validation: Path | None = None) -> Dataset:
    return load_files(path, validation, target, objective, Split(0.25, 1))


def _refusal(path: Path, target: str = "y", objective: str | None = None, validation: Path | None = None) -> str:
    with pytest.raises(DataError) as caught:
        _load(path, target, objective, validation)
    message = str(caught.value)
    assert message.startswith(str(path)) or (validation and message.startswith(str(validation)))
    assert "\n" not in message
    assert len(message) < len(str(path)) + 700
    return message


def _text(delimiter: str = ",", decimal: str = ".", names: str = "a b y") -> str:
    rows = [names.split(), *([f"{a}", f"{b}", f"{y}"] for (a, b), y in zip(NUMBERS, LABELS, strict=True))]
    lines = [rows[0], *([cell.replace(".", decimal) for cell in row] for row in rows[1:])]
    return "".join(delimiter.join(line) + "\n" for line in lines)


def _assert_same(data: Dataset) -> None:
    rows = pd.concat([table_of(data.train), table_of(data.validation)]).sort_index()
    np.testing.assert_array_equal(rows[["a", "b"]].to_numpy(), NUMBERS)
    np.testing.assert_array_equal(rows["y"].to_numpy(), LABELS)


def _zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.csv", content)
    return file.getvalue()


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "": bytes, "gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zip": _zipped,
}  # fmt: skip


@pytest.mark.parametrize(("delimiter", "decimal"), [*itertools.product(";\t|", ".,"), (",", ".")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimiters_and_decimal_commas_are_read_and_told(
    tmp_path: Path, delimiter: str, decimal: str, encoding: str, end: str
) -> None:
    """The same numbers whatever stands between and in them; what is not as usual stands in the line on the data."""
    path = tmp_path / "rows.csv"
    path.write_bytes(_text(delimiter, decimal).replace("\n", end).encode(encoding))
    data = _load(path)
    _assert_same(data)
    name = {";": "delimited by ';'", "\t": "delimited by tabs", "|": "delimited by '|'"}.get(delimiter, "")
    words = ", ".join(filter(None, (name, "with decimal commas" if decimal == "," else "")))
    assert data.describe().startswith(f"{path} ({words}): " if words else f"{path}: ")
    assert data.origin.get("read_as", {}) == ({str(path): words} if words else {})


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz", "rows.parquet"])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_compressed_tables_are_read_whatever_their_name(
    tmp_path: Path, packing: str, name: str, delimiter: str
) -> None:
    """By their bytes; pandas would go by the name."""
    (tmp_path / name).write_bytes(PACKED[packing](_text(delimiter).encode()))
    _assert_same(_load(tmp_path / name))


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet", "rows"])
def test_parquet_is_read_whatever_its_name(tmp_path: Path, name: str) -> None:
    """And told where the name says something else."""
    table = pd.DataFrame(NUMBERS, columns=["a", "b"]).assign(y=LABELS)
    table.to_parquet(tmp_path / name)
    data = _load(tmp_path / name)
    _assert_same(data)
    assert ("read as Parquet" in data.describe()) == (name != "rows.parquet")


def test_a_folder_of_parquet_is_a_table(tmp_path: Path) -> None:
    """As Spark writes it; other folders are refused by name."""
    table = pd.DataFrame(NUMBERS, columns=["a", "b"]).assign(y=LABELS)
    for number, rows in enumerate((table[:10], table[10:])):
        rows.to_parquet(tmp_path / f"part-{number}.parquet", index=False)
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / ".part-0.parquet.crc").write_bytes(b"crc")
    _assert_same(_load(tmp_path))
    (tmp_path / "rows.csv").write_text(_text())
    assert "is a folder, and rows.csv in it is not Parquet; name one file" in _refusal(tmp_path)
    (tmp_path / "empty").mkdir()
    assert "is a folder without files" in _refusal(tmp_path / "empty")


@pytest.mark.parametrize("packing", ["", "gz"])
def test_every_other_kind_is_refused_by_name(tmp_path: Path, packing: str) -> None:
    """In one line with a remedy, compressed once more too; a JSON file is not answered with its content."""
    contents = foreign_files(tmp_path)
    for readable in ("gzip", "bzip2", "xz", "zip", "Parquet"):
        del contents[readable]
    for name, content in contents.items():
        path = tmp_path / "rows.csv"
        path.write_bytes(PACKED[packing](content))
        message = _refusal(path)
        assert name in message
        assert "; " in message
        assert ("is compressed with gzip, and what is in it" in message) == bool(packing)


ENCODINGS = [
    ("cp1252", "größe"),
    ("latin-1", "größe"),
    ("cp1251", "размер"),
    ("utf-16", "größe"),
    ("utf-16-le", "weite"),
]


@pytest.mark.parametrize(("encoding", "name"), ENCODINGS)
@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("packing", ["", "gz"])
def test_other_encodings_are_told_with_the_remedy(
    tmp_path: Path, encoding: str, name: str, delimiter: str, packing: str
) -> None:
    """Saved as UTF-8 they are read."""
    path = tmp_path / "rows.csv"
    text = _text(delimiter, names=f"{name} b y")
    path.write_bytes(PACKED[packing](text.encode(encoding)))
    message = _refusal(path)
    assert "is not UTF-8" in message
    assert "save it as UTF-8" in message
    assert ("it looks like UTF-16" in message) == encoding.startswith("utf-16")
    path.write_bytes(PACKED[packing](text.encode("utf-8")))
    assert _load(path).feature_columns == (name, "b")


@pytest.mark.parametrize("packing", ["", "gz", "zip"])
def test_a_wrong_byte_far_beyond_is_told_with_its_line(tmp_path: Path, packing: str) -> None:
    """Where pandas tells a byte's value alone."""
    path = tmp_path / "rows.csv"
    path.write_bytes(PACKED[packing](_text().encode() + b"1,2,0\n" * 20_000 + b"1,\xe9,0\n"))
    assert "is not UTF-8: line 20026, column 3 has the byte 0xE9, 'é' in Windows-1252" in _refusal(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "a;y\n1,234;0\n2,345;1\n5,111;0\n1,777;1\n",
            "'1,234' is not a number (4 cells of 4 in this column)",
        ),
        ("a;b;y\n1,5;0.5;0\n2,5;1.5;1\n3,5;1;0\n4,5;1;1\n", "'1,5' is not a number (4 cells of 4"),
        ("a;y\n1.234,5;0\n2.345,6;1\n1,2;1\n3,4;0\n", "'1.234,5' is not a number"),
        (
            'a,y\n"1,5",0\n"2,5",1\n',
            "(2 cells of 2 in this column); write the number with a decimal point",
        ),
        ("a b y\n1 2 0\n", "has no column 'y'; its columns are 'a b y'"),
        ("a;y\n1;2;3;4\n", "line 2 has 4 cells, the header 2 columns"),
    ],
)
def test_what_is_not_plain_is_not_guessed(tmp_path: Path, text: str, words: str) -> None:
    """Commas between thousands, both marks in one table, blanks between columns."""
    (tmp_path / "rows.csv").write_text(text)
    assert words in _refusal(tmp_path / "rows.csv")


def test_a_comma_table_stays_one(tmp_path: Path) -> None:
    """Other delimiters in its names and cells change nothing where the target is found by commas."""
    (tmp_path / "rows.csv").write_text('a;b,"n|m",y\n' + "1,2,0\n3,4,1\n" * 8)
    assert _load(tmp_path / "rows.csv").feature_columns == ("a;b", "n|m")


CELLS = [
    ("-", "leave the cell empty"), ("?", "leave the cell empty"), ("#DIV/0!", "leave the cell empty"),
    ("unknown", "leave the cell empty"), ("12%", "without the % sign"), ("$5", "the number alone"),
    ("5 kg", "the number alone"), ("<0.5", "the number alone"), ("1 234", "without blanks between thousands"),
    ("2024-01-31", "days or seconds"), ("31.12.2024", "days or seconds"), ("12:30", "days or seconds"),
    ("yes", "write 1 and 0"), ("(12)", "minus sign"), ("red", "encode text columns"), ("1'234", "without marks"),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "remedy"), CELLS)
def test_a_cell_is_shown_as_it_is_with_a_remedy_that_fits(tmp_path: Path, cell: str, remedy: str) -> None:
    """With file, column and row, and how many cells of the column are no numbers."""
    path = tmp_path / "rows.csv"
    path.write_text(_text() + f'"{cell}",1,0\n')
    message = _refusal(path)
    assert f"column 'a', row 26: {cell!r} is not a number; " in message
    assert remedy in message.rpartition("; ")[2]
    path.write_text(_text() + f'"{cell}",1,0\n' * 2)
    assert "(2 cells of 26 in this column)" in _refusal(path)


@pytest.mark.parametrize("cell", ["", " ", "   ", "\t", " NA ", "NA", "n/a", "NULL", "#N/A", "\u00a0"])
def test_cells_of_blanks_and_words_for_nothing_are_missing_features(tmp_path: Path, cell: str) -> None:
    """Blanks around a number are nothing, too."""
    path = tmp_path / "rows.csv"
    path.write_text(_text() + f'"{cell}",1,0\n" 5 ",1,1\n', encoding="utf-8")
    rows = pd.concat([table_of(data.train), table_of(data.validation)]) if (data := _load(path)) else None
    assert rows is not None
    assert rows["a"].isna().sum() == 1
    assert (rows["a"] == 5).any()


def test_messages_are_bounded(tmp_path: Path) -> None:
    """Long cells and long lists are cut."""
    path = tmp_path / "rows.csv"
    path.write_text(f"a,y\n{'x' * 10_000},0\n2,1\n")
    assert f"'{'x' * LONGEST_CELL}' and {10_000 - LONGEST_CELL} more letters" in _refusal(path)
    path.write_text(",".join(f"column {number}" for number in range(2_000)) + "\n1\n")
    assert "'column 4' and 1995 more" in _refusal(path)
    assert some(range(5)) == "'0', '1', '2', '3', '4'"


WORDS = ["NA", "None", "null", "nan", "NaN", "n/a", "N/A", "NULL", "#N/A", "<NA>"]


def _labelled(labels: list[str], target: str = "y") -> str:
    return f"a,{target}\n" + "".join(f"{index}.5,{label}\n" for index, label in enumerate(labels))


@pytest.mark.parametrize("word", WORDS)
def test_words_for_nothing_are_classes_in_a_target_of_words(tmp_path: Path, word: str) -> None:
    """In the training file, and in the validation file, where no other class need occur."""
    path = tmp_path / "rows.csv"
    path.write_text(_labelled([word, "EU", "Asia"] * 8))
    data = _load(path)
    assert data.problem.label_mapping == {name: code for code, name in enumerate(sorted([word, "EU", "Asia"]))}
    assert f"{word!r} taken for a class" in data.describe()
    (tmp_path / "v.csv").write_text(_labelled([word] * 3 + ["EU"]))
    codes = table_of(_load(path, validation=tmp_path / "v.csv").validation)["y"].tolist()
    assert codes == [data.problem.label_mapping[name] for name in [word] * 3 + ["EU"]]


def test_a_target_of_such_words_alone_has_classes(tmp_path: Path) -> None:
    """No cell is empty."""
    (tmp_path / "rows.csv").write_text(_labelled(["NA", "None"] * 8))
    assert _load(tmp_path / "rows.csv").problem.label_mapping == {"NA": 0, "None": 1}


def test_the_words_are_those_that_pandas_reads_as_missing() -> None:
    """Whatever its release adds."""
    from pandas._libs.parsers import STR_NA_VALUES

    assert MISSING_WORDS == STR_NA_VALUES


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("others", [["0", "1"], ["1.5", "2.5", "3.25"]])
def test_words_for_nothing_among_numbers_are_missing_and_shown(tmp_path: Path, word: str, others: list[str]) -> None:
    """They are named, with how many there are."""
    (tmp_path / "rows.csv").write_text(_labelled([*others * 8, word, *others, word]))
    message = _refusal(tmp_path / "rows.csv")
    assert f"row {2 + 8 * len(others)}: {word!r} is read as a missing label" in message
    assert "(2 in all)" in message


@pytest.mark.parametrize(("cell", "words"), [("", "label is missing (1 in all)"), ('"  "', "label is only blanks")])
@pytest.mark.parametrize("others", [["no", "yes"], ["0", "1"], ["NA", "EU"]])
def test_cells_without_a_label_are_told(tmp_path: Path, cell: str, words: str, others: list[str]) -> None:
    """An empty cell is missing, whatever the others are."""
    (tmp_path / "rows.csv").write_text(_labelled([*others * 8, cell]))
    message = _refusal(tmp_path / "rows.csv")
    assert words in message
    assert "column 'y', row 18" in message


def test_parquet_knows_what_is_missing(tmp_path: Path) -> None:
    """None is missing there, and 'NA' a word."""
    table = pd.DataFrame({"a": np.arange(16.0), "y": ["NA", "EU"] * 8})
    table.to_parquet(tmp_path / "t.parquet")
    assert _load(tmp_path / "t.parquet").problem.label_mapping == {"EU": 0, "NA": 1}
    table.assign(y=["NA", None] * 8).to_parquet(tmp_path / "t.parquet")
    assert "row 2: the label is missing (8 in all)" in _refusal(tmp_path / "t.parquet")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (range(15), "taken for classes (15 different whole numbers): 15 classes have a single row each, '0', '1'"),
        ([*range(15), *range(14)], "taken for classes (15 different whole numbers): 1 class has a single row, '14'"),
        (
            [*range(15)] * 2,
            "cannot be split into 22 for training and 8 for validation, each of the 15 classes",
        ),
    ],
)
def test_numbers_taken_for_classes_are_told_with_the_way_to_values(
    tmp_path: Path, labels: list[int], words: str
) -> None:
    """The objective that predicts values is named, and works."""
    path = tmp_path / "rows.csv"
    path.write_text(_labelled(list(map(str, labels))))
    message = _refusal(path)
    assert words in message
    assert "for a regression add --set objective=reg:squarederror" in message
    assert _load(path, objective="reg:squarederror").problem.kind == "regression"


def test_an_unknown_number_in_the_validation_rows_tells_that_they_are_classes(tmp_path: Path) -> None:
    """A rent that did not occur before."""
    (tmp_path / "t.csv").write_text(_labelled(["600", "650", "700"] * 4))
    (tmp_path / "v.csv").write_text(_labelled(["600", "675"]))
    message = _refusal(tmp_path / "t.csv", validation=tmp_path / "v.csv")
    assert "label '675' does not occur in the training rows, whose labels are '600', '650', '700'; " in message
    assert "for a regression add --set objective=reg:squarederror" in message


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (
            ["ok"] * 12 + ["bad"] * 8 + ["hot", "wet"],
            "2 classes have a single row each, 'hot', 'wet', and",
        ),
        (["ok"] * 12 + ["hot"], "1 class has a single row, 'hot', and cannot be both"),
        (
            [f"id-{number}" for number in range(12)],
            "each of the 12 rows has another label; name the column",
        ),
        (["ok"] * 12, "every label is 'ok'; add rows of other classes"),
    ],
)
def test_classes_are_named_by_the_persons_words(tmp_path: Path, labels: list[str], words: str) -> None:
    """Not by their numbers; with what to do."""
    (tmp_path / "rows.csv").write_text(_labelled(labels))
    message = _refusal(tmp_path / "rows.csv")
    assert words in message
    assert "objective=reg" not in message


def test_too_many_labels_for_the_objective_are_named(tmp_path: Path) -> None:
    """A stray word among two classes is seen."""
    (tmp_path / "rows.csv").write_text(_labelled(["no", "yes"] * 8 + ["NA"]))
    assert "there are 3: 'NA', 'no', 'yes'" in _refusal(tmp_path / "rows.csv", objective="binary:logistic")


@pytest.mark.parametrize(("target", "meant"), [("Y", "y"), ("lable", "label"), ("my-label", "my label"), ("y ", "y")])
def test_a_close_name_is_asked_for(tmp_path: Path, target: str, meant: str) -> None:
    """Capitals, letters in another order, what stands between words, blanks."""
    (tmp_path / "rows.csv").write_text(_labelled(["0", "1"] * 8, meant))
    assert _refusal(tmp_path / "rows.csv", target).endswith(f"; did you mean {meant!r}?")


def test_a_close_objective_is_asked_for(tmp_path: Path) -> None:
    """Before anything else."""
    (tmp_path / "rows.csv").write_text(_labelled(["0", "1"] * 8))
    with pytest.raises(DataError, match=r"did you mean 'binary:logistic'\?$"):
        _load(tmp_path / "rows.csv", objective="binary:logistics")


@pytest.mark.parametrize("label", [[1, 2], {"k": 1}])
def test_structures_of_parquet_are_no_labels_and_no_numbers(tmp_path: Path, label: object) -> None:
    """They are shown, and cannot be trained on."""
    table = pd.DataFrame({"a": np.arange(4.0), "y": [label] * 4})
    table.to_parquet(tmp_path / "t.parquet")
    assert "column 'y', row 1: " in (message := _refusal(tmp_path / "t.parquet"))
    assert "is not a label; write a single word or number a row" in message
    assert "is not a number (4 cells of 4" in _refusal(tmp_path / "t.parquet", "a")


def test_a_first_line_for_excel_is_told(tmp_path: Path) -> None:
    """Which everything else takes for the header."""
    (tmp_path / "rows.csv").write_text("sep=;\n" + _text(";"))
    assert "begins with 'sep=;', which only Excel takes for no row; remove that line" in _refusal(tmp_path / "rows.csv")


@pytest.mark.parametrize("others", [["0", "1", " "], ["01", "7", " "], ["True", "False"]])
def test_words_among_what_is_no_word_are_missing(tmp_path: Path, others: list[str]) -> None:
    """Numbers that are stored as text for a blank among them, and truth values, are no words."""
    (tmp_path / "rows.csv").write_text(_labelled(["NA", *others * 8]))
    assert "row 2: 'NA' is read as a missing label, as the others are no words" in _refusal(tmp_path / "rows.csv")


def test_a_file_that_is_not_there_is_asked_for(tmp_path: Path) -> None:
    """By the names of its folder; one of a service is to be downloaded."""
    (tmp_path / "customers.csv").touch()
    assert _refusal(tmp_path / "custmers.csv").endswith("; did you mean 'customers.csv'?")
    assert _refusal(tmp_path / "nowhere" / "x.csv").endswith("name an existing CSV or Parquet file")
    for url in ("s3://bucket/rows.csv", "https://example.com/rows.csv"):
        assert "is not on this machine; download it" in _refusal(Path(url))


def test_a_table_without_a_header_is_told(tmp_path: Path) -> None:
    """A channel was given for a table."""
    (tmp_path / "rows.csv").write_text("0,1.5,2.5\n1,2.5,3.5\n" * 4)
    assert "has no header, its first line is '0', '1.5', '2.5'; write a line" in _refusal(tmp_path / "rows.csv")


def test_remedies_have_no_second_part() -> None:
    """What a message ends with after its last semicolon is the remedy, which doctor shows apart."""
    assert all("; " not in remedy_for(cell) for cell, _ in CELLS)
