"""`ml-a2 report`: the page of a run, made again of its files, or of what AWS knows of an execution."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from ml_a2.cli.beginning import say_to_a_terminal
from ml_a2.cli.ending import ending
from ml_a2.cli.opening import OPEN_OPTION, open_page
from ml_a2.cli.options import ACCOUNT_OPTIONS, RUNS, RUNS_OPTION, with_options
from ml_a2.cli.records import names_aws, records_of_aws
from ml_a2.errors import UserError


@click.command(
    epilog="""\b
Examples:
  ml-a2 report last --open
  ml-a2 report 20261123-220048-a29d
  ml-a2 report runs/20261123-220048-a29d --json
  ml-a2 report june --stack MlA2TrainingEvaluationStack
  ml-a2 report june --profile work --output /tmp/june

`ml-a2 run` writes the report itself; this makes it again, of the files in the run's directory, for
example after an upgrade of ml-a2.

With one of --profile, --region, --endpoint-url and --stack, or AWS_ENDPOINT_URL in the environment, RUN is
an execution on AWS: its manifest, evaluation, curves, history and logs are copied into runs/RUN, or into
the folder of --output, and the page is made of them. What is not there is said. The model stays where it is.

Exit status: 0 written, 1 AWS refused it or could not be reached, 2 wrong usage, input or credentials,
130 interrupted."""
)
@click.argument("run")
@RUNS_OPTION
@OPEN_OPTION
@click.option("--output", type=click.Path(path_type=Path), help="Where to copy an execution on AWS to.")
@with_options(ACCOUNT_OPTIONS)
def report(*, run: str, runs: Path, output: Path | None, and_open: bool, as_json: bool, **account: str | None) -> None:
    """Write a run's report.html, one file that opens offline.

    RUN is a name under runs/, an execution's name on AWS, a part that no other name has, `last`, or a path to a run's
    directory.
    """
    with ending(as_json=as_json):
        say_to_a_terminal(f"drawing the report of {run}")
        from ml_a2.records.record import find_run
        from ml_a2.report import write_report

        missing: list[str] = []
        # No execution has a path for a name: one in the environment of AWS is meant to be on this machine.
        if names_aws(account) and (len(Path(run).parts) == 1 or any(account.values())):
            folder, missing = _fetch(run, output, account)
        elif output:
            raise UserError("--output is where an execution on AWS is copied to; name its --stack, or leave it out")
        else:
            folder = find_run(run, runs)
        path = write_report(folder)
        if as_json:
            click.echo(json.dumps({"report": str(path), "missing": missing}))
        else:
            click.echo(str(path))
            for file in missing:
                click.echo(f"not there: {file}", err=True)
        if and_open:
            open_page(path)


def _fetch(run: str, output: Path | None, account: dict[str, Any]) -> tuple[Path, list[str]]:
    """Copy an execution; return where to, and what of it is not there."""
    from ml_a2.records.fetching import fetch_run

    with records_of_aws(**account) as (records, clients, pipeline):
        record = records.get(run)
        folder = output or RUNS / record.name
        click.echo(f"copying {record.name} to {folder}", file=sys.stderr)
        return folder, fetch_run(record, clients, pipeline, folder)
