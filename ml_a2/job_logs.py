"""The logs of jobs: a stream for each host, read from where the last look ended."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ml_a2 import contract
from ml_a2.service_errors import code_of

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

# The first host reports the metrics, and alone writes the model.
FIRST_HOST = "algo-1"
# A traceback's last line, or the container's own last words.
EXCEPTION_LINE = re.compile(r"(?:\[algo-\d+\] )?(?:\w+\.)*\w*(?:Error|Exception|Interrupt|Exit)\b:? ?")
LAST_LINES = 5
LINES_SEARCHED = 60


@dataclass(frozen=True)
class Stage:
    """A stage of the pipeline: in which field of the state its job's name stands, and where that writes its log."""

    field: str
    log_group: str


# By the names that failures have them under.
STAGES: Mapping[str, Stage] = {
    "Training": Stage(contract.TRAINING_JOB_FIELD, contract.TRAINING_LOG_GROUP),
    "Evaluation": Stage(contract.PROCESSING_JOB_FIELD, contract.PROCESSING_LOG_GROUP),
}


@dataclass(frozen=True)
class Line:
    """A line that a host of a job wrote."""

    host: str
    time: dt.datetime
    text: str


class JobLog:
    """The log of one job."""

    def __init__(self, logs: CloudWatchLogsClient, group: str, job: str, *, host: str | None = None) -> None:
        """Take the client; neither the group nor a stream need be there yet. With a host, only that one is read."""
        self._logs = logs
        self._group = group
        self._prefix = f"{job}/{host}-" if host else f"{job}/"
        self._alone = host is not None
        self._tokens: dict[str, str | None] = {}
        self._lines: list[Line] = []

    @property
    def has_hosts(self) -> bool:
        """Tell whether more than one host has written."""
        return len(self._tokens) > 1

    def news(self) -> list[Line]:
        """Return the lines since the last time, in the order of time; what an error cut off comes the next time."""
        for stream in self._streams():
            self._tokens.setdefault(stream, None)
        for stream in self._tokens:
            self._read(stream)
        lines, self._lines = sorted(self._lines, key=lambda line: line.time), []
        return lines

    def last(self) -> list[Line]:
        """Return the last lines of every host, in the order of time."""
        lines: list[Line] = []
        for stream in self._streams():
            self._tokens.setdefault(stream, None)
            answer = self._logs.get_log_events(
                logGroupName=self._group, logStreamName=stream, startFromHead=False, limit=LINES_SEARCHED
            )
            lines += _lines(stream, answer["events"])
        return sorted(lines, key=lambda line: line.time)

    def text(self, line: Line) -> str:
        """Return a line as it is shown: with its host where there are several."""
        return f"[{line.host}] {line.text}" if self.has_hosts else line.text

    def _read(self, stream: str) -> None:
        """Read to the end, which is where the token that was given comes back."""
        while True:
            token = self._tokens[stream]
            position: Any = {"nextToken": token} if token else {}
            answer = self._logs.get_log_events(
                logGroupName=self._group, logStreamName=stream, startFromHead=True, **position
            )
            self._lines += _lines(stream, answer["events"])
            self._tokens[stream] = answer["nextForwardToken"]
            if answer["nextForwardToken"] == token:
                return

    def _streams(self) -> Iterator[str]:
        if self._alone and self._tokens:
            return  # there will be no other one
        pages = self._logs.get_paginator("describe_log_streams").paginate(
            logGroupName=self._group, logStreamNamePrefix=self._prefix
        )
        try:
            for page in pages:
                yield from (stream["logStreamName"] for stream in page["logStreams"])
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":  # the first job of the account makes the group
                raise


def _lines(stream: str, events: Any) -> list[Line]:
    # <job name>/algo-1-<epoch seconds>
    host = stream.rpartition("/")[2].rpartition("-")[0]
    return [Line(host, dt.datetime.fromtimestamp(e["timestamp"] / 1000, dt.UTC), e["message"]) for e in events]


def last_words(log: list[str]) -> list[str]:
    """Return the lines of a failed job's log that say why: from the last exception on, or simply the last ones."""
    for index in range(len(log) - 1, max(-1, len(log) - 1 - LINES_SEARCHED), -1):
        if EXCEPTION_LINE.match(log[index]):
            return log[index : index + LAST_LINES]
    return log[-LAST_LINES:]
