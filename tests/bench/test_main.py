"""Whoever measures is small and alone, and keeps what counts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from bench import __main__ as bench
from ml_a2.errors import UserError

ROOT = Path(__file__).parents[2]


def test_nothing_heavy_is_imported_by_whoever_measures() -> None:
    """The kernel counts a new process as large as the one that starts it."""
    code = "import sys, bench.__main__; print([n for n in ('numpy', 'pandas', 'boto3', 'moto') if n in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout == "[]\n"


def test_fails_while_another_measures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that measure at once would measure each other."""
    monkeypatch.setattr(bench, "CACHE", tmp_path)
    with (
        FileLock(tmp_path / "lock"),
        pytest.raises(UserError, match="another `make bench` runs"),
        bench._plan(bench._parse(["--quick"])),
    ):
        pass


@pytest.mark.parametrize(("arguments", "page"), [([], bench.PAGE), (["--quick"], None)])
def test_quick_figures_are_not_kept(arguments: list[str], page: Path | None) -> None:
    """They say nothing about the pipeline."""
    assert bench._parse(arguments).page == page
