"""Files of every kind that is no CSV in UTF-8, made by who writes such files where that is installed."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import sqlite3
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import feather, orc

ROWS = "".join(f"{index % 2},{index / 7:.4f},{index}\n" for index in range(40))
TABLE = pd.DataFrame({"y": [0, 1] * 20, "a": np.arange(40) / 7})


def foreign_files(folder: Path) -> dict[str, bytes]:
    """Return contents by the kind that they must be recognized as."""
    return {
        "gzip": gzip.compress(ROWS.encode()),
        "bzip2": bz2.compress(ROWS.encode()),
        "xz": lzma.compress(ROWS.encode()),
        "Zstandard": b"\x28\xb5\x2f\xfd" + bytes(range(40)),
        "zlib (joblib)": zlib.compress(pickle.dumps(TABLE)),
        "zip": _zip("rows.csv"),
        "tar": _tar(),
        "Excel workbook": _zip("[Content_Types].xml", "xl/workbook.xml"),
        "Excel workbook of the old kind": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512),
        "OpenDocument spreadsheet": _zip("mimetype", content=b"application/vnd.oasis.opendocument.spreadsheet"),
        "NumPy archive": _saved(lambda file: np.savez(file, rows=TABLE.to_numpy())),
        "Parquet": _saved(TABLE.to_parquet),
        "ORC": _saved(lambda file: orc.write_table(pa.Table.from_pandas(TABLE), file)),
        "Arrow (Feather)": _saved(lambda file: feather.write_feather(TABLE, file)),
        "Avro": b"Obj\x01\x04\x14avro.codec\x08null\x16avro.schema",
        "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(40),
        "SQLite database": _database(folder),
        "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n\x00\x01",
        "a PNG image": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        "NumPy array": _saved(lambda file: np.save(file, TABLE.to_numpy())),
        "pickle": pickle.dumps(TABLE),
        "Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
        "HTML": b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n",
        "JSON": json.dumps(TABLE.to_dict("records")).encode(),
        "binary": bytes(np.random.default_rng(1).integers(0, 256, 4000, dtype=np.uint8)),
    }


def _saved(write: object) -> bytes:
    file = io.BytesIO()
    write(file)  # type: ignore[operator]
    return file.getvalue()


def _zip(*names: str, content: bytes = ROWS.encode()) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return file.getvalue()


def _tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        info = tarfile.TarInfo("rows.csv")
        info.size = len(ROWS)
        archive.addfile(info, io.BytesIO(ROWS.encode()))
    return file.getvalue()


def _database(folder: Path) -> bytes:
    path = folder / "rows.sqlite"
    with sqlite3.connect(path) as database:
        TABLE.to_sql("rows", database)
    database.close()
    return path.read_bytes()
