"""`ml-a2 local up`: what it prints is what works, and nothing is left of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ml_a2 import contract
from ml_a2.account import Account
from ml_a2.cli import main


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
        # Whoever runs the tests in the background may ignore Ctrl-C, and would hand that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  # no threads yet
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


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--state", "kept"], "--state is not supported yet"),
        (["--no-deploy", "--assembly", "cdk.out"], "--no-deploy leaves the stack to another program"),
        (["--assembly", "nowhere"], "nowhere/manifest.json cannot be read"),
    ],
)
def test_fails_on_wrong_usage(arguments: list[str], words: str) -> None:
    """With exit status 2, and what to do."""
    answer = CliRunner().invoke(main, ["local", "up", *arguments])
    assert (answer.exit_code, words in answer.output) == (2, True), answer.output
