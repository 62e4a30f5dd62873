"""What commands share: options and exit statuses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from ml_a2.contract import STACK_NAME

SAMPLES = ("breast-cancer", "diabetes", "digits")
# Where `ml-a2 run` leaves its results.
RUNS = Path("runs")
EXIT_FAILED, EXIT_USAGE, EXIT_TURNED_DOWN, EXIT_INTERRUPTED = 1, 2, 3, 130


def _hyperparameters(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for text in values:
        name, separator, value = text.partition("=")
        if not separator or not name or not value:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE", context, parameter)
        pairs[name.strip()] = value.strip()
    return pairs


HYPERPARAMETERS = click.option(
    "--set",
    "hyperparameters",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_hyperparameters,
    help="A hyperparameter of the built-in XGBoost algorithm; may be repeated.",
)
OPTIONS_OF_DATA = (
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
    HYPERPARAMETERS,
)
OPTIONS_OF_DATA_AND_STACK = (
    *OPTIONS_OF_DATA,
    click.option(
        "--assembly", type=click.Path(path_type=Path), help="A cloud assembly to take instead of the project's own."
    ),
    click.option("--region", default="us-east-1", show_default=True, help="The region that the endpoint plays."),
)
ACCOUNT_OPTIONS = (
    click.option("--profile", help="A profile of the AWS configuration.  [env: AWS_PROFILE]"),
    click.option("--region", help="A region.  [env: AWS_REGION]"),
    click.option("--endpoint-url", help="Call the services behind this URL.  [env: AWS_ENDPOINT_URL]"),
    click.option("--stack", help=f"The deployed stack.  [default: {STACK_NAME}]"),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output."),
)


def with_options(options: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    """Add options to a command, in this order."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


RUNS_OPTION = click.option(
    "--runs",
    type=click.Path(path_type=Path),
    default=RUNS,
    show_default=True,
    metavar="DIR",
    help="Where run directories lie.",
)
