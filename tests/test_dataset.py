"""A person's data: what is accepted, how it is encoded, and how each defect is told."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_a2.dataset import Dataset, Split
from ml_a2.errors import DataError, UserError
from ml_a2.loading import load_files, load_sample
from ml_a2.problem import Problem, merge_hyperparameters
from tests.rows import table_of

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return file


def _load(train: Path, validation: Path | None = None, target: str = "y", objective: str | None = None) -> Dataset:
    return load_files(train, validation, target, objective, Split(0.25, 42))


def _rows(labels: list[object], columns: str = "a,y") -> str:
    return columns + "\n" + "".join(f"{index}.5,{label}\n" for index, label in enumerate(labels))


def test_text_labels_become_numbers_in_sorted_order(write: Write) -> None:
    """Text labels become 0, 1, ... in sorted order, and the mapping is kept."""
    data = _load(write("d.csv", _rows(["yes", "no"] * 8)))
    assert data.problem.label_mapping == {"no": 0, "yes": 1}
    assert data.problem.objective == "binary:logistic"
    assert set(table_of(data.train)["y"]) == {0, 1}


def test_quoted_column_names_and_any_target_position_work(write: Write) -> None:
    """A header with quotes, commas and spaces is read as CSV has it; the label is written first."""
    text = '"income, yearly","my label",age\n' + '1,"a ""b""",30\n2,c,40\n' * 8
    data = _load(write("d.csv", text), target="my label")
    assert data.feature_columns == ("income, yearly", "age")
    assert next(iter(table_of(data.train).columns)) == "my label"
    assert data.problem.label_mapping == {'a "b"': 0, "c": 1}


@pytest.mark.parametrize(
    ("labels", "objective", "classes"),
    [
        ([0, 1] * 8, "binary:logistic", 2),
        ([True, False] * 8, "binary:logistic", 2),
        ([3, 5, 9] * 8, "multi:softprob", 3),
        (["x", "y", "z"] * 8, "multi:softprob", 3),
        ([0.5, 1.25, 2.75] * 8, "reg:squarederror", 0),
        (list(range(64)), "reg:squarederror", 0),
    ],
)
def test_objective_is_inferred_from_the_labels(
    write: Write, labels: list[object], objective: str, classes: int
) -> None:
    """Two labels are binary, few whole numbers or words are classes, everything else is a regression."""
    problem = _load(write("d.csv", _rows(labels))).problem
    assert (problem.objective, len(problem.classes), problem.inferred) == (objective, classes, True)


def test_split_keeps_class_shares_and_depends_on_the_seed_alone(write: Write) -> None:
    """The split-off rows have the classes in the same shares; the same seed gives the same rows."""
    path = write("d.csv", _rows([0] * 60 + [1] * 20))
    first, again = _load(path), _load(path)
    assert table_of(first.validation)["y"].value_counts().to_dict() == {0: 15, 1: 5}
    pd.testing.assert_frame_equal(table_of(first.train), table_of(again.train))
    assert not set(table_of(first.train)["a"]) & set(table_of(first.validation)["a"])
    assert first.origin["split_seed"] == 42


def test_columns_of_the_validation_file_may_stand_in_another_order(write: Write) -> None:
    """Columns are matched by name, not by place."""
    train = write("t.csv", "a,b,y\n" + "1,2,0\n3,4,1\n" * 4)
    validation = write("v.csv", "y,b,a\n" + "0,2,1\n1,4,3\n" * 2)
    data = _load(train, validation)
    assert table_of(data.validation).iloc[0].tolist() == [0, 1, 2]


def test_parquet_is_read(tmp_path: Path) -> None:
    """Parquet files work like CSV, booleans become numbers."""
    path = tmp_path / "d.parquet"
    pd.DataFrame({"a": np.arange(16.0), "flag": [True, False] * 8, "y": [0, 1] * 8}).to_parquet(path)
    assert set(table_of(_load(path).train)["flag"]) == {0, 1}


