"""The folder in which the bytes of objects lie: one file for each content, under a name of ours.

A content never changes. Its file goes with the last reference to it.
"""

from __future__ import annotations

import errno
import itertools
import math
import os
import shutil
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from ml_a2.errors import PlatformError
from ml_a2.local.objects.checksums import Checksums
from ml_a2.local.objects.kernel_copy import copy_range

# What stays free on the disk for everything else that runs there.
MARGIN_BYTES = 256 << 20
# How often to look how much is free, where each look costs more than writing what is to be written.
LOOK_SECONDS = 0.5
# What is in memory of an object at a time: enough to let other threads work meanwhile, little enough for the cache.
BLOCK_BYTES = 128 << 10

Block = bytes | memoryview


# What a store finds a content by, and what need not be computed again: name, size, MD5 and checksums.
Known = tuple[str, int, bytes, dict[str, bytes]]


class NoRoomError(PlatformError):
    """The disk has no room for an object."""


@dataclass(eq=False)
class Content:
    """The bytes of a file of the store, and the checksums that are known of them."""

    path: Path
    size: int
    md5: bytes
    checksums: dict[str, bytes]

    @property
    def known(self) -> Known:
        """What a store finds it by."""
        return self.path.name, self.size, self.md5, self.checksums

    def blocks(self, start: int, length: int) -> Iterator[bytes]:
        """Yield the bytes of a range, a block at a time."""
        with FileIO(self.path) as file:
            file.seek(start)
            while length > 0 and (block := file.read(min(BLOCK_BYTES, length))):
                length -= len(block)
                yield block
        if length > 0:
            raise PlatformError(
                f"{self.path} ends {length} bytes too early: the folder of objects was changed; restore it"
            )


class ObjectStore:
    """Makes contents, and removes their files once nothing refers to them any more."""

    def __init__(
        self,
        folder: Path,
        *,
        gives: Path | None = None,
        removes: bool = True,
        free: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
    ) -> None:
        """Use a folder, which may have files of an earlier store.

        Args:
            folder: made where there is none.
            gives: a folder whose files nobody changes: they are linked, not copied.
            removes: whether a file goes with the last reference to it; otherwise `remove` is for somebody to call who
                knows that no snapshot refers to it either.
            free: tells how many bytes are free where the folder is.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._gives = gives
        self._names = map(f"{uuid.uuid4().hex}-{{}}".format, itertools.count())
        self._looked = -math.inf
        self._lock = threading.RLock()
        self._unfinished: set[str] = set()
        self._contents: weakref.WeakValueDictionary[str, Content] = weakref.WeakValueDictionary()
        self._removes = removes
        self._free = free
        self._read: dict[Path, Checksums] = {}

    def write(self, blocks: Iterable[Block], *, size: int, checksums: Checksums | None = None) -> Content:
        """Make a content of blocks of bytes.

        Args:
            blocks: the bytes; whatever they raise leaves nothing behind.
            size: how many bytes there will be.
            checksums: takes the bytes as they stream by.

        Raises:
            NoRoomError: the disk has no room for them.
        """
        taken = Checksums() if checksums is None else checksums
        with self._new_file(size) as (path, file):
            for block in blocks:
                taken.update(block)
                _write_all(file, block)
        return self._content(Content(path, size, taken.md5, taken.named))

    def know(self, source: Path, checksums: Checksums) -> None:
        """Take the checksums of a file that can be linked, so that it need not be read when it becomes a content."""
        if self._may_take(source):
            self._read[source] = checksums

    def copy(self, source: Path, checksums: Checksums) -> Content:
        """Make a content of a file's bytes, copied by the kernel, or linked where nobody changes them any more.

        Raises:
            NoRoomError: the disk has no room for it.
        """
        with FileIO(source) as origin:
            size = os.fstat(origin.fileno()).st_size
            known = self._read.pop(source, None)
            with self._new_file(size, source if self._may_take(source) else None) as (path, file):
                if os.fstat(file.fileno()).st_ino != os.fstat(origin.fileno()).st_ino:
                    copy_range(origin, 0, size, file)
                    known = None  # the file may change meanwhile: those of the copy count
                if known and known.has(checksums):
                    checksums = known
                else:
                    checksums.read(path)
        return self._content(Content(path, size, checksums.md5, checksums.named))

    def find(self, name: str, size: int, md5: bytes, checksums: dict[str, bytes]) -> Content:
        """Return a content whose file is there from an earlier store.

        Raises:
            PlatformError: the file is not there any more, or is another one.
        """
        with self._lock:
            if content := self._contents.get(name):
                return content
            path = self.folder / name
            if path.parent != self.folder or not path.is_file() or path.stat().st_size != size:
                raise PlatformError(
                    f"{path} is missing, or has not {size} bytes any more: the folder was changed; restore it"
                )
            return self._content(Content(path, size, md5, checksums))

    def unreferenced(self) -> list[Path]:
        """Return the files that nothing refers to, and nothing ever will."""
        with self._lock:
            known = self._unfinished | set(self._contents)
            return [path for path in self.folder.iterdir() if path.name not in known]

    @staticmethod
    def remove(paths: Iterable[Path]) -> None:
        """Remove files that nothing refers to."""
        for path in paths:
            path.unlink(missing_ok=True)

    @contextmanager
    def _new_file(self, size: int, taken: Path | None = None) -> Iterator[tuple[Path, FileIO]]:
        """Open a file, another name of `taken` where there can be one, that is gone again when anything fails."""
        self._require_room(size)
        path = self.folder / next(self._names)
        self._unfinished.add(path.name)
        try:
            with FileIO(path, "rb" if taken and _link(taken, path) else "xb+") as file:
                yield path, file
        except BaseException as error:
            path.unlink(missing_ok=True)
            self._unfinished.discard(path.name)
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise self._no_room(size) from error
            raise

    def _may_take(self, file: Path) -> bool:
        return self._gives is not None and file.resolve().is_relative_to(self._gives.resolve())

    def _require_room(self, size: int) -> None:
        if size <= BLOCK_BYTES and time.monotonic() < self._looked + LOOK_SECONDS:
            return
        if self._free(self.folder) < size + MARGIN_BYTES:
            raise self._no_room(size)
        self._looked = time.monotonic()

    def _no_room(self, size: int) -> NoRoomError:
        return NoRoomError(
            f"{size} bytes do not fit into {self.folder}: {self._free(self.folder)} bytes are free, of which "
            f"{MARGIN_BYTES} stay so; delete objects or other files there"
        )

    def _content(self, content: Content) -> Content:
        with self._lock:
            self._contents[content.path.name] = content
            self._unfinished.discard(content.path.name)
        if self._removes:
            weakref.finalize(content, content.path.unlink, missing_ok=True)
        return content


def _link(file: Path, path: Path) -> bool:
    """Give a file another name; tell whether that can be, which it cannot on another file system."""
    try:
        path.hardlink_to(file)
    except OSError:
        return False
    return True


def _write_all(file: FileIO, block: Block) -> None:
    view = memoryview(block)
    while view:
        view = view[file.write(view) :]


_active: ObjectStore | None = None


def activate(store: ObjectStore) -> None:
    """Let the engine, which keeps its state in the process, use a store from now on."""
    global _active  # noqa: PLW0603  # one a process, as the engine's state
    _active = store


def active() -> ObjectStore:
    """Return the store that is in use."""
    assert _active is not None
    return _active
