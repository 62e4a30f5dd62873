"""The documentation says what is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from ml_a2 import cli
from tests import operations_table, rules_table, settings_table, states_language_table

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def _commands() -> list[str]:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    return sorted(set(re.findall(r"^\$ ((?:ml-a2|make) .+?)(?:\s+#.*)?$", text, re.MULTILINE)))


@pytest.mark.parametrize("command", _commands())
def test_every_command_exists(command: str) -> None:
    """Options and targets that the documentation names are understood."""
    program, *words = shlex.split(command)
    if program == "make":
        assert f"\n{words[0]}: " in (ROOT / "Makefile").read_text(encoding="utf-8")
        return
    subcommand = cli.main.commands[words[0]]
    assert isinstance(subcommand, click.Command)
    subcommand.make_context(words[0], words[1:])


def test_there_are_commands_to_check() -> None:
    """The check above has something to check."""
    assert {"make run", "make test"} <= set(_commands())


def test_every_link_leads_somewhere() -> None:
    """Relative links name files of the repository."""
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_table_of_settings_is_that_of_the_model() -> None:
    """`make settings` would change nothing."""
    page = settings_table.PAGE.read_text(encoding="utf-8")
    assert settings_table.written(page, settings_table.table()) == page


def test_the_table_of_rules_is_that_of_the_endpoint() -> None:
    """`make rules` would change nothing."""
    page = rules_table.PAGE.read_text(encoding="utf-8")
    assert rules_table.written(page, rules_table.table()) == page


def test_the_table_of_operations_is_that_of_the_endpoint() -> None:
    """`make operations` would change nothing."""
    page = operations_table.PAGE.read_text(encoding="utf-8")
    assert operations_table.written(page, operations_table.table()) == page


def test_the_table_of_rules_is_that_of_the_states_language() -> None:
    """`make operations` would change nothing."""
    page = states_language_table.PAGE.read_text(encoding="utf-8")
    assert states_language_table.written(page, states_language_table.table()) == page


def test_every_alarm_is_explained() -> None:
    """Each that the stack can have, and no other, has a line that says what to do."""
    from aws_cdk import App

    from ml_a2.settings import Settings, StartSettings
    from ml_a2.stack import MlA2Stack

    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    settings = Settings(start=StartSettings(schedule="rate(1 day)", marker="start/new-data"))
    stack = MlA2Stack(App(analytics_reporting=False), "Every", settings=settings)
    alarms = [each for each in stack.node.find_all() if each.node.path.startswith("Every/Alerting/")]
    there = {alarm.node.id for alarm in alarms if type(alarm).__name__ == "Alarm"}
    assert len(there) == 8
    assert explained == there
