"""Hashes by which files, and what lies in an archive, are recognised again."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from ml_a2.errors import UserError

# Many at once: each block waits for its turn among this process's threads, twice.
BLOCK_BYTES = 4 << 20


class Digest(Protocol):
    """What bytes are fed to, one after the other."""

    def update(self, block: Any, /) -> None:
        """Take the next bytes."""


class HashedFile(io.RawIOBase):
    """A new file whose bytes are hashed while they are written, each hash in a thread of its own."""

    def __init__(self, path: Path, digests: Sequence[Digest]) -> None:
        """Open it; the hashes are complete when it is closed.

        Raises:
            OSError: it cannot be written, or is there already.
        """
        super().__init__()
        self._digests = digests
        self._threads = ThreadPoolExecutor(len(digests), "hashing")  # begins none before there is work
        self._busy: list[Future[None]] = []
        self._file: io.FileIO | None = None
        self._file = path.open("xb", buffering=0)

    def writable(self) -> bool:
        """Tell that it can be written."""
        return True

    def write(self, block: Any, /) -> int:
        """Write bytes, all of them."""
        self._wait()
        kept = bytes(block)  # no copy of what is bytes already; other memory may change before it is hashed
        self._busy = [self._threads.submit(digest.update, kept) for digest in self._digests]
        view = memoryview(kept)
        assert self._file is not None
        while view:
            view = view[self._file.write(view) :]
        return len(kept)

    def close(self) -> None:
        """Wait until everything is hashed."""
        if self.closed:
            return
        try:
            self._wait()
        finally:
            self._threads.shutdown()
            if self._file:
                self._file.close()
            super().close()

    def _wait(self) -> None:
        """Let no hash fall behind by more than one block: their order counts, and blocks stay in memory."""
        for hashing in self._busy:
            hashing.result()


def file_sha256(path: Path, stopped: Callable[[], bool] = lambda: False) -> str:
    """Return the SHA-256 of a file's bytes.

    Raises:
        InterruptedError: `stopped` has told that nobody waits for it any more.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return _sha256(file, stopped)


def members_sha256(archive: Path) -> dict[str, str]:
    """Return the SHA-256 of each file in a .tar.gz by its name; unlike the archive's own they know no times.

    Raises:
        UserError: the file is no archive.
    """
    try:
        with tarfile.open(archive, "r:gz") as tar:
            files = {member.name.removeprefix("./"): tar.extractfile(member) for member in tar}
            return {name: _sha256(file) for name, file in files.items() if file}
    except (tarfile.TarError, EOFError, OSError) as error:
        raise UserError(f"{archive} cannot be read as a .tar.gz: {error}") from error


def feed(digest: Any, file: Any, stopped: Callable[[], bool] = lambda: False) -> None:
    """Update a hash, or what is updated as one, with the rest of a binary file.

    Raises:
        InterruptedError: `stopped` has told that nobody waits for it any more.
    """
    block = memoryview(bytearray(BLOCK_BYTES))
    while size := file.readinto(block):
        if stopped():
            raise InterruptedError
        digest.update(block[:size])


def _sha256(file: Any, stopped: Callable[[], bool] = lambda: False) -> str:
    digest = hashlib.sha256()
    feed(digest, file, stopped)
    return digest.hexdigest()
