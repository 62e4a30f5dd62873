"""What a command line asks for is settled before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from ml_a2.cli import main


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("slices = ['mean radius', 'age']", "evaluation.slices names 'age', which is no feature of the data"),
        ("slices = ['f30']", "evaluation.slices names 'f30'"),
        ("group_column = 'target'", "evaluation.group_column names 'target'"),
    ],
)
def test_fails_on_a_feature_to_evaluate_by_that_is_not_there(tmp_path: Path, text: str, words: str) -> None:
    """Before the training, not after it; the message tells the features that there are."""
    settings = tmp_path / "p.toml"
    settings.write_text(f"[evaluation]\n{text}\n")
    answer = CliRunner().invoke(main, ["run", "--sample", "breast-cancer", "--settings", str(settings)])
    assert answer.exit_code == 2
    assert words in answer.output
    assert "there are 'mean radius'" in answer.output
