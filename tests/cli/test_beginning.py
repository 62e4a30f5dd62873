"""What a person sees of a command before its result."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ml_a2.cli import beginning

# Runs a command line, and tells what was imported when it first said something.
PROBE = """
import sys
from ml_a2.cli import beginning, main
import click

def spy(*arguments, **options):
    print(sorted({name.partition(".")[0] for name in sys.modules} & set("boto3 pandas rich xgboost moto".split())))
    raise SystemExit(0)

click.echo = spy
sys.stderr.isatty = lambda: True
main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["run", "--json"],
        ["doctor"],
        ["doctor", "--deployed"],
        ["verify", "x"],
        ["report", "x"],
        ["upload"],
        ["local", "up"],
        ["diagrams"],
        ["list", "--region", "eu-central-1"],
        ["watch", "x"],
    ],
)
def test_something_is_said_before_anything_heavy_is_imported(arguments: list[str], tmp_path: Path) -> None:
    """Imports take seconds, in which a person would wonder."""
    command = [sys.executable, "-c", PROBE, *arguments]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert answer.stdout == "[]\n", answer.stderr


def test_the_first_command_of_a_process_began_with_it() -> None:
    """Any later one when it was called."""
    imported = beginning.time.monotonic()
    probe = "from ml_a2.cli import beginning as b; first = b.began_now(); second = b.began_now(); print(second - first)"
    answer = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert float(answer.stdout) > 0
    assert beginning.began_now() != beginning.began_now()
    assert beginning.began_now() >= imported
