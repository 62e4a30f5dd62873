"""What the patches do at present, and the check that what they replace is still there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import moto

from ml_a2.local.patches.clock import Time
from ml_a2.local.patches.job_waits import JobWaits

Call = Callable[[str, str, dict[str, Any], str, str], Any]
# Hears that an execution, by its ARN, takes a status; the function waits for it.
StatusListener = Callable[[str, Callable[[], str]], None]
# Brings a message to an HTTP endpoint: its URL, the document.
HttpDelivery = Callable[[str, dict[str, Any]], None]


# Hears what a topic sends: its ARN, subject and text, the addresses that get it by email, how many others get it.
Publication = Callable[[str, str, str, list[str], int], None]


@dataclass
class Active:
    """What the patches do at present."""

    call: Call
    speed: float
    listen: StatusListener
    post: HttpDelivery
    published: Publication = lambda *_: None
    time: Time = field(default_factory=Time)
    waits: JobWaits = field(init=False)
    in_retry: threading.local = field(default_factory=threading.local)

    def __post_init__(self) -> None:
        """Let waits for jobs take the same time."""
        self.waits = JobWaits(self.time)


_active: Active | None = None


def activate(active: Active) -> None:
    """Let the patches do this from now on."""
    global _active
    _active = active


def current() -> Active:
    """Return what the patches do at present."""
    assert _active is not None
    return _active


def expect(owner: Any, *names: str) -> None:
    """Refuse an engine that lacks what a patch replaces.

    Raises:
        RuntimeError: names it.
    """
    for name in names:
        if not hasattr(owner, name):
            raise RuntimeError(f"moto {moto.__version__} has no {owner.__name__}.{name}, which a patch replaces")
