"""Rows of CSV in the other formats that the XGBoost image reads."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pandas as pd


def cells(text: str) -> Any:
    return np.array([line.split(",") for line in text.splitlines()], dtype=np.float32)


def as_libsvm(text: str) -> str:
    return "".join(
        f"{row[0]:g} " + " ".join(f"{index}:{value}" for index, value in enumerate(row[1:])) + "\n"
        for row in cells(text)
    )


def as_parquet(text: str) -> bytes:
    buffer = io.BytesIO()
    pd.DataFrame(cells(text)).rename(columns=str).to_parquet(buffer)
    return buffer.getvalue()


def as_recordio(text: str, *, is_sparse: bool) -> bytes:
    """Write the records by hand, field by field, as the format's definition has them."""

    def field(number: int, payload: bytes) -> bytes:
        return _varint(number << 3 | 2) + _varint(len(payload)) + payload

    def tensor(values: Any) -> bytes:
        packed = field(1, np.asarray(values, dtype="<f4").tobytes())
        if is_sparse and len(values) > 1:
            packed += field(2, b"".join(map(_varint, range(len(values))))) + field(3, _varint(len(values)))
        return field(2, packed)

    def entry(number: int, values: Any) -> bytes:
        return field(number, field(1, b"values") + field(2, tensor(values)))

    records = b""
    for row in cells(text):
        record = entry(1, row[1:]) + entry(2, row[:1])
        records += struct.pack("<II", 0xCED7230A, len(record)) + record + bytes(-len(record) % 4)
    return records


def _varint(number: int) -> bytes:
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])
