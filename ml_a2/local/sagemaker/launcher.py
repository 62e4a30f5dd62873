"""Run a command the way a container runs it: with its own /opt/ml and, when asked, without a network but its own.

Started as a script of its own by container.py, on Linux only. Three processes: the launcher waits; its child is the
first process of a namespace of its own, which ends with it and takes everything in it along; the command is its child.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import signal
import socket
import struct
import sys
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing and collections.abc take a tenth of this script's time
    from collections.abc import Iterator
    from typing import NoReturn

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x00020000, 0x10000000, 0x20000000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
PR_SET_PDEATHSIG = 1

NAMESPACES_UNAVAILABLE = 125
# <linux/sockios.h>, <linux/if.h>, <linux/route.h>
SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCADDRT, IFF_UP, RTF_UP, RTF_HOST = 0x8913, 0x8914, 0x890B, 1, 1, 4
# XGBoost looks for its own address by the route to this one; nothing is sent there.
PROBED_ADDRESS = "10.255.255.255"


def main(base: str, network: str, command: list[str]) -> None:
    """Mount `base` as /opt/ml and run the command; all of it dies with the process that started it.

    Args:
        base: the folder; beside it may lie a file `hosts`, which then is the command's /etc/hosts.
        network: `isolated` has a loopback interface of its own and nothing else, `networked` the machine's network;
            a number is the process whose isolated network is joined.
        command: what is run.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    with or_unavailable():
        enter(libc, network)
        mount_base(libc, base)
        hosts = os.path.join(os.path.dirname(base), "hosts")
        if os.path.exists(hosts):
            _mount(libc, hosts, "/etc/hosts", None, MS_BIND)
    fork_first(libc)
    _execute(command)


@contextmanager
def or_unavailable() -> Iterator[None]:
    """End this process as one for which the host has no namespaces."""
    try:
        yield
    except OSError as error:
        print(f"namespaces are not available: {error}", file=sys.stderr)
        sys.exit(NAMESPACES_UNAVAILABLE)


def enter(libc: ctypes.CDLL, network: str) -> None:
    """Go into namespaces of its own; what is forked next is the first process there."""
    if network.isdigit():
        _join(libc, network)
        check(libc.unshare(CLONE_NEWNS | CLONE_NEWPID))
    else:
        apart = CLONE_NEWNET if network == "isolated" else 0
        _unshare(libc, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | apart)
    if network == "isolated":
        _bring_up_loopback()
    _mount(libc, "none", "/", None, MS_REC | MS_PRIVATE)


def fork_first(libc: ctypes.CDLL) -> None:
    """Return in the process that is to be the command: the child of the namespace's first one.

    The two above it wait for it and end with its exit code.
    """
    # SIGTERM comes to the whole group: it is for the command alone.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _die_with_parent(libc)
    for _ in range(2):  # a child, so that signals have their usual effect on it, which they have not on the first
        child = os.fork()
        if child != 0:
            os._exit(_wait(child))
        _die_with_parent(libc)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.chdir("/")


def _execute(command: list[str]) -> NoReturn:
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
    check(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))


def _unshare(libc: ctypes.CDLL, flags: int) -> None:
    user, group = os.geteuid(), os.getegid()
    check(libc.unshare(flags))
    # Stay who we are: files that the job writes belong to the person.
    for path, text in (
        ("/proc/self/setgroups", "deny"),
        ("/proc/self/uid_map", f"{user} {user} 1"),
        ("/proc/self/gid_map", f"{group} {group} 1"),
    ):
        with open(path, "w", encoding="ascii") as file:
            file.write(text)


def _join(libc: ctypes.CDLL, process: str) -> None:
    for kind in ("user", "net"):
        namespace = os.open(f"/proc/{process}/ns/{kind}", os.O_RDONLY)
        check(libc.setns(namespace, 0))
        os.close(namespace)


class _Route(ctypes.Structure):
    """`struct rtentry`, as far as it is used."""

    _fields_ = (
        ("pad1", ctypes.c_ulong), ("destination", ctypes.c_char * 16), ("gateway", ctypes.c_char * 16),
        ("mask", ctypes.c_char * 16), ("flags", ctypes.c_ushort), ("pad2", ctypes.c_short), ("pad3", ctypes.c_ulong),
        ("pad4", ctypes.c_void_p), ("metric", ctypes.c_short), ("device", ctypes.c_char_p),
        ("rest", ctypes.c_ulong * 3),
    )  # fmt: skip


def _bring_up_loopback() -> None:
    """Let the loopback interface be up, as in every container, and lead the probed address to it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        answer = fcntl.ioctl(control, SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0))
        (flags,) = struct.unpack_from("h", answer, 16)
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))
        address = struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(PROBED_ADDRESS))
        anything = struct.pack("=HH4s8x", socket.AF_INET, 0, bytes(4))
        route = _Route(flags=RTF_UP | RTF_HOST, device=b"lo")
        ctypes.memmove(ctypes.addressof(route) + _Route.destination.offset, address, len(address))
        ctypes.memmove(ctypes.addressof(route) + _Route.gateway.offset, anything, len(anything))
        ctypes.memmove(ctypes.addressof(route) + _Route.mask.offset, anything, len(anything))
        fcntl.ioctl(control, SIOCADDRT, bytes(route))


def mount_base(libc: ctypes.CDLL, base: str) -> None:
    """Bind `base` to /opt/ml; where that folder does not exist, lay a copy of /opt's mounts over /opt first."""
    if not os.path.isdir("/opt/ml"):
        stage = base + "-opt"  # the hosts of a job start at the same time, each with its own
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
    check(libc.mount(source.encode(), target.encode(), encoded_kind, ctypes.c_ulong(flags), None))


def check(result: int) -> None:
    """Raise the error of a call of the C library that failed."""
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
