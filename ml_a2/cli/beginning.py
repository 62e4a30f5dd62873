"""How a command begins: it says at once what it does, and remembers when its process began.

What it is made of takes seconds to import, so that this is told before.
"""

from __future__ import annotations

import sys
import time

import click

# When this process began to read the command line; a later command in the same process has a beginning of its own.
_process_began: float | None = time.monotonic()


def began_now() -> float:
    """Return when the command began, in seconds of the monotonic clock: with its process if it is the first there."""
    global _process_began
    began, _process_began = _process_began, None
    return time.monotonic() if began is None else began


def seconds_since_beginning() -> float:
    """Return for how many seconds the command has been running."""
    began: float = click.get_current_context().find_root().obj
    return time.monotonic() - began


def say_first(text: str, *, err: bool) -> None:
    """Tell what a command does that tells every step; on standard error where its result is one JSON object."""
    click.echo(text, err=err)


def say_to_a_terminal(text: str) -> None:
    """Tell who looks at a terminal what is waited for; a file has no need of it."""
    if sys.stderr.isatty():
        click.echo(text, err=True)
