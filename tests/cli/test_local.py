"""`ml-a2 local up`: what it prints is what works, and nothing is left of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ml_a2 import contract
from ml_a2.account import Account
from ml_a2.cli import main
from ml_a2.client import Pipeline
from ml_a2.evaluation_code import evaluation_files
from ml_a2.local.clients import Clients
from ml_a2.local.state.folder import SNAPSHOT


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serves_until_it_is_told_to_end(assembly: Path, number: int) -> None:
    """The exports lead to the deployed stack; the end is clean."""
    command = [sys.executable, "-m", "ml_a2.cli", "local", "up", "--assembly", str(assembly)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as up:
        try:
            assert up.stderr is not None
            assert up.stdout is not None
            told = []
            while not told or not told[-1].startswith("serving "):
                told.append(up.stderr.readline())
                assert told[-1], "it ended before it served"
            up.send_signal(number)
            rest = up.stdout.read()
            assert up.wait(timeout=60) == 0
        finally:
            up.kill()
    exports = dict(re.findall(r"(\w+)=(\S+)", rest))
    assert set(exports) == {
        "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION",
        "NO_PROXY", "no_proxy",
    }  # fmt: skip
    assert told[-1] == f"serving {exports['AWS_ENDPOINT_URL']} until Ctrl-C\n"


def test_the_exports_lead_to_the_stack(assembly: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing but what was printed."""
    command = [sys.executable, "-m", "ml_a2.cli", "local", "up", "--assembly", str(assembly)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as up:
        try:
            assert up.stdout is not None
            lines = "".join(up.stdout.readline() for _ in range(4))
            for name, value in re.findall(r"(\w+)=(\S+)", lines):
                monkeypatch.setenv(name, value)
            assert set(Account().outputs(contract.STACK_NAME)) >= set(contract.OUTPUTS)
            up.terminate()
            assert up.wait(timeout=60) == 0
        finally:
            up.kill()


@contextmanager
def _up(assembly: Path, state: Path) -> Iterator[tuple[subprocess.Popen[str], Pipeline, list[str]]]:
    """Serve what is kept in a folder; gives the process, what was deployed, and what it told before it served."""
    command = [sys.executable, "-m", "ml_a2.cli", "local", "up", "--assembly", str(assembly), "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as up:
        try:
            assert up.stdout is not None
            assert up.stderr is not None
            told = [up.stderr.readline()]
            while not told[-1].startswith("serving "):
                told.append(up.stderr.readline())
                assert told[-1], f"it ended before it served: {told}"
            clients = Clients(told[-1].split()[1], "us-east-1")
            stack = clients.client("cloudformation").describe_stacks()["Stacks"][0]
            outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
            yield up, Pipeline(clients, outputs), told
        finally:
            up.kill()


def test_what_is_kept_is_there_after_a_restart(assembly: Path, tmp_path: Path) -> None:
    """Versions of objects, the execution, its results; the stack is the same one, and was not touched."""
    state, (first, second) = tmp_path / "state", (tmp_path / "first", tmp_path / "second")
    first.write_text("1,2\n0,1\n" * 50)
    second.write_text("1,3\n0,1\n" * 50)
    with _up(assembly, state) as (up, pipeline, told):
        assert told[0] == f"state: {state}: new\n"
        for rows in (first, second):
            pipeline.upload({**evaluation_files(), "train/t.csv": rows, "validation/v.csv": rows})
        arn = pipeline.start("kept", {"hyperparameters": {"num_round": "3", "objective": "binary:logistic"}})
        for _ in pipeline.watch(arn, poll_seconds=0.1):
            pass
        before = _seen(pipeline, arn)
        up.terminate()
        assert up.wait(timeout=60) == 0
        assert up.stderr is not None
        varying = re.compile(r"^[\d:]{8}  | after .*|[0-9a-f]{40}| of [^:]+")
        happened = [varying.sub("", line) for line in up.stderr.read().splitlines()]
        assert happened == [
            "execution kept: RUNNING",
            "training job ml-a2-training-: created, InProgress",
            "training job ml-a2-training-: Completed",
            "processing job ml-a2-evaluation-: created, InProgress",
            "processing job ml-a2-evaluation-: Completed",
            "execution kept: SUCCEEDED",
            "ending",
        ]
    with _up(assembly, state) as (up, pipeline, told):
        stacks = "stack CDKToolkit, stack MlA2TrainingEvaluationStack"
        assert re.match(rf"state: .*: {stacks}, \d+ objects, 1 execution, from 20", told[0])
        assert _seen(pipeline, arn) == before
        assert before["status"] == "SUCCEEDED"
        assert len(before["versions"]) == 2


def test_little_is_lost_when_it_is_killed(assembly: Path, tmp_path: Path) -> None:
    """What was there some seconds before is there; the folder is free again."""
    state, rows = tmp_path / "state", tmp_path / "rows"
    rows.write_text("1,2\n")
    with _up(assembly, state) as (up, pipeline, _):
        pipeline.upload({"train/t.csv": rows})
        deadline = time.monotonic() + 60
        while b"train/t.csv" not in (state / SNAPSHOT).read_bytes() if (state / SNAPSHOT).exists() else True:
            assert time.monotonic() < deadline, "nothing was kept"
            time.sleep(0.1)
        busy = CliRunner().invoke(main, ["local", "up", "--no-deploy", "--state", str(state)])
        assert (busy.exit_code, "another process serves it" in busy.output) == (2, True), busy.output
        up.kill()
        up.wait()
    with _up(assembly, state) as (up, pipeline, told):
        assert "1 object, 0 executions" in told[0]


def _seen(pipeline: Pipeline, arn: str) -> dict[str, Any]:
    """Return what a person would look for again."""
    clients: Any = pipeline._clients
    bucket = pipeline._outputs[contract.OUTPUT_TRAINING_DATA_BUCKET]
    stack = clients.client("cloudformation").describe_stacks()["Stacks"][0]
    versions = clients.s3.list_object_versions(Bucket=bucket, Prefix="train/")["Versions"]
    return {
        "stack": {key: stack.get(key) for key in ("StackId", "StackStatus", "CreationTime", "LastUpdatedTime")},
        "versions": [(version["VersionId"], version["ETag"], version["LastModified"]) for version in versions],
        "status": pipeline.outcome(arn).status,
        "history": pipeline.history(arn),
        "metrics": pipeline.outcome(arn).output,
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--state", __file__], "is no folder; choose a new --state DIR"),
        (["--state", str(Path(__file__).parent)], "holds something else"),
        (["--no-deploy", "--assembly", "cdk.out"], "--no-deploy leaves the stack to another program"),
        (["--assembly", "nowhere"], "nowhere/manifest.json cannot be read"),
    ],
)
def test_fails_on_wrong_usage(arguments: list[str], words: str) -> None:
    """With exit status 2, and what to do."""
    answer = CliRunner().invoke(main, ["local", "up", *arguments])
    assert (answer.exit_code, words in answer.output) == (2, True), answer.output
