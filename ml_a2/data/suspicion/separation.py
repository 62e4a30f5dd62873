"""Features that alone tell the label: copies of it, also in another coding, or what is known only with it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ml_a2.data.suspicion.bounded import Suspect, bounded
from ml_a2.data.suspicion.chance import ways_to_choose, ways_to_cut, ways_to_label
from ml_a2.data.suspicion.survey import Numbers, Survey, survey
from ml_a2.finding import Finding

Codes = NDArray[np.int64]

LEAST_ROWS = 20
# Most features are cleared by so many rows, evenly of all classes.
SCREENED_ROWS = 4096
# Wrong rows, as a share of those that are not of the most frequent class: in the screening, and where we speak of it.
SCREENED_WRONG, MOST_WRONG = 0.08, 0.02
# How likely chance may be, over all features together. Of 20 rows a single threshold is no surprise, of 30 it is.
CHANCE = 1e-4
# Of the target's variance, or of that of its ranks. A value of the day before tells less even of slow series.
SCREENED_EXPLAINED, LEAST_EXPLAINED = 0.999, 0.9999
# What follows the target in its order, too, is no single outlier that both have.
LEAST_IN_ORDER = 0.9
REMEDY = "leave the column out if it is not known when a prediction is wanted, or is made from the label"


def telling_features(
    rows: Survey, columns: Sequence[str | int], name: str, *, has_classes: bool, has_copies: bool
) -> Iterator[Finding]:
    """Warn of each feature that alone tells the class, or the value, of nearly every row.

    Args:
        rows: those that are trained on.
        columns: names, the label's first.
        name: the file.
        has_classes: whether labels are classes, not values.
        has_copies: whether rows were copied; of each one counts then, or every feature would tell a row by its copy.
    """
    sample = rows.sample
    if has_copies:
        sample = sample[np.unique(survey(list(sample.T)).rows, return_index=True)[1]]
    labelled = sample[~np.isnan(sample[:, 0])]
    if len(labelled) < LEAST_ROWS:
        return
    find = _of_classes if has_classes else _of_values
    yield from bounded(find(labelled, columns), name, REMEDY)


def _of_classes(rows: Numbers, columns: Sequence[str | int]) -> Iterator[Suspect]:
    codes = np.unique(rows[:, 0], return_inverse=True)[1].astype(np.int64)
    features, classes = rows.shape[1] - 1, int(codes.max()) + 1
    if classes < 2:
        return
    screened = _screened(codes)
    for place in range(1, rows.shape[1]):
        values = np.where(np.isnan(rows[:, place]), np.inf, rows[:, place])  # missing is a value, too, for trees
        wrong, _ = _wrong(values[screened], codes[screened])
        if wrong <= _tolerated(codes[screened], SCREENED_WRONG):
            wrong, unlikely = _wrong(values, codes)
            if wrong <= _tolerated(codes, MOST_WRONG) and unlikely + math.log(features) < math.log(CHANCE):
                text = f"alone separates the classes: it tells {len(rows) - wrong:,} of {len(rows):,} rows right"
                yield Suspect(columns[place], text)
                continue
        if classes > 2 and (code := _flagged(values, codes)) is not None:
            label = float(rows[codes == code, 0][0])
            yield Suspect(columns[place], f"alone separates one class, {label:g}, from all others: it is a flag of it")


def _screened(codes: Codes) -> Codes:
    """Return places of rows, evenly of each class."""
    counts = np.bincount(codes)
    most = max(64, SCREENED_ROWS // len(counts))
    order = np.argsort(codes, kind="stable")
    starts = np.cumsum([0, *counts[:-1]])
    parts = [
        order[start + np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))]
        for start, count in zip(starts, counts, strict=True)
    ]
    return np.concatenate(parts)


def _tolerated(codes: Codes, share: float) -> int:
    return int(share * (len(codes) - np.bincount(codes).max()))


def _wrong(values: Numbers, codes: Codes) -> tuple[int, float]:
    """Return how many rows are taken for another class by those next to them, and how likely chance is so good.

    A row is next to those of the same value; where there are none, to the two beside it in order.

    Returns:
        The number of rows, and the logarithm of the chance.
    """
    order = np.lexsort((codes, values))
    values, codes = values[order], codes[order]
    starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    sizes = np.diff(np.append(starts, len(values)))
    majority, most = _majorities(codes, starts, sizes)
    wrong = int((sizes - most).sum())
    unlike = np.concatenate([[True], majority[1:] != majority[:-1], [True]])
    wrong += int((unlike[:-1] & unlike[1:] & (sizes == 1)).sum())
    runs, classes = 1 + int(unlike[1:-1].sum()), int(codes.max()) + 1
    wrong_ways = ways_to_choose(wrong, len(codes)) + wrong * math.log(classes)
    return wrong, ways_to_cut(len(starts), runs, classes) + wrong_ways - ways_to_label(np.bincount(codes).tolist())


def _majorities(codes: Codes, starts: Codes, sizes: Codes) -> tuple[Codes, Codes]:
    """Return of each group of rows, whose codes ascend, the most frequent code and how often it occurs."""
    group = np.repeat(np.arange(len(starts)), sizes)
    firsts = np.flatnonzero(np.concatenate([[True], (group[1:] != group[:-1]) | (codes[1:] != codes[:-1])]))
    counts = np.diff(np.append(firsts, len(codes)))
    of_group = group[firsts]
    best = np.lexsort((counts, of_group))
    last = best[np.flatnonzero(np.append(of_group[best][1:] != of_group[best][:-1], True))]
    return codes[firsts[last]], counts[last]


def _flagged(values: Numbers, codes: Codes) -> int | None:
    """Return the class of which a feature of two values is the flag."""
    low = values.min()
    is_low = values == low
    if (values[~is_low] != values.max()).any() or is_low.all():
        return None
    for side in (is_low, ~is_low):
        code = int(codes[side.argmax()])
        count = int(side.sum())
        if np.array_equal(codes == code, side) and -ways_to_choose(count, len(codes)) < math.log(CHANCE):
            return code
    return None


def _of_values(rows: Numbers, columns: Sequence[str | int]) -> Iterator[Suspect]:
    step = max(1, len(rows) // SCREENED_ROWS)
    for place in range(1, rows.shape[1]):
        if max(_explained(rows[::step], place)) < SCREENED_EXPLAINED:
            continue
        linear, in_order = _explained(rows, place)
        if linear >= LEAST_EXPLAINED and in_order >= LEAST_IN_ORDER:
            yield Suspect(columns[place], f"alone explains {100 * linear:.5g} % of the target's variance: a copy of it")
        elif in_order >= LEAST_EXPLAINED:
            yield Suspect(columns[place], f"has the order of the target ({100 * in_order:.5g} %): a copy of it")


def _explained(rows: Numbers, place: int) -> tuple[float, float]:
    """Return the squared correlations of a feature with the target: of the values, and of their ranks."""
    known = ~np.isnan(rows[:, place])
    target, values = rows[known, 0], rows[known, place]
    if len(values) < LEAST_ROWS or np.ptp(values) == 0 or np.ptp(target) == 0:
        return 0, 0
    return _correlation(target, values) ** 2, _correlation(_ranks(target), _ranks(values)) ** 2


def _correlation(one: Numbers, other: Numbers) -> float:
    # Scaled first: the squares of large numbers would be infinite.
    one, other = ((each / np.abs(each).max()) - (each / np.abs(each).max()).mean() for each in (one, other))
    spread = math.sqrt(float((one * one).sum()) * float((other * other).sum()))
    return float((one * other).sum()) / spread if spread else 0


def _ranks(values: Numbers) -> Numbers:
    """Return ranks; equal values share the middle of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Numbers = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return ranks
