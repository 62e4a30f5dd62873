"""Watch an execution: its states and the logs of its jobs, as they come, until it has ended."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from ml_a2 import contract
from ml_a2.execution_events import Event, LogLine, Pause, StateEntered, TrainingPlanned, training_round
from ml_a2.execution_history import output_of
from ml_a2.job_logs import FIRST_HOST, STAGES, JobLog, Line
from ml_a2.service_errors import Trouble, trouble_of

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_stepfunctions import SFNClient

RUNNING = "RUNNING"
# Of a service that cannot be reached; throttling always ends.
PATIENCE_SECONDS = 600.0
# When an execution takes long it is looked at this many times in as long as it has taken already.
LOOKS = 10


class Watch:
    """Looks at an execution again and again; each thing is told once."""

    def __init__(
        self, stepfunctions: SFNClient, logs: CloudWatchLogsClient, execution_arn: str, *, lines: bool
    ) -> None:
        """Take the clients, and whether every line of the jobs' logs is told."""
        self._stepfunctions = stepfunctions
        self._logs = logs
        self._arn = execution_arn
        self._tell_lines = lines
        self._last = 0
        self._jobs: dict[str, JobLog] = {}
        # What was heard and is not told yet: an error in the middle of a look loses nothing.
        self._heard: list[tuple[dt.datetime, Event]] = []
        self.ended = False

    def look(self) -> Iterator[Event]:
        """Yield what happened since the last look, in the order of time."""
        # Before the history is read: what happens in between is told the next time.
        status = self._stepfunctions.describe_execution(executionArn=self._arn)["status"]
        self._read_history()
        for stage, log in self._jobs.items():
            self._heard += self._told(stage, log, log.news())
        heard, self._heard = sorted(self._heard, key=lambda pair: pair[0]), []
        self.ended = status != RUNNING
        yield from (event for _, event in heard)

    def _read_history(self) -> None:
        events = self._news()
        for event in events:
            if entered := event.get("stateEnteredEventDetails"):
                self._heard.append((event["timestamp"], StateEntered(entered["name"], event["timestamp"])))
            if exited := event.get("stateExitedEventDetails"):
                self._left(exited["name"], [event], event["timestamp"])
        self._last = events[-1]["id"] if events else self._last

    def _left(self, state: str, event: list[dict[str, Any]], at: dt.datetime) -> None:
        """Take what the states say that name the jobs, and that settle the hyperparameters."""
        if state == contract.NAMING_STATE:
            names = output_of(event, state)
            for stage, where in STAGES.items():
                if where.field in names and (self._tell_lines or stage == "Training"):
                    host = None if self._tell_lines else FIRST_HOST
                    self._jobs[stage] = JobLog(self._logs, where.log_group, names[where.field], host=host)
        elif state == contract.PLANNING_STATE:
            self._heard.append((at, TrainingPlanned(output_of(event, state)["hyperparameters"])))

    def _news(self) -> list[dict[str, Any]]:
        """Return the events since the last look: from the end, as a history of hours is not read anew each time."""
        if self._last and self._newest() == self._last:
            return []
        pages = self._stepfunctions.get_paginator("get_execution_history").paginate(
            executionArn=self._arn,
            reverseOrder=True,
            PaginationConfig={"PageSize": 1000 if self._last == 0 else 25},
        )
        found: list[dict[str, Any]] = []
        for page in pages:
            new = [dict(event) for event in page["events"] if event["id"] > self._last]
            found += new
            if len(new) < len(page["events"]):
                break
        return found[::-1]

    def _newest(self) -> int:
        history = self._stepfunctions.get_execution_history(executionArn=self._arn, reverseOrder=True, maxResults=1)
        return history["events"][0]["id"]

    def _told(self, stage: str, log: JobLog, lines: list[Line]) -> Iterator[tuple[dt.datetime, Event]]:
        for line in lines:
            if self._tell_lines:
                yield line.time, LogLine(stage, log.text(line))
            if stage == "Training" and line.host == FIRST_HOST and (done := training_round(line.text)):
                yield line.time, done


@dataclass
class _Patience:
    """Bears what passes by itself: throttling for ever, a service that cannot be reached for a while."""

    clock: Callable[[], float]
    kind: Trouble | None = field(default=None, init=False)
    since: float = field(default=0.0, init=False)

    def bears(self, error: Exception) -> bool:
        kind = trouble_of(error)
        if kind is None:
            return False
        if kind != self.kind:
            self.kind, self.since = kind, self.clock()
            return True
        return kind == "throttled" or self.clock() - self.since < PATIENCE_SECONDS


def watch(
    seen: Watch,
    *,
    poll_seconds: float,
    patient: bool,
    slowest_seconds: float = 0.0,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Event]:
    """Yield what happens until the execution has ended, each thing once.

    Args:
        seen: looks at the execution.
        poll_seconds: from look to look.
        patient: whether throttling, and for ten minutes a lost connection, is told once and waited for.
        slowest_seconds: from look to look at most, when it takes long; 0 to look as often as at the beginning.
        sleep: waits.
        clock: tells the seconds.
    """
    patience, began = _Patience(clock), clock()
    while True:
        try:
            yield from seen.look()
        except (ClientError, BotoCoreError) as error:
            before = patience.kind
            if not (patient and patience.bears(error)):
                raise
            if patience.kind != before:
                yield Pause(patience.kind or "", str(error))
        else:
            if patience.kind:
                yield Pause("", "")
            patience.kind = None
            if seen.ended:
                return
        sleep(max(poll_seconds, min(slowest_seconds, (clock() - began) / LOOKS)))
