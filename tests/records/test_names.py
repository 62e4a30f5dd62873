"""Which execution is meant by what a person types."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_a2.errors import UserError
from ml_a2.records.names import name_meant

NAMES = ("20261124-091512-77c0", "20261123-220048-a29d", "june", "june-again")


@pytest.mark.parametrize(
    ("given_name", "meant"),
    [
        ("june", "june"),
        ("june-", "june-again"),
        ("a29d", "20261123-220048-a29d"),
        ("20261124", "20261124-091512-77c0"),
        ("last", "20261124-091512-77c0"),
    ],
)
def test_a_name_a_part_or_last(given_name: str, meant: str) -> None:
    """A whole name wins over names that contain it."""
    assert name_meant(given_name, NAMES, "run", "runs") == meant


def test_a_run_named_last_is_that_run() -> None:
    """The word means the newest one only where no run has that name."""
    assert name_meant("last", ("june", "last"), "run", "runs") == "last"


@pytest.mark.parametrize(
    ("given_name", "words"),
    [
        ("2026", "run '2026' is ambiguous in runs: 20261124-091512-77c0, 20261123-220048-a29d; give more of the name"),
        ("20261123-220048-a29e", "june, june-again; did you mean '20261123-220048-a29d'?"),
        ("", "run '' does not exist in runs; there is 20261124-091512-77c0, 20261123-220048-a29d, june, june-again"),
        ("x", "run 'x' does not exist in runs; there is "),
    ],
)
def test_fails_where_it_cannot_be_told(given_name: str, words: str) -> None:
    """The candidates are listed, or the name that was likely meant."""
    with pytest.raises(UserError) as refused:
        name_meant(given_name, NAMES, "run", "runs")
    assert words in str(refused.value)


@settings(derandomize=True, max_examples=200)
@given(
    st.lists(st.text("ab1-", min_size=1, max_size=6), min_size=1, max_size=6, unique=True), st.text("ab1-", max_size=4)
)
def test_never_one_of_several(names: list[str], given_name: str) -> None:
    """What is returned is the name itself, or the only one that contains what was given."""
    having = [name for name in names if given_name and given_name in name]
    try:
        meant = name_meant(given_name, names, "run", "runs")
    except UserError:
        assert len(having) != 1
        assert given_name not in names
        return
    assert meant == given_name or having == [meant]
