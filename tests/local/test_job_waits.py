"""Executions that wait for a job go on with its end, and otherwise wait as long as they are told."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from ml_a2.local.patches.clock import ExecutionClock, Lane, Time
from ml_a2.local.patches.job_waits import JobWaits

RUNNING = {"TrainingJobName": "job", "TrainingJobStatus": "InProgress"}
ENDED = {"TrainingJobName": "job", "TrainingJobStatus": "Completed"}
LONG, SHORT = 60, 0.05


def _lane() -> Lane:
    return ExecutionClock(None).root


def _waiting(
    waits: JobWaits, lane: Lane, execution: threading.Event, seconds: float, speed: float = 1
) -> Callable[[], bool]:
    """Let an execution wait in a thread of its own; return what tells whether it still does."""
    thread = threading.Thread(target=waits.wait, args=(lane, execution, lambda: True, seconds, speed), daemon=True)
    thread.start()

    def waits_still(patience: float = SHORT) -> bool:
        thread.join(patience)
        return thread.is_alive()

    return waits_still


def test_the_end_of_its_job_ends_a_wait() -> None:
    """Whoever created a job, or found it running, goes on when it ends, without being stopped."""
    waits, lane, execution = JobWaits(), _lane(), threading.Event()
    waits.called(lane.owner, {"TrainingJobName": "job"}, {"TrainingJobArn": "arn"})
    waits_still = _waiting(waits, lane, execution, LONG)
    waits.changed(RUNNING)
    assert waits_still()
    waits.changed(ENDED)
    assert not waits_still(LONG)
    assert not execution.is_set()


def test_another_job_ends_no_wait() -> None:
    """An execution waits for its own job alone; being stopped ends its wait all the same."""
    waits, lane, execution = JobWaits(), _lane(), threading.Event()
    waits.called(lane.owner, {"TrainingJobName": "mine"}, {})
    waits_still = _waiting(waits, lane, execution, LONG)
    waits.changed(ENDED)
    assert waits_still()
    execution.set()
    assert not waits_still(LONG)


def test_a_job_that_ended_before_the_wait_is_not_waited_for() -> None:
    """Between a description and the wait the job may end."""
    waits, lane, execution = JobWaits(), _lane(), threading.Event()
    waits.called(lane.owner, {"TrainingJobName": "job"}, RUNNING)
    waits.changed(ENDED)
    assert not _waiting(waits, lane, execution, LONG)(LONG)


def test_a_wait_that_is_for_no_job_lasts() -> None:
    """Who knows that a job has ended, or has called something else since, waits for another reason."""
    waits, lane, execution = JobWaits(), _lane(), threading.Event()
    waits.changed(ENDED)
    waits.called(lane.owner, {"TrainingJobName": "job"}, ENDED)
    first = _waiting(waits, lane, execution, LONG)
    assert first()
    waits.called(lane.owner, {"TrainingJobName": "job"}, RUNNING)
    waits.called(lane.owner, {"TopicArn": "topic"}, {"MessageId": "1"})
    second = _waiting(waits, lane.fork(), execution, LONG)
    assert second()
    execution.set()
    assert not first(LONG)
    assert not second(LONG)


def test_a_stop_before_the_wait_is_not_waited_out() -> None:
    """The event is set and cleared in one go: who comes after it must look whether anything runs."""
    waits, arguments = JobWaits(), (_lane(), threading.Event(), lambda: False, LONG, 1)
    thread = threading.Thread(target=waits.wait, args=arguments, daemon=True)
    thread.start()
    thread.join(LONG)
    assert not thread.is_alive()


def test_waiting_for_a_job_counts_as_long_as_the_job_takes() -> None:
    """Looks at it come sooner than on AWS, and there may be thousands of them."""
    waits, lane = JobWaits(), _lane()
    waits.called(lane.owner, {"TrainingJobName": "job"}, {"TrainingJobArn": "arn"})
    for _ in range(20):
        waits.wait(lane, threading.Event(), lambda: True, 30, 100_000)
        waits.called(lane.owner, {"TrainingJobName": "job"}, RUNNING)
    assert lane.skipped == 0


@pytest.mark.parametrize(("ran", "counts"), [(0, 30), (2, 30), (30, 30), (31, 60), (3600, 3600), (3601, 3630)])
def test_a_job_is_seen_to_end_when_the_pause_on_aws_is_over(ran: float, counts: float) -> None:
    """Of a machine that looks every thirty seconds, whenever the job itself ended."""
    times = iter([0.0, float(ran)])
    waits, lane = JobWaits(Time(lambda: next(times))), _lane()
    waits.called(lane.owner, {"TrainingJobName": "job"}, {"TrainingJobArn": "arn"})
    waits.changed(ENDED)
    waits.wait(lane, threading.Event(), lambda: True, 30, 100)
    assert ran + lane.skipped == counts


def test_branches_wait_for_their_own_jobs() -> None:
    """Another branch's calls do not take a branch's job away."""
    waits, lane = JobWaits(), _lane()
    first, second = lane.fork(object()), lane.fork(object())
    waits.called(first.owner, {"TrainingJobName": "job"}, {})
    waits.called(second.owner, {"TopicArn": "topic"}, {"MessageId": "1"})
    waits_still = _waiting(waits, first.fork(), threading.Event(), LONG)
    waits.changed(ENDED)
    assert not waits_still(LONG)
