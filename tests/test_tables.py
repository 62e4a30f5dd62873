"""Tables on a terminal and elsewhere."""

from __future__ import annotations

import io

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
