"""A job's output in CloudWatch Logs, under the names that SageMaker uses."""

from __future__ import annotations

import queue
import threading
import time

from botocore.exceptions import BotoCoreError, ClientError

from ml_a2.local.clients import Clients

# PutLogEvents takes at most 10,000 events of 1 MB in all, and 256 KB an event.
LARGEST_BATCH = 1_000
LONGEST_LINE = 60_000  # characters, of up to 4 bytes
BATCH_SECONDS = 0.1


class JobLog:
    """Takes lines from a job and delivers them in batches; `close` delivers the rest."""

    def __init__(self, clients: Clients, group: str, job_name: str, host: str = "algo-1") -> None:
        """Name the stream `<job>/<host>-<epoch seconds>`."""
        self._logs = clients.logs
        self._group = group
        self.stream = f"{job_name}/{host}-{int(time.time())}"
        self._lines: queue.SimpleQueue[tuple[int, str] | None] = queue.SimpleQueue()
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
        self._lines.put((self._last, line[:LONGEST_LINE] or " "))

    def close(self) -> None:
        """Deliver what is left, or raise what kept it from being delivered."""
        self._lines.put(None)
        self._thread.join()
        if self._error:
            raise self._error

    def _deliver(self) -> None:
        open_ = True
        while open_:
            batch = [self._lines.get()]
            deadline = time.monotonic() + BATCH_SECONDS
            while batch[-1] is not None and len(batch) < LARGEST_BATCH:
                try:
                    batch.append(self._lines.get(timeout=max(0, deadline - time.monotonic())))
                except queue.Empty:
                    break
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
            except (ClientError, BotoCoreError) as error:
                self._error = error  # a job whose output is lost must not look complete: `close` raises it
