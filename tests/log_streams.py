"""CloudWatch Logs as a fake: streams with lines, pages, and errors in turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.test_service_errors import refusal


class FakeLogs:
    """Answers as CloudWatch Logs does: a page, with a token that comes back at the end."""

    def __init__(self, page: int = 2) -> None:
        """Tell so many lines a page."""
        self._page = page
        self.streams: dict[str, list[tuple[int, str]]] = {}
        # Raised by the next reads of a stream, in turn.
        self.errors: dict[str, list[Exception]] = {}

    def write(self, stream: str, *lines: tuple[int, str]) -> None:
        self.streams.setdefault(stream, []).extend(lines)

    def get_paginator(self, operation: str) -> Any:
        assert operation == "describe_log_streams"
        return self

    def paginate(self, *, logGroupName: str, logStreamNamePrefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        if not self.streams:
            raise refusal("ResourceNotFoundException")
        for name in sorted(self.streams):
            if name.startswith(logStreamNamePrefix):
                yield {"logStreams": [{"logStreamName": name}]}

    def get_log_events(
        self,
        *,
        logGroupName: str,  # noqa: N803
        logStreamName: str,  # noqa: N803
        startFromHead: bool,  # noqa: N803
        nextToken: str = "0",  # noqa: N803
        limit: int = 10_000,
    ) -> dict[str, Any]:
        if self.errors.get(logStreamName):
            raise self.errors[logStreamName].pop(0)
        lines = self.streams[logStreamName]
        first = int(nextToken) if startFromHead else max(0, len(lines) - limit)
        some = lines[first : first + (self._page if startFromHead else limit)]
        events = [{"timestamp": time, "message": text} for time, text in some]
        return {"events": events, "nextForwardToken": str(first + len(some))}
