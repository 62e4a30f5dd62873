"""What a person may have meant by a name that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

CLOSE = 0.7
# Comparing takes time, and among so many names the close ones say little.
MOST_COMPARED = 10_000


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """Return a question, to stand at the end of a message; nothing where no known name is close.

    Args:
        text: what was given.
        known: the names that there are.
    """
    names = [name for name, _ in zip(known, range(MOST_COMPARED), strict=False)]
    plain = {_plain(name): name for name in reversed(names)}
    if found := get_close_matches(_plain(text), plain, n=1, cutoff=CLOSE):
        return f"; did you mean {plain[found[0]]!r}?"
    return ""


def _plain(name: str) -> str:
    """Return a name without what is easily mistaken: capitals, blanks around, and what stands between its words."""
    return name.strip().strip("\ufeff").casefold().replace("-", "_").replace(" ", "_")[:200]


def did_you_mean_file(path: Path) -> str:
    """Return a question for a file of the same folder with a name that is close; nothing where there is none."""
    try:
        return did_you_mean(path.name, (other.name for other in path.parent.iterdir()))
    except OSError:  # there is no such folder either, or nobody may look
        return ""
