"""Tables on a terminal and elsewhere."""

from __future__ import annotations

import io
import re

import pytest

from ml_a2.tables import Page


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


ROWS = [("auc", "0.9 *"), ("log_loss\nsecond", "[red]x")]


def test_elsewhere_columns_are_aligned_with_spaces() -> None:
    """Nothing is drawn, coloured, cut or interpreted; lines have no spaces at their ends."""
    stream = io.StringIO()
    Page(stream).table(("metric", "value"), ROWS)
    assert stream.getvalue().splitlines() == [
        "metric    value",
        "auc       0.9 *",
        "log_loss  [red]x",
        "second",
    ]


def test_a_long_cell_is_not_cut() -> None:
    """Whatever the width of the terminal would be."""
    stream = io.StringIO()
    Page(stream).table(("", ""), [("a" * 300, "b")])
    assert stream.getvalue() == "a" * 300 + "  b\n"


def test_nothing_is_written_without_rows() -> None:
    """No header, no empty line."""
    stream = io.StringIO()
    Page(stream).table(("", ""), [])
    assert stream.getvalue() == ""


def test_a_terminal_gets_lines_unless_it_is_to_be_plain() -> None:
    """The same texts in both."""
    drawn, plain = _Terminal(), _Terminal()
    Page(drawn).table(("metric", "value"), ROWS)
    Page(plain).table(("metric", "value"), ROWS, plain=True)
    assert "│" in drawn.getvalue()
    assert "│" not in plain.getvalue()
    for text in ("log_loss", "0.9 *", "[red]x"):
        assert text in drawn.getvalue()
        assert text in plain.getvalue()


NAMES = ("20261123-220048-a29d", "20261124-091512-77c0")
COLUMNS = ("execution", "metric", "data", "objective", "gate")
RUNS = [(name, "auc 0.99173", "customers.csv", "binary:logistic", "none") for name in NAMES]


@pytest.mark.parametrize("width", [20, 40, 60, 72, 200])
def test_a_narrow_terminal_is_spared_columns_and_nothing_wraps(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names can be copied at every width; what is left out is named, in the order that was given."""
    monkeypatch.setenv("COLUMNS", str(width))
    stream = _Terminal()
    Page(stream).table(COLUMNS, RUNS, optional=("gate", "objective", "data"))
    text = re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue())
    assert [sum(name in line for line in text.splitlines()) for name in NAMES] == [1, 1]
    assert text.count("auc 0.99173") == 2
    assert ("data" in text.splitlines()[0]) == (width > 40)
    left_out = {20: "data, objective, gate", 40: "data, objective, gate", 60: "objective, gate", 72: "gate"}
    assert (f"not shown, for want of room: {left_out.get(width)};" in text) == (width < 200)
    assert {len(line) <= max(width, 35) for line in text.splitlines()[:3]} == {True}


def test_the_names_above_columns_never_wrap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several runs side by side are wider than the terminal rather than cut into pieces."""
    monkeypatch.setenv("COLUMNS", "40")
    stream = _Terminal()
    Page(stream).table(("", *NAMES), [("train", "a" * 90, "b")])
    assert any(all(name in line for name in NAMES) for line in stream.getvalue().splitlines())
    assert stream.getvalue().count("a" * 20) == 4
