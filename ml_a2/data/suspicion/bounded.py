"""Findings about columns, of which a wide table may have many of one kind: a line each, and one for the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ml_a2.data.cells import shown
from ml_a2.finding import Finding

# Of one kind; the rest share a line.
MOST_LINES = 5
MOST_NAMED = 12


@dataclass(frozen=True)
class Suspect:
    """A column, by its name or its number, and what is suspicious about it."""

    column: str | int
    problem: str


def called(name: str | int) -> str:
    """Return the name of a column or a class as a person has it, cut where it is long; numbers have no quotes."""
    return shown(name) if isinstance(name, str) else str(name)


def bounded(suspects: Iterable[Suspect], name: str, remedy: str) -> Iterator[Finding]:
    """Yield a warning for each of the first columns, and one that names the others.

    Args:
        suspects: of one kind.
        name: the file.
        remedy: what to do about each of them.
    """
    suspects = list(suspects)
    for each in suspects[:MOST_LINES]:
        yield Finding("warning", f"{name}, column {called(each.column)}", each.problem, remedy)
    if rest := suspects[MOST_LINES:]:
        more = f" and {len(rest) - MOST_NAMED} more" if len(rest) > MOST_NAMED else ""
        names = ", ".join(called(each.column) for each in rest[:MOST_NAMED]) + more
        yield Finding("warning", name, f"the same holds for {len(rest)} more columns: {names}", remedy)
