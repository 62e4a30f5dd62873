"""One file of a channel, read in blocks: what is wrong with its rows, and a summary of its labels."""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ml_a2.data.channel_kinds import check_kind
from ml_a2.data.parquet_folders import check_index, parquet_columns
from ml_a2.data.suspicion.survey import Keeper, survey
from ml_a2.data.xgboost_cells import OtherNumber, as_plain, cell_finding, other_numbers
from ml_a2.finding import Finding
from ml_a2.jobs.quality.cells import INFINITE_CELL, LABEL, WEIGHT, Defect, are_plain, defects
from ml_a2.jobs.quality.files import Block, read_blocks

if TYPE_CHECKING:
    import pyarrow as pa

# Beyond so many different labels they are no classes, and not kept.
MOST_DISTINCT = 10_000
LINES_AT_ONCE = 10_000
# XGBoost computes in 32 bits.
LARGEST_VALUE = float(np.finfo(np.float32).max)
DELIMITERS = ",;\t| :"
# What is said of labels, weights and infinite numbers when they are taken.
TOLD_LATER = (LABEL, WEIGHT, INFINITE_CELL)


@dataclass(frozen=True)
class Reading:
    """How the image reads the files: their format, and whether the second column of CSV is a weight."""

    data_format: str = "csv"
    weighted: bool = False


@dataclass
class Labels:
    """The labels seen so far, of all files of a channel."""

    rows: int = 0
    missing: int = 0
    missing_at: str = ""
    smallest: float = float("inf")
    largest: float = float("-inf")
    distinct: set[float] | None = field(default_factory=set)
    # What is kept of the whole rows.
    keeper: Keeper = field(default_factory=Keeper)

    def keep(self, batch: pa.RecordBatch, weighted: bool) -> None:
        """Take whole rows, the label first, that have a label; a weight is no feature."""
        columns = [_values(column) for place, column in enumerate(batch.columns) if not (weighted and place == 1)]
        labelled = ~np.isnan(columns[0])
        if not labelled.all():
            columns = [values[labelled] for values in columns]
        self.keeper.add(survey(columns, self.keeper.share))

    def add(self, values: Any, path: Path, first_line: int) -> None:
        """Take the labels of some rows, (n,) numbers, the first of which stands in that line of the file."""
        self.rows += len(values)
        absent = np.flatnonzero(np.isnan(values))
        if len(absent):
            self.missing_at = self.missing_at or f"{path}, line {first_line + int(absent[0])}"
            self.missing += len(absent)
        values = values[~np.isnan(values)]
        if not len(values):
            return
        self.smallest = min(self.smallest, float(values.min()))
        self.largest = max(self.largest, float(values.max()))
        if self.distinct is not None:
            self.distinct |= set(map(float, np.unique(values)))
            if len(self.distinct) > MOST_DISTINCT:
                self.distinct = None


@dataclass
class Summary:
    """What a file has: its columns, the label's and a weight's included."""

    columns: int | None = None
    # Up to which column there are values: of the rest, in every row empty, XGBoost knows nothing.
    filled: int = 0
    delimiter: str = ""


def read_file(path: Path, reading: Reading, labels: Labels) -> tuple[Summary, Iterator[Finding]]:
    """Return a summary, which is filled as the findings are taken, and the findings."""
    summary = Summary()
    if wrong := check_kind(path, reading.data_format):
        return summary, iter([wrong])
    read = {"csv": _csv, "libsvm": _libsvm, "parquet": _parquet, "recordio-protobuf": _recordio}[reading.data_format]
    return summary, read(path, reading, labels, summary)


def _error(path: Path, line: int | None, problem: str, remedy: str) -> Finding:
    return Finding("error", f"{path}, line {line}" if line else str(path), problem, remedy)


def _csv(path: Path, reading: Reading, labels: Labels, summary: Summary) -> Iterator[Finding]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:  # the image passes over the mark, too
        first, second = ([*islice(file, 2), "", ""])[:2]
    delimiter = _delimiter(first)
    if delimiter is None:
        problem = "no delimiter can be told from the first line: the image fails, a label needs at least one feature"
        yield _error(path, 1, problem, "write comma-separated columns, the label first")
        return
    names = first.rstrip("\r\n").split(delimiter)
    summary.columns, summary.delimiter = len(names), delimiter
    has_header = _looks_like_header(names, second.rstrip("\r\n").split(delimiter))
    if has_header:
        problem = f"is a header ({first.strip()[:60]!r}): the image trains on it as if it were a row"
        if names[0].strip(' "'):
            yield _error(path, 1, problem, "remove the line")
        else:
            problem += "; its first cell is empty, as pandas writes it over the numbers of the rows"
            yield _error(
                path, 1, problem, "write the rows with to_csv(..., header=False, index=False), the label first"
            )
    yield from _csv_rows(path, _Table(delimiter, names, has_header, reading.weighted), labels, summary)


