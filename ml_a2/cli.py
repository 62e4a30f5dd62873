"""The command line: arguments, one call, text and exit status.

Nothing heavy is imported before a command runs, so that `--help` answers at once.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click

from ml_a2 import __version__
from ml_a2.errors import DataError, HyperparameterError, PipelineError, UserError
from ml_a2.finding import Finding

SAMPLES = ("breast-cancer", "diabetes", "digits")
EXIT_FAILED, EXIT_USAGE, EXIT_TURNED_DOWN, EXIT_INTERRUPTED = 1, 2, 3, 130


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


def _options_of_data_and_stack(command: Callable[..., None]) -> Callable[..., None]:
    """Add what `run` and `doctor` share: which data, and which stack."""
    for option in reversed(OPTIONS_OF_DATA_AND_STACK):
        command = option(command)
    return command


OPTIONS_OF_DATA_AND_STACK = (
    click.option("--sample", type=click.Choice(SAMPLES), help="A data set of scikit-learn.  [default: breast-cancer]"),
    click.option("--train", type=click.Path(path_type=Path), help="CSV (with header) or Parquet file to train on."),
    click.option("--validation", type=click.Path(path_type=Path), help="File to evaluate on; without it, split off."),
    click.option("--target-column", help="The column to predict."),
    click.option(
        "--validation-fraction",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        default=0.2,
        show_default=True,
        help="Share of the rows that is split off, by class where there are classes.",
    ),
    click.option(
        "--seed", type=click.IntRange(0, 2**32 - 1), default=42, show_default=True, help="Decides which rows."
    ),
    click.option("--settings", type=click.Path(path_type=Path), help="A pipeline.toml; without it, the defaults."),
    click.option(
        "--set",
        "hyperparameters",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_hyperparameters,
        help="A hyperparameter of the built-in XGBoost algorithm; may be repeated.",
    ),
    click.option(
        "--assembly", type=click.Path(path_type=Path), help="A cloud assembly to take instead of the project's own."
    ),
    click.option("--region", default="us-east-1", show_default=True, help="The region that the endpoint plays."),
)


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

Exit status: 0 succeeded, 1 the pipeline or a job failed, 2 wrong usage or input, 3 the quality gate
said no, 130 interrupted."""
)
@_options_of_data_and_stack
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
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on standard output, the rest on standard error."
)
def run(**options: Any) -> None:
    """Train and evaluate on this machine by executing the synthesized template.

    Without options: scikit-learn's breast cancer data, 569 patients. Results come to runs/<execution name>/.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        exit_status = _run(**options)
    except UserError as error:
        _end(EXIT_USAGE, "NOT_STARTED", error, as_json=options["as_json"])
    except PipelineError as error:
        _end(EXIT_FAILED, "NOT_STARTED", error, as_json=options["as_json"])
    except KeyboardInterrupt:
        words = KeyboardInterrupt("interrupted: the execution and its jobs were stopped")
        _end(EXIT_INTERRUPTED, "ABORTED", words, as_json=options["as_json"])
    sys.exit(exit_status)


def _run(
    *,
    settings: Path | None,
    assembly: Path | None,
    hyperparameters: dict[str, str],
    faults: tuple[str, ...],
    permissions: bool,
    strict: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Prepare everything that can be wrong first, then run; return the exit status."""
    from ml_a2.local.assembly import find_assembly
    from ml_a2.local.faults import Faults
    from ml_a2.local.request_checks import check_request
    from ml_a2.local.run import RunRequest
    from ml_a2.local.run import run as execute
    from ml_a2.local.service_calls import PERMISSIONS
    from ml_a2.progress import RunDisplay
    from ml_a2.settings import load_settings

    _one_stack(settings, assembly)
    Faults(PERMISSIONS).inject(faults)  # refuses what it does not know
    dataset, chosen = _plan(settings, assembly, hyperparameters, options)
    hosts = 1 if assembly else load_settings(settings).training.instance_count
    warnings = list(check_request({"num_round": "1", **chosen}, has_validation=True))
    if strict and warnings:
        raise UserError(f"{warnings[0].where}: {warnings[0].problem}; {warnings[0].remedy}")
    with RunDisplay(sys.stderr if as_json else sys.stdout) as display:
        display.say(f"data: {dataset.describe()}")
        for warning in warnings:
            display.warn(f"{warning.where}: {warning.problem}; {warning.remedy}")
        if assembly is None:
            assembly, _ = find_assembly(settings, tell=display.say)
        request = RunRequest(
            dataset, assembly, chosen, Path("runs"), options["region"], options["speed"], faults, hosts
        )
        result = execute(request, display)
        if permissions:
            display.permissions(result)
        display.result(result)
    if as_json:
        click.echo(json.dumps(result.as_json()))
    if result.gate == "failed":
        return EXIT_TURNED_DOWN
    return 0 if result.status == "SUCCEEDED" else EXIT_FAILED


