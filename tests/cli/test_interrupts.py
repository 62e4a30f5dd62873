"""Ctrl-C ends a command at once, but not in the middle of an import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys, time
from ml_a2.cli.interrupts import heed_interrupts
heed_interrupts()
try:
    import interrupted
    time.sleep(60)
except KeyboardInterrupt:
    print("interrupted")
print(sys.modules["interrupted"].done)
"""
# While it is imported, it is interrupted where an exception would be lost, and then where it would become another one.
MODULE = """
import os, signal, weakref
class Thing: pass
class Meddler:
    def __set_name__(self, owner, name):
        os.kill(os.getpid(), signal.{signal})
thing = Thing()
watched = weakref.ref(thing, lambda _: os.kill(os.getpid(), signal.{signal}))
del thing
class Owner:
    meddler = Meddler()
done = "imported"
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupt_within_an_import_comes_after_it(tmp_path: Path, name: str) -> None:
    """Ctrl-C and termination alike; what is imported is whole."""
    (tmp_path / "interrupted.py").write_text(MODULE.format(signal=name))
    assert _run(tmp_path) == ["interrupted", "imported"]


def test_ctrl_c_stays_ignored_where_it_was(tmp_path: Path) -> None:
    """Behind nohup, or in the background of a shell."""
    (tmp_path / "interrupted.py").write_text(MODULE.format(signal="SIGINT"))
    program = PROGRAM.replace("time.sleep(60)", "time.sleep(0.5)")
    ignoring = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n{program}"
    assert _run(tmp_path, ignoring) == ["imported"]


def _run(folder: Path, program: str = PROGRAM) -> list[str]:
    """Return what a program prints that can import what lies in a folder."""
    begin = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # whoever runs the tests
    path = f"import sys; sys.path.insert(0, {str(folder)!r})\n"
    command = [sys.executable, "-c", begin + path + program]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=50)
    assert answer.stderr == ""
    return answer.stdout.split()
