"""How a command is interrupted: by Ctrl-C, or by being terminated."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

MOMENT_SECONDS = 0.05
# The code that imports modules, as frames name it.
IMPORTING = "<frozen importlib."

# Whether one is postponed. A plain flag: a lock could be held by what a second signal interrupts.
_postponed = False


def heed_interrupts() -> None:
    """Let both signals raise KeyboardInterrupt from now on; Ctrl-C stays ignored where it was, as behind nohup."""
    signal.signal(signal.SIGTERM, interrupt)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)


def interrupt(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, a moment later where a module is just being imported.

    An exception in between is lost there, or becomes another one, or leaves a lock of the interpreter held, in CPython
    3.11 too: then every other thread that imports waits for ever.
    """
    global _postponed  # noqa: PLW0603
    if not _is_importing(frame):
        raise KeyboardInterrupt
    if not _postponed:  # several at once are one
        _postponed = True
        again = threading.Timer(MOMENT_SECONDS, _repeat, (number,))
        again.daemon = True
        again.start()


def _repeat(number: int) -> None:
    global _postponed  # noqa: PLW0603
    _postponed = False
    os.kill(os.getpid(), number)


def _is_importing(frame: FrameType | None) -> bool:
    while frame and not frame.f_code.co_filename.startswith(IMPORTING):
        frame = frame.f_back
    return frame is not None
