"""What AWS would let go wrong without a word: an alarm that may not speak, a log that nobody may write."""

from __future__ import annotations

import threading


class Incidents:
    """Collects them, each once, so that a run can tell a person."""

    def __init__(self) -> None:
        """Start without any."""
        self._texts: dict[str, None] = {}
        self._lock = threading.Lock()

    def report(self, text: str) -> None:
        """Keep one."""
        with self._lock:
            self._texts[text] = None

    def all(self) -> list[str]:
        """Return them in the order in which they happened first."""
        with self._lock:
            return list(self._texts)
