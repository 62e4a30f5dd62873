"""Doctor finds what the image would refuse about data or silently get wrong, and nothing in good data."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from ml_a2 import cli
from ml_a2.channel_checks import check_channels
from ml_a2.channel_files import Reading
from ml_a2.finding import Finding
from ml_a2.loading import load_sample
from ml_a2.local.request_checks import check_request
from tests.rows import table_of

GOOD = "1,2.5,3\n0,1,2\n1,,4\n0,7,8\n"
AS_THE_IMAGE = Reading()
BINARY = {"num_round": "1", "objective": "binary:logistic", "eval_metric": "auc"}


def _write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def _check(folder: Path, reading: Reading = AS_THE_IMAGE, **hyperparameters: str) -> list[Finding]:
    paths = {name: folder / name for name in ("train", "validation") if (folder / name).exists()}
    return list(check_channels(paths, reading, {**BINARY, **hyperparameters}))


@pytest.mark.parametrize(
    ("files", "where", "words"),
    [
        ({"train/t.csv": f"label,a,b\n{GOOD}"}, "t.csv, line 1", "is a header ('label,a,b')"),
        ({"train/t.csv": f"{GOOD}1,red,3\n"}, "t.csv, line 5", "column 2 is 'red', no number"),
        ({"train/t.csv": f'{GOOD}1,"2",3\n'}, "t.csv, line 5", "column 2 is '\"2\"', no number"),
        ({"train/t.csv": f"{GOOD}1;2;3\n"}, "t.csv, line 5", "is delimited by ';', the lines before it by ','"),
        ({"train/t.csv": f"{GOOD}1,2\n"}, "t.csv, line 5", "has 2 columns, the lines before it 3"),
        ({"train/t.csv": f"{GOOD}\n1,2\n"}, "t.csv, line 6", "has 2 columns, the lines before it 3"),
        ({"train/a.csv": GOOD, "train/b.csv": "1,2\n0,3\n"}, "b.csv", "has 2 columns, the files before it 3"),
        ({"train/t.csv": GOOD, "validation/v.csv": "1,2\n0,3\n"}, "validation", "has 2 columns, "),
        ({"train/t.csv": GOOD, "validation/v.csv": "1,2,3\n1,3,4\n"}, "validation", "every label is 1: auc is nan"),
        ({"train/t.csv": "1,2,3\n1,3,4\n"}, "train", "every label is 1: nothing can be learned"),
        ({"train/t.csv": f"{GOOD},3,4\n"}, "t.csv, line 5", "the label is missing (1 in all)"),
        ({"train/t.csv": f"{GOOD}nan,3,4\n"}, "t.csv, line 5", "the label is missing (1 in all)"),
        ({"train/t.csv": f"{GOOD}2,3,4\n"}, "train", "label 2 does not fit objective 'binary:logistic' with 2 classes"),
        ({"train/t.csv": f"{GOOD}1,inf,4\n"}, "t.csv, line 5", "column 2 is infinite"),
        ({"train/t.csv": f"{GOOD}1,1e39,4\n"}, "t.csv, line 5", "column 2 is infinite or beyond 32 bits"),
        ({"train/t.csv": GOOD, "train/.DS_Store": "x"}, ".DS_Store", "is a hidden file"),
        ({"train/t.csv": GOOD, "train/z.csv": ""}, "z.csv", "has no bytes"),
        ({"train/a/b/c/t.csv": GOOD, "train/t.csv": GOOD}, "t.csv", "lies more than 2 folders deep"),
        ({"train/t.csv": ""}, "train", "channel 'train' has no data"),
        ({"train/t.csv": "1\n0\n"}, "t.csv, line 1", "no delimiter can be told from the first line"),
        ({"train/x.csv": GOOD, "validation/x.csv": GOOD}, "validation", "same name and size in both channels"),
    ],
)
def test_each_defect_is_found(tmp_path: Path, files: dict[str, str], where: str, words: str) -> None:
    """Each with its file, the line where there is one, and a remedy."""
    _write(tmp_path, files)
    found = [finding for finding in _check(tmp_path) if words in finding.problem]
    assert len(found) == 1, _check(tmp_path)
    assert found[0].where.endswith(where)
    assert found[0].remedy


CELLS = [
    ("true", "no number: the image takes it for missing", "write 1 and 0"),
    ("False", "no number: the image reads 0", "write 1 and 0"),
    ("NO", "no number: the image takes it for missing", "write 1 and 0"),
    ("12%", "no number: the image reads 12", "write the bare number"),
    ("$5", "no number: the image takes it for missing", "write the bare number"),
    ("1_000", "no number: the image reads 1", "write the bare number"),
    ("0x1F", "no number: the image reads 0", "write the bare number"),
    ("1d5", "no number: the image reads 1", "write the bare number"),
    ("1e", "no number: the image reads 1", "encode text"),
    ("+", "no number: the image reads 0", "encode text"),
    ("-", "no number: the image reads -0", "leave the cell empty"),
    ("?", "no number: the image takes it for missing", "leave the cell empty"),
    ("2020-01-02", "no number: the image reads 2020", "encode text"),
    ("nan(", "no number: the image fails", "encode text"),
    (" ", "only blanks: the image reads 0, not a missing value", "leave the cell empty"),
    ("1 2", "no number: the image reads 1", "encode text"),
    ("20000000000000000000", "of which XGBoost's reader makes 1.55325589e+18", "write it as 2e+19;"),
    ("-99999999999999999999.5", "of which XGBoost's reader makes -7.766279", "seven digits"),
    ("1e-38", "of which XGBoost's reader makes 1.17549421e-38", "write such numbers as 0"),
    ("9e-50", "of which XGBoost's reader makes 8.99999914e-38", "write such numbers as 0"),
    ("1e-400", "of which XGBoost's reader makes 1.17549421e-38", "write such numbers as 0"),
    ("0.00000000000000000012", "of which XGBoost's reader makes 9.99999968e-20", "write it as 1.2e-19;"),
    ("0.0001e39", "of which XGBoost's reader makes 1.00000004e+34", "write it as "),
]


@pytest.mark.parametrize(("cell", "words", "remedy"), CELLS)
def test_a_cell_of_which_the_image_makes_something_else_is_told(
    tmp_path: Path, cell: str, words: str, remedy: str
) -> None:
    """Line, column, the cell as it is, what the image makes of it, and what to write instead."""
    _write(tmp_path, {"train/t.csv": f"{GOOD}1,{cell},3\n0,1,2\n"})
    (found,) = _check(tmp_path)
    assert found.where.endswith("t.csv, line 5")
    assert found.problem.startswith(f"column 2 is {cell if 'reader' in words else repr(cell)}, {words}")
    assert found.remedy.startswith(remedy) or remedy in found.remedy
    assert found.severity == ("warning" if "such numbers" in remedy else "error")


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_are_looked_at_as_well(tmp_path: Path, delimiter: str) -> None:
    """They train, and evaluate; blanks at the end of a line, and nothing between tabs, do not."""
    good = GOOD.replace(",,", ",0,").replace(",", delimiter)
    _write(tmp_path, {"train/t.csv": good})
    assert _check(tmp_path) == []
    for more, read in (("", "0, not a missing"), (good, "1, the label of the next line, not a missing value")):
        _write(tmp_path, {"train/t.csv": f"{good}1{delimiter}2{delimiter} \n{more}"})
        assert [f"only blanks: the image reads {read}" in finding.problem for finding in _check(tmp_path)] == [True]
    _write(tmp_path, {"train/t.csv": f"{good}1{delimiter}{delimiter}3\n"})
    found = ["takes the next cell in its place" in finding.problem for finding in _check(tmp_path)]
    assert found == ([True] if delimiter == "\t" else [])
    _write(tmp_path, {"train/t.csv": good, "train/u.csv": GOOD})
    assert ["the image reads all files as the first" in finding.problem for finding in _check(tmp_path)] == [True]


def test_numbers_as_other_programs_write_them_are_fine(tmp_path: Path) -> None:
    """What every reader takes for the same: blanks around them, plus signs, words for missing values, any line end."""
    lines = [
        "1,+2.5, 3",
        "0,NA,4 ",
        "1,nan,1E+05",
        "0,.5,5.",
        "1,null,-1e-30",
        "0,1234567890123456,0.1000000000000000055",
    ]
    for end in ("\n", "\r\n", "\r", "\n\n"):
        _write(tmp_path, {"train/t.csv": end.join(lines) + end})
        assert _check(tmp_path) == []


def test_each_column_is_told_once(tmp_path: Path) -> None:
    """With the line of the first, also in a later part of the file."""
    rows = [f"{number % 2},{number}.5,1\n" for number in range(300)]
    rows[200:] = [f"{number % 2},1e-{40 + number % 9},2{number:019}\n" for number in range(100)]
    _write(tmp_path, {"train/t.csv": "".join(rows)})
    found = [(each.where.rpartition("/")[2], each.problem.split(" is ")[0]) for each in _check(tmp_path)]
    assert sorted(found) == [("t.csv, line 201", "column 2"), ("t.csv, line 201", "column 3")]


def test_a_last_column_with_values_in_the_validation_channel_alone_is_told(tmp_path: Path) -> None:
    """XGBoost does not count one without values, and refuses rows with more columns than the model has."""
    _write(tmp_path, {"train/t.csv": "1,2,\n0,3,\n", "validation/v.csv": "1,2,\n0,3,1\n"})
    assert ["column 3 has values, and in" in finding.problem for finding in _check(tmp_path)] == [True]
    _write(tmp_path, {"train/t.csv": "1,2,5\n0,3,\n", "validation/v.csv": "1,4,\n0,5,\n"})
    assert _check(tmp_path) == []


def test_good_channels_have_no_findings(tmp_path: Path) -> None:
    """Empty lines at the end, missing features and several files are fine."""
    _write(tmp_path, {"train/a.csv": GOOD + "\n\n", "train/more/b.csv": GOOD, "validation/v.csv": GOOD + GOOD})
    assert _check(tmp_path) == []
    _write(tmp_path, {"train/a.csv": b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()})
    assert _check(tmp_path) == []
    _write(tmp_path, {"train/a.csv": GOOD.rstrip("\n")})
    assert _check(tmp_path) == []


def test_lines_beyond_an_uneven_one_are_not_counted(tmp_path: Path) -> None:
    """Only the uneven line is told: what comes after it would be told with a wrong number."""
    _write(tmp_path, {"train/t.csv": f"{GOOD}1,2\n{GOOD},5,6\n1,inf,2\n"})
    assert [finding.where.rpartition("/")[2] for finding in _check(tmp_path)] == ["t.csv, line 5"]


def _rows(seed: int, rows: int = 200, first: Any = None) -> str:
    """Return rows of a channel, of which nothing is suspicious but a first column that is given."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"y": rng.integers(0, 2, rows), "a": rng.normal(0, 1, rows), "b": rng.integers(0, 50, rows)})
    return table.assign(**({} if first is None else {"y": first})).to_csv(index=False, header=False)


