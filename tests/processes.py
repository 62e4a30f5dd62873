"""What runs below this process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def heed_ctrl_c() -> None:
    """Let Ctrl-C interrupt what the tests start, also where it is ignored: in the background of a shell."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def ended(process: subprocess.Popen[Any]) -> Iterator[subprocess.Popen[Any]]:
    """Give a process that is killed where a test fails before it has ended: Popen's own end waits for ever."""
    with process:
        try:
            yield process
        finally:
            if sys.exc_info()[0] is not None:
                process.kill()


def below(word: str) -> list[int]:
    """Return the processes below this one whose command line has the word."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "status").read_text()
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue  # it ended meanwhile
        parent = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("PPid:"))
        parents[int(folder.name)] = (parent, command.replace(b"\0", b" ").decode(errors="replace"))
    found, waiting = [], [os.getpid()]
    while waiting:
        current = waiting.pop()
        children = [pid for pid, (parent, _) in parents.items() if parent == current]
        waiting += children
        found += [pid for pid in children if word in parents[pid][1]]
    return found
