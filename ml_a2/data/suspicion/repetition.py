"""Rows that occur more than once, within a file and in training and validation, against what is natural for them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_a2.data.suspicion.survey import Hashes, Survey, mixed
from ml_a2.finding import Finding

# Of fewer rows nothing can be told.
LEAST_ROWS = 20
# A smaller part of an evaluation's rows does not move its metrics.
LEAST_SHARE = 0.01
LEAST_REPEATED = 3
# Of all rows that agree in half of the features, so many agree in the other half, too, where rows were copied. Where
# few values are combined, or one feature follows from the others but for noise, more rows agree in a half only.
COPIED = 0.9
# In the other half of the features so many pairs may agree anyway: otherwise their agreement says nothing. Where the
# label stands in for it, of a binary one at least half of the pairs agree.
COMMONPLACE, COMMONPLACE_LABEL = 0.5, 0.7
# Copies of a row are that many at the most on average; answers to the same few questions agree more often, and so do
# the values of a single feature that are few, each of which may well tell the label.
MOST_COPIES, MOST_COPIES_SINGLE = 100, 1
# Of all pairs of rows so many at least have the same label where labels are classes: with 50 even classes.
FEW_LABELS = 0.02
# How likely chance may be where we speak of it.
CHANCE = 1e-6
# Standard deviations, and events that a count of none leaves possible: exp(-7) is 1e-3.
DEVIATIONS, UNSEEN = 5.0, 7.0
REMEDY_SHARED = "hold out other rows, and remove repeated ones before rows are held out"


@dataclass(frozen=True)
class _Counts:
    """How often each distinct row occurs: (k,)."""

    times: NDArray[np.int64]

    @property
    def rows(self) -> int:
        return int(self.times.sum())

    @property
    def repeated(self) -> int:
        """Return how many rows there are beyond the first of each."""
        return self.rows - len(self.times)

    @property
    def twins(self) -> int:
        """Return how many rows occur at least twice."""
        return int(self.times[self.times > 1].sum())

    def pairs(self) -> float:
        """Return how many pairs of rows agree."""
        times = self.times.astype(np.float64)
        return float((times * (times - 1)).sum() / 2)


def _counts(hashes: Hashes) -> _Counts:
    return _Counts(np.unique(hashes, return_counts=True)[1].astype(np.int64))


def repeated_rows(rows: Survey, name: str, parts: tuple[Survey, Survey] | None = None) -> Iterator[Finding]:
    """Warn of rows that were copied within a file: features and label.

    Args:
        rows: those of the file.
        name: the file.
        parts: the rows to train and to validate on, where the file is split.
    """
    counts = _counts(rows.rows)
    if counts.rows < LEAST_ROWS or counts.repeated < max(LEAST_REPEATED, LEAST_SHARE * counts.rows):
        return
    every = int(np.gcd.reduce(counts.times))
    if every > 1 and len(counts.times) >= LEAST_ROWS / 2:
        times = f", each occurs {every:,} times or a multiple of that"
    elif _is_copied(rows):
        times = ""
    else:
        return
    problem = f"{_part(counts.repeated, rows)} repeat another row, features and label{times}"
    if parts:
        train, validation = parts
        shared = _part(_shared(train.rows, validation.rows), validation)
        problem += f", and {shared} that are split off are training rows, too"
    yield Finding("warning", name, f"{problem}: the evaluation would measure memory", "remove the repeated rows")


def _is_copied(rows: Survey) -> bool:
    """Tell whether equal rows are copies: rows that agree in half of the features hardly ever differ in the others."""
    labels = np.unique(rows.labels, return_inverse=True)[1].astype(np.uint64)
    parts, commonplace, most = [rows.halves[:, 0], rows.halves[:, 1]], COMMONPLACE, MOST_COPIES
    if not parts[1].any():  # of a single feature, the label is the other half
        parts[1], labels = labels, np.zeros_like(labels)
        commonplace, most = COMMONPLACE_LABEL, MOST_COPIES_SINGLE
    if _counts(labels).pairs() < FEW_LABELS * len(labels) * (len(labels) - 1) / 2:
        labels[:] = 0  # labels that are values tell copies already, and nothing of the features
    whole = mixed(mixed(*parts), labels)
    # One row that is frequent, like one of nothing but zeros, is natural and would outweigh all others.
    distinct, inverse, times = np.unique(whole, return_inverse=True, return_counts=True)
    kept = inverse != int(times.argmax()) if len(distinct) > 1 else np.ones(len(whole), bool)
    same_label = _counts(labels[kept]).pairs()
    halves = [_counts(mixed(part[kept], labels[kept])).pairs() for part in parts]
    counts = _counts(whole[kept])
    if 2 * counts.pairs() > most * counts.rows:
        return False
    for one, other in (halves, halves[::-1]):
        anyway = other / max(same_label, 1)
        unlikely = counts.repeated * math.log(max(anyway, 1e-300)) < math.log(CHANCE)
        if one and counts.pairs() >= COPIED * one and anyway <= commonplace and unlikely:
            return True
    return False


def shared_rows(train: Survey, validation: Survey, name: str) -> Iterator[Finding]:
    """Warn of validation rows that are in the training, where more of them are than new rows of that kind would be.

    A new row of the same kind equals one of the training as often as one of the training equals another of them, which
    is counted: tables of few distinct values have many such rows by nature.
    """
    one_in = max(train.one_in, validation.one_in)
    train, validation = train.thinned(one_in), validation.thinned(one_in)
    whole = _shared(train.rows, validation.rows)
    features = _shared(train.features, validation.features)
    if _is_beyond(train.rows, validation.rows, whole, train):
        more = f", {features:,} in their features alone" if features > whole else ""
        problem = f"{_part(whole, validation)} are training rows, too{more}: the evaluation would measure memory"
    elif _is_beyond(train.features, validation.features, features, train):
        problem = (
            f"{_part(features, validation)} have the features of a training row, {whole:,} of them its label, too: "
            "the evaluation would measure memory"
        )
    else:
        return
    yield Finding("warning", name, problem, REMEDY_SHARED)


def _shared(train: Hashes, validation: Hashes) -> int:
    # In order both ways, which takes a tenth of the time of np.isin.
    if not len(train) or not len(validation):  # of a survey that keeps one row in many
        return 0
    known, asked = np.sort(train), np.sort(validation)
    places = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return int((known[places] == asked).sum())


def _is_beyond(train: Hashes, validation: Hashes, shared: int, survey: Survey) -> bool:
    rows = len(validation)
    if not shared or shared < LEAST_SHARE * rows:
        return False
    if shared == rows == len(train) and rows >= LEAST_ROWS and np.array_equal(np.sort(train), np.sort(validation)):
        return True
    twins = _counts(train).twins
    # Twins come in pairs at least, which makes them fewer independent events.
    most = min(1.0, (twins + 2 * (DEVIATIONS * math.sqrt(twins / 2) + UNSEEN)) / len(train))
    return shared > min(rows * most + DEVIATIONS * math.sqrt(rows * most * (1 - most)), _equal_by_chance(survey, rows))


def _equal_by_chance(survey: Survey, rows: int) -> float:
    """Return how many new rows may equal one of these where no two agree in half of the features, else infinity."""
    pairs = [_counts(survey.halves[:, half]).pairs() for half in (0, 1)]
    if min(pairs) or len(survey) < 2:
        return math.inf
    possible = len(survey) * (len(survey) - 1) / 2
    return len(survey) * rows * UNSEEN / possible * max(*pairs, UNSEEN) / possible


def _part(count: int, of: Survey) -> str:
    kept = f" that were looked at, one in {of.one_in}," if of.one_in > 1 else ""
    if count == len(of) and not kept:
        return f"{count:,} of {count:,} rows (100 %)"
    return f"{count:,} of {len(of):,} rows{kept} ({100 * count / len(of):.3g} %)"