@pytest.mark.parametrize("folder", [True, False])
def test_validation_rows_of_the_training_channel_are_counted(tmp_path: Path, folder: bool) -> None:
    """Wherever they lie among the files of either channel, under whatever names."""
    shared = "".join(_rows(2).splitlines(keepends=True)[:40])
    if folder:
        _write(tmp_path, {"train/a.csv": _rows(1), "train/b/c.csv": _rows(2), "validation/v.csv": _rows(3) + shared})
    else:
        _write(tmp_path, {"train": _rows(1) + _rows(2), "validation": shared + _rows(3)})
    (found,) = _check(tmp_path)
    assert found.severity == "warning"
    assert "40 of 240 rows (16.7 %) are training rows, too" in found.problem
    assert found.where.endswith("validation")


def test_columns_of_a_channel_are_judged_as_those_of_a_table(tmp_path: Path) -> None:
    """They have numbers; a weight is none of the features."""
    labels = [int(line[0]) for line in _rows(1).splitlines()]
    leak = "".join(f"{line},{9 - label}\n" for line, label in zip(_rows(1).splitlines(), labels, strict=True))
    _write(tmp_path, {"train/t.csv": leak})
    (found,) = _check(tmp_path)
    assert found.where.endswith("train, column 4")
    assert "alone separates the classes: it tells 200 of 200 rows right" in found.problem
    weighted = "".join(f"{label},{1 + label},{number % 7}\n" for number, label in enumerate(labels))
    _write(tmp_path, {"train/t.csv": weighted})
    assert _check(tmp_path, Reading(weighted=True)) == []
    assert [finding.where.rpartition(", ")[2] for finding in _check(tmp_path)] == ["column 2"]


