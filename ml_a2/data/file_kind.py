"""The kind of a file by its bytes, whatever its name says, and what a person can do where it is no table of ours."""

from __future__ import annotations

import codecs
import json
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ml_a2.jobs.quality import signatures
from ml_a2.jobs.quality.signatures import HEAD_BYTES, signature

TEXT, EMPTY = "text", "empty"
BYTES_AT_ONCE = 1 << 20
MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"), (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16"),
)  # fmt: skip
# In UTF-16 every other byte of a text in a Western language is NUL.
FEW_NULS, MANY_NULS = 0.1, 0.8
# A text may have a stray one; of a binary file's bytes every tenth is one.
MOST_CONTROLS = 0.01
JSON_HEAD = re.compile(r'\{\s*"[^"]*"\s*:|\[\s*[\[{]')
MARKUP = re.compile(rb"\s*<(!doctype|html|head|body|\?xml|error|table)\b", re.IGNORECASE)

UNPACK = "unpack it"
SAVE_AS_UTF8 = "save it as UTF-8: in a spreadsheet 'CSV UTF-8', in an editor 'Save with encoding'"
SAVE_SHEET = "save the sheet as 'CSV UTF-8 (comma delimited)', and name that file"
WRITE_ANEW = "write the table as CSV or Parquet"
NAME_ANOTHER = "name the file with the rows"
# What is said of a kind, with a place for its name, and what to do; of any other, that it is one, and to write CSV.
COMPRESSED = ("is compressed with {}", UNPACK)
ARCHIVE = ("is a {} archive", UNPACK)
WORKBOOK = ("is an {}", SAVE_SHEET)
NO_TABLE = ("is no table but {}", NAME_ANOTHER)
KNOWN = {
    **dict.fromkeys((signatures.GZIP, signatures.BZIP2, signatures.XZ, signatures.ZSTD, "LZ4", "Snappy"), COMPRESSED),
    signatures.ZLIB: COMPRESSED,
    **dict.fromkeys((signatures.ZIP, signatures.TAR, "7-Zip", "RAR"), ARCHIVE),
    **dict.fromkeys((signatures.WORKBOOK, signatures.OLD_WORKBOOK, signatures.OPEN_WORKBOOK), WORKBOOK),
    **dict.fromkeys(("PDF", "a PNG image", "a JPEG image", "an ELF program"), NO_TABLE),
    **dict.fromkeys((signatures.XGBOOST, signatures.PYTORCH, signatures.ONNX, signatures.TEXT_DUMP), NO_TABLE),
    signatures.LFS_POINTER: ("is a {}, not the file itself", "fetch the file with `git lfs pull`"),
    signatures.PICKLE: ("is a {}, which is not loaded: it could execute anything", WRITE_ANEW),
}


@dataclass(frozen=True)
class FileKind:
    """What a file is: its kind, the same as the end of a sentence that begins with its name, and a remedy."""

    name: str
    words: str
    remedy: str
    # Where the first byte is that no text of ours has, from 1.
    line: int | None = None


def kind_of(path: Path) -> FileKind:
    """Return the kind of a file by its first bytes.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return kind_of_head(file.read(HEAD_BYTES))


def kind_of_head(head: bytes) -> FileKind:
    """Return the kind of a file of which these are the first bytes."""
    if not head:
        return FileKind(EMPTY, "has no bytes", "write the table again")
    if encoding := _wide_encoding(head):
        return FileKind(encoding, f"is not UTF-8, it looks like {encoding}", SAVE_AS_UTF8)
    if (found := signature(head)) is not None:
        return _known(found)
    if (wrong := wrong_byte(head, is_whole=len(head) < HEAD_BYTES)) is not None:
        return _wrong(head, wrong)
    return _markup(head) or _json(head) or FileKind(TEXT, "is text", "")


def wrong_byte_of(path: Path) -> FileKind | None:
    """Return as a kind that a file is not UTF-8, with the first byte that is none; None where it is.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return wrong_byte_in(file)


