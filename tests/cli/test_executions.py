"""`ml-a2 upload`, `start`, `watch` and `stop` drive a deployed stack: here the one that `ml-a2 local up` serves."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.xdist_group("executions")
PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def served() -> Iterator[dict[str, str]]:
    """Serve the endpoint with the stack, and give the environment that it says to export."""
    command = [sys.executable, "-m", "ml_a2.cli", "local", "up"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    exports: dict[str, str] = {}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "AWS_REGION" not in exports and time.monotonic() < deadline:
        line = process.stdout.readline()
        assert line, "it ended"
        exports |= dict(re.findall(r"(AWS_\w+)=(\S+)", line))
    yield {**os.environ, **exports}
    process.terminate()
    process.communicate(timeout=PATIENCE_SECONDS)


def _call(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ml_a2.cli", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)


def _json(environment: dict[str, str], *words: str, status: int = 0) -> dict[str, Any]:
    answer = _call(environment, *words, "--json")
    assert answer.returncode == status, answer.stderr
    document: dict[str, Any] = json.loads(answer.stdout)
    return document


@pytest.fixture(scope="module")
def uploaded(served: dict[str, str]) -> dict[str, Any]:
    return _json(served, "upload", "--sample", "breast-cancer")


def test_data_and_code_go_up_once(served: dict[str, str], uploaded: dict[str, Any]) -> None:
    """What is there with the same content is not sent again; what changed is."""
    keys = {each["key"] for each in uploaded["objects"]}
    assert {"train/train.csv", "validation/validation.csv", "evaluation/evaluate.py", "evaluation/columns.json"} <= keys
    assert not any(each["kept"] for each in uploaded["objects"])
    assert uploaded["hyperparameters"]["objective"] == "binary:logistic"
    again = _json(served, "upload", "--sample", "breast-cancer")
    assert all(each["kept"] for each in again["objects"])
    assert [each["version_id"] for each in again["objects"]] == [each["version_id"] for each in uploaded["objects"]]
    other = _json(served, "upload", "--sample", "breast-cancer", "--seed", "7")
    changed = {each["key"] for each in other["objects"] if not each["kept"]}
    assert changed == {"train/train.csv", "validation/validation.csv"}


def test_an_execution_is_started_watched_and_shown(served: dict[str, str], uploaded: dict[str, Any]) -> None:
    """Each command prints the next one; the metrics are those that `show` tells."""
    started = _call(served, "start", "--name", "first", "--set", "num_round=10")
    assert started.returncode == 0, started.stderr
    assert "next: ml-a2 watch first" in started.stdout
    watched = _call(served, "watch", "first", "--every", "0.2")
    assert watched.returncode == 0, watched.stderr
    for words in ("CreateTrainingJob", "round 10/10", "95 % interval", "SUCCEEDED  first"):
        assert words in watched.stdout
    metrics = _json(served, "watch", "first")["metrics"]
    assert metrics["auc"] > 0.98
    assert _json(served, "show", "first")["metrics"] == metrics
    assert "first" in _call(served, "list").stdout


def test_an_execution_is_stopped(served: dict[str, str], uploaded: dict[str, Any]) -> None:
    """Its status is ABORTED with the cause, watching it exits with 1, and there is nothing to stop twice."""
    _json(served, "start", "--name", "long", "--set", "num_round=100000")
    stopped = _call(served, "stop", "long", "--cause", "wrong data")
    assert stopped.returncode == 0, stopped.stderr
    ended = _json(served, "watch", "long", "--every", "0.2", status=1)
    assert (ended["status"], ended["failure"]["cause"]) == ("ABORTED", "wrong data")
    again = _call(served, "stop", "long")
    assert again.returncode == 2
    assert "execution 'long' is ABORTED: there is nothing to stop" in again.stderr


def test_start_can_watch(served: dict[str, str], uploaded: dict[str, Any]) -> None:
    """A model that is given is evaluated again; one command from start to end."""
    first = _json(served, "start", "--set", "num_round=5", "--watch")
    assert first["status"] == "SUCCEEDED"
    bucket = re.search(
        r"s3://[^\"']+/models/[^\"']+model.tar.gz", json.dumps(_json(served, "show", first["execution"]))
    )
    assert bucket is not None
    again = _json(served, "start", "--model-artifact", bucket.group(0), "--watch")
    assert again["metrics"] == first["metrics"]


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["watch", "nobody"], 2, "execution 'nobody' does not exist"),
        (["stop", "nobody"], 2, "execution 'nobody' does not exist"),
        (["start", "--model-artifact", "s3://b/k", "--set", "num_round=3"], 2, "--set decides how a model is trained"),
        (["start", "--set", "num_round"], 2, "'num_round' is not NAME=VALUE"),
        (["start", "--stack", "Other"], 2, "stack 'Other'"),
        (["upload", "--train", "gone.csv", "--target-column", "y"], 2, "gone.csv does not exist"),
        (["upload", "--validation", "v.csv"], 2, "add --train FILE"),
        (["upload", "--sample", "digits", "--set", "max_depth=deep"], 2, "max_depth"),
        (["watch", "first", "--endpoint-url", "http://127.0.0.1:9"], 1, "AWS cannot be reached"),
        (["watch", "first", "--profile", "nobody"], 2, "profile (nobody) could not be found"),
    ],
)
def test_fails_on_bad_input(served: dict[str, str], words: list[str], status: int, told: str) -> None:
    """In one line that names what is wrong."""
    answer = _call(served, *words)
    assert (answer.returncode, told in answer.stderr) == (status, True), answer.stderr
    assert "Traceback" not in answer.stderr
