"""The files of a folder of Parquet: which the image's reader passes over, and columns that are only folders' names.

The image lays every file of a channel into one folder and reads that with pyarrow, which passes over names that begin
with "_" or "."; but one with "." was refused before. Source: the container's public source (data_utils, tag 1.7-1) and
pyarrow's documentation of `dataset`, ignore_prefixes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ml_a2.data.file_kind import kind_of
from ml_a2.finding import Finding
from ml_a2.jobs.quality.signatures import PARQUET

if TYPE_CHECKING:
    import pyarrow as pa

# Summaries of other files, without rows.
SUMMARIES = ("_metadata", "_common_metadata")
PARTITION = re.compile(r"([^=]+)=.*")


def is_passed_over(file: Path, *, is_parquet: bool) -> bool:
    """Tell whether the image reads nothing of a file because of its name."""
    return file.name.startswith((".", "_") if is_parquet else ".")


def check_passed_over(file: Path) -> Iterator[Finding]:
    """Find rows in a file that the image passes over."""
    if file.name not in SUMMARIES and kind_of(file).name == PARQUET:
        problem = "is Parquet, and the image passes over names that begin with '_': its rows are not read"
        yield Finding("warning", str(file), problem, "rename the file, or remove it")


def parquet_columns(schema: pa.Schema) -> list[str]:
    """Return the columns that the image reads: pandas, by which it does, takes its own index for none."""
    index = _index(schema)
    return [name for name in schema.names if name not in index]


def check_index(path: Path, schema: pa.Schema) -> Iterator[Finding]:
    """Find a column that a person named and that pandas wrote as an index."""
    for name in _index(schema):
        if not name.startswith("__index_level_"):
            problem = f"column {name!r} is an index that pandas wrote: the image does not read it"
            remedy = "write the table after reset_index() if it is a feature or the label"
            yield Finding("warning", str(path), problem, remedy)


def _index(schema: pa.Schema) -> list[str]:
    """Return the names of an index; of one that counts only how it counts is written, and no column."""
    levels = (schema.pandas_metadata or {}).get("index_columns", ())
    names = [level.get("name") if isinstance(level, dict) else level for level in levels]
    return [name for name in names if name is not None]


def check_partitions(root: Path, files: Iterable[Path]) -> Iterator[Finding]:
    """Find columns whose values stand only in the names of folders, as Spark and Hive write them."""
    found: dict[str, Path] = {}
    for file in files:
        folders = file.relative_to(root).parts[:-1] if root.is_dir() else ()
        for folder in folders:
            if match := PARTITION.fullmatch(folder):
                found.setdefault(match[1], file)
    for column, file in found.items():
        problem = f"column {column!r} stands only in the folders' names: the image does not read it"
        yield Finding("warning", str(file.parent), problem, "write it into the files if it is a feature or the label")
