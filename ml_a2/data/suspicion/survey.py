"""What is kept of rows to judge them: 64 bits for each half of a row's features, its label, and some rows whole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Hashes: TypeAlias = NDArray[np.uint64]
Numbers: TypeAlias = NDArray[np.float64]

# Of so many rows the columns are judged: what holds for them holds for the rest but for a share that does not matter.
MOST_SAMPLED_ROWS = 100_000
# A wide table has fewer of them: 32 MB, or these.
MOST_SAMPLED_CELLS, LEAST_SAMPLED_ROWS = 4_000_000, 1000
# Of so many rows, 24 bytes each, all are kept; of more every second, fourth, ... by their own hashes: equal ones stay
# together.
MOST_ROWS = 1 << 24
# So that what is done to a block is done in the processor's cache.
ROWS_AT_ONCE = 4096
# Odd numbers with bits all over, of splitmix64 and MurmurHash3.
FIRST, SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC4CEB9FE1A85EC53)


@dataclass(frozen=True)
class Survey:
    """What is kept of some rows, in their order; `one_in` of them where there are too many, the sample aside."""

    # (n,) labels, as numbers.
    labels: Numbers
    # (n, 2) hashes of the features: those with even places, those with odd ones.
    halves: Hashes
    # (k, columns) some rows, the label first; nan where a cell is missing.
    sample: Numbers
    # (k,) which rows those are, counted from 0.
    places: NDArray[np.int64]
    one_in: int = 1

    def __len__(self) -> int:
        """Return the number of rows that are kept."""
        return len(self.labels)

    @cached_property
    def features(self) -> Hashes:
        """Return (n,) hashes of the rows without their labels."""
        return mixed(self.halves[:, 0], self.halves[:, 1])

    @cached_property
    def rows(self) -> Hashes:
        """Return (n,) hashes of the rows."""
        return mixed(self.features, _bits(self.labels + 0.0))

    def part(self, places: Any) -> Survey:
        """Return what is kept of some of the rows, given by their places; no row of them whole."""
        nothing = np.empty((0, self.sample.shape[1]))
        return Survey(self.labels[places], self.halves[places], nothing, np.empty(0, np.int64), self.one_in)

    def thinned(self, one_in: int) -> Survey:
        """Return what is kept of every second, fourth, ... row by its features' hash."""
        if one_in <= self.one_in:
            return self
        kept = self.features & np.uint64(one_in - 1) == 0
        return replace(self, labels=self.labels[kept], halves=self.halves[kept], one_in=one_in)


def most_sampled(columns: int) -> int:
    """Return how many rows of so many columns are kept whole at the most."""
    return min(MOST_SAMPLED_ROWS, max(LEAST_SAMPLED_ROWS, MOST_SAMPLED_CELLS // max(columns, 1)))


def sampled_share(rows: float, columns: int) -> float:
    """Return which share of so many rows is kept whole."""
    return min(1.0, most_sampled(columns) / max(rows, 1))


def survey(columns: Sequence[NDArray[Any]], share: float = 1.0) -> Survey:
    """Return what is kept of rows: a share of them whole, in runs that are spread over all.

    Args:
        columns: (n,) numbers each, the label first; nan where a cell is missing.
        share: of the rows that are kept whole, in (0, 1].
    """
    labels, *features = columns
    halves = np.zeros((len(labels), 2), np.uint64)
    places = [np.empty(0, np.int64)]
    for first in range(0, len(labels), ROWS_AT_ONCE):
        rows = slice(first, min(first + ROWS_AT_ONCE, len(labels)))
        for half in (0, 1):
            halves[rows, half] = _hashed([values[rows] for values in features[half::2]], rows.stop - first)
        places.append(np.arange(first, first + math.ceil((rows.stop - first) * share)))
    kept = np.concatenate(places)
    sample = np.column_stack([values[kept].astype(np.float64) for values in columns])
    return Survey(np.asarray(labels, np.float64), halves, sample, kept)


@dataclass
class Keeper:
    """Takes blocks of rows that follow each other, and keeps no more of them than memory allows."""

    # Of the next block that is kept whole.
    share: float = 1.0
    rows: int = 0
    _one_in: int = 1
    _kept: list[Survey] = field(default_factory=list)
    # How many rows are kept, and how many of them whole.
    _hashed: int = 0
    _whole: int = 0

    def add(self, block: Survey) -> None:
        """Take what is kept of the rows that follow."""
        block = replace(block, places=block.places + self.rows)
        self.rows += len(block)
        self._kept.append(block.thinned(self._one_in))
        self._hashed += len(self._kept[-1])
        self._whole += len(block.sample)
        if self._hashed > MOST_ROWS:
            self._one_in *= 2
            self._kept = [each.thinned(self._one_in) for each in self._kept]
            self._hashed = sum(map(len, self._kept))
        # A wide table has fewer of them; twice as many as wanted before they are halved.
        if self._whole > 2 * most_sampled(block.sample.shape[1]):
            self.share /= 2
            self._kept = [_with_half_the_sample(each) for each in self._kept]
            self._whole = sum(len(each.sample) for each in self._kept)

    def survey(self) -> Survey | None:
        """Return all that is kept, None where there were no rows, or not all of them had the same columns."""
        if len({block.sample.shape[1] for block in self._kept}) != 1:
            return None
        return Survey(
            np.concatenate([block.labels for block in self._kept]),
            np.concatenate([block.halves for block in self._kept]),
            np.concatenate([block.sample for block in self._kept]),
            np.concatenate([block.places for block in self._kept]),
            self._one_in,
        )


def _with_half_the_sample(block: Survey) -> Survey:
    kept = (len(block.sample) + 1) // 2
    return replace(block, sample=block.sample[:kept].copy(), places=block.places[:kept])


def _hashed(columns: Sequence[NDArray[Any]], rows: int) -> Hashes:
    hashes, numbers, bits = np.zeros(rows, np.uint64), np.empty(rows), np.empty(rows, np.uint64)
    for values in columns:
        np.add(values, 0.0, out=numbers, casting="unsafe")
        hashes, bits = _mixed(hashes, _bits(numbers), bits), hashes
    return hashes


def mixed(hashes: Hashes, bits: Hashes) -> Hashes:
    """Return hashes that depend on every bit of both, and on which is which: (n,) each."""
    return _mixed(hashes, bits, np.empty_like(hashes))


def _mixed(hashes: Hashes, bits: Hashes, result: Hashes) -> Hashes:
    spread = np.multiply(bits, FIRST, out=result)
    spread ^= spread >> np.uint64(32)
    spread ^= hashes
    spread *= SECOND
    spread ^= spread >> np.uint64(29)
    return spread


def _bits(numbers: Numbers) -> Hashes:
    """Return the bits of numbers, of which equal ones have the same: minus zero is not among them, and one nan."""
    missing = np.isnan(numbers)
    if missing.any():
        numbers[missing] = np.nan
    return numbers.view(np.uint64)
