"""What is kept of rows to judge them: 64 bits for each half of a row's features, its label, and some rows whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Hashes: TypeAlias = NDArray[np.uint64]
Numbers: TypeAlias = NDArray[np.float64]

# Of so many rows the columns are judged: what holds for them holds for the rest but for a share that does not matter.
MOST_SAMPLED_ROWS = 100_000
# A wide table has fewer of them: 32 MB.
MOST_SAMPLED_CELLS = 4_000_000
# So that what is done to a block is done in the processor's cache.
ROWS_AT_ONCE = 16_384
# Odd numbers with bits all over, of splitmix64 and MurmurHash3.
FIRST, SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC4CEB9FE1A85EC53)


@dataclass(frozen=True)
class Survey:
    """What is kept of some rows, in their order."""

    # (n,) labels, as numbers.
    labels: Numbers
    # (n, 2) hashes of the features: those with even places, those with odd ones.
    halves: Hashes
    # (k, columns) some rows, the label first; nan where a cell is missing.
    sample: Numbers
    # (k,) which rows those are, counted from 0.
    places: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.labels)

    def features(self) -> Hashes:
        """Return (n,) hashes of the rows without their labels."""
        return mixed(self.halves[:, 0], self.halves[:, 1])

    def rows(self) -> Hashes:
        """Return (n,) hashes of the rows."""
        return mixed(self.features(), _bits(self.labels))

    def part(self, places: Any) -> Survey:
        """Return what is kept of some of the rows, given by their places; no row of them whole."""
        nothing = np.empty((0, self.sample.shape[1]))
        return Survey(self.labels[places], self.halves[places], nothing, np.empty(0, np.int64))


def sampled_share(rows: float, columns: int) -> float:
    """Return which share of so many rows is kept whole."""
    most = min(MOST_SAMPLED_ROWS, max(1, MOST_SAMPLED_CELLS // max(columns, 1)))
    return min(1.0, most / max(rows, 1))


def survey(columns: Sequence[Numbers], share: float = 1.0) -> Survey:
    """Return what is kept of a block of rows: its first ones whole, as many as the share says.

    Args:
        columns: (n,) numbers each, the label first; nan where a cell is missing.
        share: of the rows that are kept whole, in (0, 1].
    """
    labels, *features = columns
    halves = np.zeros((len(labels), 2), np.uint64)
    for first in range(0, len(labels), ROWS_AT_ONCE):
        rows = slice(first, first + ROWS_AT_ONCE)
        for place, values in enumerate(features):
            halves[rows, place % 2] = mixed(halves[rows, place % 2], _bits(values[rows]))
    kept = int(np.ceil(len(labels) * share))
    sample = np.column_stack([values[:kept] for values in columns])
    return Survey(np.asarray(labels, np.float64), halves, sample, np.arange(kept))


def joined(blocks: Iterable[Survey]) -> Survey:
    """Return what is kept of blocks that follow each other; there is at least one."""
    blocks = list(blocks)
    starts = np.cumsum([0, *map(len, blocks[:-1])])
    return Survey(
        np.concatenate([block.labels for block in blocks]),
        np.concatenate([block.halves for block in blocks]),
        np.concatenate([block.sample for block in blocks]),
        np.concatenate([block.places + start for block, start in zip(blocks, starts, strict=True)]),
    )


def mixed(hashes: Hashes, bits: Hashes) -> Hashes:
    """Return hashes that depend on every bit of both, and on which is which: (n,) each."""
    bits = bits * FIRST
    bits ^= bits >> np.uint64(32)
    bits ^= hashes
    bits *= SECOND
    bits ^= bits >> np.uint64(29)
    return bits


def _bits(values: Any) -> Hashes:
    """Return the bits of numbers, of which equal ones have the same: one zero, one nan."""
    numbers = np.ascontiguousarray(values, np.float64) + 0.0  # of minus zero, zero
    numbers[np.isnan(numbers)] = np.nan
    return numbers.view(np.uint64)
