"""Text as it will be drawn: the fonts that come with matplotlib, so that every machine measures the same."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import matplotlib as mpl
from PIL import ImageFont

TITLE, HEADING, BODY, SMALL = 20, 13, 12, 11
LINE = 1.25  # the height of a line, in sizes of its font


@lru_cache(maxsize=64)
def font(size: float, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Return the font of a size in pixels."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    path = Path(mpl.get_data_path(), "fonts", "ttf", name)
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Return how wide a line of text is."""
    return float(font(size, bold=bold).getlength(text))


def wrap(text: str, limit: float, size: float, *, bold: bool = False) -> tuple[str, ...]:
    """Break a text into lines that are no wider than the limit: between words, else within, where a capital stands."""
    lines = [""]
    for space, piece in _pieces(text):
        joined = lines[-1] + space + piece if lines[-1] else piece
        if width(joined, size, bold=bold) <= limit or not lines[-1]:
            lines[-1] = joined
        else:
            lines.append(piece)
    return tuple(part for line in lines for part in _cut(line, limit, size, bold=bold))


def _pieces(text: str) -> list[tuple[str, str]]:
    found = []
    for word in text.split(" "):
        for index, piece in enumerate(re.findall(r"[A-Z-]?[^A-Z-]+-?|[A-Z-]", word) if len(word) > 14 else [word]):
            found.append(("" if index else " ", piece))
    return found


def _cut(line: str, limit: float, size: float, *, bold: bool) -> list[str]:
    """Break a word that has no better place, so that none of it is lost."""
    parts = [""]
    for letter in line:
        if parts[-1] and width(parts[-1] + letter, size, bold=bold) > limit:
            parts.append("")
        parts[-1] += letter
    return parts
