"""Which sizes are measured."""

from __future__ import annotations

from pathlib import Path

from bench.data import Size
from bench.plan import Plan
from bench.sizes import sizes


def test_only_full_measuring_takes_gigabytes(tmp_path: Path) -> None:
    """The largest table of 280 columns is left out unless it is asked for."""

    def largest(*, quick: bool, full: bool) -> set[Size]:
        plan = Plan(quick, full, tmp_path, tmp_path, tmp_path, tmp_path, lambda _: None)
        return {size for size in sizes(plan) if size.rows * size.columns >= 1_000_000 * 28}

    wide, long = Size(1_000_000, 100_000, 280), Size(1_000_000, 100_000, 28)
    assert largest(quick=True, full=False) == set()
    assert largest(quick=False, full=False) == {Size(100_000, 10_000, 280), long}
    assert largest(quick=False, full=True) == {Size(100_000, 10_000, 280), long, wide}
