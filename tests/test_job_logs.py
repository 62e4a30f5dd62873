"""The logs of jobs: every host's, whole, in order, each line once."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from ml_a2.job_logs import JobLog, last_words
from tests.log_streams import FakeLogs
from tests.test_service_errors import refusal

FIRST, SECOND = "job/algo-1-1795575714", "job/algo-2-1795575714"


def _log(logs: Any) -> JobLog:
    return JobLog(logs, "group", "job")


def test_a_log_that_is_not_there_yet_is_empty() -> None:
    """Neither the group, nor a stream of this job."""
    logs = FakeLogs()
    log = _log(logs)
    assert log.news() == []
    logs.write("other-job/algo-1-1", (1, "not ours"))
    assert log.news() == []


def test_a_long_log_is_read_to_its_end_and_then_only_what_is_new() -> None:
    """However many pages; nothing is told twice."""
    logs = FakeLogs(page=2)
    logs.write(FIRST, *((number, f"line {number}") for number in range(5)))
    log = _log(logs)
    assert [line.text for line in log.news()] == [f"line {number}" for number in range(5)]
    assert log.news() == []
    logs.write(FIRST, (9, "late"))
    assert [line.text for line in log.news()] == ["late"]


def test_hosts_are_told_in_the_order_of_time_by_their_names() -> None:
    """One alone needs no name; a host that appears later is followed from its beginning."""
    logs = FakeLogs()
    logs.write(FIRST, (10, "a"), (30, "c"))
    log = _log(logs)
    alone = log.news()
    assert [log.text(line) for line in alone] == ["a", "c"]
    logs.write(SECOND, (20, "b"))
    logs.write(FIRST, (15, "again"))
    together = log.news()
    assert [log.text(line) for line in together] == ["[algo-1] again", "[algo-2] b"]


def test_one_host_alone_can_be_followed() -> None:
    """Also where a tenth one's name begins like the first one's."""
    logs = FakeLogs()
    log: Any = JobLog(logs, "group", "job", host="algo-1")  # type: ignore[arg-type]
    assert log.news() == []
    logs.write("job/algo-10-1795575714", (1, "tenth"))
    logs.write(FIRST, (2, "a"))
    assert [log.text(line) for line in log.news()] == ["a"]
    logs.write(FIRST, (3, "b"))
    assert [log.text(line) for line in log.news()] == ["b"]


def test_an_error_between_two_streams_loses_nothing() -> None:
    """What was read of the first one is told the next time."""
    logs = FakeLogs()
    logs.write(FIRST, (1, "a"))
    logs.write(SECOND, (2, "b"))
    logs.errors[SECOND] = [refusal("ThrottlingException")]
    log = _log(logs)
    with pytest.raises(ClientError):
        log.news()
    assert [line.text for line in log.news()] == ["a", "b"]


def test_the_end_of_every_host_is_read_alone() -> None:
    """A log of any length costs a call for each host."""
    logs = FakeLogs(page=1)
    logs.write(FIRST, *((number, str(number)) for number in range(100)))
    logs.write(SECOND, (50, "gone"))
    log = _log(logs)
    last = [log.text(line) for line in log.last()]
    assert (last[0], last[-1], len(last)) == ("[algo-1] 40", "[algo-1] 99", 61)
    assert "[algo-2] gone" in last


@pytest.mark.parametrize("host", ["", "[algo-2] "])
def test_the_last_words_begin_with_the_exception(host: str) -> None:
    """Of one host or of several; without an exception they are the last lines."""
    log = [f"{host}{text}" for text in ("loading", "Traceback (most recent call last):", "ValueError: no rows", "bye")]
    assert last_words(log) == log[2:]
    assert last_words([f"{host}{number}" for number in range(9)]) == [f"{host}{number}" for number in range(4, 9)]
