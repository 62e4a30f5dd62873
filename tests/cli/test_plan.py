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
    assert "features are 'mean radius'" in answer.output


@pytest.mark.parametrize("command", ["run", "upload", "doctor"])
def test_rows_that_make_an_evaluation_worthless_are_refused_where_warnings_count(tmp_path: Path, command: str) -> None:
    """Each in a line of its own, before anything starts."""
    table = tmp_path / "t.csv"
    table.write_text("nr,a,y\n" + "".join(f"{number},{number * 7 % 11},{number % 2}\n" for number in range(200)))
    told = CliRunner().invoke(main, [command, "--train", str(table), "--target-column", "y", "--strict"])
    assert told.exit_code == (1 if command == "doctor" else 2)
    assert "t.csv, column 'nr': counts the rows: 0, 1, 2, ..." in told.output


def test_warnings_of_data_are_no_errors_for_doctor(tmp_path: Path) -> None:
    """They are told, and the exit status is 0."""
    table = tmp_path / "t.csv"
    table.write_text(
        "a,y\n" + "".join(f"{number * 7 % 11},{('no', 'No ', 'yes')[number % 3]}\n" for number in range(90))
    )
    told = CliRunner().invoke(main, ["doctor", "--train", str(table), "--target-column", "y"])
    assert told.exit_code == 0
    assert "column 'y': labels differ in blanks or in case only" in told.output
    assert "0 errors, 1 warning" in told.output
