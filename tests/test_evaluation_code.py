"""What travels to the evaluation is at hand."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ml_a2 import contract
from ml_a2.evaluation_code import evaluation_files


def test_a_wheel_is_kept_elsewhere_where_the_cache_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Among temporary files: a container's user may have no home."""
    key = f"{contract.CODE_PREFIX}{contract.XGBOOST_WHEEL}"
    wheel = evaluation_files()[key]
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.write_text("a file, below which nothing can be made, by root neither")
    (temporary / "ml-a2-wheels").mkdir(parents=True)
    shutil.copy(wheel, temporary / "ml-a2-wheels")
    monkeypatch.setattr("ml_a2.evaluation_code.user_cache_path", lambda name: home / name)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    assert evaluation_files()[key] == temporary / "ml-a2-wheels" / wheel.name
