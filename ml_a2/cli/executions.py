"""`ml-a2 start`, `watch` and `stop`: executions of a deployed stack, on AWS or behind any other endpoint."""

from __future__ import annotations

import datetime as dt
import json
import secrets
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from ml_a2 import contract
from ml_a2.cli.ending import ending
from ml_a2.cli.options import ACCOUNT_OPTIONS, EXIT_FAILED, EXIT_TURNED_DOWN, HYPERPARAMETERS, with_options
from ml_a2.cli.plan import refuse_if_strict
from ml_a2.cli.stack_of_account import STATUSES, WHERE, deployed_pipeline, deployed_stack, following_command
from ml_a2.errors import UserError
from ml_a2.execution_name import problem_with_name

if TYPE_CHECKING:
    from ml_a2.account import Account
    from ml_a2.client import Outcome, Pipeline

POLL_SECONDS = 5.0
STATUSES_OF_WATCHING = """Exit status: 0 succeeded, 1 failed, aborted or timed out, or AWS could not be reached, 2 wrong
usage, input or credentials, 3 the quality gate said no, 130 interrupted."""


@click.command(
    epilog=f"""\b
Examples:
  ml-a2 start
  ml-a2 start --name june --set num_round=200 --set max_depth=4
  ml-a2 start --model-artifact s3://bucket/models/job/output/model.tar.gz --validation-prefix validation/june/
  ml-a2 start --watch --logs

Hyperparameters, prefixes, instance types and the model are looked at first, by calls that only read: nothing
is started that would fail for them. With --watch the exit status is that of `ml-a2 watch`, otherwise:

{STATUSES}

{WHERE}"""
)
@click.option(
    "--name", help="The execution's name: at most 80 letters, digits, - and _.  [default: the time, and four digits]"
)
@HYPERPARAMETERS
@click.option("--train-prefix", help="Where the training rows lie in the bucket.  [default: train/]")
@click.option("--validation-prefix", help="Where the validation rows lie.  [default: validation/]")
@click.option("--training-instance-type", help="In place of the stack's own.")
@click.option("--evaluation-instance-type", help="In place of the stack's own.")
@click.option("--model-artifact", help="Evaluate this model again instead of training one: an s3:// URI.")
@click.option("--watch", "and_watch", is_flag=True, help="Follow it to its end, as `ml-a2 watch` does.")
@click.option("--logs", is_flag=True, help="With --watch, show every line that the jobs write.")
@click.option("--strict", is_flag=True, help="Let warnings about what is asked for count as errors.")
@with_options(ACCOUNT_OPTIONS)
def start(
    *,
    name: str | None,
    hyperparameters: dict[str, str],
    and_watch: bool,
    logs: bool,
    strict: bool,
    as_json: bool,
    **options: str | None,
) -> None:
    """Start an execution of the deployed stack."""
    account = {name: options.pop(name) for name in ("profile", "region", "endpoint_url", "stack")}
    with ending(as_json=as_json):
        if logs and not and_watch:
            raise UserError("--logs shows what --watch follows; add --watch")
        if name is not None and (problem := problem_with_name(name)):
            raise UserError(f"--name {name!r} is no name of an execution: {problem}; use letters, digits, - and _")
        given: dict[str, Any] = {key: value for key, value in options.items() if value is not None}
        if hyperparameters:
            if "model_artifact" in given:
                raise UserError("--set decides how a model is trained, and --model-artifact is trained already")
            given["hyperparameters"] = hyperparameters
        name = name or f"{dt.datetime.now().astimezone():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        with deployed_stack(**account) as (session, outputs):
            _check(session, outputs, given, strict=strict)
            from ml_a2.client import Pipeline

            pipeline = Pipeline(session, outputs)
            arn = pipeline.start(name, given)
            following = following_command("watch", name, account)
            if and_watch:
                sys.exit(_follow(pipeline, arn, account, as_json=as_json, every=POLL_SECONDS, logs=logs))
        if as_json:
            click.echo(json.dumps({"execution": name, "arn": arn, "next": following}))
        else:
            click.echo(f"started {arn}\nnext: {following}")


