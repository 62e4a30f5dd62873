"""Results stand between markers; what is written by hand stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.__main__ import PARTS, SIZES
from bench.page import written
from bench.plan import Goal, Section
from ml_a2.errors import UserError

PAGE = "# Page\n\n<!-- bench: one -->\nold\n\n- older\n<!-- end of one -->\n\nby hand\n"


def test_only_what_is_between_the_markers_changes() -> None:
    """Text around them stays, and a second writing replaces the first."""
    once = written(PAGE, "one", "new \\1")
    assert once == "# Page\n\n<!-- bench: one -->\nnew \\1\n<!-- end of one -->\n\nby hand\n"
    assert written(once, "one", "newer") == once.replace("new \\1", "newer")


def test_fails_without_a_place_for_a_part() -> None:
    """No result is lost silently."""
    with pytest.raises(UserError, match="0 places for 'two'; write one: <!-- bench: two -->"):
        written(PAGE, "two", "new")


def test_fails_with_two_places_for_a_part() -> None:
    """Nor written to one of several."""
    with pytest.raises(UserError, match="2 places for 'one'"):
        written(PAGE + PAGE, "one", "new")


@pytest.mark.parametrize("name", ["machine", *PARTS, SIZES])
def test_the_page_has_a_place_for_every_part(name: str) -> None:
    """`make bench` can write all that it measures."""
    page = Path(__file__).parents[2] / "docs" / "performance.md"
    assert "nothing else" in written(page.read_text(encoding="utf-8"), name, "nothing else")


def test_missed_goals_and_wrong_results_are_seen() -> None:
    """They stand below the figures, marked."""
    section = Section(
        "text", [Goal("time", 1.2, 1), Goal("memory", 1, 1), Goal("speed", 9, 9, at_least=True)], ["auc differs"]
    )
    assert "| time | 1.20 | at most 1 | **missed** |" in section.page
    assert "| memory | 1.00 | at most 1 | met |" in section.page
    assert "| speed | 9.00 | at least 9 | met |" in section.page
    assert not Goal("speed", 8.9, 9, at_least=True).met
    assert section.page.endswith("**Wrong:** auc differs.")
