"""The time that an execution would have taken: pauses count as long as they are told to last, not as they were slept.

Each branch of an execution has a time of its own, since branches pause at once: where they meet again, the latest of
them counts. What really works, a job above all, takes the time that it takes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

# Who has been told to stop looks so often whether that has come about.
LOOK_SECONDS = 0.01


@dataclass(frozen=True)
class Time:
    """Which time it is, in seconds, and how one waits some on a condition that is held; both may be simulated."""

    now: Callable[[], float] = time.monotonic
    wait: Callable[[threading.Condition, float], object] = threading.Condition.wait


@dataclass(frozen=True)
class Pause:
    """A pause that is slept faster than it is told to last: when it began, its seconds, and how many pass in one."""

    began: float
    seconds: float
    speed: float

    def gained(self, now: float) -> float:
        """Return by how much more than the real time it has counted; oversleeping gains nothing."""
        return min(now - self.began, self.seconds / self.speed) * (self.speed - 1)

    def until(self, seconds: float, now: float) -> float:
        """Return in how many real seconds so many more have counted."""
        left = max(self.seconds / self.speed - (now - self.began), 0)
        return min(seconds / self.speed, left) + max(seconds - left * self.speed, 0)


@dataclass(eq=False)
class Lane:
    """The time of one branch. Its owner is shared by the calls that the branch makes, and with no other branch."""

    clock: ExecutionClock
    owner: object
    skipped: float = 0.0
    pause: Pause | None = None
    ended: float | None = None
    inner: list[Lane] = field(default_factory=list)

    def fork(self, owner: object | None = None) -> Lane:
        """Return the time of a branch that begins now; without an owner, of a part of this one."""
        with self.clock.changed:
            lane = Lane(self.clock, owner or self.owner, self.skipped)
            self.inner.append(lane)
            return lane

    def join(self, lane: Lane, *, counts: bool) -> None:
        """Take that a branch is over, with all within it; one that was broken off does not count."""
        with self.clock.changed:
            if lane not in self.inner:
                return
            self.inner.remove(lane)
            lane.close(self.clock.now())
            if counts:
                self.skipped = max(self.skipped, lane.seconds() - self.clock.real_seconds())
            self.clock.changed.notify_all()

    def close(self, now: float) -> None:
        """Let time stand still, here and within."""
        self.ended = now if self.ended is None else self.ended
        for lane in self.inner:
            lane.close(now)

    def end(self) -> None:
        """Take that the branch has nothing more to do; others may have."""
        with self.clock.changed:
            self.close(self.clock.now())
            self.clock.changed.notify_all()

    def skip(self, seconds: float) -> None:
        """Let so many seconds count that nobody waited for."""
        with self.clock.changed:
            self.skipped += seconds
            self.clock.changed.notify_all()

    @contextmanager
    def passing(self, seconds: float, speed: float) -> Iterator[None]:
        """Let a pause count in full while it is slept faster, or as far as it is slept."""
        with self.clock.changed:
            self.pause = Pause(self.clock.now(), seconds, speed)
            self.clock.changed.notify_all()
        try:
            yield
        finally:
            with self.clock.changed:
                self.skipped += self.pause.gained(self.clock.now())
                self.pause = None
                self.clock.changed.notify_all()

    def seconds(self) -> float:
        """Return how long the execution has taken up to here."""
        now = self.clock.now() if self.ended is None else self.ended
        gained = self.pause.gained(now) if self.pause else 0
        return now - self.clock.began + self.skipped + gained

    def until(self, seconds: float) -> float:
        """Return in how many real seconds the execution has taken so long, of branches that go on; else infinity."""
        inner = min((lane.until(seconds) for lane in self.inner), default=float("inf"))
        if self.ended is not None:
            return inner
        missing = seconds - self.seconds()
        own = self.pause.until(missing, self.clock.now()) if self.pause and missing > 0 else missing
        return min(own, inner)


class ExecutionClock:
    """The time of an execution, and of all its branches."""

    def __init__(self, timeout: float | None, now: Callable[[], float] = time.monotonic) -> None:
        """Begin now; what ends after the time-out does not count."""
        self.now = now
        self.began = now()
        self.changed = threading.Condition()
        self.root = Lane(self, object())
        self._timeout = timeout

    def heed_time_out(self, lane: Lane, is_running: Callable[[], bool]) -> None:
        """Let a branch whose time has run out do nothing more until who watches the time has ended the execution."""
        with self.changed:
            while self._timeout is not None and lane.seconds() >= self._timeout and is_running():
                self.changed.notify_all()
                self.changed.wait(LOOK_SECONDS)

    def real_seconds(self) -> float:
        """Return how long it has really taken."""
        return self.now() - self.began

    def ends_in_time(self) -> bool:
        """Wait until the execution has ended, or its time has run out; tell which."""
        with self.changed:
            while self.root.ended is None:
                left = None if self._timeout is None else self.root.until(self._timeout)
                if left is not None and left <= 0:
                    return False
                self.changed.wait(None if left is None else min(left, threading.TIMEOUT_MAX))
        return True
