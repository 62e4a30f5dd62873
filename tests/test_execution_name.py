"""Names that Step Functions takes, and the characters that it does not."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from ml_a2.cli.executions import start
from ml_a2.execution_name import problem_with_name

CONTROL = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))]
REFUSED = [*' <>{}[]?*"#%\\^|~`$&,;:/', *CONTROL, "\u2003", "\ufffe", "\uffff", "\ud800", "\udfff", "\U0010ffff"]


@pytest.mark.parametrize(
    "name", ["run_2024-01-05", "run.2024", "a", "x" * 80, "a=b", "a+b", "a@b", "(a)", "a'b!", "größe"]
)
def test_takes_what_step_functions_takes(name: str) -> None:
    """Letters, digits, and every character that is on none of its lists."""
    assert problem_with_name(name) is None


@pytest.mark.parametrize("character", REFUSED, ids=ascii)
def test_fails_for_a_character_that_is_on_a_list(character: str) -> None:
    """Wherever it stands; the character is shown."""
    for name in (f"a{character}b", f"{character}a", f"a{character}"):
        assert ascii(character) in str(problem_with_name(name))


@pytest.mark.parametrize("name", ["", "x" * 81])
def test_fails_for_a_length_out_of_bounds(name: str) -> None:
    """A name has 1 to 80 characters."""
    assert "1 to 80 may be" in str(problem_with_name(name))


@pytest.mark.parametrize("name", ["nightly run", "2024-01-05T10:00:00", "a/b", "", "x" * 81])
def test_start_says_so_before_anything_is_asked(name: str) -> None:
    """In one line, with exit status 2."""
    answer = CliRunner().invoke(start, ["--name", name])
    assert answer.exit_code == 2
    assert "is no name of an execution" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
