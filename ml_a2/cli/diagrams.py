"""`ml-a2 diagrams`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ml_a2.cli.beginning import say_first
from ml_a2.cli.ending import ending

if TYPE_CHECKING:
    from ml_a2.diagrams.script import Story
    from ml_a2.local.walkthrough import Take

# Waits of 30 s take 0.3 s: long enough that a job is seen at work, as often as it would be polled on AWS or less.
SPEED = 100


@click.command(
    epilog="""\b
Examples:
  ml-a2 diagrams
  ml-a2 diagrams --output pictures
  ml-a2 diagrams --assembly cdk.out --region eu-central-1

Writes ml-a2-diagram.drawio, .png, .gif and .mp4, and services_used.png. What they show comes from the synthesized
template, the walkthrough's order and times from the histories of two executions on this machine: one that succeeds and
one whose training crashes.

Exit status: 0 written, 1 something that it needs is not to be had, 2 wrong usage, or a template that cannot be deployed
or drawn, 130 interrupted."""
)
@click.option(
    "--assembly", type=click.Path(path_type=Path), help="A cloud assembly to draw instead of the project's own."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("diagrams"),
    show_default=True,
    metavar="DIR",
    help="Where the pictures go.",
)
@click.option("--region", default="us-east-1", show_default=True, help="The region that the endpoint plays.")
def diagrams(*, assembly: Path | None, output: Path, region: str) -> None:
    """Draw the architecture from the template, and a walkthrough from what executing it does."""
    say_first("drawing the template, and executing it twice", err=False)
    from ml_a2.diagrams.pictures import scene_of, write_pictures
    from ml_a2.local.assembly import find_assembly
    from ml_a2.local.runtime import read_template
    from ml_a2.local.walkthrough import record

    with ending(as_json=False):
        if assembly is None:
            assembly, _ = find_assembly(None, tell=click.echo)
        template = read_template(assembly)
        scene_of(template)  # what cannot be drawn is told before anything is executed
        takes = record(assembly, region=region, speed=SPEED, tell=click.echo)
        for path in write_pictures(template, [_story(take) for take in takes], output, click.echo):
            click.echo(f"  {path}  {path.stat().st_size / 1000:.0f} kB")


def _story(take: Take) -> Story:
    from ml_a2.diagrams.script import Story, visits_of

    title = f"an execution with {take.faults[0]}" if take.faults else "an execution in which nothing is made to fail"
    others = tuple(visits_of(other.history, other.waits) for other in take.others)
    return Story(title, take.status, visits_of(take.execution.history, take.execution.waits), others, take.subjects)
