"""Executions that wait for a job go on with its end, and otherwise wait as long as they are told."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ml_a2.local.patches.job_waits import JobWaits

RUNNING = {"TrainingJobName": "job", "TrainingJobStatus": "InProgress"}
ENDED = {"TrainingJobName": "job", "TrainingJobStatus": "Completed"}
LONG, SHORT = 60, 0.05
ARN = "arn:aws:states:us-east-1:123456789012:execution:machine:one"


def _waiting(waits: JobWaits, execution: threading.Event, seconds: float) -> Callable[[], bool]:
    """Let an execution wait in a thread of its own; return what tells whether it still does."""
    thread = threading.Thread(target=waits.wait, args=(ARN, execution, lambda: True, seconds), daemon=True)
    thread.start()

    def waits_still(patience: float = SHORT) -> bool:
        thread.join(patience)
        return thread.is_alive()

    return waits_still


def test_the_end_of_its_job_ends_a_wait() -> None:
    """Whoever created a job, or found it running, goes on when it ends, without being stopped."""
    waits, execution = JobWaits(), threading.Event()
    waits.called(ARN, {"TrainingJobName": "job"}, {"TrainingJobArn": "arn"})
    waits_still = _waiting(waits, execution, LONG)
    waits.changed(RUNNING)
    assert waits_still()
    waits.changed(ENDED)
    assert not waits_still(LONG)
    assert not execution.is_set()


def test_another_job_ends_no_wait() -> None:
    """An execution waits for its own job alone; being stopped ends its wait all the same."""
    waits, execution = JobWaits(), threading.Event()
    waits.called(ARN, {"TrainingJobName": "mine"}, {})
    waits_still = _waiting(waits, execution, LONG)
    waits.changed(ENDED)
    assert waits_still()
    execution.set()
    assert not waits_still(LONG)


def test_a_job_that_ended_before_the_wait_is_not_waited_for() -> None:
    """Between a description and the wait the job may end."""
    waits, execution = JobWaits(), threading.Event()
    waits.called(ARN, {"TrainingJobName": "job"}, RUNNING)
    waits.changed(ENDED)
    assert not _waiting(waits, execution, LONG)(LONG)


def test_a_wait_that_is_for_no_job_lasts() -> None:
    """Who knows that a job has ended, or has called something else since, waits for another reason."""
    waits, execution = JobWaits(), threading.Event()
    waits.changed(ENDED)
    waits.called(ARN, {"TrainingJobName": "job"}, ENDED)
    first = _waiting(waits, execution, LONG)
    assert first()
    waits.called(ARN, {"TrainingJobName": "job"}, RUNNING)
    waits.called(ARN, {"TopicArn": "topic"}, {"MessageId": "1"})
    second = _waiting(waits, execution, LONG)
    assert second()
    execution.set()
    assert not first(LONG)
    assert not second(LONG)


def test_a_stop_before_the_wait_is_not_waited_out() -> None:
    """The event is set and cleared in one go: who comes after it must look whether anything runs."""
    waits = JobWaits()
    thread = threading.Thread(target=waits.wait, args=(ARN, threading.Event(), lambda: False, LONG), daemon=True)
    thread.start()
    thread.join(LONG)
    assert not thread.is_alive()
