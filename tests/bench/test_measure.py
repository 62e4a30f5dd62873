"""What a command costs is measured, and nothing of it is left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.measure import Running, measure
from ml_a2.errors import PlatformError
from tests.processes import below, ended

TAKE = "taken = bytearray(200_000_000)\ntaken[::4096] = b'x' * len(taken[::4096])\n"


def test_the_largest_process_may_be_one_that_the_command_started(tmp_path: Path) -> None:
    """Memory is that of the whole tree, not of the command alone."""
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {TAKE!r}], check=True)\nprint('done')"
    usage = measure([sys.executable, "-c", code], tmp_path)
    assert 190 < usage.largest_mb < 800
    assert usage.output == "done\n"


def test_memory_of_all_processes_is_added(tmp_path: Path) -> None:
    """Two that run at once count together, each of them alone in the largest."""
    child = f"{TAKE}print(flush=True)\ninput()"
    code = (
        f"import subprocess, sys, time\nready = [subprocess.Popen([sys.executable, '-c', {child!r}],"
        " stdin=-1, stdout=-1) for _ in range(2)]\nfor each in ready: each.stdout.readline()\ntime.sleep(2)\n"
        "for each in ready: each.communicate(b'\\n')"
    )
    usage = measure([sys.executable, "-c", code], tmp_path)
    assert usage.together_mb > 380


def test_work_of_child_processes_counts(tmp_path: Path) -> None:
    """Processor time is that of the whole tree."""
    work = "import time\nwhile time.process_time() < 0.5: pass"
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {work!r}], check=True)"
    assert measure([sys.executable, "-c", code], tmp_path).processor_seconds > 0.5


def test_fails_with_the_words_of_a_command_that_fails(tmp_path: Path) -> None:
    """A measurement of something that went wrong is none."""
    with pytest.raises(PlatformError, match=r"ended with exit status 3: no such file$"):
        measure([sys.executable, "-c", "import sys; print('no such file', file=sys.stderr); sys.exit(3)"], tmp_path)


def test_fails_when_a_process_is_left_behind_and_ends_it(tmp_path: Path) -> None:
    """What a command leaves running would be measured with the next one."""
    with pytest.raises(PlatformError, match="left processes behind: sleep 98765"):
        measure(["sh", "-c", "sleep 98765 & exit 0"], tmp_path)
    assert below("98765") == []


def test_ctrl_c_leaves_no_process_behind(tmp_path: Path) -> None:
    """The command and what it started end with the measuring."""
    command = ["sh", "-c", "sleep 98764 & echo $$ $! > unfinished; mv unfinished started; wait"]
    code = f"from pathlib import Path\nfrom bench.measure import measure\nmeasure({command}, Path({str(tmp_path)!r}))"
    with ended(subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2], stderr=-1)) as measuring:
        started = tmp_path / "started"
        while not started.exists():
            assert measuring.poll() is None
            time.sleep(0.01)
        measuring.send_signal(signal.SIGINT)
        words = measuring.communicate(timeout=60)[1]
    assert words.strip().endswith(b"KeyboardInterrupt")
    assert not any(Path("/proc", pid).exists() for pid in started.read_text(encoding="utf-8").split())


def test_a_served_program_is_told_to_end(tmp_path: Path) -> None:
    """A server that ends well when terminated has a cost like any command."""
    code = (
        "import pathlib, signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        "pathlib.Path('started').touch()\nsignal.pause()"
    )
    with Running([sys.executable, "-c", code], tmp_path) as running:
        while not (tmp_path / "started").exists():
            assert not running.has_ended(), running.last_words()
    assert running.usage().largest_mb > 5
    assert below("signal.pause") == []


def test_processes_that_were_there_before_stay(tmp_path: Path) -> None:
    """What else whoever measures has started is none of the command's."""
    with ended(subprocess.Popen(["sleep", "98763"])) as other:
        usage = measure([sys.executable, "-c", "pass"], tmp_path)
        assert other.poll() is None
        other.kill()
    assert usage.output == ""


def test_the_configuration_of_aws_plays_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables of the person that would change a result do not reach what is measured."""
    monkeypatch.setenv("AWS_PROFILE", "mine")
    usage = measure([sys.executable, "-c", "import os; print(os.environ.get('AWS_PROFILE'))"], tmp_path)
    assert usage.output == "None\n"
