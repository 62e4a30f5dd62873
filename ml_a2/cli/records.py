"""`ml-a2 list`, `show` and `compare`: what is known of executions."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ml_a2 import contract
from ml_a2.cli.beginning import say_to_a_terminal
from ml_a2.cli.ending import ending
from ml_a2.cli.options import ACCOUNT_OPTIONS, RUNS_OPTION, with_options
from ml_a2.errors import UserError

if TYPE_CHECKING:
    from ml_a2.account import Account
    from ml_a2.client import Pipeline
    from ml_a2.records.record import Records
    from ml_a2.records.remote import RemoteRecords

# Without one of the account's, the folder of runs is read.
OPTIONS = (RUNS_OPTION, *ACCOUNT_OPTIONS)
WHERE = """Read are the run directories of this machine, or with one of --profile, --region, --endpoint-url
and --stack, or AWS_ENDPOINT_URL in the environment, Step Functions and S3 there: also executions
that somebody else started, as far as the services know them. A part of a name is looked for among the
newest 1000 there."""


def names_aws(account: Mapping[str, str | None]) -> bool:
    """Tell whether executions on AWS are meant: an option or the environment says so, and --runs does not."""
    named = click.get_current_context().get_parameter_source("runs") is not ParameterSource.DEFAULT
    if any(account.values()) and named:
        raise UserError("--runs names a folder of this machine, and the other options AWS; leave out one of them")
    return any(account.values()) or (not named and bool(os.environ.get("AWS_ENDPOINT_URL")))


@contextmanager
def records_of_aws(*, stack: str | None, **account: str | None) -> Iterator[tuple[RemoteRecords, Account, Pipeline]]:
    """Open the records of a deployed stack, with the clients and the pipeline that they are read by."""
    say_to_a_terminal(f"reading the executions of {stack or contract.STACK_NAME}")
    from ml_a2.account import Account, aws_errors
    from ml_a2.client import Pipeline
    from ml_a2.records.remote import RemoteRecords

    with aws_errors():
        session = Account(**account)
        outputs = session.outputs(stack or contract.STACK_NAME)
        yield RemoteRecords(session, outputs), session, Pipeline(session, outputs)


@contextmanager
def _records(*, runs: Path, **account: str | None) -> Iterator[Records]:
    """Open the records that the options name."""
    if names_aws(account):
        with records_of_aws(**account) as (records, _, _):
            yield records
        return
    if click.get_current_context().get_parameter_source("runs") is not ParameterSource.DEFAULT and not runs.is_dir():
        raise UserError(f"{runs} does not exist; name the folder of runs with --runs DIR")
    from ml_a2.records.record import RunDirectories

    yield RunDirectories(runs)


@click.command(
    "list",
    epilog=f"""\b
Examples:
  ml-a2 list
  ml-a2 list --limit 100 --json
  ml-a2 list --region eu-central-1 --profile work

{WHERE}""",
)
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many at most.")
@with_options(OPTIONS)
def list_(*, limit: int, as_json: bool, **options: Any) -> None:
    """List executions, the newest first."""
    with ending(as_json=as_json), _records(**options) as records:
        from ml_a2.records.pages import list_page
        from ml_a2.tables import Page

        newest, more = records.newest(limit)
        if as_json:
            click.echo(json.dumps({"executions": [record.summary() for record in newest], "more": more}))
        else:
            list_page(Page(), newest, more=more)


@click.command(
    epilog=f"""\b
Examples:
  ml-a2 show last
  ml-a2 show a29d
  ml-a2 show 20261123-220048-a29d
  ml-a2 show runs/20261123-220048-a29d --json
  ml-a2 show first --stack MlA2TrainingEvaluationStack

{WHERE}"""
)
@click.argument("run")
@with_options(OPTIONS)
def show(*, run: str, as_json: bool, **options: Any) -> None:
    """Show an execution: data, hyperparameters, metrics, timings and versions.

    RUN is a name under runs/, an execution's name on AWS, a part that no other name has, `last`, or a path to a run's
    directory.
    """
    with ending(as_json=as_json), _records(**options) as records:
        from ml_a2.records.pages import show_page
        from ml_a2.tables import Page

        record = records.get(run)
        if as_json:
            click.echo(json.dumps({**record.document, "evaluation": record.evaluation}))
        else:
            show_page(Page(), record)


@click.command(
    epilog=f"""\b
Examples:
  ml-a2 compare 20261123-220048-a29d 20261124-091512-77c0
  ml-a2 compare a29d last
  ml-a2 compare first second third --region eu-central-1 --json

A row whose values differ begins with !=, and the best value of a metric ends with *: the lowest one
of errors, log loss and false rates, the highest one of the others.

{WHERE}"""
)
@click.argument("run", nargs=-1)
@with_options(OPTIONS)
def compare(*, run: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Compare executions side by side: data, hyperparameters and metrics.

    RUN are two or more of what `ml-a2 show` understands: names, parts of names, `last`, or paths.
    """
    with ending(as_json=as_json):
        if len(run) < 2:
            raise UserError("compare needs two runs or more; `ml-a2 list` tells their names")
        with _records(**options) as records:
            from ml_a2.records.pages import compare_page, comparison_json
            from ml_a2.tables import Page

            compared = [records.get(name) for name in run]
            if as_json:
                click.echo(json.dumps(comparison_json(compared)))
            else:
                compare_page(Page(), compared)