def wrong_byte_in(file: IO[bytes]) -> FileKind | None:
    """Return the same of a file that is open, from where it stands; never much of it is in memory."""
    lines, letters, rest = 0, 0, b""
    while chunk := file.read(BYTES_AT_ONCE):
        block = rest + chunk
        if (place := wrong_byte(block, is_whole=False)) is not None:
            return _not_utf8(block, place, lines, letters)
        text, used = codecs.utf_8_decode(block, "strict", False)
        rest = block[used:]
        lines += text.count("\n")
        letters = len(text) - text.rfind("\n") - 1 + (0 if "\n" in text else letters)
    return _not_utf8(rest, 0, lines, letters) if rest else None


def wrong_byte(block: bytes, *, is_whole: bool = True) -> int | None:
    """Return the place of the first byte that is not UTF-8, or NUL; `is_whole`: whether it ends with a character."""
    nul = block.find(b"\0")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(block, final=is_whole)
    except UnicodeDecodeError as error:
        return error.start if nul < 0 else min(nul, error.start)
    return nul if nul >= 0 else None


def _wide_encoding(head: bytes) -> str | None:
    """Return the encoding of a text whose characters have more than one byte each, None where it is no such text."""
    for mark, name in MARKS:
        if head.startswith(mark):
            return name
    even, odd = head[::2], head[1::2]
    least, most = sorted((even.count(0) / len(even), odd.count(0) / max(1, len(odd))))
    return "UTF-16" if least < FEW_NULS and most > MANY_NULS else None


def _wrong(head: bytes, place: int) -> FileKind:
    controls = sum(found != b"\0" for found in signatures.CONTROL.findall(head))
    if controls > MOST_CONTROLS * len(head):
        return FileKind("binary", "is binary, no text", WRITE_ANEW)
    return _not_utf8(head, place)


def _not_utf8(block: bytes, place: int, lines: int = 0, letters: int = 0) -> FileKind:
    """Tell of a byte where a person finds it, after so many lines, and letters of the next, that were before."""
    start = block.rfind(b"\n", 0, place) + 1
    line = lines + block.count(b"\n", 0, place) + 1
    before = block[start:place].decode("utf-8", "replace").removeprefix("\ufeff")
    column = len(before) + 1 + (0 if start else letters)
    if block[place] == 0:
        remedy = "remove the NUL bytes; perhaps the file was not written to its end, or is UTF-16"
        return FileKind("NUL", f"has a NUL byte in line {line}, column {column}", remedy, line)
    letter = bytes([block[place]]).decode("cp1252", "replace")
    shown = repr(letter) if letter.isprintable() else unicodedata.name(letter, "no letter").lower()
    guess = "" if letter == "\ufffd" else f", {shown} in Windows-1252"
    words = f"is not UTF-8: line {line}, column {column} has the byte 0x{block[place]:02X}{guess}"
    return FileKind("not UTF-8", words, SAVE_AS_UTF8, line)


def _known(name: str) -> FileKind:
    """Return a kind that its first bytes tell."""
    words, remedy = KNOWN.get(name, ("is {}", WRITE_ANEW))
    return FileKind(name, words.format(name), remedy)


def _markup(head: bytes) -> FileKind | None:
    if not MARKUP.match(head):
        return None
    remedy = "download the table itself: perhaps a sign-in page or an error was saved in its place"
    return FileKind("HTML", "is HTML or XML, no table", remedy)


def _json(head: bytes) -> FileKind | None:
    """Recognize JSON, a document or an object a line, also where it goes on beyond the head."""
    text = head.decode("utf-8", "ignore").removeprefix("\ufeff").strip()
    if text[:1] not in ("{", "["):
        return None
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        value, end = None, len(text)
        if not JSON_HEAD.match(text):
            return None
    following = text[end:].lstrip()
    if following and not (isinstance(value, dict) and following.startswith("{")):
        return None
    lines = ", lines=True" if following else ""
    remedy = f"{WRITE_ANEW}, as pandas.read_json(...{lines}).to_csv(..., index=False) does"
    return FileKind("JSON", "is JSON, an object a line" if following else "is JSON", remedy)
