"""The folder of `--state DIR`: one snapshot with a header that says who can read it, and the objects' bytes beside it.

ml-a2-state         the header as a line of JSON, then the pickled state
ml-a2-state.lock    held by the process that serves it
objects/            the bytes of S3 objects
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import FileLock, Timeout

from ml_a2 import __version__
from ml_a2.errors import PlatformError, UserError

FORMAT = 1
SNAPSHOT, LOCK, OBJECTS = "ml-a2-state", "ml-a2-state.lock", "objects"
# The next snapshot while it is written; one of a process that was killed is overwritten.
UNFINISHED = "ml-a2-state.new"
OWN = {SNAPSHOT, LOCK, OBJECTS, UNFINISHED}
REMEDY = "choose a new --state DIR"


@dataclass(frozen=True)
class Snapshot:
    """What was kept, and when."""

    payload: bytes
    saved: dt.datetime


class StateFolder:
    """Belongs to one process at a time; as a context manager it gives the folder free again."""

    def __init__(self, path: Path, *, region: str, account: str) -> None:
        """Name the folder, and the account and region whose state lies there."""
        self.path = path
        self.objects = path / OBJECTS
        self._identity = {
            "format": FORMAT,
            "ml-a2": __version__,
            "moto": version("moto"),
            "Python": f"{sys.version_info.major}.{sys.version_info.minor}",
            "region": region,
            "account": account,
        }
        self._held = ExitStack()

    def __enter__(self) -> Self:
        """Take the folder, made anew where there is none.

        Raises:
            UserError: it holds something else, another process has it, or it cannot be written.
        """
        try:
            self._check_content()
            with ExitStack() as held:
                self.path.mkdir(parents=True, exist_ok=True)
                held.enter_context(FileLock(self.path / LOCK, blocking=False))
                self.objects.mkdir(exist_ok=True)
                self._held = held.pop_all()
        except Timeout as error:
            raise UserError(f"state {self.path}: another process serves it; end that one, or {REMEDY}") from error
        except OSError as error:
            raise UserError(f"state {self.path} cannot be used: {error.strerror}; {REMEDY}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the folder free."""
        self._held.close()

    def read(self) -> Snapshot | None:
        """Return the snapshot, None where there is none yet.

        Raises:
            UserError: it is damaged, or was written by what cannot be read here.
        """
        file = self.path / SNAPSHOT
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UserError(f"state {file} cannot be read: {error.strerror}") from error
        line, _, payload = content.partition(b"\n")
        try:
            header = dict(json.loads(line))
            self._check_identity(header)
            saved = dt.datetime.fromisoformat(header["saved"])
        except (ValueError, TypeError, KeyError) as error:
            raise UserError(f"state {file} is damaged: it has no header; {REMEDY}") from error
        if header.get("bytes") != len(payload) or header.get("sha256") != hashlib.sha256(payload).hexdigest():
            raise UserError(f"state {file} is damaged: its content is not what was written; {REMEDY}")
        return Snapshot(payload, saved)

    def write(self, payload: bytes, objects: Iterable[str] = ()) -> None:
        """Put a snapshot in the place of the one before, at once and to the disk.

        Args:
            payload: the pickled state.
            objects: files of objects that it refers to and that may not have reached the disk yet.

        Raises:
            PlatformError: it cannot be written; the one before stays.
        """
        header = {
            **self._identity,
            "saved": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "bytes": len(payload),
            "sha256": hashlib.sha256(payload).hexdigest(),
        }
        unfinished = self.path / UNFINISHED
        try:
            for name in objects:
                _sync(self.objects / name)
            _sync(self.objects)
            unfinished.unlink(missing_ok=True)
            with unfinished.open("xb") as file:
                file.write(json.dumps(header).encode() + b"\n")
                file.write(payload)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self.path / SNAPSHOT)
            _sync(self.path)
        except OSError as error:
            if unfinished.is_file():
                unfinished.unlink()  # a full disk has better use for it
            raise PlatformError(
                f"state {self.path} cannot be written: {error.strerror}; what was kept before is still there"
            ) from error

    def _check_content(self) -> None:
        """Refuse, before anything is touched, a folder that is not ours."""
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise UserError(f"state {self.path} is no folder; {REMEDY}")
        for name in OWN:
            if (self.path / name).is_symlink():  # it could lead anywhere
                raise UserError(f"state {self.path}: {name} is a symbolic link; {REMEDY}")
        names = {item.name for item in self.path.iterdir()}
        if names and not names & {SNAPSHOT, LOCK}:
            raise UserError(f"state {self.path} holds something else, such as {min(names)!r}; {REMEDY}")

    def _check_identity(self, header: Mapping[str, Any]) -> None:
        for name, own in self._identity.items():
            if header.get(name) != own:
                raise UserError(
                    f"state {self.path} was written with {name} {header.get(name)}, not {own}, and can only be read "
                    f"with that; use it, or {REMEDY}"
                )


def _sync(path: Path) -> None:
    """Let a file, or the names in a folder, reach the disk; Windows does so for none that is only open to be read."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
