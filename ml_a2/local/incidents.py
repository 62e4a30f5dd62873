"""What AWS would let go wrong without a word: an alarm that may not speak, a log that nobody may write."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Incidents:
    """Collects them, each once, so that a run can tell a person."""

    def __init__(self, hear: Callable[[str], None] | None = None) -> None:
        """Start without any; each new one is told to who hears of it."""
        self._hear = hear
        self._texts: dict[str, None] = {}
        self._lock = threading.Lock()

    def report(self, text: str) -> None:
        """Keep one."""
        with self._lock:
            known = text in self._texts
            self._texts[text] = None
        if self._hear and not known:
            self._hear(text)

    def all(self) -> list[str]:
        """Return them in the order in which they happened first."""
        with self._lock:
            return list(self._texts)
