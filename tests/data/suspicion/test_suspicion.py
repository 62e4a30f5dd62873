"""Rows that make an evaluation worthless are told, each kind by its column, and nothing is told of ordinary rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_a2.dataset import Split
from ml_a2.dataset_checks import check_dataset
from ml_a2.errors import DataError
from ml_a2.finding import Finding
from ml_a2.loading import load_sample
from ml_a2.preparation import prepare
from ml_a2.source import Source
from tests.data.suspicion.ordinary import KINDS, found_in, prepared, table_of_kind

SEEDS = st.integers(0, 2**32 - 1)
PROPERTY = settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("sample", ["breast-cancer", "digits", "diabetes"])
def test_samples_raise_nothing(sample: str) -> None:
    """What everybody runs first."""
    assert list(check_dataset(load_sample(sample), {})) == []


@settings(PROPERTY, max_examples=25)
@given(SEEDS, st.sampled_from(KINDS), st.integers(10, 1500), st.integers(1, 25), st.booleans())
def test_ordinary_tables_raise_nothing(seed: int, kind: str, rows: int, columns: int, split: bool) -> None:
    """Of every kind of column, small and large, split by us or by the person."""
    table = table_of_kind(seed, kind, rows, columns)
    held_out = max(2, rows // 5)
    tables = (table,) if split else (table.iloc[held_out:], table.iloc[:held_out])
    try:
        found = found_in(*tables)
    except DataError:  # a class of one row, which cannot be split
        return
    assert [each for each in found if "hardly any" not in each.problem] == []


def _of_few_values(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Return a table of three columns of few values: nearly every row is there several times."""
    return pd.DataFrame({name: rng.integers(0, 4, rows) for name in ("y", "a", "b", "c")}).assign(
        y=rng.integers(0, 2, rows)
    )


