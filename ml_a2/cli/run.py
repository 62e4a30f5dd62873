"""`ml-a2 run`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ml_a2.cli.ahead import DeploymentAhead
from ml_a2.cli.beginning import say_first, seconds_since_beginning
from ml_a2.cli.following import commands_after
from ml_a2.cli.interrupts import heed_interrupts
from ml_a2.cli.opening import OPEN_OPTION, open_page
from ml_a2.cli.options import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_TURNED_DOWN,
    EXIT_USAGE,
    OPTIONS_OF_DATA_AND_STACK,
    RUNS,
    with_options,
)
from ml_a2.cli.plan import data_named, one_stack, plan, refuse_if_strict, warnings_of_data, warnings_of_training
from ml_a2.errors import PipelineError, UserError
from ml_a2.local.sagemaker.warm_containers import WarmContainers

if TYPE_CHECKING:
    from ml_a2.finding import Finding
    from ml_a2.local.run import RunResult
    from ml_a2.progress import RunDisplay
    from ml_a2.records.request import Prepared


@click.command(
    epilog="""\b
Examples:
  ml-a2 run
  ml-a2 run --sample digits --set num_round=50
  ml-a2 run --train customers.csv --target-column churned
  ml-a2 run --train train.parquet --validation holdout.parquet --target-column price --json
  ml-a2 run --model last --validation june.csv
  ml-a2 run --model model.tar.gz --validation june.csv --target-column churned
  ml-a2 run --fault training=crash
  ml-a2 run --fault sagemaker:CreateTrainingJob=ThrottlingException*2 --permissions

A fault's KIND is one of capacity, crash, oom, stopped, timeout, hang, corrupt-model,
missing-data.

Exit status: 0 succeeded, 1 the pipeline or a job failed, 2 wrong usage or input, 3 the quality gate
said no, 130 interrupted."""
)
@with_options(OPTIONS_OF_DATA_AND_STACK)
@click.option(
    "--model",
    metavar="RUN",
    help="Evaluate the model of an earlier run again, or of a model.tar.gz: all rows of --validation, no training.",
)
@click.option(
    "--speed",
    type=click.FloatRange(1, 10_000),
    default=100,
    show_default=True,
    help="Divides waits and retry pauses, never the run times of jobs.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="SPEC",
    help="Let something go wrong: SERVICE:ACTION=CODE[*TIMES], training=KIND or evaluation=KIND; may be repeated.",
)
@click.option("--permissions", is_flag=True, help="List permissions that were granted and never used.")
@click.option("--strict", is_flag=True, help="Let warnings about the data or the hyperparameters count as errors.")
@OPEN_OPTION
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on standard output, the rest on standard error."
)
def run(**options: Any) -> None:
    """Train and evaluate on this machine by executing the synthesized template.

    Without options: scikit-learn's breast cancer data, 569 patients. Results come to runs/<execution name>/.
    """
    heed_interrupts()
    say_first(f"reading {data_named(options)}; the stack is deployed on this machine meanwhile", err=options["as_json"])
    try:
        jobs = ("evaluation",) if options["model"] else ("training", "evaluation")
        with WarmContainers(jobs) as warm:  # they get ready while this process does
            exit_status = _run(warm, **options)
    except UserError as error:
        _end(EXIT_USAGE, "NOT_STARTED", error, as_json=options["as_json"])
    except PipelineError as error:
        _end(EXIT_FAILED, "NOT_STARTED", error, as_json=options["as_json"])
    except KeyboardInterrupt:
        words = KeyboardInterrupt("interrupted: the execution and its jobs were stopped")
        _end(EXIT_INTERRUPTED, "ABORTED", words, as_json=options["as_json"])
    sys.exit(exit_status)


def _run(
    warm: WarmContainers,
    *,
    settings: Path | None,
    assembly: Path | None,
    hyperparameters: dict[str, str],
    permissions: bool,
    strict: bool,
    and_open: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Prepare everything that can be wrong first, then run; return the exit status."""
    one_stack(settings, assembly)
    with DeploymentAhead(settings, assembly, region=options["region"], speed=options["speed"], warm=warm) as ahead:
        asked, prepared = plan(settings, assembly, hyperparameters, options)

        from ml_a2.local.faults import Faults
        from ml_a2.local.run import RunRequest
        from ml_a2.local.run import run as execute
        from ml_a2.local.service_calls import PERMISSIONS
        from ml_a2.progress import RunDisplay

        Faults(PERMISSIONS).inject(options["faults"])  # refuses what it does not know
        warnings = (
            *warnings_of_training(settings, assembly, asked.hyperparameters, prepared),
            *warnings_of_data(settings, asked.hyperparameters, prepared),
        )
        refuse_if_strict(warnings, strict=strict)
        with RunDisplay(sys.stderr if as_json else sys.stdout) as display:
            _introduce(display, prepared, warnings)
            deployed = ahead.result(display.say)
            result = execute(deployed, RunRequest(asked, prepared, RUNS, warnings, seconds_since_beginning()), display)
            ahead.end()  # before anything is told of as done
            result = replace(result, seconds=seconds_since_beginning())
            if permissions:
                display.permissions(result)
            display.result(result)
            display.following(*commands_after(result, deployed.assembly, opened=and_open))
        if and_open:
            open_page(result.report)
    if as_json:
        click.echo(json.dumps(result.as_json()))
    return _exit_status(result)


def _introduce(display: RunDisplay, prepared: Prepared, warnings: Sequence[Finding]) -> None:
    """Tell what is trained on, or evaluated, and what about it is suspect."""
    display.say(f"data: {prepared.dataset.describe()}")
    if model := prepared.model:
        display.say(f"model: {model.archive}, trained by {model.run or 'nobody who is known'}")
    for warning in warnings:
        display.warn(warning.in_a_line())


def _exit_status(result: RunResult) -> int:
    if result.gate == "failed":
        return EXIT_TURNED_DOWN
    return 0 if result.status == "SUCCEEDED" else EXIT_FAILED


def _end(exit_status: int, status: str, error: BaseException, *, as_json: bool) -> NoReturn:
    """Tell of a run that came to no result, in one JSON object too when that was asked for."""
    click.echo(f"error: {error}" if status == "NOT_STARTED" else str(error), err=True)
    if as_json:
        failure = {"stage": "Preparation", "error": type(error).__name__, "cause": str(error)}
        nothing: dict[str, Any] = {
            "execution": None,
            "status": status,
            "metrics": {},
            "gate": "none",
            "run_directory": None,
        }
        click.echo(json.dumps({**nothing, "failure": failure, "seconds": None}))
    sys.exit(exit_status)
