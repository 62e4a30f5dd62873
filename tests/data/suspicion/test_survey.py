"""What is kept of rows is the same however they are cut, and bounded however many they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_a2 import plain_file
from ml_a2.data.suspicion import survey as module
from ml_a2.data.suspicion.survey import Keeper, Survey, survey
from ml_a2.plain_file import read_plain_file

CELL = st.sampled_from([0.0, -0.0, 1.0, float("nan"), 2.0**60, -1e-300, 1e300])


def _numbers(rows: int, columns: int = 3, seed: int = 1) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).normal(0, 1, (columns, rows)))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.tuples(CELL, CELL, CELL, CELL), min_size=1, max_size=30))
def test_rows_have_one_hash_where_they_are_equal(rows: list[tuple[float, ...]]) -> None:
    """Missing cells are equal, and so are the two zeros."""
    kept = survey([np.array(column) for column in zip(*rows, strict=True)])
    equal = {tuple("nan" if cell != cell else cell + 0.0 for cell in row) for row in rows}  # noqa: PLR0124  # nan
    assert len(np.unique(kept.rows)) == len(equal)
    assert len(np.unique(kept.features)) == len({row[1:] for row in equal})


def test_columns_do_not_stand_in_for_each_other() -> None:
    """Rows with the same cells in another order differ."""
    rows = np.array([[0, 1, 2, 3], [0, 2, 1, 3], [0, 3, 2, 1], [1, 0, 2, 3], [0, 1, 3, 2]], float)
    assert len(np.unique(survey(list(rows.T)).rows)) == len(rows)


def test_a_million_rows_have_as_many_hashes() -> None:
    """Of two columns of few values each, which fill few of their bits."""
    first, second = np.divmod(np.arange(1_000_000), 1000)
    kept = survey([np.zeros(1_000_000), first.astype(float), np.zeros(1_000_000), second.astype(float)])
    assert len(np.unique(kept.rows)) == 1_000_000


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_blocks_are_one(at_once: int) -> None:
    """In the order of the rows, with their places."""
    columns, keeper = _numbers(300), Keeper()
    for first in range(0, 300, at_once):
        keeper.add(survey([values[first : first + at_once] for values in columns], keeper.share))
    _equal(keeper.survey(), survey(columns))


def test_the_sample_of_many_rows_is_spread_over_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """And no larger than was said."""
    monkeypatch.setattr(module, "MOST_SAMPLED_ROWS", 100)
    columns, keeper = _numbers(10_000), Keeper()
    for first in range(0, 10_000, 50):
        keeper.add(survey([values[first : first + 50] for values in columns], keeper.share))
    kept = keeper.survey()
    assert kept is not None
    assert len(kept) == 10_000
    assert 50 <= len(kept.sample) <= 200
    assert np.array_equal(kept.sample, np.column_stack(columns)[kept.places])
    assert np.diff(kept.places).max() <= 500


def test_of_too_many_rows_equal_ones_stay_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """One in 8, in both of two files."""
    monkeypatch.setattr(module, "MOST_ROWS", 1000)
    columns, keeper = _numbers(5000), Keeper()
    for first in range(0, 5000, 100):
        keeper.add(survey([values[first : first + 100] for values in columns]))
    kept = keeper.survey()
    assert kept is not None
    assert (kept.one_in, keeper.rows) == (8, 5000)
    assert 400 < len(kept) <= 1000
    other = survey([values[::2] for values in columns]).thinned(8)
    assert np.isin(other.rows, kept.rows).all()


def test_a_plain_file_is_surveyed_as_its_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In any number of blocks."""
    monkeypatch.setattr(plain_file, "BYTES_AT_ONCE", 512)
    table = pd.DataFrame(np.column_stack(_numbers(500)), columns=["y", "a", "b"]).round(6)
    table.to_csv(tmp_path / "t.csv", index=False)
    file = read_plain_file(tmp_path / "t.csv", "y")
    assert file is not None
    _equal(file.survey, survey([values.to_numpy() for _, values in table.items()]))


def _equal(one: Survey | None, other: Survey) -> None:
    assert one is not None
    for name in ("labels", "halves", "sample", "places", "one_in"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
