"""The command line: arguments, one call, text and exit status; a module for each command.

Nothing heavy is imported before a command runs, so that `--help` answers at once.
"""

from __future__ import annotations

import click

from ml_a2 import __version__
from ml_a2.cli.diagrams import diagrams
from ml_a2.cli.doctor import doctor
from ml_a2.cli.executions import start, stop, upload, watch
from ml_a2.cli.local import local
from ml_a2.cli.records import compare, list_, show
from ml_a2.cli.report import report
from ml_a2.cli.run import run
from ml_a2.cli.verify import verify


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="ml-a2")
def main() -> None:
    """Train and evaluate tabular models with a pipeline that runs the same on the laptop and on AWS."""


for command in (run, list_, show, compare, report, verify, upload, start, watch, stop, doctor, local, diagrams):
    main.add_command(command)
