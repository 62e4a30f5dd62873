"""What is counted of many executions."""

from __future__ import annotations

import pytest

from bench.executions import most_at_once


@pytest.mark.parametrize(
    ("spans", "most"), [([], 0), ([(0, 1), (1, 2)], 1), ([(0, 3), (1, 2), (1.5, 4)], 3), ([(0, 1), (2, 3)], 1)]
)
def test_jobs_at_once_are_counted(spans: list[tuple[float, float]], most: int) -> None:
    """Spans that touch do not overlap."""
    assert most_at_once(spans) == most
