"""`ml-a2 upload`, `start`, `watch` and `stop`: the deployed pipeline, on AWS or behind any other endpoint."""

from __future__ import annotations

import datetime as dt
import json
import secrets
import shlex
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ml_a2 import contract
from ml_a2.cli.ending import ending
from ml_a2.cli.options import (
    ACCOUNT_OPTIONS,
    EXIT_FAILED,
    EXIT_TURNED_DOWN,
    HYPERPARAMETERS,
    OPTIONS_OF_DATA,
    with_options,
)
from ml_a2.errors import UserError

if TYPE_CHECKING:
    from ml_a2.client import Outcome, Pipeline

POLL_SECONDS = 5.0
WHERE = """Credentials and region come from the standard AWS environment variables and files; the buckets and the
state machine are found by the stack's outputs."""


@contextmanager
def _pipeline(*, stack: str | None, **account: str | None) -> Iterator[Pipeline]:
    from ml_a2.account import Account, aws_errors
    from ml_a2.client import Pipeline

    with aws_errors():
        session = Account(**account)
        yield Pipeline(session, session.outputs(stack or contract.STACK_NAME))


@click.command(
    epilog=f"""\b
Examples:
  ml-a2 upload --train customers.csv --target-column churned
  ml-a2 upload --sample breast-cancer --region eu-central-1 --profile work
  ml-a2 upload --train train.parquet --validation holdout.parquet --target-column price --json

Files go to train/, validation/ and evaluation/ in the bucket of training data, in parts where they are
large. What is there already with the same content is not sent again, so that an upload that broke off
goes on where it was.

{WHERE}"""
)
@with_options(OPTIONS_OF_DATA)
@with_options(ACCOUNT_OPTIONS)
def upload(*, hyperparameters: dict[str, str], settings: Path | None, as_json: bool, **options: Any) -> None:
    """Check data as `ml-a2 run` does, and copy it with the evaluation's code to the deployed stack."""
    from ml_a2.cli.plan import plan_of_data

    account = {name: options.pop(name) for name in ("profile", "region", "endpoint_url", "stack")}
    with ending(as_json=as_json):
        from ml_a2.evaluation_code import evaluation_files
        from ml_a2.progress import UploadDisplay

        prepared, hosts, needed = plan_of_data(settings, hyperparameters, options)
        stream = sys.stderr if as_json else sys.stdout
        with tempfile.TemporaryDirectory(prefix="ml-a2-") as folder, _pipeline(**account) as pipeline:
            files = {
                **prepared.write(Path(folder), hosts),
                **evaluation_files(tell=lambda text: click.echo(text, err=True)),
            }
            with UploadDisplay(stream, sum(path.stat().st_size for path in files.values())) as display:
                display.say(f"data: {prepared.dataset.describe()}")
                uploaded = pipeline.upload(files, again=False, tell=display.sent)
        following = "ml-a2 start" + "".join(f" --set {shlex.quote(f'{n}={v}')}" for n, v in needed.items())
        following += _same(account)
        kept = sum(each.kept for each in uploaded.values())
        if as_json:
            objects = [{**vars(each), "key": key} for key, each in uploaded.items()]
            click.echo(json.dumps({"objects": objects, "hyperparameters": needed, "next": following}))
        else:
            click.echo(f"{len(uploaded) - kept} objects written, {kept} were there already\nnext: {following}")


@click.command(
    epilog=f"""\b
Examples:
  ml-a2 start
  ml-a2 start --name june --set num_round=200 --set max_depth=4
  ml-a2 start --model-artifact s3://bucket/models/job/output/model.tar.gz --validation-prefix validation/june/
  ml-a2 start --watch

{WHERE}"""
)
@click.option("--name", help="The execution's name, at most 80 characters.  [default: the time, and four digits]")
@HYPERPARAMETERS
@click.option("--train-prefix", help="Where the training rows lie in the bucket.  [default: train/]")
@click.option("--validation-prefix", help="Where the validation rows lie.  [default: validation/]")
@click.option("--training-instance-type", help="In place of the stack's own.")
@click.option("--evaluation-instance-type", help="In place of the stack's own.")
@click.option("--model-artifact", help="Evaluate this model again instead of training one: an s3:// URI.")
@click.option("--watch", "and_watch", is_flag=True, help="Follow it to its end, as `ml-a2 watch` does.")
@with_options(ACCOUNT_OPTIONS)
def start(
    *, name: str | None, hyperparameters: dict[str, str], and_watch: bool, as_json: bool, **options: str | None
) -> None:
    """Start an execution of the deployed stack."""
    account = {name: options.pop(name) for name in ("profile", "region", "endpoint_url", "stack")}
    with ending(as_json=as_json):
        given: dict[str, Any] = {key: value for key, value in options.items() if value is not None}
        if hyperparameters:
            if "model_artifact" in given:
                raise UserError("--set decides how a model is trained, and --model-artifact is trained already")
            given["hyperparameters"] = hyperparameters
        name = name or f"{dt.datetime.now().astimezone():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        with _pipeline(**account) as pipeline:
            arn = pipeline.start(name, given)
            following = f"ml-a2 watch {shlex.quote(name)}{_same(account)}"
            if and_watch:
                sys.exit(_follow(pipeline, arn, as_json=as_json, every=None))
        if as_json:
            click.echo(json.dumps({"execution": name, "arn": arn, "next": following}))
        else:
            click.echo(f"started {arn}\nnext: {following}")


