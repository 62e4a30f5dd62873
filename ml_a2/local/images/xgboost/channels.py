"""The channels: which there may be, and how their files become matrices."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml_a2.local.images.xgboost.engine import xgb
from ml_a2.local.images.xgboost.image_errors import ImageUserError

CSV = ("text/csv", "csv")
LIBSVM = ("text/libsvm", "libsvm")
PARQUET = ("application/x-parquet", "parquet")
RECORDIO = ("application/x-recordio-protobuf",)
CHANNELS = ("train", "validation", "code")
DEFAULT_CONTENT_TYPE = "text/libsvm"


def check_channels(channels: Mapping[str, Any]) -> None:
    """Check which channels there are and how they are configured.

    Raises:
        ImageUserError: a channel is unknown or its configuration not supported.
        KeyError: the train channel, or a member of a configuration, is missing: so the container dies too.
    """
    for name, channel in channels.items():
        if name not in CHANNELS:
            raise ImageUserError(f"Extraneous channel found: {name}")
        if name == "code":
            continue
        channel["S3DistributionType"]
        content_type = channel.get("ContentType", DEFAULT_CONTENT_TYPE)
        if channel["TrainingInputMode"] != "File" or content_type not in (*CSV, *LIBSVM, *PARQUET, *RECORDIO):
            raise ImageUserError(f"Channel configuration for '{name}' channel is not supported: {channel}")
    if "train" not in channels:
        raise KeyError("SM_CHANNEL_TRAIN")


def load_channel(folder: Path, channel: Mapping[str, Any], *, weighted: bool) -> xgb.DMatrix:
    """Load a channel's files.

    Args:
        folder: where the channel's files lie.
        channel: its configuration.
        weighted: whether the second column of CSV is the weight of a row.

    Raises:
        ImageUserError: there is nothing to read, or not in the channel's content type.
    """
    content_type = channel.get("ContentType", DEFAULT_CONTENT_TYPE)
    if content_type not in CSV:
        raise ImageUserError(
            f"content type {content_type!r} is not carried out locally yet, only text/csv; see docs/fidelity.md"
        )
    data_files = _files(folder)
    delimiter = _delimiter(data_files[0])
    options = f"format=csv&label_column=0&delimiter={delimiter}"
    if weighted:
        options += "&weight_column=1"
    # XGBoost's own reader, as in the container: no copy of the data in Python.
    return xgb.DMatrix(f"{folder}?{options}" if _is_flat(folder, data_files) else _joined(data_files, options))


def _files(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    if any(part.startswith(".") for path in found for part in path.relative_to(folder).parts):
        raise ImageUserError("Hidden file found in the data path! Remove that before training.")
    if not found or any(path.stat().st_size == 0 for path in found):
        raise ImageUserError(f"No data in training channel path {folder}")
    return found


def _is_flat(folder: Path, data_files: list[Path]) -> bool:
    return all(path.parent == folder for path in data_files)


def _joined(data_files: list[Path], options: str) -> str:
    return ";".join(str(path) for path in data_files) + f"?{options}"


def _delimiter(path: Path) -> str:
    """Guess the delimiter from the first line, as the container does; a single column has none."""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        line = file.readline(4096).rstrip(os.linesep)
    try:
        return csv.Sniffer().sniff(line).delimiter
    except csv.Error as error:
        raise ImageUserError(f"Could not determine delimiter on line {line[:50]}:\n{error}") from error
