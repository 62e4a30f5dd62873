"""A page, opened in the person's browser."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path

import click

OPEN_OPTION = click.option("--open", "and_open", is_flag=True, help="Open the report in the browser.")


def open_page(path: Path) -> None:
    """Open a page, or say that there is no browser; on standard error, since neither is a result."""
    if _has_screen() and _opened(path.resolve().as_uri()):
        click.echo(f"opened {path} in the browser", err=True)
    else:
        click.echo(f"no browser could be started here: open {path} yourself", err=True)


def _has_screen() -> bool:
    """Tell whether there is one: without, a browser would be one of the terminal, which waits to be ended."""
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


def _opened(uri: str) -> bool:
    try:
        return webbrowser.open(uri)
    except (webbrowser.Error, OSError):
        return False
