"""RecordIO with protobuf records, as SageMaker's algorithms read it: features and a label in each.

Source: SageMaker Developer Guide, "Common data formats for built-in algorithms": the record's protobuf definition and
the framing. The messages are built at run time from what is used of that definition.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import IO, Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from scipy import sparse

from ml_a2.local.images.xgboost.image_errors import UserError

MAGIC = 0xCED7230A
PACKAGE = "ml_a2.recordio"
_FIELD = descriptor_pb2.FieldDescriptorProto
TENSORS = {"float32_tensor": (2, _FIELD.TYPE_FLOAT), "float64_tensor": (3, _FIELD.TYPE_DOUBLE),
           "int32_tensor": (7, _FIELD.TYPE_INT32)}  # fmt: skip


def read_recordio(files: Iterable[Path]) -> tuple[Any, np.ndarray[Any, np.dtype[np.float32]]]:
    """Read all records of the files.

    Returns:
        The features, (n, columns) dense or sparse as the first record has them, and the labels, (n,).

    Raises:
        UserError: a file is no RecordIO, or a record has no features or label.
    """
    rows, labels, columns = [], [], 0
    for path in files:
        with path.open("rb") as file:
            for payload in _payloads(file, path.name):
                record = _record_class()()
                record.ParseFromString(payload)
                values = _tensor(record.features["values"], path.name)
                label = _tensor(record.label["values"], path.name)
                columns = max(columns, _width(values))
                rows.append(values)
                labels.append(label.values[0])
    if not rows:
        raise UserError("the RecordIO files have no records")
    return _matrix(rows, columns), np.asarray(labels, dtype=np.float32)


def _payloads(file: IO[bytes], name: str) -> Iterator[bytes]:
    while header := file.read(8):
        if len(header) < 8:
            raise UserError(f"{name} ends in the middle of a record")
        magic, length = struct.unpack("<II", header)
        if magic != MAGIC:
            raise UserError(f"{name} is no RecordIO: a record begins with {magic:#x}, not {MAGIC:#x}")
        padded = (length + 3) // 4 * 4
        payload = file.read(padded)
        if len(payload) < padded:
            raise UserError(f"{name} ends in the middle of a record")
        yield payload[:length]


def _tensor(value: Any, name: str) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        raise UserError(f"{name}: a record has no tensor of values")
    return getattr(value, kind)


def _width(tensor: Any) -> int:
    """Return the number of columns: the shape of a sparse tensor, the values of a dense one."""
    return int(tensor.shape[0]) if tensor.keys and tensor.shape else len(tensor.values)


def _matrix(rows: list[Any], columns: int) -> Any:
    if not rows[0].keys:
        return np.asarray([list(row.values) for row in rows], dtype=np.float32)
    ends = np.cumsum([0, *(len(row.values) for row in rows)])
    values = np.concatenate([np.asarray(row.values, dtype=np.float32) for row in rows])
    keys = np.concatenate([np.asarray(row.keys, dtype=np.int64) for row in rows])
    return sparse.csr_matrix((values, keys, ends), shape=(len(rows), columns))


@cache
def _record_class() -> Any:
    """Return the class of a record."""
    file = descriptor_pb2.FileDescriptorProto(name="recordio.proto", package=PACKAGE, syntax="proto2")
    value = descriptor_pb2.DescriptorProto(name="Value")
    value.oneof_decl.add(name="value")
    for name, (number, element) in TENSORS.items():
        tensor = file.message_type.add(name=name.title().replace("_", ""))
        for field, kind, at in (
            ("values", element, 1),
            ("keys", _FIELD.TYPE_UINT64, 2),
            ("shape", _FIELD.TYPE_UINT64, 3),
        ):
            one = tensor.field.add(name=field, number=at, type=kind, label=_FIELD.LABEL_REPEATED)
            one.options.packed = True
        reference = f".{PACKAGE}.{tensor.name}"
        value.field.add(
            name=name, number=number, type=_FIELD.TYPE_MESSAGE, type_name=reference, label=_FIELD.LABEL_OPTIONAL,
            oneof_index=0,
        )  # fmt: skip
    file.message_type.append(value)
    record = file.message_type.add(name="Record")
    for name, number in (("features", 1), ("label", 2)):
        entry = record.nested_type.add(name=f"{name.title()}Entry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, type=_FIELD.TYPE_STRING, label=_FIELD.LABEL_OPTIONAL)
        entry.field.add(
            name="value", number=2, type=_FIELD.TYPE_MESSAGE, type_name=f".{PACKAGE}.Value", label=_FIELD.LABEL_OPTIONAL
        )
        record.field.add(
            name=name, number=number, type=_FIELD.TYPE_MESSAGE, label=_FIELD.LABEL_REPEATED,
            type_name=f".{PACKAGE}.Record.{entry.name}",
        )  # fmt: skip
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.Record"))