@click.command(
    epilog=f"""\b
Examples:
  ml-a2 watch june
  ml-a2 watch june --logs
  ml-a2 watch june --every 30 --profile work
  ml-a2 watch arn:aws:states:eu-central-1:111122223333:execution:Pipeline:june --json

Ctrl-C stops watching; the execution goes on. So does watching when AWS throttles, or cannot be reached for
less than ten minutes. When the credentials expire, renew them and give the same command again. Of an
execution that has ended everything is told at once.

{STATUSES_OF_WATCHING}

{WHERE}"""
)
@click.argument("execution")
@click.option("--logs", is_flag=True, help="Show every line that the jobs write, of each host.")
@click.option(
    "--every",
    type=click.FloatRange(0.1, 3600),
    default=POLL_SECONDS,
    show_default=True,
    help="Seconds from look to look.",
)
@with_options(ACCOUNT_OPTIONS)
def watch(*, execution: str, logs: bool, every: float, as_json: bool, **account: str | None) -> None:
    """Follow an execution to its end: states, training rounds, metrics.

    EXECUTION is its name, or its ARN.
    """
    with ending(as_json=as_json), deployed_pipeline(**account) as pipeline:
        arn = _known(pipeline, execution)
        sys.exit(_follow(pipeline, arn, account, as_json=as_json, every=every, logs=logs))


@click.command(
    epilog=f"""\b
Examples:
  ml-a2 stop june
  ml-a2 stop june --cause "wrong data"

The clean-up of the stack stops its jobs and tells the topic.

{STATUSES}

{WHERE}"""
)
@click.argument("execution")
@click.option("--cause", default="stopped with ml-a2 stop", show_default=True, help="What the record says.")
@with_options(ACCOUNT_OPTIONS)
def stop(*, execution: str, cause: str, as_json: bool, **account: str | None) -> None:
    """Stop an execution.

    EXECUTION is its name, or its ARN.
    """
    with ending(as_json=as_json), deployed_pipeline(**account) as pipeline:
        arn = _known(pipeline, execution)
        status = pipeline.outcome(arn).status
        if status != "RUNNING":
            raise UserError(f"execution {execution!r} is {status}: there is nothing to stop")
        pipeline.stop(arn, "Stopped", cause)
        click.echo(json.dumps({"execution": execution, "arn": arn}) if as_json else f"stopped {arn}")


def _check(session: Account, outputs: Mapping[str, str], given: Mapping[str, Any], *, strict: bool) -> None:
    """Warn of what would be ignored, before anything is started.

    Raises:
        UserError: the execution would fail for what is asked of it; it tells all reasons, a line each.
    """
    from ml_a2.local.execution_checks import ExecutionChecks

    findings = list(ExecutionChecks(session, outputs, _tell).findings(given))
    errors = [finding for finding in findings if finding.severity == "error"]
    refuse_if_strict(errors or findings, strict=strict or bool(errors))
    for warning in findings:
        _tell(f"warning: {warning.in_a_line()}")


def _tell(text: str) -> None:
    click.echo(text, err=True)


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


def _follow(
    pipeline: Pipeline, arn: str, account: Mapping[str, str | None], *, as_json: bool, every: float, logs: bool
) -> int:
    """Show what happens until the end, and what is useful next; return the exit status."""
    from ml_a2.account import aws_errors
    from ml_a2.client import metric_values
    from ml_a2.execution_events import follow
    from ml_a2.progress import RunDisplay
    from ml_a2.training_warnings import other_rows

    name = arn.rpartition(":")[2]
    again = following_command("watch", name, account)
    with (
        aws_errors(f"watch it further with `{again}`: the execution goes on"),
        RunDisplay(sys.stderr if as_json else sys.stdout, lines=logs) as display,
    ):
        follow(pipeline.watch(arn, poll_seconds=every, lines=logs, patient=True), display)
        outcome = pipeline.outcome(arn)
        evaluation = pipeline.evaluation(name)
        seconds = (outcome.ended - outcome.started).total_seconds() if outcome.ended and outcome.started else 0.0
        display.ended(name, outcome.status, seconds, outcome.failure, evaluation)
        words = pipeline.last_words(arn, outcome.failure.stage) if outcome.failure else []
        display.last_words(words)
        display.advice(pipeline.next_step(arn) if outcome.failure else "")
        # Those two read the folder of runs unless something names AWS.
        named = {**account, "stack": account["stack"] or contract.STACK_NAME}
        following = [following_command("report", name, named)]
        if outcome.failure:
            following += [following_command("show", name, named), *([f"{again} --logs"] if words and not logs else [])]
        display.following(*following)
    if as_json:
        document = _as_json(name, outcome, metric_values(evaluation), seconds)
        told = {"warnings": list(filter(None, [other_rows(evaluation)])), "log": words, "next": following[0]}
        click.echo(json.dumps({**document, **told}))
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
