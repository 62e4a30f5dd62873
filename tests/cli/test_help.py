"""Help: there for every command, with examples that are understood, at once."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from ml_a2.cli import main

HEAVY = ("aws_cdk", "moto", "pandas", "numpy", "sklearn", "xgboost", "boto3", "rich")


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_has_examples_that_are_understood(name: str) -> None:
    """They are parsed as a person would type them."""
    answer = CliRunner().invoke(main, [name, "--help"])
    examples = re.findall(r"^ *ml-a2 (\S+)(.*)$", answer.output.partition("Examples:")[2], re.MULTILINE)
    examples = [(command, rest) for command, rest in examples if command in main.commands]
    assert answer.exit_code == 0
    assert len(examples) >= 2
    for command, rest in examples:
        assert command == name
        main.commands[command].make_context(command, shlex.split(rest))


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["compare", "--help"], ["list", "--runs"]])
def test_help_and_wrong_usage_answer_without_anything_heavy(arguments: list[str]) -> None:
    """No library is imported before a command runs."""
    code = (
        f"import sys; sys.argv = ['ml-a2', *{arguments!r}]\n"
        "import atexit\n"
        f"atexit.register(lambda: print(sorted(set({HEAVY!r}) & set(sys.modules))))\n"
        "from ml_a2.cli import main; main()"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert answer.stdout.endswith("[]\n"), answer.stderr


@pytest.mark.parametrize("name", ["list", "show", "compare"])
def test_reading_records_imports_nothing_of_the_runtime(name: str) -> None:
    """They answer at once, however many packages a run needs."""
    arguments = {"list": ["list"], "show": ["show", "x"], "compare": ["compare", "x", "y"]}[name]
    code = (
        f"import sys; sys.argv = ['ml-a2', *{arguments!r}]\n"
        "import atexit\n"
        "heavy = {'aws_cdk', 'moto', 'pandas', 'sklearn', 'xgboost'}\n"
        "atexit.register(lambda: print(sorted(heavy & set(sys.modules))))\n"
        "from ml_a2.cli import main; main()"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert answer.stdout.endswith("[]\n"), answer.stderr


def test_the_module_can_be_run() -> None:
    """`python -m ml_a2.cli` is the command."""
    answer = subprocess.run([sys.executable, "-m", "ml_a2.cli", "--help"], capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("Usage: ml-a2 ")
    assert isinstance(main, click.Group)
