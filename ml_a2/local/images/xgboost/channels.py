"""The channels: which there may be, how they are configured, and which files of theirs are read.

Source: the container's public source, and runs of it (contract, section 1).
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ml_a2.local.images.xgboost.image_errors import UserError

# The content types that a channel may have, each with the format that it means.
FORMATS = {
    "csv": "csv", "text/csv": "csv",
    "libsvm": "libsvm", "text/libsvm": "libsvm", "text/x-libsvm": "libsvm",
    "parquet": "parquet", "application/x-parquet": "parquet",
    "recordio-protobuf": "recordio-protobuf", "application/x-recordio-protobuf": "recordio-protobuf",
}  # fmt: skip
CHANNELS = ("train", "validation", "code")
DEFAULT_CONTENT_TYPE = "text/libsvm"
DISTRIBUTIONS = ("ShardedByS3Key", "FullyReplicated")
# Where the container sees its channels, whatever folder stands in for it here.
DATA_PATH = "/opt/ml/input/data"
DEEPEST_FOLDER = 3


def check_channels(channels: Mapping[str, dict[str, Any]]) -> None:
    """Check which channels there are and how they are configured; fill in the default content type.

    Raises:
        UserError: a channel is unknown or its configuration not supported.
        KeyError: a member of a configuration is missing: so the container dies too.
    """
    for name, channel in channels.items():
        if name not in CHANNELS:
            raise UserError(f"Extraneous channel found: {name}")
        channel.setdefault("ContentType", DEFAULT_CONTENT_TYPE)
        given = (channel["ContentType"], channel["TrainingInputMode"], channel["S3DistributionType"])
        if not _is_supported(name, *given):
            raise UserError(f"Channel configuration for '{name}' channel is not supported: {channel}")
        if given[1] == "Pipe":
            raise UserError("TrainingInputMode 'Pipe' is not carried out locally, only 'File'; see docs/fidelity.md")


def _is_supported(name: str, content_type: str, mode: str, distribution: str) -> bool:
    if name == "code":
        return (content_type, mode, distribution) == ("text/python", "File", "FullyReplicated")
    if content_type not in FORMATS or distribution not in DISTRIBUTIONS:
        return False
    return mode == "File" or (mode == "Pipe" and FORMATS[content_type] != "libsvm")


def has_data(folder: Path) -> bool:
    """Tell whether a channel has any bytes.

    Raises:
        UserError: a hidden file lies there.
    """
    found = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
    if any(path.name.startswith(".") for path in found):
        raise UserError("Hidden file found in the data path! Remove that before training.")
    return any(path.stat().st_size for path in found)


def check_format(folder: Path, data_format: str) -> None:
    """Look at the first line of each file of the first folder that has no folders in it, as the container does.

    Raises:
        UserError: a line is not in the format.
    """
    leaf = _first_leaf(folder)
    for path in sorted(leaf.iterdir()):
        if not path.is_file() or path.name.startswith((".", "_")):
            continue
        if data_format == "csv":
            find_delimiter(path)
        elif data_format == "libsvm":
            _check_libsvm(path)


def find_delimiter(path: Path) -> str:
    """Guess the delimiter from the first line, as the container does; a single column has none.

    Raises:
        UserError: it cannot be told.
    """
    with path.open(encoding="utf-8", errors="ignore", newline="") as file:
        line = file.readline()
    try:
        return csv.Sniffer().sniff(line).delimiter
    except csv.Error as error:
        raise UserError(f"Could not determine delimiter on line {line[:50]}:\n{error}") from error


def data_files(folders: Sequence[Path]) -> list[Path]:
    """Return the files that are read: those at most three folders deep, the channel's own counted.

    Raises:
        IndexError: there are none; the container dies with it too.
    """
    found = [file for folder in folders for file in _files(folder, 1)]
    if not found:
        raise IndexError("list index out of range")
    return found


def _files(folder: Path, depth: int) -> Iterator[Path]:
    if depth > DEEPEST_FOLDER:
        return
    for path in sorted(folder.iterdir()):
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from _files(path, depth + 1)


def _first_leaf(folder: Path) -> Path:
    for inner, folders, _ in os.walk(folder):
        if not folders:
            return Path(inner)
    return folder


def _check_libsvm(path: Path) -> None:
    """Accept `<label>[:<weight>] <index>:<value> ...` in the first line that has more than one feature."""
    with path.open(encoding="utf-8", errors="ignore") as file:
        for line in file:
            label, *features = line.split(" ")
            if not _are_numbers(label.split(":")) or label.count(":") > 1 or not _are_pairs(features):
                raise UserError(
                    f"First line '{line[:50]}...' of file '{path.name}' is not 'LIBSVM' format. Please ensure the file "
                    "is in 'LIBSVM' format."
                )
            if len(features) > 1:
                return


def _are_numbers(texts: Iterable[str]) -> bool:
    try:
        for text in texts:
            float(text)
    except ValueError:
        return False
    return True


def _are_pairs(features: Sequence[str]) -> bool:
    # Only the first one's number of colons is counted.
    return not features or (all(":" in feature for feature in features) and features[0].count(":") == 1)