def _passengers(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Return columns that go together: in the third class many fares, and unknown ages, are the same."""
    third = rng.random(rows) < 0.55
    fare = np.where(third, rng.choice([7.75, 7.9, 8.05, 13, 26], rows), rng.lognormal(3, 0.6, rows).round())
    age = np.where(rng.random(rows) < 0.1 + 0.2 * third, np.nan, rng.normal(30, 14, rows).clip(1).round())
    sex = rng.integers(0, 2, rows)
    survived = (rng.random(rows) < np.where(sex, 0.7, 0.2)).astype(int)
    return pd.DataFrame({"y": survived, "third": third.astype(int), "sex": sex, "age": age, "fare": fare})


def _counts(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Return counts that are nearly always 0, in all columns of many rows."""
    return pd.DataFrame({"y": rng.integers(0, 2, rows)} | {f"n{n}": rng.poisson(0.05, rows) for n in range(20)})


def _answers(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Return answers that follow one disposition."""
    score = rng.normal(0, 1, rows)
    answers = {f"q{n}": (score + rng.normal(0, 0.7, rows) > 0.5).astype(int) for n in range(12)}
    return pd.DataFrame({"y": (score + rng.normal(0, 1, rows) > 0).astype(int)} | answers)


@pytest.mark.parametrize("made", [_of_few_values, _passengers, _counts, _answers])
@pytest.mark.parametrize("split", [True, False])
def test_rows_that_are_equal_by_nature_raise_nothing(
    made: Callable[[np.random.Generator, int], pd.DataFrame], split: bool
) -> None:
    """Many rows have a twin, but as many as rows of such columns have."""
    table = made(np.random.default_rng(1), 2000)
    assert table.duplicated().mean() > 0.01
    assert found_in(*((table,) if split else (table.iloc[400:], table.iloc[:400]))) == []


@PROPERTY
@given(SEEDS, st.sampled_from(KINDS), st.integers(60, 800), st.integers(2, 12), st.floats(0.1, 1))
def test_validation_rows_of_the_training_are_counted(
    seed: int, kind: str, rows: int, columns: int, share: float
) -> None:
    """However many they are, and wherever they stand; the same file for both is one case of it."""
    table = table_of_kind(seed, kind, rows, columns)
    table["measured"] = np.random.default_rng(seed).normal(0, 1, rows)
    held_out = rows // 3
    train, validation = table.iloc[held_out:], table.iloc[:held_out]
    copied = train.sample(n=max(6, int(share * held_out)), replace=False, random_state=seed)
    validation = pd.concat([validation, copied]).sample(frac=1, random_state=seed)
    found = _told("are training rows, too", train, validation)
    expected = len(validation.merge(train.drop_duplicates(), how="inner"))
    assert f"{expected:,} of {len(validation):,} rows" in found.problem
    assert found.where.endswith("validation.csv")


def test_the_same_file_for_both_is_told_whatever_its_columns() -> None:
    """Even where nearly every row is there several times by nature."""
    table = _of_few_values(np.random.default_rng(1), 300)
    assert "300 of 300 rows (100 %)" in _told("are training rows, too", table, table).problem


def test_validation_rows_with_the_features_of_training_rows_are_counted() -> None:
    """Their labels alone differ."""
    table = table_of_kind(3, "regression", 300, 6)
    validation = table.iloc[:60].assign(y=lambda rows: rows["y"] + 1)
    found = _told("have the features of a training row", table, validation)
    assert "60 of 60 rows (100 %)" in found.problem


@PROPERTY
@given(SEEDS, st.sampled_from(KINDS), st.integers(60, 800), st.integers(2, 12), st.floats(0.03, 3))
def test_repeated_rows_are_counted(seed: int, kind: str, rows: int, columns: int, share: float) -> None:
    """As copies of some rows, or of all: an oversampled class, files that were joined twice."""
    table = table_of_kind(seed, kind, rows, columns)
    rng = np.random.default_rng(seed)
    table["measured"], table["other"] = rng.normal(0, 1, rows), rng.normal(0, 1, rows)
    table = pd.concat([table, table.sample(n=max(5, int(share * rows)), replace=True, random_state=seed)])
    found = _told("measure memory", table)
    repeated = int(table.duplicated().sum())
    assert f"{repeated:,} of {len(table):,} rows" in found.problem


@pytest.mark.parametrize("kind", KINDS)
def test_copies_of_rows_with_a_single_feature_are_told(kind: str) -> None:
    """Its label is the other half of a row."""
    table = table_of_kind(1, kind, 300, 1).assign(measured=np.random.default_rng(1).normal(0, 1, 300))
    table = table[["y", "measured"]]
    found = _told("measure memory", pd.concat([table, table.sample(n=90, random_state=1)]))
    assert "90 of 390 rows" in found.problem


def test_a_single_feature_of_few_values_that_tells_the_label_raises_nothing() -> None:
    """Nearly every row is there several times, and most rows of a value have the same label."""
    rng = np.random.default_rng(1)
    visits = rng.poisson(3, 400)
    labels = (visits + rng.normal(0, 0.5, 400) > 3.5).astype(int)
    assert found_in(pd.DataFrame({"y": labels, "visits": visits})) == []


def test_a_table_that_is_there_twice_is_told_whatever_its_columns() -> None:
    """Each row as often as every other, or a multiple of that."""
    table = _of_few_values(np.random.default_rng(1), 100)
    found = _told("measure memory", pd.concat([table, table]))
    assert f"{200 - len(table.drop_duplicates())} of 200 rows" in found.problem
    assert "each occurs 2 times" in found.problem


def test_splits_of_repeated_rows_are_told() -> None:
    """How many of the rows that were split off are trained on."""
    table = table_of_kind(5, "binary", 500, 8)
    dataset = prepared(pd.concat([table, table]))
    (found,) = check_dataset(dataset, {})
    train = dataset.train.table
    expected = len(dataset.validation.table.merge(train.drop_duplicates(), how="inner"))
    assert expected > 100
    assert f"{expected} of 200 rows" in found.problem


COPIES: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "as it is": lambda y, _: y,
    "scaled and shifted": lambda y, rng: y * -rng.uniform(0.1, 9) + 3,
    "in another coding": lambda y, rng: rng.permutation(np.unique(y).size * 7)[np.unique(y, return_inverse=True)[1]],
    "with noise that does not matter": lambda y, rng: y + rng.uniform(-0.3, 0.3, len(y)),
}


@PROPERTY
@given(SEEDS, st.sampled_from(KINDS[:2]), st.sampled_from(list(COPIES)), st.integers(80, 1500), st.integers(1, 20))
def test_a_feature_that_separates_the_classes_is_told(seed: int, kind: str, copy: str, rows: int, columns: int) -> None:
    """Also in another coding, and where a threshold is needed."""
    table = table_of_kind(seed, kind, rows, columns)
    if table["y"].value_counts().min() < 10:
        return
    table["leak"] = COPIES[copy](table["y"].to_numpy(), np.random.default_rng(seed))
    assert "column 'leak'" in _told("alone separates the classes", table, column="leak").where


def test_a_feature_that_is_known_of_one_class_only_is_told() -> None:
    """A date of cancellation: what is missing is a value, too."""
    table = table_of_kind(8, "binary", 400, 5)
    table["ended"] = np.where(table["y"] == 1, np.random.default_rng(1).integers(1, 28, 400), np.nan)
    assert _told("alone separates the classes", table, column="ended")


def test_a_flag_of_one_of_several_classes_is_told() -> None:
    """It says nothing of the others."""
    table = table_of_kind(8, "multiclass", 400, 5)
    table["is_one"] = (table["y"] == 1).astype(int)
    assert "alone separates one class, 1" in _told("one class", table, column="is_one").problem


REGRESSION_COPIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "as it is": lambda y: y,
    "in other units": lambda y: 32 - y * 1.8,
    "rounded": lambda y: (y / np.ptp(y)).round(3),
    "as logarithm": lambda y: np.log(y - y.min() + 1),
    "as rank": lambda y: y.argsort().argsort() * 0.5,
}


@PROPERTY
@given(SEEDS, st.sampled_from(list(REGRESSION_COPIES)), st.integers(50, 1500), st.integers(1, 20))
def test_a_feature_that_reproduces_the_target_is_told(seed: int, copy: str, rows: int, columns: int) -> None:
    """Also in other units, rounded, or in its order only."""
    table = table_of_kind(seed, "regression", rows, columns)
    table["leak"] = REGRESSION_COPIES[copy](table["y"].to_numpy())
    assert _told("a copy of it", table, column="leak")


IDENTIFIERS: dict[str, Callable[[int, np.random.Generator], np.ndarray]] = {
    "from 0": lambda rows, _: np.arange(rows),
    "from 1": lambda rows, _: np.arange(1, rows + 1),
    "backwards": lambda rows, _: np.arange(rows)[::-1],
    "in tens": lambda rows, _: np.arange(rows) * 10 + 100_000,
    "with gaps": lambda rows, rng: np.cumsum(rng.integers(1, 50, rows)),
    "shuffled": lambda rows, rng: rng.permutation(rows),
    "shuffled, of more": lambda rows, rng: rng.choice(rows * 2, rows, replace=False),
    "with missing ones": lambda rows, rng: np.where(rng.random(rows) < 0.1, np.nan, np.arange(rows)),
    "a time": lambda rows, rng: 1_700_000_000 + np.cumsum(rng.integers(1, 5000, rows)),
}


@PROPERTY
@given(SEEDS, st.sampled_from(KINDS), st.sampled_from(list(IDENTIFIERS)), st.integers(60, 1500), st.integers(1, 12))
def test_columns_that_identify_rows_are_told(seed: int, kind: str, identifier: str, rows: int, columns: int) -> None:
    """Counters, and whole numbers all of which differ though some would agree by chance."""
    table = table_of_kind(seed, kind, rows, columns)
    table["nr"] = IDENTIFIERS[identifier](rows, np.random.default_rng(seed))
    assert _told("row", table, column="nr")


def test_whole_numbers_of_any_size_identify_where_the_name_says_so() -> None:
    """Twelve digits, all of them different, might be an amount."""
    table = table_of_kind(4, "binary", 300, 4)
    numbers = np.random.default_rng(1).integers(10**11, 10**12, 300)
    assert found_in(table.assign(amount=numbers)) == []
    for name in ("id", "customer_id", "customerId", "Customer ID", "uuid"):
        assert _told("identifies rows", table.assign(**{name: numbers}), column=name)


def test_indexes_without_a_name_are_told(tmp_path: Path) -> None:
    """Those of DataFrame.to_csv() without index=False, also of rows that were shuffled or split."""
    table = table_of_kind(4, "binary", 300, 4)
    for rows in (table, table.sample(frac=0.5, random_state=1)):
        rows.to_csv(tmp_path / "indexed.csv")
        indexed = pd.read_csv(tmp_path / "indexed.csv")
        found = _told("has no name in the file", indexed, column="Unnamed: 0")
        assert "index=False" in found.remedy
        indexed.to_csv(tmp_path / "twice.csv")
        twice = pd.read_csv(tmp_path / "twice.csv")
        assert _told("has no name in the file", twice, column="Unnamed: 0.1")


def test_an_index_of_words_is_told_as_one() -> None:
    """Not as cells to be encoded."""
    table = table_of_kind(4, "binary", 50, 2)
    table.insert(0, "Unnamed: 0", [f"row {number}" for number in range(50)])
    with pytest.raises(DataError, match=r"'row 0' is not a number .*index=False"):
        found_in(table)


def test_whole_numbers_that_32_bits_merge_are_told() -> None:
    """With how many are left, and two of them."""
    table = table_of_kind(4, "binary", 300, 4)
    numbers = 2**24 + np.random.default_rng(1).integers(0, 150, 300)
    found = _told("in 32 bits", table.assign(when=numbers), column="when")
    distinct = np.unique(numbers)
    assert f"{len(distinct)} whole numbers become {len(np.unique(distinct.astype(np.float32)))}" in found.problem


def test_labels_that_differ_in_blanks_or_case_are_told() -> None:
    """With the number of their rows; other labels are not named."""
    table = table_of_kind(4, "binary", 300, 4)
    words = np.resize(["yes", "yes ", "Yes", "no", "maybe"], 300)
    found = _told("blanks or in case", table.assign(y=words), column="y")
    assert all(f"{label!r} (60 rows)" in found.problem for label in ("yes", "yes ", "Yes"))
    assert "no" not in found.problem.partition(": ")[2]


@pytest.mark.parametrize(
    ("words", "weight", "more"),
    [((0, 1), "199", False), (("kept", "left"), "199", False), (("ok", "fraud"), "0.005025", True)],
)
def test_a_class_of_few_rows_is_told(words: tuple[object, object], weight: str, more: bool) -> None:
    """With the weight that makes up for it, also where it is the first in order; whoever weights it already knows."""
    table = table_of_kind(4, "binary", 2000, 4)
    table = table.assign(y=[words[int(number % 200 == 0)] for number in range(2000)])
    found = _told("hardly any may be found", table, column="y")
    assert f"10 of 2,000 labels (0.5 %) are {str(words[1])!r}" in found.problem
    assert f"scale_pos_weight={weight} " in found.remedy
    assert ("precision and recall are those of 'ok'" in found.problem) == more
    assert list(check_dataset(prepared(table), {"scale_pos_weight": "100"})) == []


@pytest.mark.parametrize("objective", [None, "binary:logistic"])
def test_an_error_names_labels_that_differ_in_blanks_or_case(objective: str | None) -> None:
    """A single row of another spelling cannot be split, and makes three labels of two."""
    table = table_of_kind(4, "binary", 100, 3).assign(y=["yes ", *["yes", "no"] * 49, "no"])
    with pytest.raises(
        DataError, match="'yes' and 'yes ' differ in blanks or in case only: write each class in one way"
    ):
        prepare(Source("t.csv", table), None, "y", objective, Split())


def test_many_columns_of_a_kind_share_a_line() -> None:
    """The first have their own, the others are named together."""
    table = table_of_kind(4, "binary", 300, 2)
    table = table.assign(**{f"leak{number}": table["y"] * (number + 2) for number in range(30)})
    found = [each for each in found_in(table) if "leak" in each.where + each.problem]
    assert len(found) == 6
    assert "25 more columns: 'leak5', 'leak6'" in found[-1].problem
    assert found[-1].problem.endswith("and 13 more")


def _told(
    words: str, table: pd.DataFrame, validation: pd.DataFrame | None = None, column: str | None = None
) -> Finding:
    found = found_in(table, validation)
    named = [
        each
        for each in found
        if words in each.problem and (column is None or each.where.endswith(f"column {column!r}"))
    ]
    assert named, found
    assert all(each.severity == "warning" and each.remedy for each in found)
    return named[0]
