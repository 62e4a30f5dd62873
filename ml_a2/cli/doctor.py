"""`ml-a2 doctor`."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from ml_a2 import contract
from ml_a2.cli.beginning import say_first
from ml_a2.cli.interrupts import heed_interrupts
from ml_a2.cli.options import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    OPTIONS_OF_DATA_AND_STACK,
    with_options,
)
from ml_a2.cli.plan import data_named, one_stack, plan, warnings_of_data
from ml_a2.errors import DataError, HyperparameterError, PipelineError, UserError
from ml_a2.finding import Finding
from ml_a2.suggestions import did_you_mean, did_you_mean_file


@click.command(
    epilog="""\b
Examples:
  ml-a2 doctor
  ml-a2 doctor --assembly cdk.out --permissions
  ml-a2 doctor --train customers.csv --target-column churned --set max_depth=4
  ml-a2 doctor --train channels/train/ --validation channels/validation/ --strict
  ml-a2 doctor --deployed
  ml-a2 doctor --profile work --region eu-central-1 --train customers.csv --target-column churned

With --target-column, --train names a table with a header, which is prepared as `ml-a2 run` does; without, a file or
folder as the image reads it: no header, the label first. Such files are read in blocks, whatever their size.

Without data options the stack is examined: its template is deployed onto the embedded endpoint, its state machines are
audited, every alarm is tried, and an execution that succeeds and each way to fail are rehearsed with small data. With
data options the data and the hyperparameters are, also by training two rounds on the first rows and evaluating them,
and the stack only when --assembly names one.

With --deployed, or one of --profile, --endpoint-url and --stack, it is the deployed stack that is looked at, by calls
that only read: its status, whether its template is the assembly's, its images, who is subscribed, the evaluation's code
in its bucket, and the first rows of the objects that the jobs will read. With --sample, or --train and --target-column,
also whether those are the rows that `ml-a2 upload` would write. Quotas of the account are not looked at.

Some settings ask for what only AWS has: spot instances, a VPC, a KMS key, a schedule, a marker, images of your own.
They are told by their keys as not tried, which is no defect and no clean bill either, and the rest of the stack is
examined without them.

