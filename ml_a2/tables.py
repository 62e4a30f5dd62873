"""Tables: drawn on a terminal, plain aligned text elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

STYLES = {"SUCCEEDED": "green", "identical": "green", "FAILED": "red", "TIMED_OUT": "red", "differs": "red"}
# Of a column without a name, whose cells are names: below it they are cut into pieces too small to be read.
NARROWEST = 20


class Page:
    """Writes words and tables on a stream."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Write on a stream, standard output without one."""
        self._stream = stream or sys.stdout
        self._console = Console(file=self._stream, highlight=False, soft_wrap=True)

    def say(self, text: str, style: str = "") -> None:
        """Write a line."""
        self._console.print(text, style=style, markup=False)

    def table(
        self,
        header: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        plain: bool = False,
        optional: Sequence[str] = (),
    ) -> None:
        """Write a table; `plain` never draws lines.

        Args:
            header: the columns' names, empty where a name would say nothing; they never wrap.
            rows: texts, as many a row as there are columns.
            plain: whether not to draw it on a terminal either.
            optional: columns that a terminal is spared that is too narrow for all, these first; nothing wraps then.
        """
        if not self._console.is_terminal or plain:
            self._write_aligned([header, *rows] if any(header) else rows)
            return
        if optional:
            self._draw_whole(header, rows, optional)
            return
        table = Table()
        for name in header:
            table.add_column(Text(name), overflow="fold", min_width=len(name))
        least = [
            len(name) or min(NARROWEST, max(map(len, cells), default=0))
            for name, *cells in zip(header, *rows, strict=True)
        ]
        self._draw(table, rows, sum(least) + 3 * len(least) + 1)

    def _draw_whole(self, header: Sequence[str], rows: Sequence[Sequence[str]], optional: Sequence[str]) -> None:
        """Draw as many columns as the terminal has room for, without a line that would take some of it."""
        kept, rows, spared = _fitted(header, rows, optional, self._console.width)
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for name in kept:
            table.add_column(Text(name), no_wrap=True)
        self._draw(table, rows, _width(kept, rows))
        if spared:
            self.say(f"not shown, for want of room: {', '.join(spared)}; --json tells everything", "dim")

    def _draw(self, table: Table, rows: Sequence[Sequence[str]], least: int) -> None:
        """Draw a table, beyond the terminal's width rather than narrower than it can be."""
        for row in rows:
            table.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in row))
        Console(file=self._stream, highlight=False, width=max(self._console.width, least)).print(table)

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


def _fitted(
    header: Sequence[str], rows: Sequence[Sequence[str]], optional: Sequence[str], width: int
) -> tuple[list[str], list[list[str]], list[str]]:
    """Leave out columns until the rest fits; return the header, the rows, and the names of what was left out."""
    kept = list(range(len(header)))
    for name in optional:
        if _width(header, rows, kept) <= width:
            break
        kept.remove(header.index(name))
    spared = [name for number, name in enumerate(header) if number not in kept]
    return [header[number] for number in kept], [[row[number] for number in kept] for row in rows], spared


def _width(header: Sequence[str], rows: Sequence[Sequence[str]], kept: Sequence[int] | None = None) -> int:
    """Return how wide columns are, all of them or those with these numbers, two blanks behind each."""
    columns = list(zip(header, *rows, strict=True))
    return sum(2 + max(map(len, columns[number])) for number in (kept or range(len(columns))))
