"""A file is what its bytes say, and a table is never taken for something else."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import xgboost as xgb
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_a2.data.file_kind import BYTES_AT_ONCE, kind_of, kind_of_head, wrong_byte_of
from ml_a2.jobs.quality.signatures import HEAD_BYTES, pickled_class
from tests.data.foreign_files import ROWS, foreign_files


def test_every_kind_is_named_for_what_it_is(tmp_path: Path) -> None:
    """Whatever the file's name says; each with a remedy."""
    for name, content in foreign_files(tmp_path).items():
        path = tmp_path / "rows.csv"
        path.write_bytes(content)
        kind = kind_of(path)
        assert kind.name == name
        assert kind.remedy


@pytest.mark.parametrize(
    "text", [ROWS, "größe,ответ,年\n" + ROWS, "\ufeffy,a,b\n" + ROWS, ROWS.replace("\n", "\r\n"), "y"]
)
def test_text_in_utf8_is_text(text: str) -> None:
    """With and without a mark, whatever its language."""
    assert kind_of_head(text.encode()).name == "text"


NAMES = [
    "ORC",
    "PAR1",
    "BZh9",
    "ARROW1",
    "RDX",
    "binf",
    "FEA1",
    "x^2",
    "cost",
    "PK",
    "{a}",
    "[1]",
    "<5",
    "%PDF-",
    "c",
    "(dp0",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_column_may_be_named_as_another_format_begins(name: str) -> None:
    """The first letters of a file decide nothing where it is text."""
    assert kind_of_head(f"{name},y\n{ROWS}".encode()).name == "text"


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1), min_size=2))
def test_no_header_is_taken_for_another_kind(names: list[str]) -> None:
    """Of whatever letters, cut off in a character too."""
    for content in ((",".join(f'"{n}"' for n in names) + "\n" + ROWS).encode(), ",".join(["y", *names]).encode()):
        assert kind_of_head(content).name == "text"
        assert kind_of_head((content * (HEAD_BYTES // len(content) + 1))[:HEAD_BYTES]).name in ("text", "not UTF-8")


ENCODINGS = ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("header", ["y,a,b\n", "größe,breite,klasse\n"])
def test_text_of_wider_units_is_named(encoding: str, header: str) -> None:
    """By its mark, or by its NUL bytes; the remedy is to save it as UTF-8."""
    content = (header + ROWS).encode(encoding)
    if encoding == "utf-32-be":
        content = b"\x00\x00\xfe\xff" + content
    kind = kind_of_head(content)
    assert kind.words == f"is not UTF-8, it looks like {encoding[:6].upper()}"
    assert "save it as UTF-8" in kind.remedy


@pytest.mark.parametrize(
    ("encoding", "letter", "shown"),
    [
        ("cp1252", "ö", "0xF6, 'ö' in Windows-1252"),
        ("latin-1", "ß", "0xDF, 'ß' in Windows-1252"),
        ("cp1252", "\xa0", "0xA0, no-break space in Windows-1252"),
        ("cp1252", "€", "0x80, '€' in Windows-1252"),
        ("cp1251", "ж", "0xE6, 'æ' in Windows-1252"),
    ],
)
@pytest.mark.parametrize("lines", [0, 2, 5_000])
def test_the_first_byte_that_is_not_utf8_is_told_with_its_place(
    tmp_path: Path, encoding: str, letter: str, shown: str, lines: int
) -> None:
    """Line, column and letter, near the beginning and beyond what is looked at first."""
    path = tmp_path / "rows.csv"
    path.write_bytes(b"0,1.25,1000000\n" * lines + f"0,1{letter},2\n".encode(encoding) + ROWS.encode())
    kind = kind_of(path) if lines < 1_000 else wrong_byte_of(path)
    assert kind is not None
    assert kind.words == f"is not UTF-8: line {lines + 1}, column 4 has the byte {shown}"
    assert kind.line == lines + 1


def test_columns_are_counted_in_characters(tmp_path: Path) -> None:
    """As an editor shows them, a mark not counted."""
    path = tmp_path / "rows.csv"
    path.write_bytes("\ufeffaäü,".encode() + b"\xe4\n")
    assert kind_of(path).words.startswith("is not UTF-8: line 1, column 5 has")


def test_a_block_may_end_within_a_character(tmp_path: Path) -> None:
    """Where the file is read in blocks, none of its characters is torn."""
    path = tmp_path / "rows.csv"
    path.write_text("ä" * BYTES_AT_ONCE + "\n" + ROWS, encoding="utf-8")
    assert wrong_byte_of(path) is None
    assert kind_of(path).name == "text"


def test_a_line_may_be_longer_than_a_block(tmp_path: Path) -> None:
    """The column is counted from the line's beginning; a character that the file's end cuts off is told too."""
    path = tmp_path / "rows.csv"
    path.write_bytes(b"a,y\n" + "ä".encode() * BYTES_AT_ONCE + b"\xe4,0\n")
    kind = wrong_byte_of(path)
    assert kind is not None
    assert kind.words.startswith(f"is not UTF-8: line 2, column {BYTES_AT_ONCE + 1} has the byte 0xE4")
    path.write_bytes(b"a,y\n1," + "ä".encode()[:1])
    kind = wrong_byte_of(path)
    assert kind is not None
    assert kind.words.startswith("is not UTF-8: line 2, column 3 has the byte 0xC3")


def test_nul_bytes_in_text_are_told_with_their_place() -> None:
    """A file that was not written to its end has them."""
    assert kind_of_head(f"y,a\n{ROWS}0,\0,3\n".encode()).words == "has a NUL byte in line 42, column 3"
    assert kind_of_head(ROWS.encode() + bytes(4096)).name == "NUL"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[\n  {"y": 0, "a": 1.5},\n  {"y": 1, "a": 2}\n]\n', "is JSON"),
        ('{"y": [0, 1], "a": [1, 2]}', "is JSON"),
        ('{"y": 0, "a": 1}\n{"y": 1, "a": 2}\n', "is JSON, an object a line"),
        (json.dumps([{"y": number, "a": "text" * 9} for number in range(9_000)]), "is JSON"),
        ("[" + json.dumps({"y": "x" * HEAD_BYTES * 2}) + "]", "is JSON"),
        ("[" * 100_000, "is JSON"),
        ('[{"y": 1, "a": NaN,}]', "is JSON"),
    ],
)
def test_json_is_recognized_whole_and_cut_off(text: str, words: str) -> None:
    """A document or an object a line, longer than what is looked at, deeper than Python goes, or not quite valid."""
    assert kind_of_head(text.encode()[:HEAD_BYTES]).words == words


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_told_by_its_class_without_loading_it(protocol: int) -> None:
    """Of any protocol, also cut off."""
    rows = xgb.DMatrix(np.arange(8.0).reshape(4, 2), label=np.array([0, 1, 0, 1]))
    content = pickle.dumps(xgb.train({"nthread": 1}, rows, 1), protocol)
    assert kind_of_head(content).name == "pickle"
    assert pickled_class(content) == pickled_class(content[:100]) == "xgboost.core.Booster"
    assert pickled_class(pickle.dumps([1, 2], protocol)) == ""
    assert pickled_class(b"no pickle") == ""
