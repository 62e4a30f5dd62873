"""The gate that requests pass side by side, and that is closed while a snapshot is taken of what they change."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE_SECONDS = 10.0
HOLD_SECONDS = 0.25
LOOK_SECONDS = 0.05
# How long the end waits for requests that are under way still.
ENDING_SECONDS = 5.0

_thread = threading.local()


class Gate:
    """Open until it is shut for good; requests that a request makes itself pass with it."""

    def __init__(self, *, patience_seconds: float = PATIENCE_SECONDS, hold_seconds: float = HOLD_SECONDS) -> None:
        """Open it.

        Args:
            patience_seconds: how long a snapshot waits for a moment in which nothing is under way, before it makes one.
            hold_seconds: how long it then keeps new requests waiting for those under way to end; where they do not, it
                lets them all go on.
        """
        self._patience_seconds = patience_seconds
        self._hold_seconds = hold_seconds
        self._turn = threading.Condition()
        self._inside = 0
        self._held = False
        self._shut = False
        self._given_up = False
        # Set by whatever may have changed something.
        self.changed = threading.Event()

    @contextmanager
    def passage(self, *, changes: bool = True) -> Iterator[bool]:
        """Let a request pass, which `changes` something or does not; gives whether the gate is still open."""
        if getattr(_thread, "gate", None) is self:
            yield True
            return
        if not self._enter(unless_shut=True):
            yield False
            return
        _thread.gate = self
        try:
            yield True
        finally:
            _thread.gate = None
            self._leave()
            if changes:
                self.changed.set()

    @contextmanager
    def left(self) -> Iterator[None]:
        """Do something outside that changes nothing, in the middle of a request."""
        self._leave()
        try:
            yield
        finally:
            self._enter(unless_shut=False)

    @contextmanager
    def alone(self, possible: Callable[[], bool], quiet: Callable[[], bool]) -> Iterator[bool]:
        """Keep requests out once none is under way; gives whether that came about.

        Args:
            possible: whether what happens beside requests allows it at all.
            quiet: whether it is a good moment; after some time any moment is.
        """
        with self._turn:
            try:
                yield self._wait(self._patience_seconds, lambda: possible() and quiet()) or self._make_room(possible)
            finally:
                self._held = False
                self._turn.notify_all()

    def give_up(self) -> None:
        """Let a snapshot that waits for its moment not be taken, because the last one is to come."""
        with self._turn:
            self._given_up = True
            self._turn.notify_all()

    @contextmanager
    def shut(self) -> Iterator[None]:
        """Refuse requests from now on, and let those under way end as long as there is patience."""
        with self._turn:
            self._shut, self._given_up = True, False
            self._wait(ENDING_SECONDS, lambda: True)
            yield

    def _make_room(self, possible: Callable[[], bool]) -> bool:
        self._held = True
        return self._wait(self._hold_seconds, possible)

    def _wait(self, seconds: float, ready: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + seconds
        while self._inside or not ready():
            if self._given_up or time.monotonic() > deadline:
                return False
            self._turn.wait(LOOK_SECONDS)
        return True

    def _enter(self, *, unless_shut: bool) -> bool:
        with self._turn:
            while self._held:
                self._turn.wait()
            if self._shut and unless_shut:
                return False
            self._inside += 1
            return True

    def _leave(self) -> None:
        with self._turn:
            self._inside -= 1
            if not self._inside:
                self._turn.notify_all()


def outside(wait: Callable[[], None]) -> None:
    """Wait outside the gate that this thread is passing, so that a snapshot can be taken meanwhile."""
    gate: Gate | None = getattr(_thread, "gate", None)
    if gate is None:
        wait()
        return
    with gate.left():
        wait()
