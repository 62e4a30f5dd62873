"""`ml-a2 cost`: what an execution costs, before anything starts."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ml_a2.cli.ending import ending
from ml_a2.cli.options import RUNS_OPTION
from ml_a2.cli.plan import one_stack
from ml_a2.errors import UserError

if TYPE_CHECKING:
    from ml_a2.costs.estimate import Costs
    from ml_a2.costs.pages import Question
    from ml_a2.costs.recorded import RecordedRun


def _prices(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, float]:
    prices = {}
    for text in values:
        name, _, amount = text.partition("=")
        try:
            prices[name.strip()] = float(amount)
        except ValueError as error:
            raise click.BadParameter(f"{text!r} is not NAME=USD", context, parameter) from error
        if not math.isfinite(prices[name.strip()]) or prices[name.strip()] < 0:
            raise click.BadParameter(f"{text!r}: a price is 0 USD or more", context, parameter)
    return prices


@click.command(
    epilog="""\b
Examples:
  ml-a2 cost
  ml-a2 cost --training-minutes 10 --evaluation-minutes 4 --executions-per-month 300
  ml-a2 cost --settings pipeline.toml --price ml.m7i.xlarge=0.2419 --json
  ml-a2 cost --run 20261123-220048-a29d --assembly cdk.out

State transitions are counted from the synthesized definition: its longest way to success, and a loop
for each 30 seconds of a job. Jobs are billed from TrainingStartTime to TrainingEndTime, times the
number of instances. The prices are a dated table of list prices with their sources, no offer: what
is not in it has no price here, and is told as such. --prices FILE lays a table of your own over it,
in the form of ml_a2/costs/prices.toml. Nothing is asked of AWS.

Exit status: 0 told, 2 wrong usage, settings or assembly, 130 interrupted."""
)
@click.option("--settings", type=click.Path(path_type=Path), help="A pipeline.toml; without it, the defaults.")
@click.option(
    "--assembly", type=click.Path(path_type=Path), help="A cloud assembly to take instead of the project's own."
)
@click.option("--region", default="us-east-1", show_default=True, help="The region whose prices are taken.")
@click.option("--training-minutes", type=click.FloatRange(0), help="How long the training job runs.")
@click.option("--evaluation-minutes", type=click.FloatRange(0), help="How long the evaluation runs.")
@click.option("--run", "run_name", metavar="RUN", help="Take the run times of a recorded run: its name, or a path.")
@click.option("--executions-per-month", type=click.IntRange(0), default=0, help="How many executions a month has.")
@click.option("--stored-gb", type=click.FloatRange(0), default=0.0, help="How much lies in the buckets.")
@click.option(
    "--price",
    "given",
    multiple=True,
    metavar="NAME=USD",
    callback=_prices,
    help="A price: of an instance type an hour, or of training-volume a GB-month; may be repeated.",
)
@click.option("--prices", "file", type=click.Path(path_type=Path), metavar="FILE", help="A table of your own prices.")
@RUNS_OPTION
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
def cost(
    *,
    settings: Path | None,
    assembly: Path | None,
    region: str,
    training_minutes: float | None,
    evaluation_minutes: float | None,
    run_name: str | None,
    executions_per_month: int,
    stored_gb: float,
    given: dict[str, float],
    file: Path | None,
    runs: Path,
    as_json: bool,
) -> None:
    """Tell what an execution costs, in transitions and instance time, before anything starts."""
    with ending(as_json=as_json):
        from ml_a2.costs.pages import Question, answer, page_json, write_page
        from ml_a2.tables import Page

        one_stack(settings, assembly)
        run = _recorded(run_name, runs)
        seconds = _seconds(training_minutes, evaluation_minutes, run)
        question = Question(region, seconds, executions_per_month, stored_gb, run)
        costs = _costs(settings, assembly, question, given, file)
        found = answer(costs, question)
        if as_json:
            click.echo(json.dumps(page_json(found)))
        else:
            write_page(Page(), found)


def _recorded(name: str | None, runs: Path) -> RecordedRun | None:
    from ml_a2.costs.recorded import read_run
    from ml_a2.records.record import find_run

    return read_run(find_run(name, runs)) if name else None


def _seconds(training: float | None, evaluation: float | None, run: RecordedRun | None) -> dict[str, float] | None:
    """Return how long each kind of job runs, None where nobody says so."""
    if run and (training is not None or evaluation is not None):
        raise UserError("--run tells the run times, and so do --training-minutes and --evaluation-minutes")
    if run:
        return dict(run.seconds)
    if training is None and evaluation is None:
        return None
    if training is None or evaluation is None:
        missing = "--training-minutes" if training is None else "--evaluation-minutes"
        raise UserError(f"{missing} is missing: an execution has both jobs; give 0 for one that is over at once")
    return {"training": training * 60, "processing": evaluation * 60}


def _costs(
    settings: Path | None, assembly: Path | None, question: Question, given: dict[str, float], file: Path | None
) -> Costs:
    """Read the template and the prices."""
    from ml_a2.costs.estimate import Costs
    from ml_a2.costs.jobs import find_pipeline, read_jobs, read_standing_parts
    from ml_a2.costs.prices import load_prices
    from ml_a2.costs.route import route_of
    from ml_a2.local.assembly import find_assembly
    from ml_a2.local.runtime import read_template

    prices = load_prices(question.region, file, given)
    folder = assembly or find_assembly(settings, tell=lambda text: click.echo(text, err=True))[0]
    template = read_template(folder)
    pipeline = find_pipeline(template)
    without = [] if question.seconds is None or "training" in question.seconds else ["training"]
    return Costs(route_of(pipeline, without=without), read_jobs(pipeline), read_standing_parts(template), prices)
