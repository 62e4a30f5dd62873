"""The time that an execution would have taken, of pauses that are slept faster than they are told."""

from __future__ import annotations

import threading

import pytest

from ml_a2.local.patches.clock import ExecutionClock, Lane


class Watch:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def _sleep(watch: Watch, lane: Lane, seconds: float, speed: float = 100, late: float = 0) -> None:
    with lane.passing(seconds, speed):
        watch.seconds += seconds / speed + late


def test_pauses_count_in_full_and_work_as_long_as_it_takes() -> None:
    """Whatever the speed."""
    watch = Watch()
    lane = ExecutionClock(None, watch).root
    _sleep(watch, lane, 100)
    watch.seconds += 7
    _sleep(watch, lane, 50, speed=1000)
    _sleep(watch, lane, 3, speed=1)
    assert lane.seconds() == pytest.approx(160)


def test_oversleeping_counts_once() -> None:
    """A machine that is busy wakes late; that is real time, not a hundredfold."""
    watch = Watch()
    lane = ExecutionClock(None, watch).root
    _sleep(watch, lane, 100, late=2)
    assert lane.seconds() == pytest.approx(102)


def test_a_pause_that_is_broken_off_counts_as_far_as_it_went() -> None:
    """As when a branch fails beside it."""
    watch = Watch()
    lane = ExecutionClock(None, watch).root
    with lane.passing(1000, 100):
        watch.seconds += 2
        assert lane.seconds() == pytest.approx(200)
    assert lane.seconds() == pytest.approx(200)


def test_branches_pause_at_once() -> None:
    """The latest of them counts, also when another one works for longer really."""
    watch = Watch()
    lane = ExecutionClock(None, watch).root
    pausing, working = lane.fork(object()), lane.fork(object())
    _sleep(watch, pausing, 100)
    pausing.end()
    watch.seconds += 29
    working.end()
    for branch in (pausing, working):
        lane.join(branch, counts=True)
    assert lane.seconds() == pytest.approx(100)


def test_items_one_after_another_add_up() -> None:
    """Each begins when the one before has ended."""
    watch = Watch()
    lane = ExecutionClock(None, watch).root
    worker = lane.fork()
    for _ in range(3):
        item = worker.fork(object())
        _sleep(watch, item, 100)
        item.end()
        worker.join(item, counts=True)
    lane.join(worker, counts=True)
    assert lane.seconds() == pytest.approx(300)


def test_a_branch_that_is_broken_off_counts_no_more() -> None:
    """Nor does what it does afterwards, unseen."""
    watch = Watch()
    clock = ExecutionClock(500, watch)
    lane = clock.root
    failing, stopped = lane.fork(object()), lane.fork(object())
    _sleep(watch, stopped, 300)
    failing.end()
    lane.join(failing, counts=True)
    lane.join(stopped, counts=False)
    stopped.skip(1000)
    assert lane.seconds() == pytest.approx(3)
    assert lane.until(500) == pytest.approx(497)


@pytest.mark.parametrize(("timeout", "left"), [(50, 0.5), (100, 1), (150, 51)])
def test_time_runs_out_within_a_pause_or_after_it(timeout: float, left: float) -> None:
    """It goes a hundred times as fast until the pause is over."""
    watch = Watch()
    lane = ExecutionClock(timeout, watch).root
    with lane.passing(100, 100):
        assert lane.until(timeout) == pytest.approx(left)


def test_time_runs_out_in_any_branch() -> None:
    """The one that comes there first decides."""
    watch = Watch()
    lane = ExecutionClock(200, watch).root
    lane.fork(object())
    pausing = lane.fork(object())
    with pausing.passing(1000, 100):
        assert lane.until(200) == pytest.approx(2)
    pausing.end()
    assert lane.until(200) == pytest.approx(200)


@pytest.mark.parametrize(("timeout", "in_time"), [(50, False), (150, True), (None, True)])
def test_the_end_and_the_time_out_are_waited_for(timeout: float | None, in_time: bool) -> None:
    """Whichever comes first, by nominal time."""
    clock = ExecutionClock(timeout)
    woken = threading.Event()

    def execute() -> None:
        with clock.root.passing(100, 10_000):
            woken.wait(0.01)
        if not in_time:
            woken.wait(60)
        clock.root.end()

    thread = threading.Thread(target=execute, daemon=True)
    thread.start()
    assert clock.ends_in_time() is in_time
    woken.set()
    thread.join()


def test_a_branch_whose_time_has_run_out_does_nothing_more() -> None:
    """It waits until the execution has ended, however late who watches the time looks."""
    clock = ExecutionClock(60)
    ended, went_on = threading.Event(), threading.Event()
    clock.root.skip(61)

    def execute() -> None:
        clock.heed_time_out(clock.root, lambda: not ended.is_set())
        went_on.set()

    thread = threading.Thread(target=execute, daemon=True)
    thread.start()
    assert not went_on.wait(0.1)
    assert not clock.ends_in_time()
    ended.set()
    thread.join(60)
    assert went_on.is_set()