def test_flags_with_gaps_and_named_indexes_of_parquet_are_columns(tmp_path: Path) -> None:
    """A nullable boolean keeps its gaps; an index with a name is a column."""
    table = pd.DataFrame({"key": range(16), "flag": pd.array([True, None] * 8, dtype="boolean"), "y": [0, 0, 1, 1] * 4})
    path = tmp_path / "d.parquet"
    table.set_index("key").to_parquet(path)
    data = _load(path)
    assert data.feature_columns == ("key", "flag")
    assert set(table_of(data.train)["flag"].dropna()) == {1.0}
    assert table_of(data.train)["flag"].isna().any()


def test_decimals_are_numbers(tmp_path: Path) -> None:
    """A price column is a regression, however it is stored."""
    table = pd.DataFrame({"a": range(40), "y": [Decimal(n) / 4 for n in range(40)]})
    table.to_parquet(tmp_path / "d.parquet")
    assert _load(tmp_path / "d.parquet").problem.kind == "regression"


@pytest.mark.parametrize(
    ("train", "validation"),
    [(["1", "2", "x"] * 4, ["1", "2"]), (["True", "False"] * 4, ["1", "0"]), (["1.0", "2.0"] * 4, ["1", "2"])],
)
def test_labels_written_differently_in_the_two_files_fit(
    write: Write, train: list[object], validation: list[object]
) -> None:
    """What is a number in one file and text in the other, or a flag and a number, is one label."""
    data = _load(write("t.csv", _rows(train)), write("v.csv", _rows(validation)))
    assert len(data.validation) == len(validation)


def test_written_files_have_no_header_and_keep_missing_cells_empty(write: Write, tmp_path: Path) -> None:
    """What the channels get is label first, no header, empty for missing."""
    data = _load(write("d.csv", "a,b,y\n" + "1,,0\n3,4,1\n" * 8))
    (tmp_path / "out").mkdir()
    (train,), _ = data.write(tmp_path / "out")
    assert set(train.read_text().splitlines()) == {"0,1,", "1,3,4"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,y\n1,0\nred,1\n", "column 'a', row 3: 'red' is not a number"),
        ("a,y\n1,0\n2,\n3,1\n", "column 'y', row 3: the label is missing (1 in all)"),
        ("a,b\n1,0\n", "has no column 'y'; its columns are 'a', 'b'"),
        ("y\n0\n1\n", "no column but the target 'y'"),
        ("a,y\n", "has a header but no rows"),
        ("", "is empty"),
        ("a,y\n1,0\n2,0\n3,0\n4,0\n", "needs 2 distinct labels, there is 1"),
        ("a,y\n1,0\ninf,1\n", "column 'a', row 3: inf cannot be trained on"),
        ("a,y\n1,0\n1e39,1\n", "column 'a', row 3: 1e+39 cannot be trained on, it is infinite or beyond 3.4e+38"),
        ("a,b,y\n" + "1,,0\n2,,1\n" * 8, "column 'b': there is no value in the training rows"),
        ("a,y\n1,0\n2,1\n", "2 classes have a single row each, '0', '1'"),
        ("a,y\n" + "1,0\n2,1\n3,2\n" * 2, "cannot be split into 4 for training and 2 for validation"),
        ("a,y\n1,2,3,4\n1,2\n", "cannot be read as CSV: line 2 has 4 cells, the header 2 columns"),
        ("a,a,y\n1,2,0\n", "has more than one column 'a'"),
        ("a,y\n2024-01-01,0\n", "column 'a', row 2: '2024-01-01' is not a number"),
    ],
)
def test_fails_naming_file_column_and_row(write: Write, text: str, words: str) -> None:
    """Each defect is told with the file, and the place a person finds it by."""
    path = write("d.csv", text)
    with pytest.raises(DataError) as caught:
        _load(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_fails_for_times_in_parquet(tmp_path: Path) -> None:
    """A time could be read as nanoseconds since 1970; nobody means that."""
    path = tmp_path / "d.parquet"
    pd.DataFrame({"a": pd.to_datetime(["2024-01-01"] * 8), "y": [0, 1] * 4}).to_parquet(path)
    with pytest.raises(DataError, match="column 'a', row 1: '2024-01-01 00:00:00' is not a number"):
        _load(path)


@pytest.mark.parametrize(
    ("validation", "words"),
    [
        ("a,c,y\n1,2,0\n", "has no column 'b'"),
        ("a,b,c,y\n1,2,3,0\n", "has a column 'c'"),
        ("a,a,b,y\n1,1,2,no\n", "has more than one column 'a'"),
        ("a,b,y\n1,2,maybe\n3,4,no\n", "row 2: label 'maybe' does not occur in the training rows"),
        ("a,b,y\n1,2,no\n3,4,no\n", "the validation rows have a single class"),
    ],
)
def test_fails_when_the_two_files_do_not_fit(write: Write, validation: str, words: str) -> None:
    """Validation rows must have the training rows' columns and labels, and two classes at least."""
    train = write("t.csv", "a,b,y\n" + "1,2,no\n3,4,yes\n" * 4)
    with pytest.raises(DataError) as caught:
        _load(train, write("v.csv", validation))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "objective", "words"),
    [
        (["a", "b"] * 4, "reg:squarederror", "row 2: label 'a' does not fit objective 'reg:squarederror'"),
        ([0, 1, 2] * 4, "binary:logistic", "needs 2 distinct labels, there are 3"),
        ([1, -1] * 4, "count:poisson", "row 3: label '-1' does not fit objective 'count:poisson'"),
        ([1, 0] * 4, "reg:gamma", "row 3: label '0' does not fit objective 'reg:gamma'"),
        ([1, 0] * 4, "survival:cox", "objective 'survival:cox' cannot be evaluated"),
        ([1, -1] * 4, "rank:pairwise", "row 3: label '-1' does not fit objective 'rank:pairwise'"),
        ([1, 32] * 4, "rank:ndcg", "row 3: label '32' does not fit objective 'rank:ndcg'"),
        ([1, 0] * 4, "rank:pairwise", "a random part would tear the groups apart"),
    ],
)
def test_fails_when_the_objective_does_not_fit_the_labels(
    write: Write, labels: list[object], objective: str, words: str
) -> None:
    """An objective is checked against every label before anything starts."""
    with pytest.raises(DataError) as caught:
        _load(write("d.csv", _rows(labels)), objective=objective)
    assert words in str(caught.value)


