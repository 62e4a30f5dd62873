"""Broken inputs are refused in a few lines, never with a traceback, and leave nothing behind.

A hundred examples, the same each time; `ML_A2_FUZZ=N` draws N times as many others.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ml_a2.cli import main
from tests.cli import breaking

TIMES = int(os.environ.get("ML_A2_FUZZ", "0"))
MOST_LINES = 10
LONGEST_LINE = 2000
RUN = "20261124-100000-abcd"


def _seeds(count: int) -> range:
    return range(count) if not TIMES else range(1000, 1000 + count * TIMES)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be in an empty folder, with temporary files in another."""
    for name in ("here", "temporary"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    return tmp_path / "here"


def _refused(answer: Result, *, statuses: tuple[int, ...] = (2,)) -> None:
    """Check that a command ended as one that was given something broken."""
    words = answer.output
    assert answer.exit_code in statuses, words[:3000]
    assert "internal error" not in words, words[:3000]
    assert "Traceback" not in words, words[:3000]
    lines = words.splitlines()
    assert len(lines) <= MOST_LINES, words[:3000]
    assert max(map(len, lines), default=0) <= LONGEST_LINE, words[:3000]


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.mark.parametrize("seed", _seeds(20))
def test_broken_tables_are_refused(seed: int, folder: Path) -> None:
    """By doctor, which reads a table as run does: nothing is deployed for it."""
    chance = random.Random(seed)
    name = chance.choice(("t.csv", "t.parquet", "t.CSV", "t", "t.csv.gz"))
    path = breaking.write(folder, name, breaking.table(chance))
    _refused(_run("doctor", "--train", str(path), "--target-column", "target"), statuses=(1, 2))


@pytest.mark.parametrize("seed", _seeds(2))
def test_broken_tables_are_refused_before_a_run(seed: int, folder: Path) -> None:
    """Nothing is left of what was begun beside the reading."""
    path = breaking.write(folder, "t.csv", breaking.table(random.Random(seed)))
    _refused(_run("run", "--train", str(path), "--target-column", "target"))
    assert sorted(folder.iterdir()) == [path]


@pytest.mark.parametrize("seed", _seeds(10))
def test_broken_channels_are_told(seed: int, folder: Path) -> None:
    """Files as the image would read them, which may be far from what it can."""
    chance = random.Random(seed)
    path = breaking.write(folder, "channel/part-0.csv", breaking.table(chance))
    kind = chance.choice(("text/csv", "libsvm", "parquet", "application/x-recordio-protobuf"))
    answer = _run("doctor", "--train", str(path.parent), "--content-type", kind, "--set", "objective=binary:logistic")
    assert "internal error" not in answer.output, answer.output[:3000]
    assert "Traceback" not in answer.output, answer.output[:3000]
    assert answer.exit_code in (0, 1), answer.output[:3000]
    assert max(map(len, answer.output.splitlines()), default=0) <= LONGEST_LINE


@pytest.mark.parametrize("seed", _seeds(12))
def test_broken_settings_are_refused(seed: int, folder: Path) -> None:
    """Bytes, text and values."""
    path = breaking.write(folder, "pipeline.toml", breaking.settings(random.Random(seed)))
    _refused(_run("doctor", "--settings", str(path), "--sample", "digits"))


COMMANDS: tuple[Callable[[], Result], ...] = (
    lambda: _run("show", RUN),
    lambda: _run("report", RUN),
    lambda: _run("verify", RUN, "--no-repeat"),
    lambda: _run("compare", RUN, RUN),
    lambda: _run("run", "--model", RUN, "--validation", "missing.csv"),
    lambda: _run("cost", "--run", RUN),
)


@pytest.mark.parametrize("seed", _seeds(10))
def test_broken_records_are_refused(seed: int, folder: Path) -> None:
    """A run directory whose manifest cannot be read."""
    chance = random.Random(seed)
    breaking.write(folder, f"runs/{RUN}/manifest.json", breaking.document(chance, breaking.whole_manifest(RUN)))
    _refused(chance.choice(COMMANDS[:4])())


@pytest.mark.parametrize("seed", _seeds(14))
def test_records_of_another_shape_end_no_command_in_the_middle(seed: int, folder: Path) -> None:
    """What can be told is told; what cannot is refused."""
    chance = random.Random(seed)
    whole = {"manifest.json": breaking.whole_manifest(RUN), "evaluation.json": breaking.EVALUATION}
    changed = chance.choice(list(whole))
    for name, document in whole.items():
        content = breaking.other_shape(chance, document) if name == changed else json.dumps(document).encode()
        breaking.write(folder, f"runs/{RUN}/{name}", content)
    answer = chance.choice(COMMANDS[:5])()
    assert "internal error" not in answer.output, answer.output[:3000]
    assert "Traceback" not in answer.output
    assert answer.exit_code in (0, 1, 2), answer.output[:3000]


@pytest.mark.parametrize("seed", _seeds(6))
def test_broken_archives_are_refused(seed: int, folder: Path) -> None:
    """What is given for a model; it is never unpickled, and nothing is written outside."""
    breaking.write(folder, "t.csv", breaking.TABLE.encode())
    breaking.write(folder, "model.tar.gz", breaking.archive(random.Random(seed)))
    arguments = ["--model", "model.tar.gz", "--validation", "t.csv", "--target-column", "target"]
    _refused(_run("run", *arguments))
    assert sorted(path.name for path in folder.iterdir()) == ["model.tar.gz", "t.csv"]


@pytest.mark.parametrize("seed", _seeds(6))
def test_broken_assemblies_are_refused(seed: int, folder: Path, assembly: Path) -> None:
    """An assembly whose manifest or template is no JSON."""
    chance = random.Random(seed)
    for name in ("manifest.json", next(assembly.glob("*.template.json")).name):
        breaking.write(folder, f"cdk.out/{name}", (assembly / name).read_bytes())
    broken = chance.choice(sorted((folder / "cdk.out").iterdir()))
    broken.write_bytes(breaking.document(chance, {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}}))
    _refused(
        chance.choice((lambda: _run("cost", "--assembly", "cdk.out"), lambda: _run("run", "--assembly", "cdk.out")))()
    )


@pytest.mark.parametrize("seed", _seeds(20))
def test_broken_command_lines_are_refused(seed: int) -> None:
    """Options and values that there are not."""
    _refused(_run(*breaking.arguments(random.Random(seed))))