@pytest.mark.parametrize("numbers", [range(200), range(1, 201), np.random.default_rng(1).permutation(300)[:200]])
def test_a_label_that_counts_or_identifies_rows_is_told(tmp_path: Path, numbers: Any) -> None:
    """The index that pandas writes first where it is not told otherwise, of rows that may have been shuffled."""
    _write(tmp_path, {"train/t.csv": _rows(1, first=list(numbers))})
    (found,) = _check(tmp_path, objective="reg:squarederror")
    assert found.where.endswith("train, column 1")
    assert "is the label and" in found.problem
    assert "index=False" in found.remedy


@pytest.mark.parametrize("header", [",y,a,b", '"","y","a","b"', " ,y,a,b"])
def test_a_header_whose_first_cell_is_empty_is_one(tmp_path: Path, header: str) -> None:
    """As pandas and R write it over the numbers of rows."""
    rows = "".join(f"{number},{line}\n" for number, line in enumerate(_rows(1).splitlines()))
    _write(tmp_path, {"train/t.csv": f"{header}\n{rows}"})
    found = [finding for finding in _check(tmp_path) if "is a header" in finding.problem]
    assert len(found) == 1
    assert "first cell is empty" in found[0].problem
    assert "index=False" in found[0].remedy


def test_an_empty_first_cell_alone_makes_no_header(tmp_path: Path) -> None:
    """A label that is missing over rows of numbers."""
    _write(tmp_path, {"train/t.csv": ",2.5,3\n" + GOOD})
    assert ["the label is missing" in finding.problem for finding in _check(tmp_path)] == [True]


