"""The report of a run: one page that opens offline, made from the files of its run directory."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from threading import Thread

REPORT_FILE = "report.html"
# What takes most of the time of the first report of a process.
_HEAVY = ("ml_a2.report.page", "matplotlib.figure", "matplotlib.backends.backend_svg")


def prepare_report() -> None:
    """Load what a report needs beside whatever else goes on: who waits for jobs can have that for nothing."""
    Thread(target=_load, name="report", daemon=True).start()


def _load() -> None:
    for name in _HEAVY:
        import_module(name)
    from ml_a2.report.page import templates

    templates()


def write_report(run_directory: Path) -> Path:
    """Write `report.html` into a run directory, whole or not at all, and return its path.

    Raises:
        UserError: the folder has no manifest that can be read.
    """
    # Templates and plots are imported by those who want a report, not by every command.
    from ml_a2.report.page import render
    from ml_a2.report.record import read_record

    # A lone surrogate is legal in JSON and not in a file.
    content = render(read_record(run_directory)).encode("utf-8", "replace")
    path = run_directory / REPORT_FILE
    unfinished = path.with_name(f".{REPORT_FILE}.{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path
