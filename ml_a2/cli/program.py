"""The program around the commands: what holds for each of them, whatever it does."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Any

import click

from ml_a2.cli.options import EXIT_FAILED
from ml_a2.unforeseen import describe_unforeseen


class Program(click.Group):
    """A group of commands that writes on any terminal or pipe, and shows nobody a traceback."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run the command; an error that nobody foresaw is told in one line and ends with exit status 1."""
        write_anything()
        with _threads_in_one_line():
            try:
                return super().main(*arguments, **options)
            except Exception as error:  # noqa: BLE001  # the last one who could tell it
                _tell(error)
                sys.exit(EXIT_FAILED)


def write_anything() -> None:
    r"""Let what a stream's encoding lacks be written as `\xe9` or `\u7d04`: names of a person's files and columns.

    On Windows a pipe is in the code page, which has no Japanese; elsewhere a name may hold bytes that are no UTF-8.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a test's own stream takes everything
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def _threads_in_one_line() -> Iterator[None]:
    """Tell in one line of a thread that ends with an error, too."""
    before = threading.excepthook
    threading.excepthook = _tell_of_a_thread
    try:
        yield
    finally:
        threading.excepthook = before


def _tell_of_a_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_type is not SystemExit:  # which ends a thread as it is meant to
        _tell(ended.exc_value or ended.exc_type())


def _tell(error: BaseException) -> None:
    click.echo(describe_unforeseen(error), err=True)