def test_rankings_and_few_positives_of_channels_are_told(tmp_path: Path) -> None:
    """By the objective that is given."""
    _write(tmp_path, {"train/t.csv": _rows(1, 1000, first=[int(number % 200 == 0) for number in range(1000)])})
    assert ["5 of 1,000 labels (0.5 %)" in finding.problem for finding in _check(tmp_path)] == [True]
    (found,) = _check(tmp_path, objective="rank:pairwise")
    assert "a ranking without groups" in found.problem
    assert list(check_channels({"train": tmp_path / "train"}, AS_THE_IMAGE, {"objective": "rank:pairwise"}, "a")) == []


def test_a_num_class_that_is_no_number_is_told_with_the_hyperparameters(tmp_path: Path) -> None:
    """The labels are not judged by it."""
    _write(tmp_path, {"train/t.csv": GOOD})
    assert _check(tmp_path, objective="multi:softmax", num_class="abc") == []
    assert list(check_request({**BINARY, "num_class": "abc"}, has_validation=True)) != []


@pytest.mark.parametrize(
    ("hyperparameters", "labels", "words"),
    [
        ({"objective": "multi:softmax", "num_class": "3"}, [0, 1, 3], "label 3 does not fit"),
        ({"objective": "multi:softprob", "num_class": "3"}, [0, 1, 1.5], "label 1.5 does not fit"),
        ({"objective": "count:poisson"}, [0, 1, -2], "label -2 does not fit objective 'count:poisson'"),
        ({"objective": "reg:logistic"}, [0, 1, 7], "label 7 does not fit objective 'reg:logistic'"),
        ({"objective": "reg:gamma"}, [1, 2, 0], "label 0 does not fit objective 'reg:gamma'"),
    ],
)
def test_labels_must_fit_the_objective(
    tmp_path: Path, hyperparameters: dict[str, str], labels: list[float], words: str
) -> None:
    """The classes, or the range, that the objective takes."""
    _write(tmp_path, {"train/t.csv": "".join(f"{label},{index},2\n" for index, label in enumerate(labels))})
    assert [words in finding.problem for finding in _check(tmp_path, **hyperparameters)] == [True]


