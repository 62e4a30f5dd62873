"""Keeps the endpoint's state: found when it starts, written down some seconds after a change and when it ends."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import ml_a2.local.engine  # noqa: F401  # before the modules below, which import all of it
from ml_a2.errors import PlatformError
from ml_a2.local.objects.store import ObjectStore, activate
from ml_a2.local.objects.value import Value
from ml_a2.local.state import backends
from ml_a2.local.state.folder import StateFolder
from ml_a2.local.state.gate import Gate
from ml_a2.local.state.pickling import dumps, loads
from ml_a2.local.template import Environment

LOG = logging.getLogger(__name__)

# From a change to the snapshot that has it.
DELAY_SECONDS = 2.0
# Snapshots of a large state keep requests waiting; they may take this share of the time.
SHARE = 0.05
# After one that could not be taken or written.
AGAIN_SECONDS = 10.0


class Part(Protocol):
    """One of our own services, whose state is kept beside moto's."""

    def kept(self) -> Any:
        """Return its state as data that nobody changes any more; runs when no request is under way."""

    def restore(self, kept: Any) -> None:
        """Take a state in the place of the empty one."""


class Keeper:
    """Holds what the endpoint begins with, and a thread that keeps what becomes of it."""

    def __init__(self, folder: StateFolder, where: Environment) -> None:
        """Read the folder; nothing is restored yet.

        Raises:
            UserError: the snapshot cannot be read.
        """
        self.gate = Gate()
        self.found = f"state: {folder.path}: new"
        self._folder = folder
        self._objects = ObjectStore(folder.objects, removes=False)
        activate(self._objects)
        self._live = backends.stores(where)
        self._parts: dict[str, Part] = {}
        self._state: Any = None
        self._last = b""
        if snapshot := folder.read():
            self._state = loads(snapshot.payload, f"state {folder.path}")
            self._last = snapshot.payload
            self.found = f"state: {folder.path}: {_summary(self._state)}, from {_local(snapshot.saved)}"
        # Files of objects that have reached the disk.
        self._on_disk: set[str] = set()
        self._delay = DELAY_SECONDS
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="state", daemon=True)

    def restore(self, **parts: Part) -> None:
        """Let moto's stores and our own services be as they were left."""
        self._parts = parts
        if self._state is not None:
            backends.put_back(self._live, self._state["moto"])
            for name, part in parts.items():
                part.restore(self._state["own"][name])
            self._state = None
        self._objects.remove(self._objects.unreferenced())
        self._on_disk = {path.name for path in self._objects.folder.iterdir()}

    def start(self, possible: Callable[[], bool], quiet: Callable[[], bool]) -> None:
        """Begin to keep.

        Args:
            possible: whether nothing is half done beside requests.
            quiet: whether nothing is about to follow from what happened.
        """
        self._possible, self._quiet = possible, quiet
        self._thread.start()

    def noting(self, listener: Callable[..., None]) -> Callable[..., None]:
        """Return a listener after which there is something to be kept."""

        def listen(*arguments: Any) -> None:
            listener(*arguments)
            self.gate.changed.set()

        return listen

    def close(self) -> None:
        """Keep the end, after which nothing changes any more.

        Raises:
            PlatformError: it cannot be written.
        """
        self._ending.set()
        self.gate.changed.set()
        self.gate.give_up()
        if self._thread.is_alive():
            self._thread.join()
        with self.gate.shut():
            taken = self._take() if self._possible() else None
        if taken is None:
            LOG.warning("%s keeps what was there before the deployment that was broken off", self._folder.path)
        else:
            self._write(taken)

    def _keep(self) -> None:
        # Looked at before each wait: a snapshot that is under way at the end takes the sign that `close` gives for a
        # change that it has, and clears it.
        while not self._ending.is_set():
            self.gate.changed.wait()
            if self._ending.wait(self._delay):
                return
            try:
                self._save()
            except PlatformError as error:
                LOG.error("%s; tried again in %.0f s", error, AGAIN_SECONDS)  # noqa: TRY400  # told, without a trace
                self._try_again()
            except Exception:
                LOG.exception("the state could not be kept; tried again in %.0f s", AGAIN_SECONDS)
                self._try_again()

    def _try_again(self) -> None:
        self.gate.changed.set()
        self._delay = AGAIN_SECONDS

    def _save(self) -> None:
        with self.gate.alone(self._possible, self._quiet) as alone:
            if not alone:
                return  # what changed is still to be kept
            began = time.monotonic()
            self.gate.changed.clear()
            taken = self._take()
            self._delay = max(DELAY_SECONDS, (time.monotonic() - began) / SHARE)
        self._write(taken)

    def _write(self, taken: _Taken) -> None:
        if taken.payload != self._last:
            self._folder.write(taken.payload, taken.objects - self._on_disk)
            self._last = taken.payload
            self._on_disk = taken.objects
        self._objects.remove(taken.unreferenced)  # not before: the snapshot before may have referred to them

    def _take(self) -> _Taken:
        referred: set[str] = set()

        def refer(value: Value) -> Any:
            made, (ranges, length) = value.__reduce__()
            referred.update(known[0] for known, _, _ in ranges or ())
            return made, (ranges, length)

        state = {
            "moto": {name: dict(vars(store)) for name, store in self._live.items()},
            "own": {name: part.kept() for name, part in self._parts.items()},
        }
        payload = dumps(state, {**backends.reducers(self._live), Value: refer})
        return _Taken(payload, referred, self._objects.unreferenced())


@dataclass(frozen=True)
class _Taken:
    """A snapshot, the files of objects that it refers to, and those that nothing refers to any more."""

    payload: bytes
    objects: set[str]
    unreferenced: list[Path]


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _summary(state: Mapping[str, Any]) -> str:
    stacks = [f"stack {stack.name}" for stack in state["own"]["stacks"] if stack.status != "DELETE_COMPLETE"]
    objects, runs = backends.count_objects(state["moto"]), backends.count_executions(state["moto"])
    return ", ".join([*stacks, _counted(objects, "object"), _counted(runs, "execution")])


def _local(time: dt.datetime) -> str:
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S")
