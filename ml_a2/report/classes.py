"""The classes of a model: their names, the confusion matrix, and how each one fares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ml_a2.report.formatting import count as plural
from ml_a2.report.formatting import name as shown
from ml_a2.report.formatting import percent, short
from ml_a2.report.record import Record, at, items, number, numbers, objects, table

# Up to so many classes the cells of the matrix have room for their numbers.
MOST_NUMBERED = 12
MOST_CLASSES = 100
LEVELS = 8
# Mistakes that the text alternative lists.
LISTED = 10


@dataclass(frozen=True)
class Cell:
    """Rows of one class that were taken for another, or for itself."""

    count: int
    level: int  # 0 to LEVELS, by the share of the true class
    right: bool
    words: str


@dataclass(frozen=True)
class MatrixRow:
    """A true class."""

    number: int
    name: str
    cells: tuple[Cell, ...]
    rows: int
    share_right: str


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix; rows are true classes, columns predicted ones."""

    rows: tuple[MatrixRow, ...]
    sentence: str
    mistakes: tuple[tuple[str, str, str, str], ...]  # true, predicted, rows, share of the true class

    @property
    def numbered(self) -> bool:
        """Tell whether there is room for the numbers."""
        return len(self.rows) <= MOST_NUMBERED


@dataclass(frozen=True)
class ClassQuality:
    """How one class fares."""

    name: str
    rows: str
    precision: str
    recall: str
    f1: str
    f1_share: float  # for a bar, in per cent


def class_namer(record: Record) -> Callable[[int], str]:
    """Return what names a class by its number: the evaluation's names, or the manifest's labels."""
    names = dict(enumerate(items(record.curves, "classes")))
    if not names:
        labels = table(record.manifest, "problem", "label_mapping")
        names = {int(at_number): label for label, value in labels.items() if (at_number := number(value)) is not None}

    def name(index: int) -> str:
        found = names.get(index)
        # A bare number says little: "1" could be a count.
        return f"class {index}" if found is None or str(found) == str(index) else shown(found)

    return name


def read_matrix(record: Record) -> Matrix | None:
    """Return the confusion matrix of curves.json, or else of evaluation.json."""
    counts = _counts(record)
    size = len(counts)
    if not size or size > MOST_CLASSES or any(len(row) != size for row in counts):
        return None
    name = class_namer(record)
    rows = tuple(_row(index, row, name) for index, row in enumerate(counts))
    wrong = sorted(
        ((count, true, taken) for true, row in enumerate(counts) for taken, count in enumerate(row) if true != taken),
        key=lambda mistake: (-mistake[0], mistake[1:]),
    )
    mistakes = [mistake for mistake in wrong if mistake[0]]
    total, right = sum(map(sum, counts)), sum(counts[index][index] for index in range(size))
    sentence = f"{right:,} of {total:,} rows are predicted right."
    if mistakes:
        count, true, taken = mistakes[0]
        sentence += f" The most frequent mistake: {name(true)} taken for {name(taken)}, {plural(count, 'time')}."
    listed = [(name(t), name(p), f"{n:,}", percent(n / sum(counts[t]))) for n, t, p in mistakes[:LISTED]]
    return Matrix(rows, sentence, tuple(listed))


def read_class_qualities(record: Record) -> list[ClassQuality]:
    """Return precision, recall and F1 of each class."""
    name = class_namer(record)
    qualities = []
    for entry in objects(record.curves, "per_class")[:MOST_CLASSES]:
        index = number(entry.get("class"))
        f1 = number(entry.get("f1"))
        qualities.append(
            ClassQuality(
                name(int(index)) if index is not None else shown(entry.get("class")),
                short(number(entry.get("rows"))),
                short(number(entry.get("precision"))),
                short(number(entry.get("recall"))),
                short(f1),
                100 * min(max(f1 or 0, 0), 1),
            )
        )
    return qualities


def _counts(record: Record) -> list[list[int]]:
    rows: list[Any] = items(record.curves, "confusion_matrix", "counts")
    if not rows:
        groups = (group for key, group in record.evaluation.items() if key.endswith("_metrics"))
        matrix = next((table(group, "confusion_matrix") for group in groups), {})
        rows = [[at(matrix, row, column) for column in matrix] for row in matrix]
    return [[int(value or 0) for value in numbers({"row": row}, "row")] for row in rows]


def _row(index: int, counts: list[int], name: Callable[[int], str]) -> MatrixRow:
    total = sum(counts)
    cells = tuple(
        Cell(
            count,
            # Whatever is not nothing has a shade.
            max(1, round(LEVELS * count / total)) if count else 0,
            index == column,
            f"{name(index)} taken for {name(column)}: {count:,}",
        )
        for column, count in enumerate(counts)
    )
    return MatrixRow(index, name(index), cells, total, percent(counts[index] / total if total else None))