def test_weights_are_looked_at(tmp_path: Path) -> None:
    """With csv_weights the second column is a weight."""
    _write(tmp_path, {"train/t.csv": "1,0.5,3\n0,-1,2\n"})
    (finding,) = _check(tmp_path, Reading(weighted=True))
    assert (finding.where.rpartition("/")[2], "weight" in finding.problem) == ("t.csv, line 2", True)


@pytest.mark.parametrize(
    ("data_format", "content", "words"),
    [
        ("libsvm", "1 0:2 1:3\n0 0:1 x\n", "'0 0:1 x' is not LIBSVM"),
        ("libsvm", "1 0:2 1:3\nnan 0:1\n0 1:1\n", "the label is missing"),
        ("libsvm", "\n1 0:2 1:3\n", "'' is not LIBSVM"),
        ("parquet", "no parquet", "is text, not Parquet: the image fails"),
        ("parquet", "PAR1\0PAR1", "cannot be read as Parquet of numbers"),
        ("recordio-protobuf", "1,2,3\n", "is text, not RecordIO"),
    ],
)
def test_other_formats_are_looked_at(tmp_path: Path, data_format: str, content: str, words: str) -> None:
    """LIBSVM line by line, Parquet by its schema and labels, RecordIO by its frame."""
    _write(tmp_path, {"train/t": content})
    assert any(words in finding.problem for finding in _check(tmp_path, Reading(data_format)))


def test_parquet_columns_must_be_numbers(tmp_path: Path) -> None:
    """A column of text is named; the first column is the label."""
    (tmp_path / "train").mkdir()
    table = pd.DataFrame({"y": [0, 1], "colour": ["red", "blue"]})
    table.to_parquet(tmp_path / "train" / "t.parquet")
    (finding,) = _check(tmp_path, Reading("parquet"))
    assert "column 'colour' is of type" in finding.problem
    numbers = table.assign(colour=[1.5, 2.5])
    numbers.to_parquet(tmp_path / "train" / "t.parquet")
    assert _check(tmp_path, Reading("parquet")) == []
    for wrong, words in (
        (numbers.assign(colour=[1.5, np.inf]), "column 'colour' is infinite"),
        (numbers[:0], "channel 'train' has no rows"),
    ):
        wrong.to_parquet(tmp_path / "train" / "t.parquet")
        (finding,) = _check(tmp_path, Reading("parquet"))
        assert words in finding.problem


def test_blank_lines_of_libsvm_are_passed_over(tmp_path: Path) -> None:
    """As XGBoost's reader does, once a line with features is read."""
    _write(tmp_path, {"train/t": "1 0:2 1:3\n\n0 0:1\n"})
    assert _check(tmp_path, Reading("libsvm")) == []


