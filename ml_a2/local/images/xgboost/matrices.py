"""A channel's files as XGBoost's matrices, read as the container reads each format."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from ml_a2.local.images.xgboost.channels import check_format, data_files, find_delimiter, has_data
from ml_a2.local.images.xgboost.engine import without_wrappers, xgb
from ml_a2.local.images.xgboost.image_errors import UserError

NO_LABELS = (
    "Got input data without labels. Please check the input data set. If training job is running on multiple instances, "
    "please switch to using single instance if number of records in the data set is less than number of workers (16 * "
    "number of instance) in the cluster."
)


def load_matrices(
    folders: dict[str, Path], data_format: str, *, weighted: bool, together: bool
) -> tuple[dict[str, xgb.DMatrix], xgb.DMatrix | None]:
    """Load the channels that have data, by name; and with `together` one matrix of all their rows.

    Args:
        folders: where the files of `train`, and of `validation` if there is that channel, lie.
        data_format: the format of both; the container takes that of `train`.
        weighted: whether the second column of CSV is the weight of a row.
        together: whether training and validation rows are wanted as one.

    Raises:
        UserError: there is nothing to read, or not in that format.
    """
    filled = [name for name, folder in folders.items() if has_data(folder)]
    for name in filled:
        check_format(folders[name], data_format)
    load = partial(_load, data_format=data_format, weighted=weighted)
    # pyarrow, which reads Parquet, does not take a pandas that cannot be imported for none.
    alone = nullcontext() if data_format == "parquet" else without_wrappers()
    with alone, ThreadPoolExecutor() as pool:  # XGBoost reads a file in one thread
        matrices = dict(zip(filled, pool.map(load, ([folders[name]] for name in filled)), strict=True))
        if not together:
            return matrices, None
        if len(filled) < 2:
            return matrices, matrices.get("train")
        return matrices, load([folders[name] for name in filled])


def _load(folders: Sequence[Path], data_format: str, *, weighted: bool) -> xgb.DMatrix:
    files = data_files(folders)
    try:
        if data_format == "parquet":
            matrix = _from_parquet(files)
        elif data_format == "recordio-protobuf":
            matrix = _from_recordio(files)
        else:
            matrix = _from_text(files, data_format, weighted=weighted)
    except (xgb.core.XGBoostError, ValueError, TypeError, OSError, ImportError, IndexError) as error:
        raise UserError(f"Failed to load {data_format} data with exception:\n{error}") from error
    if matrix.get_label().size == 0:
        raise UserError(NO_LABELS)
    return matrix


def _from_text(files: Sequence[Path], data_format: str, *, weighted: bool) -> xgb.DMatrix:
    """Let XGBoost's own reader do it, as in the container: no copy of the data in Python."""
    if data_format == "libsvm":
        options = "format=libsvm"
    else:
        options = f"format=csv&label_column=0&delimiter={find_delimiter(files[0])}"
        options += "&weight_column=1" if weighted else ""
    with _one_folder(files) as source:
        return xgb.DMatrix(f"{source}?{options}")


@contextmanager
def _one_folder(files: Sequence[Path]) -> Iterator[Path]:
    """Give one path for all the files: XGBoost reads a file or all files of one folder."""
    if len(files) == 1:
        yield files[0]
        return
    with tempfile.TemporaryDirectory(prefix="ml-a2-channel-") as folder:
        for number, path in enumerate(files):
            Path(folder, f"{number:06}-{path.name}").symlink_to(path)
        yield Path(folder)


def _from_parquet(files: Sequence[Path]) -> xgb.DMatrix:
    """Read all files as one folder, as the container does; the label is the first column.

    pyarrow passes over names that begin with "_", and the first file by its name has the columns of all; pandas takes
    the index of a table that it wrote for no column.
    """
    from pyarrow import parquet

    with tempfile.TemporaryDirectory(prefix="ml-a2-channel-") as folder:
        for number, path in enumerate(files):
            Path(folder, f"{path.name}-{number:06}").symlink_to(path.resolve())
        values: Any = parquet.read_table(folder).to_pandas().to_numpy()
    return xgb.DMatrix(values[:, 1:], label=values[:, 0])


def _from_recordio(files: Sequence[Path]) -> xgb.DMatrix:
    from ml_a2.local.images.xgboost.recordio import read_recordio

    features, labels = read_recordio(files)
    return xgb.DMatrix(features, label=labels)