Exit status: 0 nothing would go wrong, 1 something would, or could not be tried (unless --accept-untried), or AWS could
not be asked, 2 wrong usage, input or credentials, 130 interrupted."""
)
@with_options(OPTIONS_OF_DATA_AND_STACK)
@click.option(
    "--content-type",
    default="text/csv",
    show_default=True,
    help="What files are that are given as the image reads them.",
)
@click.option("--permissions", is_flag=True, help="Warn of permissions that were granted and never used.")
@click.option("--deployed", is_flag=True, help="Look at the stack that is deployed, without changing anything.")
@click.option("--profile", help="Of the deployed stack: a profile of the AWS configuration.  [env: AWS_PROFILE]")
@click.option("--endpoint-url", help="Of the deployed stack: the services behind this URL.  [env: AWS_ENDPOINT_URL]")
@click.option("--stack", help=f"The deployed stack.  [default: {contract.STACK_NAME}]")
@click.option("--strict", is_flag=True, help="Let warnings count as errors.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
@click.option(
    "--accept-untried", is_flag=True, help="Exit with 0 although settings ask for what cannot be tried on this machine."
)
def doctor(*, strict: bool, accept_untried: bool, as_json: bool, **options: Any) -> None:
    """Tell what would go wrong on AWS, before anything is deployed or submitted."""
    heed_interrupts()
    say_first(f"examining {_subject(options)}", err=as_json)
    from ml_a2.progress import CheckDisplay

    findings = []
    try:
        with CheckDisplay(sys.stderr if as_json else sys.stdout) as display:
            for finding in _examine(display.say, **options):
                findings.append(finding)
                display.finding(finding)
            open_questions = 0 if accept_untried else sum(finding.severity == "untried" for finding in findings)
            wrong = sum(_counts(finding, strict=strict) for finding in findings)
            display.verdict(findings, wrong)
    except PipelineError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(EXIT_USAGE if isinstance(error, UserError) else EXIT_FAILED)
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        sys.exit(EXIT_INTERRUPTED)
    if as_json:
        click.echo(json.dumps({"wrong": wrong, "findings": [finding.as_json() for finding in findings]}))
    sys.exit(EXIT_FAILED if wrong or open_questions else 0)


def _counts(finding: Finding, *, strict: bool) -> bool:
    return finding.severity == "error" or (strict and finding.severity == "warning")


def _subject(options: dict[str, Any]) -> str:
    """Return in words what a command line asks about."""
    parts = [data_named(options)] if _names_data(options) else []
    if options["deployed"] or any(options[name] for name in ("profile", "endpoint_url", "stack")):
        parts.append(f"the deployed stack {options['stack'] or contract.STACK_NAME}")
    elif options["assembly"] or not parts:
        parts.append(f"the stack in {options['assembly']}" if options["assembly"] else "the stack")
    return " and ".join(parts)


def _names_data(options: dict[str, Any]) -> bool:
    return any(options[name] for name in ("sample", "train", "validation", "target_column"))


def _examine(
    tell: Callable[[str], None],
    *,
    permissions: bool,
    settings: Path | None,
    assembly: Path | None,
    deployed: bool,
    **options: Any,
) -> Iterator[Finding]:
    from ml_a2.local.doctor import examine_stack
    from ml_a2.settings import load_settings

    one_stack(settings, assembly)
    load_settings(settings)  # what is wrong with them is told before anything is done
    account = {name: options.pop(name) for name in ("profile", "endpoint_url", "stack")}
    if deployed or any(account.values()):
        if permissions:
            raise UserError("--permissions is told after a rehearsal, which a deployed stack is spared; leave it out")
        yield from _examine_deployed(tell, settings, assembly, account, options)
        return
    if _names_data(options):
        yield from _examine_data(tell, settings, **options)
        if assembly is None:
            return
    elif options["hyperparameters"]:
        raise UserError("--set is checked together with data; add --train FILE or --sample NAME")
    yield from examine_stack(settings, assembly, region=options["region"], permissions=permissions, tell=tell)


def _examine_deployed(
    tell: Callable[[str], None],
    settings: Path | None,
    assembly: Path | None,
    account: dict[str, str | None],
    options: dict[str, Any],
) -> Iterator[Finding]:
    from ml_a2.account import Account, aws_errors
    from ml_a2.cli.plan import plan_of_data
    from ml_a2.deployed import examine_deployed
    from ml_a2.evaluation_code import evaluation_files
    from ml_a2.local.assembly import find_assembly
    from ml_a2.local.runtime import read_template

    stack = account.pop("stack") or contract.STACK_NAME
    # The default is the region that the embedded endpoint plays; here it is that of the environment.
    given = click.get_current_context().get_parameter_source("region") is not ParameterSource.DEFAULT
    account["region"] = options["region"] if given else None
    template = read_template(assembly or find_assembly(settings, tell=tell)[0])
    with tempfile.TemporaryDirectory(prefix="ml-a2-") as folder, aws_errors():
        data = None
        if _names_data(options):
            prepared, hosts, needed = plan_of_data(settings, options["hyperparameters"], options)
            tell(f"data: {prepared.dataset.describe()}")
            yield from warnings_of_data(settings, needed, prepared)
            data = prepared.write(Path(folder), hosts)
        code = evaluation_files(tell=tell)
        yield from examine_deployed(Account(**account), stack, template=template, code=code, data=data, tell=tell)


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
    from ml_a2.local.trial.examination import examine_files
    from ml_a2.settings import load_settings

    if options["train"] is None or options["target_column"]:
        yield from _examine_table(tell, settings, hyperparameters, options)
        return
    if options["sample"]:
        raise UserError("--sample and --train exclude each other; give one of them")
    if content_type not in FORMATS:
        question = did_you_mean(content_type, FORMATS)
        raise UserError(f"--content-type {content_type!r} is not one of {', '.join(FORMATS)}{question}")
    paths = {name: options[name] for name in ("train", "validation") if options[name]}
    for path in paths.values():
        if not path.exists():
            raise UserError(f"{path} does not exist; name an existing file or folder{did_you_mean_file(path)}")
    tell(f"reading {' and '.join(map(str, paths.values()))}")
    named = {**load_settings(settings).training.hyperparameters, **hyperparameters}
    reading = Reading(FORMATS[content_type], weighted=named.get("csv_weights") == "1")
    if reading.data_format != "csv":
        yield _other_format(content_type, paths)
    wrong = False
    for finding in check_channels(paths, reading, named, load_settings(settings).evaluation.group_column):
        wrong = wrong or finding.severity == "error"
        yield finding
    # Rows that are refused already are not tried.
    chosen = load_settings(settings)
    yield from examine_files(paths, reading, named, chosen, tell, content_type=content_type, only_checked=wrong)


def _other_format(content_type: str, paths: Mapping[str, Path]) -> Finding:
    problem = f"this stack's training takes text/csv, and so does its evaluation: neither would read {content_type}"
    remedy = "write CSV without a header, the label first, or train on the table with ml-a2 run or upload"
    return Finding("warning", str(next(iter(paths.values()))), problem, remedy)


def _examine_table(
    tell: Callable[[str], None], settings: Path | None, hyperparameters: dict[str, str], options: dict[str, Any]
) -> Iterator[Finding]:
    """Prepare a table, and its hyperparameters, exactly as a run does."""
    from ml_a2.local.trial.examination import examine_dataset
    from ml_a2.settings import load_settings

    try:
        asked, prepared = plan(settings, None, hyperparameters, options)
    except (DataError, HyperparameterError) as error:
        yield _finding(error)
        return
    tell(f"data: {prepared.dataset.describe()}")
    named = {**load_settings(settings).training.hyperparameters, **asked.hyperparameters}
    yield from examine_dataset(prepared.dataset, named, load_settings(settings), tell)
    yield from warnings_of_data(settings, asked.hyperparameters, prepared)


def _finding(error: DataError | HyperparameterError) -> Finding:
    """Return as a finding what a run would refuse: a message ends with what can be done about it."""
    where = "the data" if isinstance(error, DataError) else "the hyperparameters"
    problem, separator, remedy = str(error).rpartition("; ")
    if separator:
        return Finding("error", where, problem, remedy)
    otherwise = "mend the table" if isinstance(error, DataError) else "see the built-in algorithm's hyperparameters"
    return Finding("error", where, remedy, otherwise)
