"""Copy bytes from file to file within the kernel, where it can."""

from __future__ import annotations

import errno
import os
from io import FileIO

BLOCK_BYTES = 128 << 10
# The kernel, or a file system, that does not copy between these two files.
_NOT_POSSIBLE = {errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM, errno.ETXTBSY}


def copy_range(source: FileIO, start: int, length: int, target: FileIO) -> None:
    """Append a range of one open file to another one; both without a buffer.

    Raises:
        OSError: reading or writing fails, or the source ends too early.
    """
    done = _copy_by_kernel(source, start, length, target) if hasattr(os, "copy_file_range") else 0
    _copy_by_blocks(source, start + done, length - done, target)


def _copy_by_kernel(source: FileIO, start: int, length: int, target: FileIO) -> int:
    """Return how many bytes were copied so."""
    done = 0
    while done < length:
        try:
            copied = os.copy_file_range(source.fileno(), target.fileno(), length - done, offset_src=start + done)
        except OSError as error:
            if error.errno not in _NOT_POSSIBLE:
                raise
            break
        if copied == 0:  # the end, or a file system that does not tell
            break
        done += copied
    return done


def _copy_by_blocks(source: FileIO, start: int, length: int, target: FileIO) -> None:
    source.seek(start)
    while length > 0:
        block = source.read(min(BLOCK_BYTES, length))
        if not block:
            raise OSError(errno.EIO, f"{source.name} ends {length} bytes too early")
        length -= len(block)
        view = memoryview(block)
        while view:
            view = view[target.write(view) :]