@main.command(
    epilog="""\b
Examples:
  ml-a2 doctor
  ml-a2 doctor --assembly cdk.out --permissions
  ml-a2 doctor --train customers.csv --target-column churned --set max_depth=4
  ml-a2 doctor --train channels/train/ --validation channels/validation/ --strict

With --target-column, --train names a table with a header, which is prepared as `ml-a2 run` does; without, a file or
folder as the image reads it: no header, the label first. Such files are read once, in blocks, whatever their size.

Without data options the stack is examined: its template is deployed onto the embedded endpoint, its state machines are
audited, every alarm is tried, and an execution that succeeds and each way to fail are rehearsed with small data. With
data options the data and the hyperparameters are, and the stack only when --assembly names one.

Exit status: 0 nothing would go wrong, 1 something would, 2 wrong usage or input, 130 interrupted."""
)
@_options_of_data_and_stack
@click.option(
    "--content-type",
    default="text/csv",
    show_default=True,
    help="What files are that are given as the image reads them.",
)
@click.option("--permissions", is_flag=True, help="Warn of permissions that were granted and never used.")
@click.option("--strict", is_flag=True, help="Let warnings count as errors.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
def doctor(*, strict: bool, as_json: bool, **options: Any) -> None:
    """Tell what would go wrong on AWS, before anything is deployed or submitted."""
    from ml_a2.progress import CheckDisplay

    signal.signal(signal.SIGTERM, _interrupt)
    findings = []
    try:
        with CheckDisplay(sys.stderr if as_json else sys.stdout) as display:
            for finding in _examine(display.say, **options):
                findings.append(finding)
                display.finding(finding)
            wrong = sum(strict or finding.severity == "error" for finding in findings)
            display.verdict(findings, wrong)
    except PipelineError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(EXIT_USAGE if isinstance(error, UserError) else EXIT_FAILED)
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        sys.exit(EXIT_INTERRUPTED)
    if as_json:
        click.echo(json.dumps({"wrong": wrong, "findings": [finding.as_json() for finding in findings]}))
    sys.exit(EXIT_FAILED if wrong else 0)


def _examine(
    tell: Callable[[str], None], *, permissions: bool, settings: Path | None, assembly: Path | None, **options: Any
) -> Iterator[Finding]:
    from ml_a2.local.assembly import find_assembly
    from ml_a2.local.doctor import examine
    from ml_a2.settings import load_settings

    _one_stack(settings, assembly)
    load_settings(settings)  # what is wrong with them is told before anything is done
    if any(options[name] for name in ("sample", "train", "validation", "target_column")):
        yield from _examine_data(tell, settings, **options)
        if assembly is None:
            return
    elif options["hyperparameters"]:
        raise UserError("--set is checked together with data; add --train FILE or --sample NAME")
    if assembly is None:
        assembly, _ = find_assembly(settings, tell=tell)
    yield from examine(assembly, region=options["region"], permissions=permissions, tell=tell)


def _examine_data(
    tell: Callable[[str], None],
    settings: Path | None,
    *,
    hyperparameters: dict[str, str],
    content_type: str,
    **options: Any,
) -> Iterator[Finding]:
    from ml_a2.channel_checks import check_channels
    from ml_a2.channel_files import Reading
    from ml_a2.local.images.xgboost.channels import FORMATS
    from ml_a2.local.request_checks import check_request
    from ml_a2.settings import load_settings

    if options["train"] is None or options["target_column"]:
        yield from _examine_table(tell, settings, hyperparameters, options)
        return
    if options["sample"]:
        raise UserError("--sample and --train exclude each other; give one of them")
    if content_type not in FORMATS:
        raise UserError(f"--content-type {content_type!r} is not one of {', '.join(FORMATS)}")
    paths = {name: options[name] for name in ("train", "validation") if options[name]}
    for path in paths.values():
        if not path.exists():
            raise UserError(f"{path} does not exist; name an existing file or folder")
    tell(f"reading {' and '.join(map(str, paths.values()))}")
    named = {**load_settings(settings).training.hyperparameters, **hyperparameters}
    reading = Reading(FORMATS[content_type], weighted=named.get("csv_weights") == "1")
    yield from check_channels(paths, reading, named)
    yield from check_request(named, has_validation="validation" in paths)


def _examine_table(
    tell: Callable[[str], None], settings: Path | None, hyperparameters: dict[str, str], options: dict[str, Any]
) -> Iterator[Finding]:
    """Prepare a table, and its hyperparameters, exactly as a run does."""
    from ml_a2.local.request_checks import check_request
    from ml_a2.settings import load_settings

    try:
        dataset, chosen = _plan(settings, None, hyperparameters, options)
    except (DataError, HyperparameterError) as error:
        yield Finding("error", "the data", str(error), "mend the table, or choose other hyperparameters")
        return
    tell(f"data: {dataset.describe()}")
    yield from check_request({**load_settings(settings).training.hyperparameters, **chosen}, has_validation=True)


def _one_stack(settings: Path | None, assembly: Path | None) -> None:
    if settings and assembly:
        raise UserError("--settings is read when the stack is synthesized, and --assembly is synthesized already")


def _plan(
    settings: Path | None, assembly: Path | None, hyperparameters: dict[str, str], options: dict[str, Any]
) -> tuple[Any, dict[str, str]]:
    """Load the data and settle the hyperparameters: a dataset, and what the execution's input will say."""
    from ml_a2.local.images.xgboost.hyperparameters import check_hyperparameters
    from ml_a2.problem import merge_hyperparameters
    from ml_a2.settings import load_settings

    training = load_settings(settings).training
    stack = training.chosen_hyperparameters
    objective = hyperparameters.get("objective", stack.get("objective"))
    dataset = _load_dataset(objective, **{name: options[name] for name in DATA_OPTIONS})
    chosen = merge_hyperparameters(dataset.problem, stack, hyperparameters)
    # What another assembly brings along is for its own job to judge.
    check_hyperparameters({**({"num_round": "1"} if assembly else training.hyperparameters), **chosen})
    return dataset, chosen


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
