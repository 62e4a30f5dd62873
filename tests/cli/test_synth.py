"""`ml-a2 synth` writes the assembly and says how to deploy it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ml_a2.cli import main
from ml_a2.contract import STACK_NAME

pytestmark = pytest.mark.xdist_group("cdk")


@pytest.fixture
def output(assembly: Path, tmp_path: Path) -> Path:
    """An assembly that is there already; a space in its name is a shell's business."""
    return Path(shutil.copytree(assembly, tmp_path / "my stack"))


def _synth(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["synth", *arguments])


def test_the_next_commands_name_the_assembly(output: Path) -> None:
    """As a shell takes it; the CDK's command line twice, as each speaks to one of the two places."""
    answer = _synth("--output", str(output))
    assert answer.exit_code == 0, answer.output
    lines = [line.strip() for line in answer.output.splitlines()]
    assert f"{STACK_NAME}: {output}" in lines
    assert f"npx aws-cdk@2.160.0 deploy --app '{output}'" in lines
    assert f"npx aws-cdk@2.1148.1 deploy --app '{output}'" in lines
    assert lines.index("ml-a2 local up --no-deploy") < lines.index(f"npx aws-cdk@2.1148.1 deploy --app '{output}'")


def test_json_is_one_object(output: Path) -> None:
    """On standard output, with everything else on standard error."""
    answer = _synth("--output", str(output), "--json")
    told = json.loads(answer.stdout)
    assert (told["stack"], told["assembly"], told["synthesized"]) == (STACK_NAME, str(output), False)
    assert Path(told["template"]).is_file()
    assert told["commands"]["run"] == f"ml-a2 run --assembly '{output}'"
    assert "unchanged since the last synth" in answer.stderr


def test_fails_for_bad_settings_before_anything_is_written(tmp_path: Path) -> None:
    """The message names the key, in JSON too."""
    settings = tmp_path / "pipeline.toml"
    settings.write_text("name = '1st'\n")
    answer = _synth("--settings", str(settings), "--output", str(tmp_path / "cdk.out"), "--json")
    assert answer.exit_code == 2
    assert "name = '1st'" in json.loads(answer.stdout)["error"]["message"]
    assert [path.name for path in tmp_path.iterdir()] == ["pipeline.toml"]


def test_fails_where_something_else_lies(tmp_path: Path) -> None:
    """A folder of a person's own is left alone."""
    (tmp_path / "notes.txt").touch()
    answer = _synth("--output", str(tmp_path))
    assert answer.exit_code == 2
    assert "is no cloud assembly; name another folder with --output DIR" in answer.output
    assert (tmp_path / "notes.txt").is_file()
