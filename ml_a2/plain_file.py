"""A person's CSV file that is a channel already but for its header: checked on all cores, never whole in memory."""

from __future__ import annotations

import os
import re
import shutil
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from ml_a2.data.suspicion.survey import Keeper, Survey, sampled_share, survey
from ml_a2.dataset import Target
from ml_a2.errors import DataError
from ml_a2.problem import Problem, label_range, likely_kind

BYTES_AT_ONCE = 1 << 20
COPIED_AT_ONCE = 8 << 20
LINES_AT_ONCE = 10_000
# Arrow passes over them around a number, takes them for the end of a line, or for part of a hexadecimal number; not
# every other reader does.
READ_DIFFERENTLY = (b" ", b"\t", b"\r", b"x", b"X")
# Between these XGBoost's reader is off by a last bit at the most, which training and evaluation then share. Beyond, it
# loses digits behind the point, or those of a whole number overflow; and it clips exponents.
SMALLEST_READ, LARGEST_READ = 1e-10, 1e18
CLIPPED = re.compile(rb"[0-9]{19}|[eE][-+]?(?:[3-9][0-9]|[0-9]{3})")


@dataclass(frozen=True)
class PlainFile:
    """Below its header: a finite label, then finite features that fit into 32 bits, in every row, and nothing else."""

    path: Path
    # Modification time in nanoseconds and size in bytes, before it was read.
    read_as: tuple[int, int]
    columns: tuple[str, ...]
    # (n,) of integers, or of floating-point numbers where one is none.
    labels: NDArray[Any]
    survey: Survey

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.labels)

    def kind(self) -> str:
        """Return the kind of problem that the labels look like."""
        return likely_kind(len(self._distinct), numbers=True, whole=bool((self.labels == self.labels.round()).all()))

    def distinct(self) -> NDArray[Any]:
        """Return each label once, in ascending order."""
        return self._distinct

    @cached_property
    def _distinct(self) -> NDArray[Any]:
        return np.unique(self.labels)

    def is_encoded(self, problem: Problem) -> bool:
        """Tell whether the labels are what the algorithm takes: numbers of classes, 0, 1, ..., or fitting values."""
        low, high = label_range(problem)
        if problem.has_classes:
            return problem.classes == tuple(range(len(problem.classes))) and set(self._distinct) <= {*problem.classes}
        return bool(low <= self.labels.min() and self.labels.max() <= high)

    def write(self, targets: Sequence[Target]) -> None:
        """Write everything below the header to a file; of several, each gets a row in turn.

        Raises:
            DataError: the file has changed since it was read and checked.
        """
        with self.path.open("rb") as source:
            source.readline()
            if len(targets) == 1:
                shutil.copyfileobj(source, targets[0], COPIED_AT_ONCE)
            else:
                while lines := list(islice(source, LINES_AT_ONCE * len(targets))):
                    lines[-1] = lines[-1].removesuffix(b"\n") + b"\n"  # the file's last line may lack it
                    for number, target in enumerate(targets):
                        target.write(b"".join(lines[number :: len(targets)]))
        if state_of(self.path) != self.read_as:
            raise DataError(f"{self.path} was changed while it was read; run again when it is written")


def state_of(path: Path) -> tuple[int, int]:
    """Return by what one sees that a file was changed."""
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def read_plain_file(path: Path, target: str) -> PlainFile | None:
    """Read and check a file whose first column is the target; None where it is not plain, for whatever reason.

    Raises:
        OSError: it cannot be read.
    """
    read_as = state_of(path)
    with path.open("rb") as file:
        columns = _columns(file.readline())
        if len(columns) < 2 or columns[0] != target:
            return None
        checked = _checked(file, columns, read_as[1])
    return PlainFile(path, read_as, columns, *checked) if checked else None


def _columns(header: bytes) -> tuple[str, ...]:
    """Return the names that every reader would; none where one might not."""
    try:
        text = header.decode("utf-8").removesuffix("\n")
    except UnicodeDecodeError:
        return ()
    names = tuple(text.split(","))
    return names if not {'"', "\r"} & set(text) and all(names) and len(set(names)) == len(names) else ()


def _checked(file: BinaryIO, columns: Sequence[str], size: int) -> tuple[NDArray[Any], Survey] | None:
    """Return the labels, (n,), and what is kept of the rows; None as soon as a block is not plain."""
    found: list[NDArray[Any]] = []
    keeper = Keeper()
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers, "reading") as pool:
        waiting: deque[Future[tuple[NDArray[Any], Survey] | None]] = deque()
        blocks = _blocks(file)
        while True:
            while len(waiting) < 2 * workers and (block := next(blocks, None)) is not None:
                waiting.append(pool.submit(_check, block, columns, size))
            if not waiting:
                kept = keeper.survey()
                return (np.concatenate(found), kept) if kept else None
            checked = waiting.popleft().result()
            if checked is None:
                pool.shutdown(cancel_futures=True)
                return None
            found.append(checked[0])
            keeper.add(checked[1])


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    """Yield whole lines."""
    while block := file.read(BYTES_AT_ONCE):
        yield block + file.readline()


def _check(block: bytes, columns: Sequence[str], size: int) -> tuple[NDArray[Any], Survey] | None:
    """Return the labels of some lines, and what is kept of them; None where they are not plain.

    Args:
        block: the lines.
        columns: the names of the columns.
        size: of the file, in bytes: by it fewer rows of a large one are kept whole.
    """
    if any(mark in block for mark in READ_DIFFERENTLY):
        return None
    if (b"e" in block or b"E" in block) and CLIPPED.search(block):
        return None
    try:
        table = csv.read_csv(
            pa.BufferReader(block),
            csv.ReadOptions(use_threads=False, column_names=columns, block_size=len(block)),
            csv.ParseOptions(quote_char=False, ignore_empty_lines=False),
            csv.ConvertOptions(column_types=dict.fromkeys(columns[1:], pa.float64()), null_values=[]),
        )
    except pa.ArrowInvalid:  # no numbers, or not as many as there are columns
        return None
    kind = table.schema.field(0).type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return None
    labels = _numbers(table.select(columns[:1]))[:, 0]
    features = _numbers(table.select(columns[1:]))
    if not _are_read(labels) or not _are_read(features):
        return None
    share = sampled_share(size * len(labels) / len(block), len(columns))
    return labels, survey([labels.astype(np.float64), *features.T], share)


def _are_read(numbers: NDArray[Any]) -> bool:
    """Tell whether every reader takes them as they are; what is no number, or infinite, is not within the range."""
    sizes = np.abs(numbers)
    return bool(sizes.max() < LARGEST_READ and not ((sizes < SMALLEST_READ) & (sizes != 0)).any())


def _numbers(table: pa.Table) -> NDArray[Any]:
    """Return columns of one type, (rows, columns); a column's own to_numpy would import pandas."""
    numbers: NDArray[Any] = table.combine_chunks().to_batches()[0].to_tensor(row_major=False).to_numpy()
    return numbers
