"""The processes below this one, as /proc tells of them."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterator

from ml_a2.errors import PlatformError

PR_SET_CHILD_SUBREAPER = 36
# How long processes have to end by themselves once the one that started them has ended.
GRACE_SECONDS = 1


class Offspring:
    """The processes that are started below this one from now on, until they are ended."""

    def __init__(self) -> None:
        """Become the parent of every process below whose own parent ends, so that none is lost sight of.

        Raises:
            PlatformError: this is no Linux.
        """
        if sys.platform != "linux":
            raise PlatformError(f"measuring reads /proc, which {sys.platform} has not; run it on Linux")
        self._before = set(below(os.getpid()))
        _adopt_orphans(adopt=True)

    def pids(self) -> list[int]:
        """Return those that run now."""
        return [pid for pid in below(os.getpid()) if pid not in self._before]

    def end(self) -> list[str]:
        """End what is left, after a while in which it may end by itself; return the command lines."""
        left: dict[int, str] = {}
        deadline = time.monotonic() + GRACE_SECONDS
        while pids := [pid for pid in self.pids() if not _reaped(pid)]:
            if time.monotonic() > deadline:
                left |= {pid: words for pid in pids if (words := _command_line(pid))}
                for pid in pids:
                    _kill(pid)
            time.sleep(0.01)
        _adopt_orphans(adopt=False)
        return list(left.values())


def _adopt_orphans(*, adopt: bool) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, int(adopt), 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def below(root: int) -> list[int]:
    """Return all processes below one."""
    parents = dict(_parents())
    found, waiting = [], [root]
    while waiting:
        current = waiting.pop()
        children = [pid for pid, parent in parents.items() if parent == current]
        waiting += children
        found += children
    return found


def memory_mb(pid: int) -> tuple[float, float]:
    """Return the memory of a process, whole, and with its share of what it shares; 0 when it has ended."""
    lines = (_read(pid, "smaps_rollup") or "").splitlines()
    sizes = {line.split()[0]: int(line.split()[1]) / 1024 for line in lines if line.startswith(("Rss:", "Pss:"))}
    return sizes.get("Rss:", 0.0), sizes.get("Pss:", 0.0)


def _parents() -> Iterator[tuple[int, int]]:
    for entry in os.listdir("/proc"):  # noqa: PTH208  # a Path a process, many times a second, would be measurable
        if entry.isdigit() and (text := _read(int(entry), "stat")):
            # The name, in parentheses, may have any character; the state follows, then the parent.
            yield int(entry), int(text.rpartition(")")[2].split()[1])


def _command_line(pid: int) -> str:
    return (_read(pid, "cmdline") or "").replace("\0", " ").strip()


def _read(pid: int, name: str) -> str | None:
    """Read what the kernel tells of a process, None when it has ended."""
    try:
        with open(f"/proc/{pid}/{name}", errors="replace") as file:  # noqa: PTH123  # as above
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _reaped(pid: int) -> bool:
    """Tell whether the process has ended, and was waited for now."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return False  # not a child of ours yet: it is once its parent has ended


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it has ended by itself
