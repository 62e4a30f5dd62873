"""Runs that lie on this machine: found by name or path, listed, and told apart from what is no run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ml_a2.errors import UserError
from ml_a2.records.record import UNREADABLE, RunDirectories, find_run
from tests.records.manifests import execution, manifest, write_run


def test_lists_the_newest_first_and_says_that_there_are_more(tmp_path: Path) -> None:
    """By the time of the start, whatever the names."""
    for name, hour in (("b", 9), ("c", 8), ("a", 10)):
        write_run(tmp_path, name, execution=execution(name, started=f"2026-11-24T{hour:02}:00:00.000+00:00"))
    runs = RunDirectories(tmp_path)
    assert [record.name for record in runs.newest(9)[0]] == ["a", "b", "c"]
    newest, more = runs.newest(2)
    assert ([record.name for record in newest], more) == (["a", "b"], True)
    assert not runs.newest(3)[1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "manifest.json cannot be read: No such file or directory"),
        ("{", "manifest.json is not JSON"),
        ("[]", "manifest.json must be a JSON object"),
        ("{}", "'execution' is missing"),
        ('{"execution": {}, "metrics": {}, "hyperparameters": {}, "data": {}}', "'execution.name' is missing"),
        (
            '{"execution": {"name": "x", "status": 1}, "metrics": {}, "hyperparameters": {}, "data": {}}',
            "'execution.status' must be text, not 1",
        ),
        (b"\xff", "manifest.json is not JSON"),
    ],
)
def test_a_broken_run_is_listed_with_its_reason_and_hides_no_other(
    tmp_path: Path, content: str | bytes | None, words: str
) -> None:
    """One that cannot be read is refused when it is asked for, and stands in the list."""
    write_run(tmp_path, "good")
    (tmp_path / "bad").mkdir()
    if content is not None:
        (tmp_path / "bad" / "manifest.json").write_bytes(content.encode() if isinstance(content, str) else content)
    runs = RunDirectories(tmp_path)
    good, bad = runs.newest(9)[0]
    assert (good.status, bad.status) == ("SUCCEEDED", UNREADABLE)
    assert words in str(bad.problem)
    with pytest.raises(UserError, match=r"manifest\.json"):
        runs.get("bad")


def test_a_run_of_an_older_version_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    """Keys that came later are simply not there."""
    old = {key: manifest("old")[key] for key in ("metrics", "hyperparameters")}
    document = {**old, "execution": {"name": "old", "status": "FAILED", "seconds": 1}, "data": {"train": "x.csv"}}
    write_run(tmp_path, "old")
    (tmp_path / "old" / "manifest.json").write_text(json.dumps(document))
    record = RunDirectories(tmp_path).get("old")
    assert (record.status, record.started, record.objective) == ("FAILED", "", "binary:logistic")
    assert record.summary()["gate"] is None


def test_finds_a_run_by_name_and_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the folder of runs, elsewhere, and from within."""
    here = write_run(tmp_path / "runs", "one")
    there = write_run(tmp_path / "elsewhere", "two")
    monkeypatch.chdir(here)
    assert find_run("one", tmp_path / "runs") == here
    assert find_run(str(there), tmp_path / "runs") == there
    assert find_run(".", tmp_path / "runs").resolve() == here
    assert RunDirectories(tmp_path / "runs").get(".").name == "one"


def test_fails_on_an_unknown_name_and_tells_which_there_are(tmp_path: Path) -> None:
    """The newest five, and how many more."""
    with pytest.raises(UserError, match=r"run 'x' does not exist in .*; there are none yet: `ml-a2 run` makes one"):
        find_run("x", tmp_path)
    for number in range(7):
        write_run(tmp_path, f"run-{number}")
    with pytest.raises(UserError, match="there is run-6, run-5, run-4, run-3, run-2 and 2 more"):
        find_run("x", tmp_path)
    with pytest.raises(UserError, match="run '' does not exist"):
        find_run("", tmp_path)


def test_a_run_without_an_evaluation_has_none(tmp_path: Path) -> None:
    """One that failed before it."""
    (write_run(tmp_path, "failed") / "evaluation.json").unlink()
    assert RunDirectories(tmp_path).get("failed").evaluation == {}
