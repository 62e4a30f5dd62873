"""`ml-a2 upload`: data and code to a deployed stack, on AWS or behind any other endpoint."""

from __future__ import annotations

import json
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ml_a2.cli.beginning import say_first
from ml_a2.cli.ending import ending
from ml_a2.cli.options import ACCOUNT_OPTIONS, OPTIONS_OF_DATA, with_options
from ml_a2.cli.stack_of_account import STATUSES, WHERE, deployed_pipeline, same_account


@click.command(
    epilog=f"""\b
Examples:
  ml-a2 upload --train customers.csv --target-column churned
  ml-a2 upload --sample breast-cancer --region eu-central-1 --profile work
  ml-a2 upload --train train.parquet --validation holdout.parquet --target-column price --json

Files go to train/, validation/ and evaluation/ in the bucket of training data. What is there already with
the same content is not sent again. From 64 MB on a file goes up in parts: after Ctrl-C, a lost connection
or a crash the same command on the same machine goes on with those that are there. When the content has
changed since, they are removed.

Needed are cloudformation:DescribeStacks, and on the bucket s3:ListBucket, s3:GetObject, s3:PutObject,
s3:AbortMultipartUpload and s3:ListMultipartUploadParts; with a KMS key kms:GenerateDataKey and kms:Decrypt.

{STATUSES}

{WHERE}"""
)
@with_options(OPTIONS_OF_DATA)
@with_options(ACCOUNT_OPTIONS)
@click.option("--strict", is_flag=True, help="Let warnings about the data count as errors.")
def upload(
    *, hyperparameters: dict[str, str], settings: Path | None, strict: bool, as_json: bool, **options: Any
) -> None:
    """Check data as `ml-a2 run` does, and copy it with the evaluation's code to the deployed stack."""
    from ml_a2.cli.plan import data_named, plan_of_data, refuse_if_strict, warnings_of_data

    say_first(f"reading {data_named(options)}", err=as_json)
    account = {name: options.pop(name) for name in ("profile", "region", "endpoint_url", "stack")}
    with ending(as_json=as_json):
        from ml_a2.evaluation_code import evaluation_files
        from ml_a2.progress import UploadDisplay

        prepared, hosts, needed = plan_of_data(settings, hyperparameters, options)
        warnings = list(warnings_of_data(settings, needed, prepared))
        refuse_if_strict(warnings, strict=strict)
        stream = sys.stderr if as_json else sys.stdout
        with tempfile.TemporaryDirectory(prefix="ml-a2-") as folder, deployed_pipeline(**account) as pipeline:
            files = {
                **prepared.write(Path(folder), hosts),
                **evaluation_files(tell=lambda text: click.echo(text, err=True)),
            }
            with UploadDisplay(stream, sum(path.stat().st_size for path in files.values())) as display:
                display.say(f"data: {prepared.dataset.describe()}")
                for warning in warnings:
                    display.warn(warning.in_a_line())
                with _told_of_what_stays():
                    uploaded = pipeline.upload(files, again=False, tell=display.sent)
        following = "ml-a2 start" + "".join(f" --set {shlex.quote(f'{n}={v}')}" for n, v in needed.items())
        following += same_account(account)
        kept = sum(each.kept for each in uploaded.values())
        if as_json:
            objects = [{**vars(each), "key": key} for key, each in uploaded.items()]
            told = [warning.as_json() for warning in warnings]
            click.echo(json.dumps({"objects": objects, "hyperparameters": needed, "warnings": told, "next": following}))
        else:
            for each in uploaded.values():
                if each.resumed:
                    click.echo(
                        f"{each.key}: {each.resumed} of {each.size} bytes were there from an upload that broke off"
                    )
            click.echo(f"{len(uploaded) - kept} objects written, {kept} were there already\nnext: {following}")


@contextmanager
def _told_of_what_stays() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        click.echo("what has gone up stays; the same command goes on with the rest", err=True)
        raise
