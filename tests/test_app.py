"""The CDK's entry works, or ends with one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("cdk")


@pytest.mark.parametrize(
    ("cache", "code", "words"),
    [("", 0, ""), ("enabled", 1, "error: the CDK's construct library cannot be started: Cannot use the jsii package")],
)
def test_a_home_that_cannot_be_written_costs_the_cache_alone(tmp_path: Path, cache: str, code: int, words: str) -> None:
    """Containers have users without one; who insists on the cache is told in one line that it cannot be."""
    home, output = tmp_path / "home", tmp_path / "cdk.out"
    home.mkdir()
    (home / ".cache").write_text("a file, below which nothing can be made, by root neither")
    environment = {**os.environ, "HOME": str(home), "CDK_OUTDIR": str(output), "JSII_RUNTIME_PACKAGE_CACHE": cache}
    command = [sys.executable, "-m", "ml_a2.app"]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert answer.returncode == code, answer.stderr
    assert answer.stderr.startswith(words)
    assert len(answer.stderr.splitlines()) == code
    assert bool(list(output.glob("*.template.json"))) is (code == 0)