def _delimiter(line: str) -> str | None:
    """Return what the image takes for the delimiter; of a single number it takes a digit."""
    try:
        delimiter = csv.Sniffer().sniff(line).delimiter
    except csv.Error:
        return None
    return None if delimiter.isalnum() or delimiter in ".+-\r\n" else delimiter


@dataclass(frozen=True)
class _Table:
    delimiter: str
    names: list[str]
    has_header: bool
    weighted: bool


def _csv_rows(path: Path, table: _Table, labels: Labels, summary: Summary) -> Iterator[Finding]:
    told: set[int] = set()
    for block in read_blocks(str(path)):
        if table.has_header and block.first_line == 1:
            block = Block(block.name, 2, block.text.partition(b"\n")[2])  # noqa: PLW2901
        is_plain = are_plain(block.text, table.delimiter)
        if not is_plain and (finding := _first_defect(path, block, table)):
            yield finding
            return
        yield from (_other_number(path, each, table) for each in other_numbers(block, table.delimiter, told))
        if (yield from _csv_block(path, block, table, labels, summary, is_plain=is_plain)):
            return


def _first_defect(path: Path, block: Block, table: _Table) -> Finding | None:
    """Return the first cell of which the image would make something else; the row of one with other columns."""
    found = next(filter(_is_told_here, defects(block, table.delimiter, table.weighted)), None)
    if not found:
        return None
    lines = block.lines()
    for number, line in lines:
        if line.count(table.delimiter.encode()) + 1 != len(table.names):
            return _uneven(path, number, line.decode(errors="replace"), table)
        if number == found.row:
            break
    column = f"column {found.column}" + (f" ({table.names[found.column - 1]})" if table.has_header else "")
    return cell_finding(f"{path}, line {found.row}", column, found, next(lines, (0, b""))[1])


def _is_told_here(defect: Defect) -> bool:
    return defect.kind not in TOLD_LATER


def _other_number(path: Path, number: OtherNumber, table: _Table) -> Finding:
    name = f" ({table.names[number.column - 1]})" if table.has_header else ""
    problem = f"column {number.column}{name} is {number.cell}, of which XGBoost's reader makes {number.read:.9g}"
    where = f"{path}, line {number.line}"
    if number.is_tiny:
        remedy = "write such numbers as 0, or their logarithms: what is nearer to 0 than 1.2e-38 loses its order"
        return Finding("warning", where, problem, remedy)
    remedy = f"write it as {number.written()}; 32 bits hold seven digits, an identifier is no feature"
    return Finding("error", where, problem, remedy)


def _csv_block(
    path: Path, block: Block, table: _Table, labels: Labels, summary: Summary, *, is_plain: bool
) -> Generator[Finding, None, bool]:
    """Take the rows of some lines, and look at their numbers; return whether the lines after them cannot be read."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    columns = [f"f{number}" for number in range(len(table.names))]
    uneven: list[Any] = []

    def skip(row: Any) -> str:
        if not uneven and row.text.strip():  # the image passes over empty lines
            uneven.append(row)
        return "skip"

    text = block.text if is_plain else as_plain(block.text, table.delimiter)
    if not text.strip(b"\r\n"):
        return False
    rows = arrow.read_csv(
        pa.BufferReader(text),
        arrow.ReadOptions(use_threads=False, block_size=len(text), column_names=columns),
        arrow.ParseOptions(
            delimiter=table.delimiter,
            quote_char=False,  # the image's reader knows no quotes
            invalid_row_handler=skip,
            ignore_empty_lines=False,  # they count as lines
        ),
        arrow.ConvertOptions(column_types=dict.fromkeys(columns, pa.float64()), null_values=[""]),
    )
    if not uneven:  # a line that was skipped is not in the batch: from there on lines cannot be counted
        for batch in rows.combine_chunks().to_batches():
            has_values = (number for number, each in enumerate(batch.columns, 1) if each.null_count < len(each))
            summary.filled = max(summary.filled, max(has_values, default=0))
            yield from _batch(path, batch, table, labels, block.first_line)
    for row in uneven:
        yield _uneven(path, row.number + block.first_line - 1, row.text, table)
    return bool(uneven)


def _batch(path: Path, batch: pa.RecordBatch, table: _Table, labels: Labels, number: int) -> Iterator[Finding]:
    """Take the labels of some rows, and look at their other cells; `number` is the line of the first."""
    _add_labels(path, batch, labels, number)
    labels.keep(batch, table.weighted)
    for index in range(1, batch.num_columns):
        yield from _infinite(path, batch.column(index), f"column {index + 1}", number)
    if table.weighted:
        wrong = np.flatnonzero(~(_values(batch.column(1)) >= 0))
        if len(wrong):
            problem = "the weight in column 2 is missing or negative"
            yield _error(path, number + int(wrong[0]), problem, "write a weight of at least 0")


def _infinite(path: Path, column: Any, name: str, number: int) -> Iterator[Finding]:
    found = np.flatnonzero(np.abs(_values(column)) > LARGEST_VALUE)
    if len(found):
        problem = f"{name} is infinite or beyond 32 bits: XGBoost cannot train on it"
        yield _error(path, number + int(found[0]), problem, "write a number, or nothing")


def _add_labels(path: Path, batch: pa.RecordBatch, labels: Labels, number: int) -> None:
    column = batch.column(0)
    values = _values(column)
    if column.null_count:
        # An empty line is a row of nothing, which the image passes over.
        empty = np.logical_and.reduce([~np.isfinite(_values(each)) for each in batch.columns])
        for first, last in _runs(~empty):
            labels.add(values[first:last], path, number + first)
        return
    labels.add(values, path, number)


def _runs(wanted: Any) -> Iterator[tuple[int, int]]:
    """Yield beginning and end of each run of wanted rows: (n,) of truth values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], wanted, [False]])))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _values(column: Any) -> Any:
    return column.to_numpy(zero_copy_only=False).astype(np.float64)