@pytest.mark.parametrize("sample", ["breast-cancer", "diabetes", "digits"])
def test_nothing_is_found_in_the_samples(tmp_path: Path, sample: str) -> None:
    """The three samples, as tables and as the channels that a run makes of them."""
    data = load_sample(sample)
    table = pd.concat([table_of(data.train), table_of(data.validation)])
    table = table.rename(columns={table.columns[0]: "target"})
    table.to_csv(tmp_path / "table.csv", index=False)
    _write(tmp_path, {"train/.keep": ""})
    (tmp_path / "train" / ".keep").unlink()
    (tmp_path / "validation").mkdir()
    (train,), (validation,) = data.write(tmp_path)
    train.rename(tmp_path / "train" / "train.csv")
    validation.rename(tmp_path / "validation" / "validation.csv")
    named = dict(data.problem.hyperparameters)
    assert _check(tmp_path, **named) == []
    answer = CliRunner().invoke(
        cli.main, ["doctor", "--train", str(tmp_path / "table.csv"), "--target-column", "target"]
    )
    assert answer.exit_code == 0, answer.output
    assert list(check_request({"num_round": "1", **named}, has_validation=True)) == []
    answer = CliRunner().invoke(cli.main, ["doctor", "--sample", sample])
    assert answer.exit_code == 0, answer.output


@pytest.mark.parametrize(
    ("table", "arguments", "words"),
    [
        ("y,a\nno,1\nyes,x\n", (), "column 'a', row 3: 'x' is not a number"),
        ("y,a\nno,1\n,2\nyes,3\n", (), "the label is missing (1 in all)"),
        ("y,a\n", (), "has a header but no rows"),
        ("y,a,a\nno,1,2\nyes,2,3\n", (), "has more than one column 'a'"),
        ("x;a\nno;1\nyes;2\n", (), "has no column 'y'"),
        ("y,a\n1.5,1\n2.5,2\n3.5,1\n7.5,3\n2.25,3\n", ("--set", "eval_metric=auc"), "Metric 'auc' can only be"),
    ],
)
def test_tables_are_judged_as_a_run_judges_them(
    tmp_path: Path, table: str, arguments: tuple[str, ...], words: str
) -> None:
    """With a target column, what `ml-a2 run` would refuse is a finding in the same words."""
    _write(tmp_path, {"t.csv": table})
    command = ["doctor", "--train", str(tmp_path / "t.csv"), "--target-column", "y", *arguments]
    answer = CliRunner().invoke(cli.main, command)
    assert answer.exit_code == 1, answer.output
    assert words in answer.output


def test_a_table_gets_its_metric_and_classes_from_the_data(tmp_path: Path) -> None:
    """A regression or several classes need no further hyperparameters, as in a run."""
    rows = "".join(f"{index % 3},{index}\n" for index in range(30))
    _write(tmp_path, {"t.csv": f"y,a\n{rows}"})
    for objective in ("reg:squarederror", "multi:softprob"):
        command = ["doctor", "--train", str(tmp_path / "t.csv"), "--target-column", "y", "--set"]
        answer = CliRunner().invoke(cli.main, [*command, f"objective={objective}"])
        assert answer.exit_code == 0, answer.output


@pytest.mark.parametrize(
    ("hyperparameters", "has_validation", "words"),
    [
        ({"etaa": "1"}, True, "Extraneous hyperparameter found: etaa"),
        ({"eta": "2"}, True, "Hyperparameter eta: 2.0 is not in [0, 1]"),
        ({"interaction_constraints": "[[1,"}, True, "SyntaxError"),
        ({"eta": "0." + "1" * 2500}, True, "is too long"),
        ({f"x{number}": "1" for number in range(101)}, True, "at most 100 are allowed"),
        ({"early_stopping_rounds": "3"}, False, "early_stopping_rounds is ignored without a word"),
    ],
)
def test_requests_are_checked(hyperparameters: dict[str, str], has_validation: bool, words: str) -> None:
    """Hyperparameters that the API or the image refuses, or ignores."""
    found = list(check_request({**BINARY, **hyperparameters}, has_validation=has_validation))
    assert any(words in finding.problem for finding in found)


