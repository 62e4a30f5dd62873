"""The files of a channel that the training reads, and how it takes their lines apart.

Source: the XGBoost container's public source; what stands in for it here reads the same ones.
"""

from __future__ import annotations

import csv
import os
from typing import Iterator, NamedTuple

from .errors import EvaluationError

# The channel's own folder counted.
DEEPEST_FOLDER = 3
BYTES_AT_ONCE = 8 << 20


class Block(NamedTuple):
    """Some whole lines of a file, the last one ended too, and the number of the first (from 1)."""

    name: str
    first_line: int
    text: bytes

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield the lines that are rows, each with its number: XGBoost passes over empty ones."""
        for number, line in enumerate(same_ends(self.text).split(b"\n"), self.first_line):
            if line:
                yield number, line


def data_files(folder: str) -> list[str]:
    """Return the paths of the files that are read, in the order in which they are."""
    return list(_files(folder, 1)) if os.path.isdir(folder) else []


def _files(folder: str, depth: int) -> Iterator[str]:
    if depth > DEEPEST_FOLDER:
        return
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if os.path.isdir(path):
            for inner in _files(path, depth + 1):
                yield inner
        elif not name.startswith("."):  # with a hidden file among them there is no training
            yield path


def find_delimiter(path: str) -> str:
    """Guess the delimiter from the first line, as the training does: from that of the first file for all of them.

    Raises:
        EvaluationError: it cannot be told.
    """
    with open(path, encoding="utf-8", errors="ignore", newline="") as file:
        line = file.readline()
    name = os.path.basename(path)
    if not line:
        raise EvaluationError("{} is empty".format(name))
    try:
        delimiter = csv.Sniffer().sniff(line).delimiter
    except csv.Error:
        delimiter = ""
    # Of a single number, a digit is taken for the delimiter.
    if not delimiter or delimiter.isalnum() or not delimiter.isascii() or delimiter in "+-.\r\n":
        message = "{}, row 1: no delimiter can be told from {!r}; write comma-separated columns, the label first"
        raise EvaluationError(message.format(name, line.rstrip("\r\n")[:60]))
    return delimiter


def read_blocks(path: str) -> Iterator[Block]:
    """Yield a file's lines, a bounded number of bytes at a time unless one line has more."""
    name = os.path.basename(path)
    first_line, rest = 1, b""
    with open(path, "rb") as file:
        while True:
            read = file.read(BYTES_AT_ONCE)
            text = rest + read
            end = text.rfind(b"\n") + 1 or text.rfind(b"\r") + 1
            if not read:
                text, end = text + b"\n", len(text) + 1
            rest = text[end:]
            if end > 1 or (end and read):
                yield Block(name, first_line, text[:end])
                first_line += same_ends(text[:end]).count(b"\n")
            if not read:
                return


def same_ends(text: bytes) -> bytes:
    """Let every line end with a line feed: XGBoost ends one at either character."""
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in text else text
