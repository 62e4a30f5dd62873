"""What the engine takes for an object's bytes: it has their length, can be cut, and is read as it is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple

from ml_a2.local.objects import checksums, store
from ml_a2.local.objects.kernel_copy import copy_range
from ml_a2.local.objects.store import Content, Known


class Range(NamedTuple):
    """Some bytes of a content."""

    content: Content
    start: int
    length: int


class Value:
    """Ranges of contents, one after the other, whose files are there for as long as this refers to them."""

    def __init__(self, ranges: Iterable[Range] | None, length: int) -> None:
        """Refer to ranges that have this length together; to nothing any more with None."""
        self._ranges = None if ranges is None else tuple(ranges)
        self._length = length

    @classmethod
    def of(cls, content: Content) -> Value:
        """Return all of a content."""
        return cls([Range(content, 0, content.size)], content.size)

    @classmethod
    def joined(cls, values: Iterable[Value]) -> Value:
        """Return the bytes of several, one after the other; none of them is copied."""
        listed = list(values)
        return cls((part for value in listed for part in value.ranges), sum(map(len, listed)))

    def __len__(self) -> int:
        """Return the number of bytes."""
        return self._length

    def __getitem__(self, which: slice) -> Value:
        """Return a part of it; what asks for single bytes gets none."""
        first, last, _ = which.indices(self._length)
        return Value(_cut(self.ranges, first, last), max(0, last - first))

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes in blocks, as the answer to a request is sent."""
        for content, start, length in self.ranges:
            yield from content.blocks(start, length)

    def __reduce__(self) -> Any:
        """Be written as the names of files and what is known of them, not as the bytes."""
        if self._ranges is None:
            return revive, (None, self._length)
        return revive, ([(content.known, start, length) for content, start, length in self._ranges], self._length)

    @property
    def ranges(self) -> tuple[Range, ...]:
        """Which bytes of which contents.

        Raises:
            ValueError: it is closed.
        """
        if self._ranges is None:
            raise ValueError("the object is gone")
        return self._ranges

    @property
    def md5(self) -> str:
        """The MD5 of the bytes in hexadecimal digits, of which S3 makes an ETag."""
        if content := self._whole_content():
            return content.md5.hex()
        taken = checksums.Checksums()
        for block in self:
            taken.update(block)
        return taken.md5.hex()

    def checksum(self, name: str) -> bytes | None:
        """Return a checksum of the bytes; None where it cannot be computed here."""
        content = self._whole_content()
        if content and name in content.checksums:
            return content.checksums[name]
        return checksums.checksum(name, self)

    def share(self) -> Value:
        """Return one more reference, which outlives this one."""
        return Value(self.ranges, self._length)

    def read(self) -> bytes:
        """Return the bytes, all in memory."""
        return b"".join(self)

    def copy_to(self, path: Path) -> None:
        """Write the bytes to a new file, copied by the kernel."""
        with FileIO(path, "xb") as target:
            for content, start, length in self.ranges:
                with FileIO(content.path) as source:
                    copy_range(source, start, length, target)

    def close(self) -> None:
        """Refer to the contents no more."""
        self._ranges = None

    def _whole_content(self) -> Content | None:
        """Return the content of which this is all and nothing else."""
        content, _, length = self.ranges[0]
        return content if len(self.ranges) == 1 and length == content.size else None


def revive(known: list[tuple[Known, int, int]] | None, length: int) -> Value:
    """Make a value again of what it was written as; its files are looked for in the active store."""
    if known is None:
        return Value(None, length)
    found = store.active()
    return Value([Range(found.find(*content), start, part) for content, start, part in known], length)


def _cut(ranges: tuple[Range, ...], first: int, last: int) -> Iterator[Range]:
    """Yield what lies from a first to before a last byte; where that is nothing, an empty range."""
    passed = 0
    found = False
    for content, start, length in ranges:
        begin, end = max(first - passed, 0), min(last - passed, length)
        if begin < end:
            found = True
            yield Range(content, start + begin, end - begin)
        passed += length
    if not found:
        yield Range(ranges[0].content, ranges[0].start, 0)
