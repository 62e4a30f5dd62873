"""Simulated time and a simulated account, small enough to know what must come out."""

from __future__ import annotations

import threading
from pathlib import Path

from bench.scale import Scenario, simulate
from bench.simulated import Clock


def test_the_clock_wakes_sleepers_in_the_order_of_their_times() -> None:
    """And goes on at once when nobody is busy."""
    clock, woken = Clock(), []

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        woken.append((clock.now, seconds))
        clock.leave()

    threads = [threading.Thread(target=sleep, args=(seconds,)) for seconds in (3600.0, 60.0, 600.0)]
    for _ in threads:
        clock.enter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert woken == [(60.0, 60.0), (600.0, 600.0), (3600.0, 3600.0)]


def test_executions_wait_for_a_quota_and_none_is_lost(assembly: Path) -> None:
    """Four at once where two may run: no more than two jobs ever do, and all succeed."""
    result = simulate(Scenario(executions=4, quota=2, starts_a_second=300, create_rate=None), assembly)
    assert result.statuses == {"SUCCEEDED": 4}
    assert max(result.retries) > 0
    assert result.most_jobs == {"training": 2, "processing": 2}
    assert result.hours >= result.least_hours > 0


def test_create_calls_beyond_the_rate_are_refused(assembly: Path) -> None:
    """One is taken a minute, and the three repetitions of the others come in the next half minute."""
    result = simulate(Scenario(executions=3, quota=3, starts_a_second=300, create_rate=1 / 60), assembly)
    assert result.statuses == {"SUCCEEDED": 1, "FAILED": 2}
    assert (result.errors, result.told) == ({"SageMaker.SageMakerException": 2}, 2)
    assert max(result.retries) == 3


def test_a_result_is_the_same_every_time(assembly: Path) -> None:
    """The seed decides about run times and pauses."""
    scenario = Scenario(executions=3, quota=1, starts_a_second=300, create_rate=None)
    first, second = simulate(scenario, assembly), simulate(scenario, assembly)
    assert (first.hours, first.transitions, first.retries) == (second.hours, second.transitions, second.retries)
