"""What runs below this process."""

from __future__ import annotations

import os
from pathlib import Path


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