def _looks_like_header(first: list[str], second: list[str]) -> bool:
    """Tell whether the first line names columns: its cells are words where the second's are numbers."""
    if len(first) != len(second) or not all(map(_is_number_or_empty, second)):
        return False
    words = [cell for cell in first if not _is_number_or_empty(cell)]
    # An index that pandas writes has no name, which leaves the first cell empty.
    return bool(words) and (
        not _is_number_or_empty(first[0]) or (not first[0].strip() and len(words) == len(first) - 1)
    )


def _is_number_or_empty(cell: str) -> bool:
    if not cell.strip():
        return True
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _uneven(path: Path, number: int, text: str, table: _Table) -> Finding:
    expected = len(table.names)
    other = next((d for d in DELIMITERS if d != table.delimiter and text.count(d) == expected - 1), None)
    if other:
        problem = f"is delimited by {other!r}, the lines before it by {table.delimiter!r}"
        return _error(path, number, problem, "use one delimiter throughout")
    problem = f"has {text.count(table.delimiter) + 1} columns, the lines before it {expected}"
    return _error(path, number, problem, "give every line the same columns")


def _libsvm(path: Path, reading: Reading, labels: Labels, summary: Summary) -> Iterator[Finding]:
    number, begun = 1, False
    with path.open(encoding="utf-8", errors="replace") as file:
        while lines := list(islice(file, LINES_AT_ONCE)):
            for index, line in enumerate(lines):
                if not line.strip() and begun:
                    continue  # the image looks at the lines up to the first that has features
                label, *features = line.split() or [""]
                if not _is_libsvm(label, features):
                    problem = f"{line.strip()[:40]!r} is not LIBSVM: <label>[:<weight>] <index>:<value> ..."
                    yield _error(path, number + index, problem, "write it so, or name the right content type")
                    return
                begun = begun or len(features) > 1
                labels.add(np.array([float(label.partition(":")[0])]), path, number + index)
            number += len(lines)


def _is_libsvm(label: str, features: Iterable[str]) -> bool:
    parts = [label.split(":"), *(each.split(":") for each in features)]
    pairs = all(len(part) == 2 for part in parts[1:])
    return bool(label) and pairs and len(parts[0]) <= 2 and all(map(_is_number_or_qid, parts))


def _is_number_or_qid(part: list[str]) -> bool:
    numbers = part[1:] if part[0] == "qid" else part
    return all(cell.strip() and _is_number_or_empty(cell) for cell in numbers)


def _parquet(path: Path, reading: Reading, labels: Labels, summary: Summary) -> Iterator[Finding]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path)
        schema = file.schema_arrow
        columns = parquet_columns(schema)
        summary.columns = len(columns)
        yield from check_index(path, schema)
        wrong = [finding for column in columns for finding in _parquet_column(path, schema.field(column))]
        yield from wrong
        if wrong:
            return
        number = 1
        for batch in file.iter_batches(columns=columns):
            labels.add(_values(batch.column(0)), path, number)
            labels.keep(batch, weighted=False)
            for index, name in enumerate(batch.schema.names[1:], start=1):
                yield from _infinite(path, batch.column(index), f"column {name!r}", number)
            number += batch.num_rows
    except (pa.ArrowException, OSError, ValueError, TypeError, IndexError) as error:
        reason = str(error).partition("\n")[0][:200]
        yield _error(path, None, f"cannot be read as Parquet of numbers: {reason}", "write the file again")


def _parquet_column(path: Path, column: pa.Field) -> Iterator[Finding]:
    import pyarrow as pa

    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        problem = f"column {column.name!r} is of type {kind}, no number: the image fails"
        yield _error(path, None, problem, "encode it as numbers")


def _recordio(path: Path, reading: Reading, labels: Labels, summary: Summary) -> Iterator[Finding]:
    """Find nothing more than its kind, which is known: records are for the image itself to read."""
    yield from ()
