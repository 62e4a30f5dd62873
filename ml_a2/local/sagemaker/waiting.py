"""A container that is there before its job: what its program needs is imported while nobody waits for it.

Run as a module by warm_containers.py, on Linux only, with the namespaces that launcher.py gives a container. One line
on standard input tells what to run, as JSON: `base`, the folder that becomes /opt/ml, `environment`, and `command`.
"""

from __future__ import annotations

import ctypes
import json
import os
import runpy
import sys
import traceback
from importlib import import_module
from pathlib import Path
from types import TracebackType

from ml_a2.local.sagemaker import launcher

# <linux/capability.h>
CAPABILITY_VERSION = 0x20080522


def main(network: str, modules: list[str]) -> None:
    """Wait for the order, with these modules imported, and carry it out."""
    libc = ctypes.CDLL(None, use_errno=True)
    with launcher.or_unavailable():
        launcher.enter(libc, network)
    launcher.fork_first(libc)
    for module in modules:
        import_module(module)
    line = sys.stdin.readline()
    if not line:
        return  # nobody came
    order = json.loads(line)
    launcher.mount_base(libc, order["base"])
    _become_a_person(libc)
    os.environ.clear()
    os.environ.update(order["environment"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    run(order["command"])


def run(command: list[str]) -> None:
    """Run `python -m MODULE ...` or `python FILE ...` as the interpreter does, in this process."""
    sys.excepthook = _tell
    if command[1] == "-m":
        sys.argv = command[2:]
        sys.path.insert(0, "")
        runpy.run_module(command[2], run_name="__main__", alter_sys=True)
    else:
        sys.argv = command[1:]
        sys.path.insert(0, str(Path(command[1]).parent))
        runpy.run_path(command[1], run_name="__main__")


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Write a traceback that begins with the program, as its own interpreter would."""
    while trace and trace.tb_frame.f_code.co_filename in (__file__, runpy.__file__, "<frozen runpy>"):
        trace = trace.tb_next
    traceback.print_exception(kind, error, trace)


def _become_a_person(libc: ctypes.CDLL) -> None:
    """Give up what a user has in its own namespace until it executes a program, which does not happen here."""
    if os.geteuid() != 0:
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
        launcher.check(libc.capset(header, (ctypes.c_uint32 * 6)()))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
