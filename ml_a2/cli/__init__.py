"""The command line: arguments, one call, text and exit status; a module for each command.

Nothing heavy is imported before a command runs, so that `--help` answers at once.
"""

from __future__ import annotations

import atexit
import gc
import sys

import click

from ml_a2 import __version__
from ml_a2.cli.beginning import began_now
from ml_a2.cli.cost import cost
from ml_a2.cli.diagrams import diagrams
from ml_a2.cli.doctor import doctor
from ml_a2.cli.executions import start, stop, watch
from ml_a2.cli.local import local
from ml_a2.cli.program import Program
from ml_a2.cli.records import compare, list_, show
from ml_a2.cli.report import report
from ml_a2.cli.run import run
from ml_a2.cli.synth import synth
from ml_a2.cli.upload import upload
from ml_a2.cli.verify import verify


@click.group(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="What messages call docs/ lies in a clone, or under share/doc/ml-a2/docs where the package is installed.",
)
@click.version_option(__version__, prog_name="ml-a2")
@click.pass_context
def main(context: click.Context) -> None:
    """Train and evaluate tabular models with a pipeline that runs the same on the laptop and on AWS."""
    context.obj = began_now()
    # A command imports modules and reads service models, a million small objects that stay until its end: the collector
    # would look through them again and again, a third of the time of a start, and then once more to take them apart.
    gc.set_threshold(200_000, 50, 100)
    atexit.register(gc.freeze)
    # Threads that read and hash data release the interpreter for every block, and would wait 5 ms for it each time
    # while another one imports or deploys.
    sys.setswitchinterval(0.0005)


COMMANDS = (run, list_, show, compare, report, verify, cost, synth, upload, start, watch, stop, doctor, local, diagrams)
for command in COMMANDS:
    main.add_command(command)