def test_hyperparameters_of_this_execution_win_over_settings_and_data() -> None:
    """What --set says wins; what the settings file names is left to the stack; the data gives the rest."""
    problem = load_sample("digits").problem
    merged = merge_hyperparameters(problem, {"eval_metric": "merror"}, {"eta": "0.1"})
    assert merged == {"objective": "multi:softprob", "num_class": "10", "eta": "0.1"}


def test_fails_for_a_number_of_classes_that_the_data_does_not_have() -> None:
    """A num_class that contradicts the labels is refused."""
    problem = load_sample("digits").problem
    with pytest.raises(UserError, match="num_class '3' does not fit the data"):
        merge_hyperparameters(problem, {}, {"num_class": "3"})


@pytest.mark.parametrize(
    ("name", "rows", "kind"),
    [("breast-cancer", 569, "binary"), ("diabetes", 442, "regression"), ("digits", 1797, "multiclass")],
)
def test_samples_are_real_data(name: str, rows: int, kind: str) -> None:
    """The samples are scikit-learn's own, whole."""
    data = load_sample(name)
    assert data.train_rows + len(data.validation) == rows
    assert data.problem.kind == kind


def test_hosts_get_a_share_of_the_training_rows_each(tmp_path: Path) -> None:
    """As many files as hosts, together all training rows; the validation rows stay in one."""
    data = load_sample("breast-cancer")
    train, validation = data.write(tmp_path, parts=3)
    assert [path.name for path in train] == ["train-01.csv", "train-02.csv", "train-03.csv"]
    counts = [len(path.read_text().splitlines()) for path in (*train, *validation)]
    assert counts == [152, 152, 151, 114]


def test_fails_on_weights_which_the_data_has_not() -> None:
    """The image would take the first feature for them, without a word."""
    problem = Problem("regression", "reg:squarederror", "rmse", hyperparameters={"objective": "reg:squarederror"})
    for named in ({"csv_weights": "1"}, {}), ({}, {"csv_weights": "1"}):
        with pytest.raises(UserError, match="would take the first feature for the rows' weights"):
            merge_hyperparameters(problem, *named)
    assert merge_hyperparameters(problem, {}, {"csv_weights": "0"})["csv_weights"] == "0"
