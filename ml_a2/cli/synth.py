"""`ml-a2 synth`."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click

from ml_a2.cli.ending import ending

# The CDK's command line that the stack is deployed with, and the first that can deploy to the embedded endpoint:
# the other knows no AWS_ENDPOINT_URL.
CDK, CDK_FOR_THE_ENDPOINT = "npx aws-cdk@2.160.0", "npx aws-cdk@2.1148.1"
NEXT = """\
deploy it to AWS, with Node.js 22 or newer and your AWS credentials:
  {bootstrap}  (once per account and region)
  {deploy}
execute it on this machine:
  {run}
or deploy it here, in a second terminal with what the first command prints:
  {endpoint}
  {deploy_to_endpoint}"""


@click.command(
    epilog="""\b
Examples:
  ml-a2 synth
  ml-a2 synth --settings churn.toml --output churn.out
  ml-a2 synth --json

Writes the cloud assembly, the template among it, that `ml-a2 run` executes and that the CDK's command line deploys. An
assembly that lies there already is replaced when it is of other settings or another version, or was changed by hand.

Exit status: 0 it is there, 1 it could not be written, 2 wrong usage, or something else is there, 130 interrupted."""
)
@click.option("--settings", type=click.Path(path_type=Path), help="A pipeline.toml; without it, the defaults.")
@click.option(
    "--output", type=click.Path(path_type=Path), default=Path("cdk.out"), show_default=True, help="Where it goes."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
def synth(*, settings: Path | None, output: Path, as_json: bool) -> None:
    """Write the cloud assembly, and print how to deploy it."""
    with ending(as_json=as_json):
        from ml_a2.local.assembly import write_assembly
        from ml_a2.settings import load_settings

        stack = load_settings(settings).name  # what is wrong with them is told before anything is synthesized
        synthesized = write_assembly(settings, output, tell=lambda text: click.echo(text, err=as_json))
    commands = _commands(shlex.quote(str(output)))
    if as_json:
        template = output / f"{stack}.template.json"
        paths = {"assembly": str(output), "stack": stack, "template": str(template)}
        click.echo(json.dumps({**paths, "synthesized": synthesized, "commands": commands}))
    else:
        click.echo(f"{stack}: {output}\n{NEXT.format(**commands)}")


def _commands(assembly: str) -> dict[str, str]:
    return {
        "bootstrap": f"{CDK} bootstrap --app {assembly}",
        "deploy": f"{CDK} deploy --app {assembly}",
        "run": f"ml-a2 run --assembly {assembly}",
        "endpoint": "ml-a2 local up --no-deploy",
        "deploy_to_endpoint": f"{CDK_FOR_THE_ENDPOINT} deploy --app {assembly}",
    }
