"""Kinds of files by their first bytes, and what a pickle would load: nothing is ever unpickled."""

from __future__ import annotations

import io
import pickletools
import re
import zlib
from typing import List, Optional, Tuple

# Enough for every signature: the last, of a tar archive, stands at 257. What tells a zip file's kind lies further on.
HEAD_BYTES = 64 << 10

GZIP, ZIP, BZIP2, XZ, ZSTD, TAR = "gzip", "zip", "bzip2", "xz", "Zstandard", "tar"
PARQUET, PICKLE, RECORDIO = "Parquet", "pickle", "RecordIO"
XGBOOST, PYTORCH = "an XGBoost model", "a PyTorch model"
WORKBOOK, OLD_WORKBOOK, OPEN_WORKBOOK = "Excel workbook", "Excel workbook of the old kind", "OpenDocument spreadsheet"
TEXT_DUMP, ONNX, ZLIB, LFS_POINTER = "a text dump of a booster", "an ONNX model", "zlib (joblib)", "Git LFS pointer"

# (place, first bytes, kind), each from its format's own specification. A table may begin with those that are letters,
# ORC for example, as the name of a column: they count where the file is not text.
SIGNATURES: Tuple[Tuple[int, bytes, str], ...] = (
    (0, b"\x1f\x8b", GZIP),
    (0, b"BZh", BZIP2),
    (0, b"\xfd7zXZ\x00", XZ),
    (0, b"\x28\xb5\x2f\xfd", ZSTD),
    (0, b"\x04\x22\x4d\x18", "LZ4"),
    (0, b"\xff\x06\x00\x00sNaPpY", "Snappy"),
    (0, b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (0, b"Rar!\x1a\x07", "RAR"),
    (0, b"PK\x03\x04", ZIP),
    (0, b"PK\x05\x06", ZIP),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLD_WORKBOOK),
    (0, b"PAR1", PARQUET),
    (0, b"PARE", "encrypted Parquet"),
    (0, b"ORC", "ORC"),
    (0, b"Obj\x01", "Avro"),
    (0, b"ARROW1", "Arrow (Feather)"),
    (0, b"FEA1", "Feather"),
    (0, b"\xff\xff\xff\xff", "Arrow stream"),
    (0, b"\x89HDF\r\n\x1a\n", "HDF5"),
    (0, b"SQLite format 3\x00", "SQLite database"),
    (0, b"%PDF-", "PDF"),
    (0, b"\x93NUMPY", "NumPy array"),
    (0, b"\x0a\x23\xd7\xce", RECORDIO),
    (0, b"<stata_dta>", "Stata"),
    (0, b"$FL2", "SPSS"),
    (0, b"MATLAB 5.0", "MATLAB"),
    (0, b"RDX", "R data"),
    (0, b"\x89PNG\r\n", "a PNG image"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"\x7fELF", "an ELF program"),
    (0, b"binf", XGBOOST),
    (0, b"{L\x00\x00", XGBOOST),
    (257, b"ustar", TAR),
)
# Of files in a zip archive, by what their first entries are named or hold.
ZIPPED = (
    (b"mimetypeapplication/vnd.oasis.opendocument", OPEN_WORKBOOK),
    (b"[Content_Types].xml", WORKBOOK),
    (b"xl/", WORKBOOK),
    (b".npy", "NumPy archive"),
    (b"data.pkl", PYTORCH),
)
BINARY_PICKLE = re.compile(rb"\x80[\x02-\x05]")
# Protocols 0 and 1 have no mark; these are the ways in which they write an object, a dictionary, a list.
TEXT_PICKLE = re.compile(
    rb"c(copy_?reg|__builtin__|builtins|collections|(xgboost|sklearn|numpy|pandas)[\w.]*)\r?\n\w+\r?\n"
    rb"|\([dl]p\d+\r?\n|[\]}]q\x00"
)
ONNX_HEAD = re.compile(rb"\x08[\x01-\x10]\x12[\x01-\x30][\w .-]+[\x1a\x22\x3a]")
DUMP_HEAD = re.compile(rb"booster\[\d+\]:?\r?\n")
LFS_HEAD = b"version https://git-lfs.github.com/"
# What no text has.
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def signature(head: bytes) -> Optional[str]:
    """Return the kind of a file by its first bytes, None where they are no known ones; JSON and tables have none."""
    if TEXT_PICKLE.match(head):
        return PICKLE
    if head.startswith(LFS_HEAD):
        return LFS_POINTER
    if DUMP_HEAD.match(head):
        return TEXT_DUMP
    return _binary_signature(head) if is_binary(head) else None


def is_binary(head: bytes) -> bool:
    """Tell whether a file holds what no text in UTF-8 or a code page does."""
    return CONTROL.search(head) is not None


def _binary_signature(head: bytes) -> Optional[str]:
    for place, mark, kind in SIGNATURES:
        if head[place : place + len(mark)] == mark:
            return _zipped(head) if kind == ZIP else kind
    if BINARY_PICKLE.match(head):
        return PICKLE
    if ONNX_HEAD.match(head):
        return ONNX
    return ZLIB if head[:1] == b"x" and _is_zlib(head) else None


def _is_zlib(head: bytes) -> bool:
    """Tell whether it was compressed without a file's format around, as joblib does."""
    try:
        return bool(zlib.decompressobj().decompress(head, 1))
    except zlib.error:
        return False


def _zipped(head: bytes) -> str:
    return next((kind for mark, kind in ZIPPED if mark in head), ZIP)


def pickled_class(head: bytes) -> str:
    """Return the first class that a pickle names, as `xgboost.core.Booster`; empty where it cannot be told.

    The pickle's instructions are listed, and none of them is carried out.
    """
    words: List[str] = []
    try:
        for instruction, argument, _ in pickletools.genops(io.BytesIO(head)):
            if instruction.name == "GLOBAL":
                found = str(argument).replace(" ", ".")
            elif instruction.name == "STACK_GLOBAL" and len(words) > 1:
                found = ".".join(words[-2:])
            else:
                words += [argument] if isinstance(argument, str) else []
                continue
            if not found.startswith(("copyreg.", "copy_reg.", "__builtin__.", "builtins.")):
                return found
    except Exception:  # it ends before the class is named, or is no pickle at all
        return ""
    return ""
