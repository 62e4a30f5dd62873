"""The command line: arguments, one call, text and exit status.

Nothing heavy is imported before a command runs, so that `--help` answers at once.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click

from ml_a2 import __version__
from ml_a2.errors import PipelineError, UserError

SAMPLES = ("breast-cancer", "diabetes", "digits")
EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="ml-a2")
def main() -> None:
    """Train and evaluate tabular models with a pipeline that runs the same on the laptop and on AWS."""


def _hyperparameters(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for text in values:
        name, separator, value = text.partition("=")
        if not separator or not name or not value:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE", context, parameter)
        pairs[name.strip()] = value.strip()
    return pairs


@main.command(
    epilog="""\b
Examples:
  ml-a2 run
  ml-a2 run --sample digits --set num_round=50
  ml-a2 run --train customers.csv --target-column churned
  ml-a2 run --train train.parquet --validation holdout.parquet --target-column price --json
  ml-a2 run --fault training=crash
  ml-a2 run --fault sagemaker:CreateTrainingJob=ThrottlingException*2 --permissions

A fault's KIND is one of capacity, crash, oom, stopped, timeout, hang, corrupt-model,
missing-data.

Exit status: 0 succeeded, 1 the pipeline or a job failed, 2 wrong usage or input, 130 interrupted."""
)
@click.option("--sample", type=click.Choice(SAMPLES), help="A data set of scikit-learn.  [default: breast-cancer]")
@click.option("--train", type=click.Path(path_type=Path), help="CSV (with header) or Parquet file to train on.")
@click.option("--validation", type=click.Path(path_type=Path), help="File to evaluate on; without it, split off.")
@click.option("--target-column", help="The column to predict.")
@click.option(
    "--validation-fraction",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.2,
    show_default=True,
    help="Share of the rows that is split off, by class where there are classes.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=42, show_default=True, help="Decides which rows.")
@click.option("--settings", type=click.Path(path_type=Path), help="A pipeline.toml; without it, the defaults.")
@click.option(
    "--set",
    "hyperparameters",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_hyperparameters,
    help="A hyperparameter of the built-in XGBoost algorithm; may be repeated.",
)
@click.option(
    "--assembly", type=click.Path(path_type=Path), help="A cloud assembly to run instead of the project's own."
)
@click.option("--region", default="us-east-1", show_default=True, help="The region that the endpoint plays.")
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
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on standard output, the rest on standard error."
)
def run(**options: Any) -> None:
    """Train and evaluate on this machine by executing the synthesized template.

    Without options: scikit-learn's breast cancer data, 569 patients. Results come to runs/<execution name>/.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        status = _run(**options)
    except UserError as error:
        _end(EXIT_USAGE, "NOT_STARTED", error, as_json=options["as_json"])
    except PipelineError as error:
        _end(EXIT_FAILED, "NOT_STARTED", error, as_json=options["as_json"])
    except KeyboardInterrupt:
        words = KeyboardInterrupt("interrupted: the execution and its jobs were stopped")
        _end(EXIT_INTERRUPTED, "ABORTED", words, as_json=options["as_json"])
    sys.exit(0 if status == "SUCCEEDED" else EXIT_FAILED)


def _run(
    *,
    settings: Path | None,
    assembly: Path | None,
    hyperparameters: dict[str, str],
    faults: tuple[str, ...],
    permissions: bool,
    as_json: bool,
    **options: Any,
) -> str:
    """Prepare everything that can be wrong first, then run; return the execution's status."""
    from ml_a2.local.assembly import find_assembly
    from ml_a2.local.faults import Faults
    from ml_a2.local.images.xgboost.hyperparameters import check_hyperparameters
    from ml_a2.local.run import RunRequest
    from ml_a2.local.run import run as execute
    from ml_a2.local.service_calls import PERMISSIONS
    from ml_a2.problem import merge_hyperparameters
    from ml_a2.progress import RunDisplay
    from ml_a2.settings import load_settings

    if settings and assembly:
        raise UserError("--settings is read when the stack is synthesized, and --assembly is synthesized already")
    Faults(PERMISSIONS).inject(faults)  # refuses what it does not know
    training = load_settings(settings).training
    stack = training.chosen_hyperparameters
    objective = hyperparameters.get("objective", stack.get("objective"))
    dataset = _load_dataset(objective, **{name: options[name] for name in DATA_OPTIONS})
    chosen = merge_hyperparameters(dataset.problem, stack, hyperparameters)
    # What another assembly brings along is for its own job to judge.
    check_hyperparameters({**({"num_round": "1"} if assembly else training.hyperparameters), **chosen})
    with RunDisplay(sys.stderr if as_json else sys.stdout) as display:
        display.say(f"data: {dataset.describe()}")
        if assembly is None:
            assembly, _ = find_assembly(settings, tell=display.say)
        request = RunRequest(dataset, assembly, chosen, Path("runs"), options["region"], options["speed"], faults)
        result = execute(request, display)
        if permissions:
            display.permissions(result)
        display.result(result)
    if as_json:
        click.echo(json.dumps(result.as_json()))
    return result.status


DATA_OPTIONS = ("sample", "train", "validation", "target_column", "validation_fraction", "seed")


def _load_dataset(
    objective: str | None,
    *,
    sample: str | None,
    train: Path | None,
    validation: Path | None,
    target_column: str | None,
    validation_fraction: float,
    seed: int,
) -> Any:
    from ml_a2.dataset import Split, load_files, load_sample

    split = Split(validation_fraction, seed)

    if train is None:
        if validation or target_column:
            raise UserError("--validation and --target-column describe a file given with --train; add --train FILE")
        return load_sample(sample or SAMPLES[0], objective, split)
    if sample:
        raise UserError("--sample and --train exclude each other; give one of them")
    if not target_column:
        raise UserError("--train needs --target-column NAME, the column to predict")
    return load_files(train, validation, target_column, objective, split)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


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


if __name__ == "__main__":
    main()
