"""`ml-a2 local`: the embedded endpoint, to be used by other programs."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ml_a2.cli.beginning import say_to_a_terminal
from ml_a2.cli.ending import ending
from ml_a2.cli.plan import one_stack

if TYPE_CHECKING:
    from ml_a2.local.activity import Activity
    from ml_a2.local.state.folder import StateFolder

EXPORTS = """\
export AWS_ENDPOINT_URL={url}
export AWS_ACCESS_KEY_ID=local
export AWS_SECRET_ACCESS_KEY=local
export AWS_REGION={region} AWS_DEFAULT_REGION={region}
export NO_PROXY=127.0.0.1${{NO_PROXY:+,$NO_PROXY}} no_proxy=127.0.0.1${{no_proxy:+,$no_proxy}}"""
NEXT = """\
aws cloudformation describe-stacks --stack-name {stack}
aws s3 cp train.csv s3://{bucket}/train/
aws stepfunctions start-execution --state-machine-arn {machine} --input '{{}}'
npx aws-cdk@2.1148.1 deploy --app {app}"""


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
  ml-a2 local up --port 4566 --state ~/ml-a2-state

The endpoint listens on the loopback interface alone, takes any credentials, and counts as an account that
`cdk bootstrap` has prepared. Everything in it ends with it, unless --state names a folder: what lies there is
found again, and a stack that is there is updated where the template changed. Executions and jobs that run at
the end are stopped all the same. After a crash, the last seconds are missing.

While it serves, a line on standard error tells of each execution and job that begins or ends, each message
and each alarm that changes its state; emails to subscribers lie in --outbox.

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
@click.option(
    "--state", type=click.Path(path_type=Path), help="A folder that keeps what the endpoint holds, for the next time."
)
@click.option(
    "--outbox",
    type=click.Path(path_type=Path),
    default=Path("outbox.mbox"),
    show_default=True,
    help="Where emails to subscribers go, a mailbox file; made with the first one.",
)
@click.option("--quiet", is_flag=True, help="Tell nothing of executions, jobs, messages and alarms.")
def up(
    *,
    port: int,
    settings: Path | None,
    assembly: Path | None,
    deploy: bool,
    region: str,
    speed: float,
    state: Path | None,
    outbox: Path,
    quiet: bool,
) -> None:
    """Serve the endpoint with the stack deployed until Ctrl-C, and print what to export."""
    with ending(as_json=False):
        say_to_a_terminal("starting the endpoint")
        from ml_a2.errors import UserError
        from ml_a2.local.activity import Activity
        from ml_a2.local.assembly import find_assembly

        one_stack(settings, assembly)
        if not deploy and (settings or assembly):
            raise UserError("--no-deploy leaves the stack to another program; leave out --settings and --assembly")
        with _held(state, region) as folder:
            if deploy and assembly is None:
                assembly, _ = find_assembly(settings, tell=_tell)
            activity = Activity(None if quiet else _tell, outbox)
            _serve(assembly, activity, port=port, region=region, speed=speed, state=folder)


def _held(state: Path | None, region: str) -> AbstractContextManager[StateFolder | None]:
    if state is None:
        return nullcontext()
    from moto.core import DEFAULT_ACCOUNT_ID

    from ml_a2.local.state.folder import StateFolder

    return StateFolder(state, region=region, account=DEFAULT_ACCOUNT_ID)


def _serve(assembly: Path | None, activity: Activity, *, region: str, **options: Any) -> None:
    from ml_a2.local.runtime import LocalRuntime

    with LocalRuntime(region=region, activity=activity, **options) as runtime:
        if runtime.keeper:
            _tell(runtime.keeper.found)
        runtime.bootstrap()
        outputs = runtime.deploy(assembly) if assembly else {}
        try:
            click.echo(EXPORTS.format(url=runtime.url, region=region))
            if assembly:
                _tell(_following(assembly, outputs))
            _tell(f"serving {runtime.url} until Ctrl-C")
            threading.Event().wait()
        except KeyboardInterrupt:  # also one that comes as soon as the endpoint answers
            _tell("ending")


def _following(assembly: Path, outputs: Mapping[str, str]) -> str:
    """Return what can be done with the stack that was deployed."""
    from ml_a2 import contract
    from ml_a2.local.assembly import seen_from_here
    from ml_a2.local.runtime import stack_name

    commands = NEXT.format(
        stack=stack_name(assembly),
        bucket=outputs[contract.OUTPUT_TRAINING_DATA_BUCKET],
        machine=outputs[contract.OUTPUT_STATE_MACHINE],
        app=shlex.quote(str(seen_from_here(assembly))),
    )
    return f"deployed {stack_name(assembly)}; in another terminal, after these exports, for example:\n{commands}"


def _tell(text: str) -> None:
    click.echo(text, err=True)
