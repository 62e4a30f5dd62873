"""Repeated runs are fair to every way."""

from __future__ import annotations

from bench.measure import Usage
from bench.runs import interleaved, ratios, spread


def _usage(seconds: float) -> Usage:
    return Usage(seconds, 0, 0, 0, "")


def test_ways_take_turns() -> None:
    """A slow moment of the machine meets all ways, not all runs of one."""
    order: list[str] = []

    def way(name: str, seconds: float) -> Usage:
        order.append(name)
        return _usage(seconds)

    found = interleaved({"a": lambda: way("a", 1), "b": lambda: way("b", 2)}, 3, lambda _: None)
    assert order == ["a", "b"] * 3
    assert [usage.seconds for usage in found["b"]] == [2, 2, 2]


def test_ratios_compare_the_runs_of_one_round() -> None:
    """A round that is slow for both leaves the ratio as it is."""
    ours, others = [_usage(2), _usage(20), _usage(3)], [_usage(1), _usage(10), _usage(1)]
    found = ratios(ours, others, "seconds")
    assert (found.median, found.low, found.high) == (2, 2, 3)
    assert str(spread(ours, "seconds")) == "3.00 (2.00 to 20.00)"
