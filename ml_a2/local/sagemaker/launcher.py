"""Run a command the way a container runs it: with its own /opt/ml and, when asked, without a network.

Started as a script of its own by container.py, on Linux only. Three processes: the launcher waits; its child is the
first process of a namespace of its own, which ends with it and takes everything in it along; the command is its child.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import sys

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x00020000, 0x10000000, 0x20000000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
PR_SET_PDEATHSIG = 1

NAMESPACES_UNAVAILABLE = 125


def main(base: str, isolated: bool, command: list[str]) -> None:
    """Mount `base` as /opt/ml and run the command; all of it dies with the process that started it."""
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        _unshare(libc, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | (CLONE_NEWNET if isolated else 0))
        _mount(libc, "none", "/", None, MS_REC | MS_PRIVATE)
        _mount_opt_ml(libc, base)
    except OSError as error:
        print(f"namespaces are not available: {error}", file=sys.stderr)
        sys.exit(NAMESPACES_UNAVAILABLE)
    # SIGTERM comes to the whole group: it is for the command alone.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _die_with_parent(libc)
    first = os.fork()
    if first == 0:
        _die_with_parent(libc)
        os._exit(_run(command))
    os._exit(_wait(first))


def _run(command: list[str]) -> int:
    """Run the command as a child, so that signals have their usual effect on it, and return its exit code."""
    child = os.fork()
    if child != 0:
        return _wait(child)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.chdir("/")
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"exec {command[0]}: {error.strerror}", file=sys.stderr, flush=True)
        os._exit(127 if error.errno == errno.ENOENT else 126)


def _wait(process: int) -> int:
    """Return the exit code, 128 + signal as a shell tells it; processes left to us on the way are reaped too."""
    while True:
        ended, status = os.wait()
        if ended == process:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _die_with_parent(libc: ctypes.CDLL) -> None:
    _check(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))


def _unshare(libc: ctypes.CDLL, flags: int) -> None:
    user, group = os.geteuid(), os.getegid()
    _check(libc.unshare(flags))
    # Stay who we are: files that the job writes belong to the person.
    for path, text in (
        ("/proc/self/setgroups", "deny"),
        ("/proc/self/uid_map", f"{user} {user} 1"),
        ("/proc/self/gid_map", f"{group} {group} 1"),
    ):
        with open(path, "w", encoding="ascii") as file:
            file.write(text)


def _mount_opt_ml(libc: ctypes.CDLL, base: str) -> None:
    """Bind `base` to /opt/ml; where that folder does not exist, lay a copy of /opt's mounts over /opt first."""
    if not os.path.isdir("/opt/ml"):
        stage = os.path.join(os.path.dirname(base), "opt")
        os.makedirs(os.path.join(stage, "ml"), exist_ok=True)
        for name in os.listdir("/opt") if os.path.isdir("/opt") else ():
            _show(libc, os.path.join("/opt", name), os.path.join(stage, name))
        _mount(libc, stage, "/opt", None, MS_BIND | MS_REC)
    _mount(libc, base, "/opt/ml", None, MS_BIND)


def _show(libc: ctypes.CDLL, source: str, target: str) -> None:
    if os.path.islink(source):
        if not os.path.lexists(target):
            os.symlink(os.readlink(source), target)
    elif os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
        _mount(libc, source, target, None, MS_BIND | MS_REC)


def _mount(libc: ctypes.CDLL, source: str, target: str, kind: str | None, flags: int) -> None:
    encoded_kind = kind.encode() if kind else None
    _check(libc.mount(source.encode(), target.encode(), encoded_kind, ctypes.c_ulong(flags), None))


def _check(result: int) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] == "isolated", sys.argv[3:])
