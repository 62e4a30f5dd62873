"""`ml-a2 report`: the page of a run, made again of its files."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ml_a2.cli.ending import ending
from ml_a2.cli.options import RUNS_OPTION


@click.command(
    epilog="""\b
Examples:
  ml-a2 report 20261123-220048-a29d
  ml-a2 report runs/20261123-220048-a29d --json

`ml-a2 run` writes the report itself; this makes it again, of the files in the run's directory, for
example after an upgrade of ml-a2."""
)
@click.argument("run")
@RUNS_OPTION
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
def report(*, run: str, runs: Path, as_json: bool) -> None:
    """Write a run's report.html, one file that opens offline.

    RUN is a name under runs/, or a path to a run's directory.
    """
    with ending(as_json=as_json):
        from ml_a2.records.record import find_run
        from ml_a2.report import write_report

        path = write_report(find_run(run, runs))
        click.echo(json.dumps({"report": str(path)}) if as_json else str(path))
