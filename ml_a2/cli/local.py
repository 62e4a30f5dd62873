"""`ml-a2 local`: the embedded endpoint, to be used by other programs."""

from __future__ import annotations

import threading
from pathlib import Path

import click

from ml_a2.cli.ending import ending
from ml_a2.cli.plan import one_stack

EXPORTS = """\
export AWS_ENDPOINT_URL={url}
export AWS_ACCESS_KEY_ID=local
export AWS_SECRET_ACCESS_KEY=local
export AWS_REGION={region} AWS_DEFAULT_REGION={region}"""
NEXT = """\
aws cloudformation describe-stacks --stack-name {stack}
aws s3 cp train.csv s3://{bucket}/train/
aws stepfunctions start-execution --state-machine-arn {machine} --input '{{}}'
npx aws-cdk@2.1148.1 deploy"""


@click.group(
    epilog="""\b
Examples:
  ml-a2 local up
  ml-a2 local up --port 4566"""
)
def local() -> None:
    """Serve the embedded AWS endpoint to other programs."""


@local.command(
    epilog="""\b
Examples:
  ml-a2 local up
  ml-a2 local up --port 4566 --settings pipeline.toml
  ml-a2 local up --assembly cdk.out --speed 1
  ml-a2 local up --no-deploy

The endpoint listens on the loopback interface alone, takes any credentials, and counts as an account that
`cdk bootstrap` has prepared. Everything in it ends with it.

Exit status: 0 ended by Ctrl-C or SIGTERM, 1 it could not be served, 2 wrong usage or input."""
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Where to listen.  [default: any free port]")
@click.option("--settings", type=click.Path(path_type=Path), help="A pipeline.toml; without it, the defaults.")
@click.option(
    "--assembly", type=click.Path(path_type=Path), help="A cloud assembly to deploy instead of the project's own."
)
@click.option(
    "--deploy/--no-deploy", default=True, show_default=True, help="Deploy the stack, or leave that to the CDK CLI."
)
@click.option("--region", default="us-east-1", show_default=True, help="The region that the endpoint plays.")
@click.option(
    "--speed",
    type=click.FloatRange(1, 10_000),
    default=100,
    show_default=True,
    help="Divides waits and retry pauses, never the run times of jobs.",
)
@click.option("--state", type=click.Path(path_type=Path), hidden=True)
def up(
    *,
    port: int,
    settings: Path | None,
    assembly: Path | None,
    deploy: bool,
    region: str,
    speed: float,
    state: Path | None,
) -> None:
    """Serve the endpoint with the stack deployed until Ctrl-C, and print what to export."""
    with ending(as_json=False):
        from ml_a2.errors import UserError
        from ml_a2.local.assembly import find_assembly

        if state is not None:
            raise UserError("--state is not supported yet: what the endpoint holds ends with it; leave it out")
        one_stack(settings, assembly)
        if not deploy and (settings or assembly):
            raise UserError("--no-deploy leaves the stack to another program; leave out --settings and --assembly")
        if deploy and assembly is None:
            assembly, _ = find_assembly(settings, tell=_tell)
        _serve(assembly, port, region, speed)


def _serve(assembly: Path | None, port: int, region: str, speed: float) -> None:
    from ml_a2 import contract
    from ml_a2.local.runtime import LocalRuntime, stack_name

    with LocalRuntime(region=region, speed=speed, port=port) as runtime:
        runtime.bootstrap()
        outputs = runtime.deploy(assembly) if assembly else {}
        click.echo(EXPORTS.format(url=runtime.url, region=region))
        if assembly:
            stack = stack_name(assembly)
            _tell(f"deployed {stack}; in another terminal, after these exports, for example:")
            bucket, machine = outputs[contract.OUTPUT_TRAINING_DATA_BUCKET], outputs[contract.OUTPUT_STATE_MACHINE]
            _tell(NEXT.format(stack=stack, bucket=bucket, machine=machine))
        try:
            _tell(f"serving {runtime.url} until Ctrl-C")
            threading.Event().wait()
        except KeyboardInterrupt:  # also one that comes right after these words
            _tell("ending")


def _tell(text: str) -> None:
    click.echo(text, err=True)
