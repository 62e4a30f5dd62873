"""`ml-a2 verify`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from ml_a2.cli.beginning import say_to_a_terminal
from ml_a2.cli.ending import ending
from ml_a2.cli.options import EXIT_FAILED, RUNS_OPTION


@click.command(
    epilog="""\b
Examples:
  ml-a2 verify last
  ml-a2 verify 20261123-220048-a29d
  ml-a2 verify runs/20261123-220048-a29d --no-repeat
  ml-a2 verify 20261123-220048-a29d --repeat --json

Compared by hash: your data files and what is made of them, evaluate.py and what lies beside it, the
template as it is synthesized now, or as it stands in the assembly that the run was given. Compared
by name: versions of packages and Python, and the platform. Then the run is repeated, and its model
and every value of its evaluation are compared exactly. What was changed is repeated as it is now.

When the data differ, nothing is repeated unless --repeat asks for it: other rows give other numbers.

Exit status: 0 identical, 1 something differs, 2 wrong usage or input, 130 interrupted."""
)
@click.argument("run")
@click.option(
    "--repeat/--no-repeat",
    "repeat",
    default=None,
    help="Execute it again in any case, or never.  [default: unless the data differ]",
)
@RUNS_OPTION
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
def verify(*, run: str, repeat: bool | None, runs: Path, as_json: bool) -> None:
    """Repeat a run and tell what differs: data, code, template, environment, model or metrics.

    RUN is a name under runs/, a part that no other name has, `last`, or a path to a run's directory.
    """
    with ending(as_json=as_json):
        say_to_a_terminal(f"comparing {run} with what is there now")
        from ml_a2.local.verification import verify as compare
        from ml_a2.progress import RunDisplay
        from ml_a2.records.record import find_run
        from ml_a2.tables import Page

        folder = find_run(run, runs)
        stream = sys.stderr if as_json else sys.stdout
        with RunDisplay(stream) as display:
            verification = compare(folder, repeat=repeat, progress=display)
    if as_json:
        click.echo(json.dumps(verification.as_json()))
    else:
        rows = [(check.subject, check.result, "\n".join(check.details)) for check in verification.checks]
        page = Page(stream)
        page.table(("", "", ""), rows, plain=True)
        page.say(f"{verification.verdict}: {folder}", "green" if verification.identical else "red")
    sys.exit(0 if verification.identical else EXIT_FAILED)
