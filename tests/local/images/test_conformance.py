"""The recorded cases: what the real image did with hyperparameters, channels and files, ours does too."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

RECORDED = Path(__file__).parent / "conformance"
CASES: list[dict[str, Any]] = json.loads((RECORDED / "cases.json").read_text(encoding="utf-8"))
# Where XGBoost 1.7 and 2.1 define a metric differently (contract, section 1), or folds are drawn by chance.
INEXACT = {"rank_pairwise_qid", "kfold", "kfold_metrics"}
METRIC_LINE = re.compile(r"\[\d+\]\t")


def _run(case: dict[str, Any], base: Path) -> subprocess.CompletedProcess[str]:
    config = base / "input" / "config"
    config.mkdir(parents=True)
    (config / "hyperparameters.json").write_text(json.dumps(case["hyperparameters"]), encoding="utf-8")
    described = {name: channel["config"] for name, channel in case["channels"].items()}
    (config / "inputdataconfig.json").write_text(json.dumps(described), encoding="utf-8")
    for name, channel in case["channels"].items():
        folder = base / "input" / "data" / name
        folder.mkdir(parents=True)
        for file, source in channel["files"].items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes((RECORDED / source).read_bytes())
    command = [sys.executable, "-m", "ml_a2.local.images.xgboost", "train"]
    environment = {**os.environ, "SAGEMAKER_BASE_DIR": str(base)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


def _values(line: str) -> dict[str, float]:
    pairs = (part.rpartition(":") for part in line.split("\t")[1:])
    return {name: float(value) for name, _, value in pairs}


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_does_what_the_image_did(case: dict[str, Any], tmp_path: Path) -> None:
    """Exit code, message, files, number of metric lines, the metrics on them and the last line's numbers."""
    expected = case["expected"]
    answer = _run(case, tmp_path)
    assert answer.returncode == expected["exit_code"], answer.stderr
    failure = tmp_path / "output" / "failure"
    if expected["message"]:
        assert expected["message"] in failure.read_text(encoding="utf-8")
    if expected["error_class"]:
        assert f"{expected['error_class']}: " in failure.read_text(encoding="utf-8")
    assert _names(tmp_path / "model") == expected["model_files"]
    assert _names(tmp_path / "output" / "data") == expected["output_data_files"]
    lines = [line for line in answer.stdout.splitlines() if METRIC_LINE.match(line)]
    assert len(lines) == expected["metric_lines"]
    if lines:
        shape = expected["first_metric_line_shape"].split("\t")
        assert sorted(re.sub(r":.*", ":*", part) for part in lines[0].split("\t")) == sorted(shape)
        ours, theirs = _values(lines[-1]), _values(expected["last_metric_line"])
        assert set(ours) == set(theirs)
        if case["name"] not in INEXACT:
            assert ours == pytest.approx(theirs, abs=1e-4, nan_ok=True)
