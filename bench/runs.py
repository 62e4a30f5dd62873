"""Repeated runs: interleaved, summarized, set in relation."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from bench.measure import Usage


@dataclass(frozen=True)
class Spread:
    """A median, with the lowest and the highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Summarize values."""
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        """Say the median and the range that it comes from."""
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


def spread(usages: Sequence[Usage], value: str) -> Spread:
    """Summarize one value of runs, by its name."""
    return Spread.of([getattr(usage, value) for usage in usages])


def ratios(usages: Sequence[Usage], others: Sequence[Usage], value: str) -> Spread:
    """Summarize what runs took of what others did, each compared with the one of its own round."""
    return Spread.of([getattr(one, value) / getattr(other, value) for one, other in zip(usages, others, strict=True)])


def interleaved(
    ways: Mapping[str, Callable[[], Usage]], repetitions: int, tell: Callable[[str], None]
) -> dict[str, list[Usage]]:
    """Run every way once a round, so that whatever else the machine does meets all of them."""
    found: dict[str, list[Usage]] = {way: [] for way in ways}
    for number in range(1, repetitions + 1):
        for way, run in ways.items():
            found[way].append(usage := run())
            tell(f"{number}/{repetitions} {way}: {usage.seconds:.2f} s, {usage.largest_mb:.0f} MB")
    return found
