"""The pages that list what was executed: their tables are written anew, the words above them stay."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def renew_table(page: Path, head: str, rows: Sequence[str]) -> None:
    """Write rows below a table's head, in place of those before."""
    text = page.read_text(encoding="utf-8")
    page.write_text(text[: text.index(head)] + head + "".join(f"{row}\n" for row in rows), encoding="utf-8")


def rows_of(page: Path, head: str) -> list[list[str]]:
    """Return the cells of every row below a table's head."""
    rows = page.read_text(encoding="utf-8").split(head)[1].splitlines()
    return [row.strip("| ").split(" | ") for row in rows]
