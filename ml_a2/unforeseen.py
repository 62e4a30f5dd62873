"""An error that nobody foresaw, told in one line; the rest goes into a file."""

from __future__ import annotations

import os
import tempfile
import traceback

LONGEST_REASON = 200


def describe_unforeseen(error: BaseException) -> str:
    """Return one line for a person: what went wrong, and in which file the traceback lies."""
    words = (str(error).strip().splitlines() or [""])[0][:LONGEST_REASON]
    reason = f"{type(error).__name__}: {words}" if words else type(error).__name__
    return f"internal error: {reason}; this is a bug of ml-a2, please report it{_details(error)}"


def _details(error: BaseException) -> str:
    """Keep the traceback, and say where it lies; nothing where no file can be written."""
    trace = "".join(traceback.format_exception(error))
    try:
        handle, path = tempfile.mkstemp(prefix="ml-a2-error-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(trace)
    except OSError:
        return ""
    return f" with {path}"
