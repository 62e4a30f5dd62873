"""The checksums that S3 keeps of an object, taken while its bytes stream by."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Any

from botocore.compat import HAS_CRT
from botocore.httpchecksum import (
    Crc32Checksum,
    CrtCrc32cChecksum,
    CrtCrc64NvmeChecksum,
    Sha1Checksum,
    Sha256Checksum,
)

from ml_a2.digest import feed

WORTH_THREADS_BYTES = 4 << 20
# By the names that S3's API has for them.
NAMES = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")

# Those that can be computed here: botocore's own, of which two need the AWS Common Runtime.
_COMPUTED: dict[str, Callable[[], Any]] = {"CRC32": Crc32Checksum, "SHA1": Sha1Checksum, "SHA256": Sha256Checksum}
if HAS_CRT:
    _COMPUTED |= {"CRC32C": CrtCrc32cChecksum, "CRC64NVME": CrtCrc64NvmeChecksum}

# Full bytes of a checksum, by which a value is seen to be none.
LENGTHS = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8, "SHA1": 20, "SHA256": 32}


def is_computed(name: str) -> bool:
    """Tell whether a checksum can be computed here."""
    return name in _COMPUTED


class Checksums:
    """The MD5 of bytes, and the named checksums that can be computed here."""

    def __init__(self, *names: str) -> None:
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._named = {name: _COMPUTED[name]() for name in names if is_computed(name)}

    def update(self, block: bytes | memoryview) -> None:
        """Take the next bytes."""
        self._md5.update(block)
        for checksum in self._named.values():
            checksum.update(block)

    def has(self, others: Checksums) -> bool:
        """Tell whether all that the others take are among these."""
        return self._named.keys() >= others._named.keys()

    def parts(self) -> list[Any]:
        """Return them one by one, each to be fed with all the bytes."""
        return [self._md5, *self._named.values()]

    def read(self, path: Path) -> None:
        """Take all bytes of a file: of a large one, each checksum in a thread of its own."""
        if path.stat().st_size < WORTH_THREADS_BYTES:
            self.update(path.read_bytes())
            return
        with ThreadPoolExecutor() as pool:
            list(pool.map(partial(_read, path), self.parts()))

    @property
    def md5(self) -> bytes:
        """The MD5 of all bytes so far."""
        return self._md5.digest()

    @property
    def named(self) -> dict[str, bytes]:
        """The other checksums of all bytes so far, by name."""
        return {name: checksum.digest() for name, checksum in self._named.items()}


def _read(path: Path, checksum: Any) -> None:
    with FileIO(path) as file:
        feed(checksum, file)


def checksum(name: str, blocks: Iterable[bytes]) -> bytes | None:
    """Compute one checksum; None where it cannot be computed here."""
    if not is_computed(name):
        return None
    taken = _COMPUTED[name]()
    for block in blocks:
        taken.update(block)
    digest: bytes = taken.digest()
    return digest
