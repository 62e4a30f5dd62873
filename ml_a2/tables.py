"""Tables: drawn on a terminal, plain aligned text elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

STYLES = {"SUCCEEDED": "green", "identical": "green", "FAILED": "red", "TIMED_OUT": "red", "differs": "red"}


class Page:
    """Writes words and tables on a stream."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Write on a stream, standard output without one."""
        self._stream = stream or sys.stdout
        self._console = Console(file=self._stream, highlight=False, soft_wrap=True)

    def say(self, text: str, style: str = "") -> None:
        """Write a line."""
        self._console.print(text, style=style, markup=False)

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]], *, plain: bool = False) -> None:
        """Write a table; `plain` never draws lines.

        Args:
            header: the columns' names, empty where a name would say nothing.
            rows: texts, as many a row as there are columns.
            plain: whether not to draw it on a terminal either.
        """
        if not self._console.is_terminal or plain:
            self._write_aligned([header, *rows] if any(header) else rows)
            return
        table = Table()
        for name in header:
            table.add_column(Text(name), overflow="fold")  # nothing is cut off
        for row in rows:
            table.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in row))
        self._console.print(table, soft_wrap=False)

    def _write_aligned(self, rows: Sequence[Sequence[str]]) -> None:
        if not rows:
            return
        # A cell of several lines takes several lines here, too.
        lines = [line for row in rows for line in _lines(row)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
        for line in lines:
            text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            self.say(text.rstrip())


def _lines(row: Sequence[str]) -> list[list[str]]:
    cells = [cell.split("\n") for cell in row]
    height = max(map(len, cells))
    return [[cell[number] if number < len(cell) else "" for cell in cells] for number in range(height)]
