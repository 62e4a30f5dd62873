"""A person's file as a table, and how its rows are found there."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from ml_a2.data.decimal_commas import has_decimal_commas
from ml_a2.data.file_kind import kind_of
from ml_a2.data.table_form import DAMAGED, TableForm, form_of, refusal, uneven_line, wrong_byte_of_table
from ml_a2.errors import DataError
from ml_a2.jobs.quality.signatures import PARQUET
from ml_a2.suggestions import did_you_mean_file

LONGEST_REASON = 200
URL = re.compile(r"(s3|s3a|https?|gs|abfss?|hdfs|ftp):/", re.IGNORECASE)


@dataclass(frozen=True)
class Source:
    """Where rows come from, and how a person finds one of them there."""

    name: str
    table: pd.DataFrame
    first_row: int = 1
    form: TableForm = field(default_factory=TableForm)
    # None where it is no file of text, in which every cell has been read.
    path: Path | None = None

    def row(self, index: int) -> int:
        """Return the number by which the person finds the row: a CSV file's header is line 1."""
        return self.first_row + index

    def read_as(self) -> str:
        """Return what a person might not expect of how the file was read; nothing where it is as usual."""
        return self.form.describe(Path(self.name))

    def written(self, column: str) -> pd.Series | None:
        """Return a column's cells as they stand in the file, (n,) of text; None where the file's cells have types."""
        if self.path is None:
            return None
        place = list(self.table.columns).index(column)
        options = {**self.form.options, "decimal": "."}
        cells: pd.DataFrame = pd.read_csv(
            self.path, usecols=[place], header=0, dtype=str, keep_default_na=False, index_col=False, **options
        )
        return cells.iloc[:, 0]


def read_source(path: Path, target: str | None = None) -> Source:
    """Read a person's file, CSV with a header or Parquet, whatever its name says.

    Args:
        path: a file, or a folder of Parquet files.
        target: a column that it must have, by which delimiters are told apart.

    Raises:
        DataError: it is not there, or cannot be read.
    """
    try:
        if path.is_dir():
            return _read_parquet(path, _folder_form(path))
        form = form_of(path, target)
        return _read_parquet(path, form) if form.is_parquet else _read_text(path, form)
    except FileNotFoundError as error:
        if URL.match(str(path)):
            raise DataError(f"{path} is not on this machine; download it, and name the file") from error
        question = did_you_mean_file(path)
        raise DataError(f"{path} does not exist; name an existing CSV or Parquet file{question}") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or _first_line(error)}; name another file") from error


def _folder_form(path: Path) -> TableForm:
    """Accept a folder of Parquet files, as Spark writes it.

    Raises:
        DataError: other files lie there, or none.
    """
    files = sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith(("_", ".")))
    if not files:
        raise DataError(f"{path} is a folder without files; name a CSV or Parquet file")
    for file in files:
        if kind_of(file).name != PARQUET:
            raise DataError(f"{path} is a folder, and {file.name} in it is not Parquet; name one file, CSV or Parquet")
    return TableForm(is_parquet=True)


def _read_parquet(path: Path, form: TableForm) -> Source:
    try:
        table = pd.read_parquet(path)
    except Exception as error:  # pyarrow's own errors and those of what it calls have no common base
        raise DataError(f"{path} cannot be read as Parquet: {_first_line(error)}; write it again") from error
    if any(name is not None for name in table.index.names):
        table = table.reset_index()  # a named index is a column that pandas wrote apart
    return Source(str(path), table.set_axis(list(map(str, table.columns)), axis=1), 1, form)


def _read_text(path: Path, form: TableForm) -> Source:
    try:
        table = _read_csv(path, form)
        if form.delimiter != "," and has_decimal_commas(table):
            form = replace(form, decimal=",")
            table = _read_csv(path, form)
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{path} is empty; it needs a header and rows") from error
    except UnicodeDecodeError as error:
        wrong = wrong_byte_of_table(path, form)
        raise refusal(path, wrong) if wrong else DataError(f"{path} is not UTF-8; save it as UTF-8") from error
    except (ValueError, *DAMAGED) as error:
        remedy = "mend that line, or put cells with commas or line ends into quotes"
        raise DataError(f"{path} cannot be read as CSV: {_first_line(error)}; {remedy}") from error
    # Line 1 is the header, so the first row of data is line 2.
    return Source(str(path), table, 2, form, path)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1][:LONGEST_REASON]


def _read_csv(path: Path, form: TableForm) -> pd.DataFrame:
    """Read CSV; rows longer than the header are an error, not an index in front of shifted columns."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        warnings.simplefilter("error", pd.errors.DtypeWarning)
        try:
            table = _read_table(path, form.options)
            header = pd.read_csv(path, header=None, nrows=1, dtype=str, **form.options).iloc[0]
            # pandas would rename a second column of the same name.
            return table.set_axis(list(header.fillna("")), axis=1) if header.duplicated().any() else table
        except pd.errors.ParserWarning as warning:
            raise ValueError(uneven_line(path, form)) from warning


def _read_table(path: Path, options: dict[str, Any]) -> pd.DataFrame:
    """Read in parts, on all cores; where the parts differ in what a column is, once more as a whole."""
    table: pd.DataFrame
    try:
        table = pd.read_csv(path, index_col=False, **options)
    except pd.errors.DtypeWarning:
        table = pd.read_csv(path, index_col=False, low_memory=False, **options)
    return table
