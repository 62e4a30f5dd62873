"""Several hosts that train one model together: first they agree on who has data, then those that do form a collective.

Source: the container's public source, whose tracker runs on the first host by name, at port 9099 and then at 9100.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ml_a2.local.images.xgboost.engine import xgb
from ml_a2.local.images.xgboost.interface import PORT, PORT_VARIABLE

LOOPBACK = "127.0.0.1"
# Hosts need not come up at the same time, nor have their data loaded.
PATIENCE_SECONDS = 15 * 60


def train_together(hosts: Sequence[str], host: str, train: Callable[[bool], None], *, has_data: bool) -> None:
    """Call `train` on every host that has data, telling it whether it is the first of them.

    Args:
        hosts: the names of all hosts.
        host: this one's.
        train: trains while the collective is there.
        has_data: whether this host has rows of every channel.

    Raises:
        RuntimeError: no host has data.
        XGBoostError: the collective breaks, as when another host dies.
    """
    port = int(os.environ.get(PORT_VARIABLE, PORT))
    with _collective(hosts, host, port):
        with_data = [name for name, has in _gather((host, has_data)) if has]
    if not has_data:
        print(f"Host {host} not being used for distributed training.", file=sys.stderr, flush=True)
    elif len(with_data) > 1:
        with _collective(with_data, host, port + 1):
            train(host == min(with_data))
    else:
        train(True)
    if not with_data:
        raise RuntimeError("No hosts received training data.")


@contextmanager
def _collective(hosts: Sequence[str], host: str, port: int) -> Iterator[None]:
    first = min(hosts)
    tracker = None
    if host == first:
        tracker = xgb.tracker.RabitTracker(n_workers=len(hosts), host_ip=_address(host), sortby="task")
        tracker.start()
        arguments = tracker.worker_args()
        _announce(arguments, (_address(host), port), listeners=len(hosts) - 1)
    else:
        arguments = _ask((_address(first), port))
    with xgb.collective.CommunicatorContext(**arguments, dmlc_task_id=host):
        yield
    if tracker:
        tracker.wait_for()


def _announce(arguments: Mapping[str, Any], address: tuple[str, int], listeners: int) -> None:
    """Tell every other host where the tracker is: it takes any free port, whatever it is asked for."""
    with socket.create_server(address) as server:
        server.settimeout(PATIENCE_SECONDS)
        for _ in range(listeners):
            connection, _ = server.accept()
            with connection:
                connection.sendall(json.dumps(arguments).encode())


def _ask(address: tuple[str, int]) -> dict[str, Any]:
    """Wait for the first host, and hear where the tracker is."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with socket.create_connection(address, timeout=PATIENCE_SECONDS) as connection:
                answer: dict[str, Any] = json.loads(connection.makefile("rb").read())
                return answer
        except OSError:  # refused, or unreachable while its network comes up
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _gather(mine: tuple[str, bool]) -> list[tuple[str, bool]]:
    rank = xgb.collective.get_rank()
    return [
        xgb.collective.broadcast(mine if rank == root else None, root)
        for root in range(xgb.collective.get_world_size())
    ]


def _address(host: str) -> str:
    """Return a host's address; where the container's names are not known, all hosts are this machine."""
    try:
        return socket.gethostbyname(host)
    except OSError:
        return LOOPBACK
