"""What the engine takes for bytes behaves as bytes where it looks."""

from __future__ import annotations

import hashlib
import pickle
import zlib
from io import FileIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_a2.errors import PlatformError
from ml_a2.local.objects import kernel_copy
from ml_a2.local.objects.store import ObjectStore, activate
from ml_a2.local.objects.value import Value


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(st.binary(max_size=9), min_size=1, max_size=4), first=st.integers(0, 40), last=st.integers(0, 40))
def test_is_cut_and_joined_as_bytes_are(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], first: int, last: int
) -> None:
    """Any range of any number of parts, empty ones too, with the MD5 and checksum of just these bytes."""
    store = ObjectStore(tmp_path_factory.mktemp("objects"))
    joined = Value.joined(Value.of(store.write([part], size=len(part))) for part in parts)
    value, expected = joined[first:last], b"".join(parts)[first:last]
    assert (len(value), value.read(), bool(value)) == (len(expected), expected, bool(expected))
    assert value.md5 == hashlib.md5(expected).hexdigest()  # noqa: S324
    assert value.checksum("CRC32") == zlib.crc32(expected).to_bytes(4, "big")
    assert value[1:3].read() == expected[1:3]


def test_is_copied_to_a_file(store: ObjectStore, tmp_path: Path) -> None:
    """The bytes of all its ranges, in order."""
    abc, xyz = (Value.of(store.write([text], size=3)) for text in (b"abc", b"xyz"))
    Value.joined([xyz, abc[1:], xyz]).copy_to(tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"xyzbcxyz"


def test_is_written_as_the_name_of_its_file(store: ObjectStore) -> None:
    """A snapshot holds no bytes of objects, and finds them again."""
    activate(ObjectStore(store.folder, removes=False))
    value = Value.of(store.write([b"x" * 1_000_000], size=1_000_000))[10:]
    state = pickle.dumps([value, value.share()])
    assert len(state) < 2000
    first, second = pickle.loads(state)  # noqa: S301  # it was written here
    assert first.read() == second.read() == b"x" * 999_990
    value.close()
    closed = pickle.loads(pickle.dumps(value))  # noqa: S301
    assert len(closed) == 999_990
    with pytest.raises(ValueError, match="the object is gone"):
        closed.read()


def test_fails_when_somebody_shortened_its_file(store: ObjectStore) -> None:
    """An answer with fewer bytes than it promises would look like a broken connection."""
    content = store.write([b"abc"], size=3)
    content.path.write_bytes(b"a")
    with pytest.raises(PlatformError, match="ends 2 bytes too early: the folder of objects was changed"):
        Value.of(content).read()


def test_copies_where_the_kernel_cannot(tmp_path: Path) -> None:
    """From a device, which has no bytes on a disk that could be shared."""
    with FileIO("/dev/zero") as source, FileIO(tmp_path / "target", "xb") as target:
        kernel_copy.copy_range(source, 0, kernel_copy.BLOCK_BYTES + 1, target)
    assert (tmp_path / "target").read_bytes() == bytes(kernel_copy.BLOCK_BYTES + 1)


def test_fails_to_copy_more_than_there_is(tmp_path: Path) -> None:
    """Rather than to leave a shorter file."""
    (tmp_path / "source").write_bytes(b"abc")
    with (
        FileIO(tmp_path / "source") as source,
        FileIO(tmp_path / "target", "xb") as target,
        pytest.raises(OSError, match="source ends 1 bytes too early"),
    ):
        kernel_copy.copy_range(source, 1, 3, target)