def test_early_stopping_needs_a_metric() -> None:
    """Without eval_metric it is ignored, with one and a validation channel it is not."""
    without = {"num_round": "9", "objective": "binary:logistic", "early_stopping_rounds": "3"}
    (finding,) = check_request(without, has_validation=True)
    assert (finding.severity, "eval_metric" in finding.problem) == ("warning", True)
    assert list(check_request({**without, "eval_metric": "auc"}, has_validation=True)) == []


def test_the_command_tells_that_this_stack_reads_csv_only(tmp_path: Path) -> None:
    """Its training is told so by the template, and its evaluation reads nothing else."""
    _write(tmp_path, {"t.libsvm": "1 0:2 1:3\n0 0:1 1:1\n"})
    arguments = [
        "doctor",
        "--train",
        str(tmp_path / "t.libsvm"),
        "--content-type",
        "text/libsvm",
        "--set",
        "num_round=1",
    ]
    answer = CliRunner().invoke(cli.main, [*arguments, "--set", "objective=binary:logistic", "--json"])
    problems = [finding["problem"] for finding in json.loads(answer.stdout)["findings"]]
    assert ["neither would read text/libsvm" in problem for problem in problems][:1] == [True]


def test_the_command_tells_by_its_exit_status(tmp_path: Path) -> None:
    """0 nothing, 1 something, also in JSON; warnings count with --strict."""
    _write(tmp_path, {"good.csv": GOOD, "bad.csv": f"y,a,b\n{GOOD}"})

    def doctor(*arguments: str) -> Any:
        command = [sys.executable, "-m", "ml_a2.cli", "doctor", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert doctor("--train", "good.csv").returncode == 0
    answer = doctor("--train", "bad.csv", "--json")
    assert answer.returncode == 1
    assert [f["where"] for f in json.loads(answer.stdout)["findings"]] == ["bad.csv, line 1"]
    stopping = ("--train", "good.csv", "--set", "early_stopping_rounds=2")
    assert doctor(*stopping).returncode == 0
    assert doctor(*stopping, "--strict").returncode == 1
    assert doctor("--train", "good.csv", "--content-type", "text/html").returncode == 2
    assert doctor("--set", "eta=1").returncode == 2
    for bad in (["--train", "nowhere.csv"], ["--settings", "nowhere.toml"], ["--assembly", "nowhere"]):
        answer = doctor(*bad)
        assert (answer.returncode, answer.stderr.count("\n")) == (2, 1), answer.stderr


def test_blocks_do_not_change_what_is_found(tmp_path: Path) -> None:
    """In a file of many blocks the line is still the right one."""
    random = np.random.default_rng(1)
    values = random.normal(size=(200_000, 12))
    lines = [f"{index % 2}," + ",".join(f"{value:.6f}" for value in row) for index, row in enumerate(values)]
    lines[190_000] = "nan" + lines[190_000][1:]
    _write(tmp_path, {"train/t.csv": "\n".join(lines) + "\n"})
    (finding,) = _check(tmp_path)
    assert finding.where.endswith("t.csv, line 190001")


def test_a_single_row_that_is_in_both_channels_can_be_looked_at(tmp_path: Path) -> None:
    """So few rows tell nothing of how often rows are equal."""
    _write(tmp_path, {"train/t.csv": "1.5,2\n", "validation/v.csv": "1.5,2\n2.5,3\n"})
    paths = {name: tmp_path / name for name in ("train", "validation")}
    assert [found.problem for found in check_channels(paths, AS_THE_IMAGE, {}) if found.severity == "error"] == []
