"""Hashes by which files, and what lies in an archive, are recognised again."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ml_a2.errors import UserError

# Many at once: each block waits for its turn among this process's threads, twice.
BLOCK_BYTES = 4 << 20


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
