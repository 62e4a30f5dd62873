"""Files of a channel that are not what its content type says: named for what they are, never a stack trace."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_a2.channel_checks import check_channels
from ml_a2.channel_files import Reading
from ml_a2.finding import Finding
from ml_a2.local.images.xgboost.matrices import load_matrices
from tests.data.foreign_files import ROWS, foreign_files

BINARY = {"num_round": "1", "objective": "binary:logistic"}


def _check(path: Path, data_format: str = "csv") -> list[Finding]:
    return list(check_channels({"train": path}, Reading(data_format), BINARY))


@pytest.mark.parametrize("data_format", ["csv", "libsvm", "parquet", "recordio-protobuf"])
def test_every_other_kind_is_an_error_that_names_it(tmp_path: Path, data_format: str) -> None:
    """File, kind and remedy in one finding, beside files that are right too."""
    contents = foreign_files(tmp_path)
    if data_format == "parquet":
        del contents["Parquet"]
    (tmp_path / "train").mkdir()
    for name, content in contents.items():
        path = tmp_path / "train" / "part-00000"
        path.write_bytes(content)
        found = [each for each in _check(path.parent, data_format) if each.where.startswith(str(path))]
        assert len(found) == 1, (name, found)
        assert (found[0].severity, bool(found[0].remedy)) == ("error", True)
        assert name in found[0].problem


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=300), st.sampled_from([b"", ROWS.encode()]), st.booleans())
def test_no_bytes_make_the_check_fail(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, head: bytes, packed: bool
) -> None:
    """Whatever stands in the file, and wherever: findings, or none."""
    path = tmp_path_factory.mktemp("channel") / "t.csv"
    path.write_bytes(head + (gzip.compress(content)[10:] if packed else content))
    for data_format in ("csv", "libsvm", "parquet", "recordio-protobuf"):
        for finding in _check(path, data_format):
            assert len(finding.problem) < 400


@pytest.mark.parametrize("lines", [0, 3, 9_000])
@pytest.mark.parametrize(
    ("cell", "words"), [(b"3\xa0", "0xA0"), (b"1\xdf", "0xDF"), (b"\xff", "0xFF"), (b"1\x00", "NUL byte")]
)
@pytest.mark.parametrize("uneven", [b"", b",9"])
def test_wrong_bytes_are_told_with_file_and_line(
    tmp_path: Path, lines: int, cell: bytes, words: str, uneven: bytes
) -> None:
    """In the first lines or far beyond, in a line of other columns too."""
    path = tmp_path / "t.csv"
    path.write_bytes(b"1,0.25,1000\n0,0.75,2000\n" * lines + b"1,0.5," + cell + uneven + b"\n" + ROWS.encode())
    first = _check(path)[0]
    assert first.where == f"{path}, line {2 * lines + 1}"
    assert words in first.problem


def test_parquet_in_a_channel_of_csv_is_a_matter_of_the_content_type(tmp_path: Path) -> None:
    """And the other way round."""
    (tmp_path / "a.csv").write_bytes(foreign_files(tmp_path)["Parquet"])
    (tmp_path / "b.parquet").write_text(ROWS)
    assert "--content-type application/x-parquet" in _check(tmp_path / "a.csv")[0].remedy
    assert "--content-type text/csv" in _check(tmp_path / "b.parquet", "parquet")[0].remedy


def test_empty_files_beside_libsvm_are_passed_over(tmp_path: Path) -> None:
    """As XGBoost's reader does; of CSV the image may look at one for the delimiter, and fails."""
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / "part-0").write_text("1 0:2 1:3\n0 0:1 1:2\n")
    assert _check(tmp_path, "libsvm") == []
    matrices, _ = load_matrices({"train": tmp_path}, "libsvm", weighted=False, together=False)
    assert matrices["train"].num_row() == 2
    (tmp_path / "part-0").write_text(ROWS)
    errors = [finding.where for finding in _check(tmp_path) if finding.severity == "error"]
    assert errors == [str(tmp_path / "_SUCCESS")]
