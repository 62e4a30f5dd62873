"""How many orders there are, as logarithms: how likely it is that chance brings one about."""

from __future__ import annotations

from collections.abc import Iterable
from math import lgamma, log


def ways_to_choose(chosen: int, of: int) -> float:
    """Return the logarithm of the number of subsets of that size."""
    return lgamma(of + 1) - lgamma(chosen + 1) - lgamma(of - chosen + 1)


def ways_to_label(counts: Iterable[int]) -> float:
    """Return the logarithm of the number of ways to give rows their classes, so many of each."""
    counts = list(counts)
    return lgamma(sum(counts) + 1) - sum(lgamma(count + 1) for count in counts)


def ways_to_cut(groups: int, runs: int, classes: int) -> float:
    """Return the logarithm of the number of ways to cut groups in order into runs of classes that alternate."""
    return ways_to_choose(runs - 1, groups - 1) + log(classes) + (runs - 1) * log(max(classes - 1, 1))
