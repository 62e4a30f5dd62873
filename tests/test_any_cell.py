"""Cells of every form on which readers might differ: training and evaluation take the same number, or one is refused.

They are drawn from the grammar of XGBoost's reader, dmlc-core's strtonum.h, with garbage before, in and after it:
100,000 of them, and `ML_A2_FUZZ=N` draws N times as many.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb

from ml_a2.channel_files import LARGEST_VALUE, Labels, Reading, read_file
from ml_a2.data.xgboost_cells import other_numbers, read_cell
from ml_a2.jobs.quality import cells, data, files
from ml_a2.local.images.xgboost.matrices import load_matrices

CELLS_AT_ONCE = 25_000
PARTS = 4 * max(1, int(os.environ.get("ML_A2_FUZZ", "0")))
WORDS = (
    "inf", "INF", "infinity", "Infinit", "infi", "nan", "NaN", "nan(a_1)", "na", "NA", "N/A", "null", "None", "#N/A",
    "true", "False", "f", "e5", "E", "-", "+", "-e", "--1", "x", "1;5", "0x1F", "$3", "1_0", "1.2.3", "1-2",
    "2020-01-01", ".", "-.", ".e5", "1.#IND", '"1"', "'1'", "é", "1e5e5", "1e-5-5", "1e5.5", "\u0661", "\v1", "1\f",
)  # fmt: skip


def _digits(rng: random.Random, *counts: int) -> str:
    return "".join(rng.choices("0123456789", k=rng.choice(counts)))


def _cell(rng: random.Random) -> str:
    """Draw a cell."""
    kind = rng.random()
    if kind < 0.1:
        return rng.choice(WORDS) + rng.choice(["", "", "", "f", "x", "e5", " "])
    if kind < 0.3:
        return repr(rng.gauss(0, 1) * rng.choice([1, 1, 10.0 ** rng.randint(-50, 40)]))
    if kind < 0.4:
        return str(rng.randint(-(10 ** rng.randint(1, 25)), 10 ** rng.randint(1, 25)))
    sign = rng.choice(["", "", "", "-", "+", "-", " ", " -", "  ", "--"] if kind < 0.6 else ["", "-"])
    whole = _digits(rng, 0, 1, 1, 2, 5, 9, 15, 18, 19, 20, 21, 25)
    behind = rng.choice(
        ["", ".", "." + _digits(rng, 0, 1, 2, 7, 9, 17, 19, 20, 25), ".0000000000" + _digits(rng, 1, 9)]
    )
    scale = "e" + rng.choice(["", "-", "+"]) + _digits(rng, 0, 1, 1, 2, 2, 3, 10)
    exponent = rng.choice(["", "", scale, "E-3" + _digits(rng, 1)])
    return sign + whole + behind + exponent + rng.choice(["", "", "", "", "f", "x", "e1", "-1", " ", " 2", "%", "."])


def _cells(seed: int) -> list[bytes]:
    rng = random.Random(seed)
    return [_cell(rng).encode() for _ in range(CELLS_AT_ONCE)]


def _is_told(cell: bytes) -> bool:
    """Tell whether the evaluation refuses a cell among the features."""
    return bool(_refused([cell]))


def _refused(drawn: Sequence[bytes]) -> set[bytes]:
    """Return the cells that the evaluation refuses among the features: also each alone, by its bytes."""
    block = files.Block("t.csv", 1, b"".join(b"0," + cell + b",1\n" for cell in drawn))
    found = {drawn[defect.row - 1] for defect in cells.defects(block, ",", weighted=False)}
    for cell in found:
        assert not cells.are_plain(b"0," + cell + b",1\n", ","), cell
    return found


def _same(ours: Any, theirs: Any) -> bool:
    return bool(((ours == theirs) | (np.isnan(ours) & np.isnan(theirs))).all())


@pytest.mark.parametrize("seed", range(PARTS))
def test_both_jobs_take_the_same_number_or_the_evaluation_refuses(seed: int) -> None:
    """What the evaluation reads is what the training read, and the check knows it; it tells where another is meant."""
    drawn = _cells(seed)
    refused = _refused(drawn)
    accepted = [cell for cell in drawn if cell not in refused]
    said = np.array([np.nan if (value := read_cell(cell)) is None else value for cell in accepted], np.float32)
    for index in np.flatnonzero(np.isinf(said)):  # with one in it, the training cannot make a matrix
        assert abs(float(accepted[index])) > LARGEST_VALUE, accepted[index]
    accepted = [cell for cell, is_number in zip(accepted, ~np.isinf(said), strict=True) if is_number]
    said = said[~np.isinf(said)]
    assert 0.3 < len(accepted) / len(drawn) < 0.9
    read = _read_by_both(accepted)
    assert _same(read, said)
    _check_meanings(accepted, read)


def _read_by_both(accepted: Sequence[bytes]) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "t.csv").write_bytes(b"".join(b"0," + cell + b",1\n" for cell in accepted))
        matrix = load_matrices({"train": Path(folder)}, "csv", weighted=False, together=False)[0]["train"]
        (chunk,) = data.read_folder(folder, 2, weighted=False)
        theirs, ours = _column(matrix), chunk.columns([0])[0]
    assert _same(ours, theirs)
    return ours


def _column(matrix: xgb.DMatrix) -> Any:
    values = matrix.get_data().tocoo()
    found = np.full((matrix.num_row(), 2), np.nan, np.float32)
    found[values.row, values.col] = values.data
    return found[:, 0]


def _check_meanings(accepted: Sequence[bytes], read: Any) -> None:
    """Compare with what Python makes of the cells; a difference beyond the last bits must be told, by the check too."""
    for cell, value in zip(accepted, read.tolist(), strict=True):
        try:
            meant = float(cell or "nan")
        except ValueError:  # a word for a missing value
            meant = float("nan")
        if np.isnan(meant):
            assert np.isnan(value), cell
        elif abs(value - _single(meant)) > 1e-6 * abs(meant):
            text = b"0," + cell + b",1\n"
            told = list(other_numbers(files.Block("t.csv", 1, text), ",", set()))
            assert told or abs(meant) > LARGEST_VALUE, cell


def _single(value: float) -> float:
    with np.errstate(over="ignore", under="ignore"):
        return float(np.float32(value))


def test_the_check_tells_what_the_evaluation_refuses(tmp_path: Path) -> None:
    """Each cell alone in a channel: an error by the check wherever there is one by the evaluation."""
    path = tmp_path / "t.csv"
    for cell in _cells(0)[:400]:
        path.write_bytes(b"0,1,2\n1," + cell + b",1\n")
        findings = list(read_file(path, Reading(), Labels())[1])
        assert _is_told(cell) <= any(finding.severity == "error" for finding in findings), cell
