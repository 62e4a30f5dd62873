"""A job's output in CloudWatch Logs, under the names that SageMaker uses."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque

from botocore.exceptions import ClientError

from ml_a2.local.clients import Clients

# PutLogEvents takes at most 10,000 events of 1 MB in all, and 256 KB an event. A batch is full with these characters,
# of up to 4 bytes; its last line, of up to 60,000, may go beyond.
LARGEST_BATCH = 1_000
FULL_BATCH_CHARACTERS = 200_000
BATCH_SECONDS = 0.1
# What is delivered as it comes; of what is written beyond, the last lines at the end. The engine keeps logs in memory.
MOST_CHARACTERS = 64 << 20
LAST_LINES = 1_000
# Lines that wait for delivery; a job that writes faster waits too.
MOST_WAITING = 10_000


class JobLog:
    """Takes lines from a job and delivers them in batches; `close` delivers the rest."""

    def __init__(self, clients: Clients, group: str, job_name: str, host: str = "algo-1") -> None:
        """Name the stream `<job>/<host>-<epoch seconds>`."""
        self._logs = clients.logs
        self._group = group
        self.stream = f"{job_name}/{host}-{int(time.time())}"
        self._lines: queue.Queue[tuple[int, str] | None] = queue.Queue(MOST_WAITING)
        self._characters = self._left_out = 0
        self._end: deque[tuple[int, str]] = deque(maxlen=LAST_LINES)
        self._last = 0
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._deliver, name=f"log {job_name}", daemon=True)

    def open(self) -> None:
        """Create the stream, and begin to deliver."""
        try:
            self._logs.create_log_group(logGroupName=self._group)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                raise
        self._logs.create_log_stream(logGroupName=self._group, logStreamName=self.stream)
        self._thread.start()

    def write(self, line: str) -> None:
        """Take one line; CloudWatch Logs has no empty events, so an empty line becomes a space."""
        self._last = max(self._last, int(time.time() * 1000))  # events must not go back in time, clocks may
        self._characters += len(line)
        if self._characters <= MOST_CHARACTERS:
            self._lines.put((self._last, line or " "))
            return
        self._left_out += len(self._end) == LAST_LINES
        self._end.append((self._last, line or " "))

    def close(self) -> None:
        """Deliver what is left, or raise what kept it from being delivered."""
        if self._left_out:
            told = (
                f"[{self._left_out} lines are left out here: a log beyond {MOST_CHARACTERS} characters is cut locally]"
            )
            self._lines.put((self._end[0][0], told))
        for entry in self._end:
            self._lines.put(entry)
        self._lines.put(None)
        self._thread.join()
        if self._error:
            raise self._error

    def _next_batch(self) -> list[tuple[int, str] | None]:
        """Wait for lines; None comes after the last one."""
        last = self._lines.get()
        batch, characters = [last], 0
        deadline = time.monotonic() + BATCH_SECONDS
        while last is not None and len(batch) < LARGEST_BATCH:
            characters += len(last[1])
            if characters >= FULL_BATCH_CHARACTERS:
                break
            try:
                last = self._lines.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                break
            batch.append(last)
        return batch

    def _deliver(self) -> None:
        open_ = True
        while open_:
            batch = self._next_batch()
            open_ = batch[-1] is not None
            events = [{"timestamp": at, "message": line} for at, line in filter(None, batch)]
            if not events or self._error:
                continue
            try:
                self._logs.put_log_events(
                    logGroupName=self._group,
                    logStreamName=self.stream,
                    logEvents=events,  # type: ignore[arg-type]
                )
            except Exception as error:  # noqa: BLE001  # what writes would wait for ever for a thread that is gone
                self._error = error  # a job whose output is lost must not look complete: `close` raises it
