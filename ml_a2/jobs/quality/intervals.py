"""95 % confidence intervals: how far a metric would move on other rows of the same kind."""

from __future__ import annotations

from typing import Callable

import numpy as np

from .arrays import Array

LEVEL = 0.95
# The standard normal distribution's quantile at 97.5 %.
Z = 1.959963984540054
REPLICATES = 1000
SEED = 20240901
# Rows beyond this many are drawn in random blocks: the sums of a block stand in for its rows.
MOST_BLOCKS = 2000
REPLICATES_AT_ONCE = 100
ROWS_AT_ONCE = 1_000_000

# Per-row statistics of some rows, summed in blocks: (rows, the block of each, number of blocks) -> (blocks, columns).
BlockSums = Callable[[slice, Array, int], Array]


def block_sums(sums: BlockSums, rows: int) -> Array:
    """Sum the statistics of all rows in at most 2,000 blocks, (blocks, columns); few rows are a block each."""
    blocks = min(rows, MOST_BLOCKS)
    random = np.random.RandomState(SEED)
    total = None
    for first in range(0, rows, ROWS_AT_ONCE):
        last = min(rows, first + ROWS_AT_ONCE)
        numbers = np.arange(first, last)
        # At random, so that an order among the rows means nothing.
        drawn = random.randint(0, blocks, last - first)
        part = sums(slice(first, last), np.where(numbers < blocks, numbers, drawn), blocks)
        total = part if total is None else total + part
    assert total is not None
    return np.asarray(total)


def replicated(blocks: Array) -> Array:
    """Draw as many blocks as there are, with replacement, and sum them: (replicates, columns)."""
    random = np.random.RandomState(SEED)
    count = len(blocks)
    sums = []
    for _ in range(REPLICATES // REPLICATES_AT_ONCE):
        drawn = random.randint(0, count, (REPLICATES_AT_ONCE, count))
        times = np.stack([np.bincount(each, minlength=count) for each in drawn])
        sums.append(times.astype(np.float64) @ blocks)
    return np.concatenate(sums)


def from_replicates(values: Array) -> tuple[float, float] | None:
    """Return the interval that holds the middle 95 % of the replicates; None where they are all alike."""
    values = values[np.isfinite(values)]
    if len(values) < REPLICATES // 2 or values.min() == values.max():
        return None
    low, high = np.percentile(values, [100 * (1 - LEVEL) / 2, 100 * (1 + LEVEL) / 2])
    return float(low), float(high)


def wilson(share: float, rows: float) -> tuple[float, float]:
    """Return the interval of a share of independent rows; it has a width also where all rows are alike.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    """
    center = share + Z**2 / (2 * rows)
    half = Z * np.sqrt(share * (1 - share) / rows + Z**2 / (4 * rows**2))
    low, high = ((center + sign * half) / (1 + Z**2 / rows) for sign in (-1, 1))
    # Where no row speaks against it, the end is 0 or 1 itself, not what rounding makes of it.
    return float(low) if share > 0 else 0.0, float(high) if share < 1 else 1.0