@click.command(
    epilog=f"""\b
Examples:
  ml-a2 watch june
  ml-a2 watch june --every 30
  ml-a2 watch arn:aws:states:eu-central-1:111122223333:execution:Pipeline:june --json

Ctrl-C stops watching; the execution goes on. Exit status: 0 succeeded, 1 failed, aborted or timed out,
2 wrong usage, 3 the quality gate said no, 130 interrupted.

{WHERE}"""
)
@click.argument("execution")
@click.option("--every", type=click.FloatRange(0.1, 3600), help="Seconds from look to look.  [default: 5]")
@with_options(ACCOUNT_OPTIONS)
def watch(*, execution: str, every: float | None, as_json: bool, **account: str | None) -> None:
    """Follow an execution to its end: states, training rounds, metrics.

    EXECUTION is its name, or its ARN.
    """
    with ending(as_json=as_json), _pipeline(**account) as pipeline:
        arn = _known(pipeline, execution)
        sys.exit(_follow(pipeline, arn, as_json=as_json, every=every))


@click.command(
    epilog=f"""\b
Examples:
  ml-a2 stop june
  ml-a2 stop june --cause "wrong data"

The clean-up of the stack stops its jobs and tells the topic.

{WHERE}"""
)
@click.argument("execution")
@click.option("--cause", default="stopped with ml-a2 stop", show_default=True, help="What the record says.")
@with_options(ACCOUNT_OPTIONS)
def stop(*, execution: str, cause: str, as_json: bool, **account: str | None) -> None:
    """Stop an execution.

    EXECUTION is its name, or its ARN.
    """
    with ending(as_json=as_json), _pipeline(**account) as pipeline:
        arn = _known(pipeline, execution)
        status = pipeline.outcome(arn).status
        if status != "RUNNING":
            raise UserError(f"execution {execution!r} is {status}: there is nothing to stop")
        pipeline.stop(arn, "Stopped", cause)
        click.echo(json.dumps({"execution": execution, "arn": arn}) if as_json else f"stopped {arn}")


def _known(pipeline: Pipeline, execution: str) -> str:
    """Return the ARN of an execution that is there.

    Raises:
        UserError: there is none of that name.
    """
    from botocore.exceptions import ClientError

    arn = pipeline.execution_arn(execution)
    try:
        pipeline.outcome(arn)
    except ClientError as error:
        if error.response["Error"]["Code"] in (
            "ExecutionDoesNotExist",
            "InvalidName",
            "InvalidArn",
            "ValidationException",
        ):
            raise UserError(f"execution {execution!r} does not exist: {error}; see `ml-a2 list`") from error
        raise
    return arn


def _follow(pipeline: Pipeline, arn: str, *, as_json: bool, every: float | None) -> int:
    """Show what happens until the end; return the exit status."""
    from ml_a2.client import metric_values
    from ml_a2.execution_events import follow
    from ml_a2.progress import RunDisplay

    with RunDisplay(sys.stderr if as_json else sys.stdout) as display:
        follow(pipeline.watch(arn, poll_seconds=every or POLL_SECONDS), display)
        outcome = pipeline.outcome(arn)
        name = arn.rpartition(":")[2]
        evaluation = pipeline.evaluation(name)
        seconds = (outcome.ended - outcome.started).total_seconds() if outcome.ended and outcome.started else 0.0
        metrics = metric_values(evaluation)
        display.ended(name, outcome.status, seconds, outcome.failure, evaluation)
    if as_json:
        click.echo(json.dumps(_as_json(name, outcome, metrics, seconds)))
    if outcome.gate == "failed":
        return EXIT_TURNED_DOWN
    return 0 if outcome.status == "SUCCEEDED" else EXIT_FAILED


def _as_json(name: str, outcome: Outcome, metrics: Mapping[str, float], seconds: float) -> dict[str, Any]:
    return {
        "execution": name,
        "status": outcome.status,
        "metrics": dict(metrics),
        "gate": outcome.gate,
        "run_directory": None,
        "failure": vars(outcome.failure) if outcome.failure else None,
        "seconds": round(seconds, 3),
    }


def _same(account: Mapping[str, str | None]) -> str:
    """Return the options that name the same account, for the next command."""
    return "".join(f" --{name.replace('_', '-')} {shlex.quote(value)}" for name, value in account.items() if value)
