"""What who serves the endpoint sees of it."""

from __future__ import annotations

import datetime as dt
import mailbox
from pathlib import Path
from typing import Any

import pytest

from ml_a2.local.activity import Activity
from ml_a2.local.incidents import Incidents
from ml_a2.local.runtime import LocalRuntime

START = dt.datetime(2026, 11, 27, 10, tzinfo=dt.UTC)
TOPIC = "arn:aws:sns:us-east-1:123456789012:Failures"


@pytest.fixture
def told() -> list[str]:
    """What was told, without the times at the beginning."""
    return []


@pytest.fixture
def activity(told: list[str], tmp_path: Path) -> Activity:
    """Tells into the list."""
    return Activity(lambda line: told.append(line[10:]), tmp_path / "outbox.mbox")


def _execution(**ended: Any) -> dict[str, Any]:
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:Pipeline"
    return {"name": "june", "stateMachineArn": machine, "startDate": START, **ended}


def _mails(path: Path) -> list[tuple[str, str]]:
    """Return to whom each mail of a mailbox goes, and its subject."""
    box = mailbox.mbox(path)
    try:
        return [(mail["To"], mail["Subject"]) for mail in box]
    finally:
        box.close()


def test_executions_are_told_when_they_start_and_end(activity: Activity, told: list[str]) -> None:
    """With the time that they took, the error, and the beginning of the cause."""
    later = {"stopDate": START + dt.timedelta(seconds=2.5)}
    activity.execution(_execution(), "RUNNING")
    activity.execution(_execution(**later), "SUCCEEDED")
    activity.execution(_execution(**later, error="TrainingJobFailed", cause="\n no rows\nat all"), "FAILED")
    assert told == [
        "execution june of Pipeline: RUNNING",
        "execution june of Pipeline: SUCCEEDED after 2.5 s",
        "execution june of Pipeline: FAILED after 2.5 s: TrainingJobFailed:",
    ]


def test_a_job_is_told_once_a_status(activity: Activity, told: list[str]) -> None:
    """However often it changes within it."""
    job = {"TrainingJobName": "t", "TrainingJobStatus": "InProgress"}
    for secondary in ("Starting", "Training"):
        activity.job({**job, "SecondaryStatus": secondary})
    activity.job({**job, "TrainingJobStatus": "Failed", "FailureReason": "AlgorithmError: " + "x" * 200})
    activity.job({"ProcessingJobName": "t", "ProcessingJobStatus": "Stopped"})
    assert told[0] == "training job t: created, InProgress"
    assert told[1].startswith("training job t: Failed: AlgorithmError: xxx")
    assert told[1].endswith("x...")
    assert told[2:] == ["processing job t: Stopped"]


def test_an_alarm_is_told_when_it_speaks_or_is_over(activity: Activity, told: list[str]) -> None:
    """Not when it first has data."""
    activity.alarm("Failed", "INSUFFICIENT_DATA", "OK", "no datapoints")
    activity.alarm("Failed", "OK", "ALARM", "Threshold Crossed")
    activity.alarm("Failed", "ALARM", "OK", "over")
    assert told == ["alarm Failed: ALARM: Threshold Crossed", "alarm Failed: OK: over"]


def test_an_email_goes_to_the_outbox(activity: Activity, told: list[str], tmp_path: Path) -> None:
    """One for each address; a second message is added to it."""
    for subject in ("first", "second"):
        activity.message(TOPIC, subject, "the text", ["a@example.com", "b@example.com"], 1)
    assert told[0] == "message of Failures to a@example.com, b@example.com and 1 other subscriber: first"
    assert told[1] == f"email written to {tmp_path / 'outbox.mbox'}"
    assert _mails(tmp_path / "outbox.mbox") == [
        (address, subject) for subject in ("first", "second") for address in ("a@example.com", "b@example.com")
    ]  # fmt: skip


def test_an_outbox_that_cannot_be_written_is_told(told: list[str], tmp_path: Path) -> None:
    """The message is sent all the same."""
    (tmp_path / "file").touch()
    activity = Activity(told.append, tmp_path / "file" / "outbox.mbox")
    activity.message(TOPIC, "", "the text\nof it", ["a@example.com"], 0)
    assert "message of Failures to a@example.com: the text" in told[0]
    assert "warning: the email cannot be written to" in told[1]


def test_nothing_is_told_where_nobody_listens(tmp_path: Path) -> None:
    """Emails are kept all the same."""
    quiet = Activity(None, tmp_path / "outbox.mbox")
    quiet.message(TOPIC, "first", "the text", ["a@example.com"], 0)
    assert _mails(tmp_path / "outbox.mbox") == [("a@example.com", "first")]


def test_an_incident_is_told_once(activity: Activity, told: list[str]) -> None:
    """However often it happens."""
    incidents = Incidents(activity.incident)
    incidents.report("nobody was told")
    incidents.report("nobody was told")
    assert told == ["warning: nobody was told"]


def test_what_a_topic_sends_is_heard(activity: Activity, told: list[str], tmp_path: Path) -> None:
    """Whoever publishes, and whether anybody is subscribed."""
    with LocalRuntime(speed=1000, activity=activity) as runtime:
        sns = runtime.clients.sns
        topic = sns.create_topic(Name="Failures")["TopicArn"]
        sns.publish(TopicArn=topic, Subject="lonely", Message="x")
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")
        sns.publish(TopicArn=topic, Subject="heard", Message="the text")
    assert told == [
        "message of Failures to nobody: none is subscribed: lonely",
        "message of Failures to a@example.com: heard",
        f"email written to {tmp_path / 'outbox.mbox'}",
    ]
    assert "the text" in (tmp_path / "outbox.mbox").read_text()


@pytest.mark.parametrize("error", [BrokenPipeError, ValueError("I/O operation on closed file")])
def test_nothing_is_disturbed_where_nobody_reads_any_more(error: Exception) -> None:
    """Standard error may be a pipe whose reader has gone: what is told of goes on, and is told no more."""
    tried: list[str] = []

    def tell(line: str) -> None:
        tried.append(line)
        raise error

    activity = Activity(tell)
    activity.incident("first")
    activity.incident("second")
    assert len(tried) == 1
