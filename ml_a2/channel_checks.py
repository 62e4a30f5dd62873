"""What the image would refuse about a channel's files, or silently get wrong: found by reading them in blocks.

A header row is trained on as a row of zeros, text cells become numbers, a validation channel with other columns scores
0.5: the image says nothing (contract, section 1). Nothing of a file is kept but a summary of its labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ml_a2.channel_files import Labels, Reading, read_file
from ml_a2.data.parquet_folders import check_partitions, check_passed_over, is_passed_over
from ml_a2.data.suspicion.examination import Names, Surveys, Task, examine
from ml_a2.finding import Finding
from ml_a2.problem import KINDS, LABEL_RANGES

DEEPEST_FOLDER = 3
# Objectives whose labels are classes: how many there are at the most comes from num_class.
CLASSES = ("binary:logistic", "binary:logitraw", "binary:hinge", "multi:softmax", "multi:softprob")


@dataclass
class Channel:
    """A channel as its files have it."""

    name: str
    path: Path
    columns: int | None = None
    # Up to which column there are values, and what delimits them.
    filled: int = 0
    delimiter: str = ""
    labels: Labels = field(default_factory=Labels)
    is_whole: bool = True


def check_channels(
    paths: Mapping[str, Path],
    reading: Reading,
    hyperparameters: Mapping[str, str],
    group_column: str | None = None,
) -> Iterator[Finding]:
    """Yield every defect of the channels' files, and of their labels under the objective, and what is suspicious.

    Args:
        paths: an existing file or folder for `train`, and for `validation` if there is that channel.
        reading: how the image reads them.
        hyperparameters: as the job would get them; without an objective, labels are not judged by one.
        group_column: the feature that the evaluation tells the groups of a ranking apart by.
    """
    channels = []
    for name, path in paths.items():
        channel = Channel(name, path)
        yield from _read(channel, reading)
        channels.append(channel)
    yield from _differences(channels, is_parquet=reading.data_format == "parquet")
    for channel in channels:
        if channel.is_whole:
            yield from _labels(channel, reading, hyperparameters)
    if all(channel.is_whole for channel in channels):
        yield from _suspicions(channels, reading, hyperparameters, group_column)


def _error(where: Path | str, problem: str, remedy: str) -> Finding:
    return Finding("error", str(where), problem, remedy)


def _read(channel: Channel, reading: Reading) -> Iterator[Finding]:
    path = channel.path
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    is_parquet = reading.data_format == "parquet"
    yield from _names(path, files, reading.data_format)
    if is_parquet:
        yield from check_partitions(path, files)
    readable = [file for file in files if _is_read(file, is_parquet=is_parquet)]
    if not readable:
        channel.is_whole = False
        yield _error(path, f"channel {channel.name!r} has no data: the image fails", "put the rows there")
    for file in readable:
        defects = 0
        summary, findings = read_file(file, reading, channel.labels)
        for finding in findings:
            defects += finding.severity == "error"
            yield finding
        channel.is_whole = channel.is_whole and not defects
        if summary.columns is not None and channel.columns not in (None, summary.columns):
            problem = f"has {summary.columns} columns, the files before it {channel.columns}"
            yield _error(file, problem, "give every file of a channel the same columns")
        channel.columns = channel.columns or summary.columns
        channel.filled = max(channel.filled, summary.filled)
        if channel.delimiter and summary.delimiter not in ("", channel.delimiter):
            problem = f"is delimited by {summary.delimiter!r}, the first file of the channel by {channel.delimiter!r}"
            yield _error(file, f"{problem}: the image reads all files as the first", "use one delimiter throughout")
        channel.delimiter = channel.delimiter or summary.delimiter


def _is_read(file: Path, *, is_parquet: bool) -> bool:
    # A single file lies in a folder there, too.
    return not is_passed_over(file, is_parquet=is_parquet) and file.stat().st_size > 0


def _names(root: Path, files: Iterable[Path], data_format: str) -> Iterator[Finding]:
    """Find files that the image refuses or does not read, by their names and sizes alone."""
    for file in files:
        depth = len(file.relative_to(root).parts) if root.is_dir() else 1
        if file.name.startswith("."):
            yield _error(file, "is a hidden file: the image refuses the whole channel", "remove it")
        elif is_passed_over(file, is_parquet=data_format == "parquet"):
            yield from check_passed_over(file)
        elif file.stat().st_size == 0 and data_format != "libsvm":  # of which the image's reader passes over such files
            reason = "cannot tell its delimiter" if data_format == "csv" else f"cannot read it as {data_format}"
            yield _error(file, f"has no bytes: the image {reason} and fails", "remove it")
        elif depth > DEEPEST_FOLDER:
            yield _error(
                file, f"lies more than {DEEPEST_FOLDER - 1} folders deep: the image does not read it", "move it up"
            )


def _differences(channels: list[Channel], *, is_parquet: bool) -> Iterator[Finding]:
    if len(channels) < 2 or None in (channels[0].columns, channels[1].columns):
        return
    train, validation = channels
    if train.columns != validation.columns:
        yield _error(
            validation.path,
            f"has {validation.columns} columns, {train.path} has {train.columns}: the image scores it without a word",
            "give both channels the same columns in the same order",
        )
    elif validation.filled > train.filled > 0:
        problem = (
            f"column {validation.filled} has values, and in {train.path} none: the image counts no such column, and"
        )
        yield _error(validation.path, f"{problem} fails", "remove the column from both channels, or fill it in both")
    sizes = [_sizes(channel.path, is_parquet=is_parquet) for channel in channels]
    for name, size in sizes[0].items():
        if size and sizes[1].get(name) == size:
            problem = f"{name} has the same name and size in both channels; is it the same data?"
            yield Finding("warning", str(validation.path), problem, "validate on rows that were not trained on")


def _sizes(path: Path, *, is_parquet: bool) -> dict[str, int]:
    files = [path] if path.is_file() else [file for file in path.iterdir() if file.is_file()]
    return {file.name: file.stat().st_size for file in files if not is_passed_over(file, is_parquet=is_parquet)}


def _labels(channel: Channel, reading: Reading, hyperparameters: Mapping[str, str]) -> Iterator[Finding]:
    """Judge the labels of a channel as the image gets it."""
    labels, objective = channel.labels, hyperparameters.get("objective", "reg:squarederror")
    if not labels.rows and reading.data_format != "recordio-protobuf":  # whose records are not read here
        yield _error(channel.path, f"channel {channel.name!r} has no rows: the image fails", "put the rows there")
    if labels.missing:
        problem = f"the label is missing ({labels.missing} in all): the image trains on it, and every metric is nan"
        yield _error(labels.missing_at, problem, "fill it in or remove the row")
    if objective in CLASSES and labels.distinct is not None:
        yield from _classes(channel, objective, hyperparameters)
    low, high = LABEL_RANGES.get(objective, (float("-inf"), float("inf")))
    if labels.rows > labels.missing and not (low <= labels.smallest and labels.largest <= high):
        worst = labels.smallest if labels.smallest < low else labels.largest
        yield _error(channel.path, f"label {worst:g} does not fit objective {objective!r}", "choose another objective")


def _classes(channel: Channel, objective: str, hyperparameters: Mapping[str, str]) -> Iterator[Finding]:
    labels = channel.labels
    given = hyperparameters.get("num_class", "")
    # A num_class that is no number is told with the hyperparameters.
    number = 2 if not objective.startswith("multi:") else int(given) if given.isdigit() else 0
    wrong = sorted(value for value in labels.distinct or () if not (value.is_integer() and 0 <= value < number))
    if number and wrong:
        yield _error(
            channel.path,
            f"label {wrong[0]:g} does not fit objective {objective!r} with {number} classes: 0 to {number - 1}",
            "number the classes from 0 on, or set num_class",
        )
    elif labels.distinct is not None and len(labels.distinct) == 1:
        value = next(iter(labels.distinct))
        meaning = "auc is nan, and the image succeeds" if channel.name == "validation" else "nothing can be learned"
        yield _error(channel.path, f"every label is {value:g}: {meaning}", "add rows of the other classes")


def _suspicions(
    channels: list[Channel], reading: Reading, hyperparameters: Mapping[str, str], group_column: str | None
) -> Iterator[Finding]:
    """Judge the rows of channels without defects, which are read here in CSV and Parquet."""
    kept = [rows for channel in channels if (rows := channel.labels.keeper.survey())]
    if len(kept) < len(channels) or len({rows.sample.shape[1] for rows in kept}) > 1:
        return
    weight = [2] if reading.weighted else []
    columns = [place for place in range(1, kept[0].sample.shape[1] + len(weight) + 1) if place not in weight]
    paths = [str(channel.path) for channel in channels]
    kind = KINDS.get(hyperparameters.get("objective", ""), "regression")
    yield from examine(
        Surveys(kept[0], kept[1] if len(kept) > 1 else None),
        Names(paths[0], paths[-1], columns, label_is_chosen=False),
        Task(kind, hyperparameters, group_column),
    )
