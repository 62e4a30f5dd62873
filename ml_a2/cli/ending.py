"""How a command ends that comes to no result: in one line, in one JSON object where that was asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from ml_a2.cli.interrupts import heed_interrupts
from ml_a2.cli.options import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE
from ml_a2.errors import PipelineError, UserError


@contextmanager
def ending(*, as_json: bool) -> Iterator[None]:
    """Tell what went wrong, and exit with the status that says who can mend it."""
    heed_interrupts()
    try:
        yield
    except PipelineError as error:
        _tell(error, f"error: {error}", as_json=as_json)
        sys.exit(EXIT_USAGE if isinstance(error, UserError) else EXIT_FAILED)
    except KeyboardInterrupt as error:
        _tell(error, "interrupted", as_json=as_json)
        sys.exit(EXIT_INTERRUPTED)


def _tell(error: BaseException, words: str, *, as_json: bool) -> None:
    click.echo(words, err=True)
    if as_json:
        click.echo(json.dumps({"error": {"type": type(error).__name__, "message": str(error) or words}}))
