"""A container that waited for its job runs it as one does that is started for it."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_a2.local.sagemaker import warm_containers
from ml_a2.local.sagemaker.container import Container, has_namespaces
from ml_a2.local.sagemaker.warm_containers import WarmContainers, base_environment

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not has_namespaces(), reason="containers wait only where the host has namespaces"
)

# All of what a program can see of the place that it runs in.
PROBE = """
import json, os, socket, sys
print(json.dumps([__name__, sys.argv, sys.path, sorted(os.environ.items()), os.getcwd(), os.getpid(), os.geteuid()]))
print(sorted(os.listdir("/opt/ml")), [name for _, name in socket.if_nameindex()], sys.stdin.read() == "")
print(sorted(name for name in ("__file__", "__spec__", "__package__") if name in globals()))
print([line for line in open("/proc/self/status") if line.startswith(("CapEff", "SigIgn"))])
"""


@pytest.fixture
def warm() -> Iterator[WarmContainers]:
    """A container that waits, as `ml-a2 run --model` has it."""
    with WarmContainers(["evaluation"]) as containers:
        yield containers


def _base(folder: Path, script: str) -> Path:
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "script.py").write_text(script, encoding="utf-8")
    return folder


def _run(folder: Path, script: str, warm: WarmContainers | None, **more: str) -> tuple[int, list[str]]:
    lines: list[str] = []
    command = ["python3", "/opt/ml/code/script.py", "--flag", "a b"]
    environment = {"PROCESSING_JOB_NAME": "job", **more}
    container = Container(_base(folder, script), command, environment, isolated=True, log=lines.append, warm=warm)
    return container.run(), lines


@pytest.mark.parametrize(
    "script",
    [
        PROBE,
        "import sys\nsys.exit(7)",
        "def f():\n    raise ValueError('told')\nf()",
        "raise SystemExit('in words')",
        "syntax error",
    ],
)
def test_a_job_does_not_see_that_its_container_waited(tmp_path: Path, warm: WarmContainers, script: str) -> None:
    """Arguments, paths, variables, folders, network, exit codes and tracebacks are those of a fresh container."""
    fresh = _run(tmp_path / "fresh", script, None)
    waited = _run(tmp_path / "waited", script, warm)
    assert waited == fresh
    assert waited[1] or waited[0] == 7


TRAINING = [sys.executable, "-m", "ml_a2.local.images.xgboost"]
EVALUATION = [sys.executable, "/opt/ml/code/script.py"]


def test_each_container_is_for_one_job(tmp_path: Path) -> None:
    """The second job of a kind starts a container of its own, and one of the other kind finds its own."""
    with WarmContainers() as warm:
        jobs = (TRAINING, TRAINING, EVALUATION, EVALUATION)
        taken = [warm.take(tmp_path, each, base_environment(), isolated=True) for each in jobs]
        assert [process is not None for process in taken] == [True, False, True, False]
        for process in filter(None, taken):
            process.communicate(timeout=60)


@pytest.mark.parametrize("first", [TRAINING, [sys.executable, "-m", "ml_a2.local.images.faulty", "crash"]])
def test_the_second_starts_with_the_first_job(tmp_path: Path, first: list[str]) -> None:
    """Whichever way that job gets its container, and no earlier."""
    with WarmContainers() as warm:
        assert list(warm._waiting) == ["training"]
        process = warm.take(tmp_path, first, base_environment(), isolated=True)
        assert "evaluation" in warm._waiting
        if process:
            process.communicate(timeout=60)


@pytest.mark.parametrize(
    ("command", "variables", "isolated"),
    [
        ([sys.executable, "/opt/ml/code/script.py"], {"OMP_NUM_THREADS": "1"}, True),
        ([sys.executable, "/opt/ml/code/script.py"], {"PYTHONPATH": "/elsewhere"}, True),
        ([sys.executable, "/opt/ml/code/script.py"], {}, False),
        ([sys.executable, "-m", "ml_a2.local.images.faulty", "crash"], {}, True),
        (["/bin/true"], {}, True),
    ],
)
def test_a_job_that_would_see_a_difference_gets_none(
    tmp_path: Path, warm: WarmContainers, command: list[str], variables: dict[str, str], isolated: bool
) -> None:
    """What libraries read when they are loaded, another program, or a network: such jobs start their own."""
    assert warm.take(tmp_path, command, {**base_environment(), **variables}, isolated=isolated) is None


def test_a_container_that_died_is_no_loss(tmp_path: Path) -> None:
    """Whoever would have got it starts a container of its own."""
    with WarmContainers(["evaluation"]) as warm:
        for started in warm._waiting.values():
            process = started.result()
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        code, lines = _run(tmp_path, "print('all the same')", warm)
    assert (code, lines) == (0, ["all the same"])


def test_a_container_that_cannot_be_started_is_no_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job tries it itself, and tells what is wrong if it fails, too."""

    def refuse(_: object) -> None:
        raise BlockingIOError("Resource temporarily unavailable")

    with monkeypatch.context() as patched:
        patched.setattr(warm_containers, "_start", refuse)
        with WarmContainers(["evaluation"]) as warm:
            assert _run(tmp_path, "print('all the same')", warm) == (0, ["all the same"])


def test_containers_that_nobody_took_are_ended(tmp_path: Path) -> None:
    """Nothing waits on when whoever started them is done, though it may just begin to import."""
    with WarmContainers() as warm:
        warm.take(tmp_path, ["/bin/true"], {}, isolated=True)
        processes = [started.result() for started in warm._waiting.values()]
        assert len(processes) == 2
        children = {child for process in processes for child in _tree(process.pid)}
    assert all(process.returncode == -signal.SIGKILL for process in processes)
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{child}").exists() for child in children)


def _tree(pid: int) -> Iterator[int]:
    deadline = time.monotonic() + 30
    while not (children := Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    yield from map(int, children)
