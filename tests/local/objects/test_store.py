"""The folder of contents: what lies there, for how long, and what does not get in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_a2.errors import PlatformError
from ml_a2.local.objects.checksums import Checksums
from ml_a2.local.objects.store import BLOCK_BYTES, MARGIN_BYTES, NoRoomError, ObjectStore
from ml_a2.local.objects.value import Value


def _names(store: ObjectStore) -> set[str]:
    return {path.name for path in store.folder.iterdir()}


def test_a_file_goes_with_the_last_reference(store: ObjectStore) -> None:
    """However many values share it."""
    value = Value.of(store.write([b"abc", b"def"], size=6))
    other = value.share()
    value.close()
    assert other.read() == b"abcdef"
    other.close()
    assert _names(store) == set()


def _fed(content: bytes, *names: str) -> Checksums:
    checksums = Checksums(*names)
    for part in checksums.parts():
        part.update(content)
    return checksums


def test_what_is_known_of_a_file_that_is_linked_is_not_computed_again(tmp_path: Path) -> None:
    """Unless a checksum is wanted that is not known of it; what was known once counts once."""
    store = ObjectStore(tmp_path / "objects", gives=tmp_path)
    (file := tmp_path / "file").write_bytes(b"abc")
    store.know(file, known := _fed(b"known", "CRC32"))
    assert store.copy(file, Checksums("CRC32")).known[2:] == (known.md5, known.named)
    assert store.copy(file, Checksums("CRC32")).md5 == hashlib.md5(b"abc", usedforsecurity=False).digest()
    store.know(file, known)
    assert store.copy(file, Checksums("SHA1")).checksums == {"SHA1": hashlib.sha1(b"abc").digest()}  # noqa: S324


def test_what_is_known_of_a_file_that_is_copied_does_not_count(store: ObjectStore, tmp_path: Path) -> None:
    """It may have changed."""
    (file := tmp_path / "file").write_bytes(b"abc")
    store.know(file, _fed(b"known"))
    assert store.copy(file, Checksums()).md5 == hashlib.md5(b"abc", usedforsecurity=False).digest()


def test_a_value_that_is_being_read_keeps_its_file(store: ObjectStore) -> None:
    """A download goes on while its object is deleted."""
    value = Value.of(store.write([b"x" * BLOCK_BYTES, b"y"], size=BLOCK_BYTES + 1))
    blocks = iter(value)
    assert next(blocks) == b"x" * BLOCK_BYTES
    value.close()
    assert next(blocks) == b"y"
    assert next(blocks, None) is None


def test_checksums_are_those_of_the_bytes(store: ObjectStore) -> None:
    """Of what streams by as of what the kernel copies."""
    source = store.folder.parent / "source"
    source.write_bytes(b"abc" * 100_000)
    streamed = store.write([b"abc"] * 100_000, size=300_000, checksums=Checksums("SHA256"))
    copied = store.copy(source, Checksums("SHA256"))
    expected = (hashlib.md5(source.read_bytes()).digest(), {"SHA256": hashlib.sha256(source.read_bytes()).digest()})  # noqa: S324
    assert (streamed.md5, streamed.checksums) == (copied.md5, copied.checksums) == expected
    assert copied.path.read_bytes() == source.read_bytes()


def test_fails_without_a_trace_when_the_bytes_end_badly(store: ObjectStore) -> None:
    """A client that goes away leaves no file."""

    def breaking() -> Iterator[bytes]:
        yield b"abc"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store.write(breaking(), size=6)
    assert _names(store) == set()


def test_fails_before_anything_is_written_without_room(tmp_path: Path) -> None:
    """A full disk would stop more than this; the message says how much is missing where."""
    free = MARGIN_BYTES + 1000
    store = ObjectStore(tmp_path / "objects", free=lambda path: free)

    def unread() -> Iterator[bytes]:
        raise AssertionError
        yield b""

    for _ in range(2):
        with pytest.raises(
            NoRoomError, match=rf"1001 bytes do not fit into .*objects: {free} bytes are free, of which"
        ):
            store.write(unread(), size=1001)
    assert _names(store) == set()
    assert store.write([b"x"], size=1).size == 1


def test_looks_for_room_again_before_much_is_written(tmp_path: Path) -> None:
    """Small contents are written without a look at the disk each; large ones never."""
    looks: list[Path] = []

    def free(path: Path) -> int:
        looks.append(path)
        return MARGIN_BYTES * 2

    store = ObjectStore(tmp_path, free=free)
    contents = [store.write([bytes(size)], size=size) for size in (10, 10, BLOCK_BYTES + 1)]
    assert len(contents) == 3
    assert len(looks) == 2


def test_a_later_store_finds_what_is_kept(store: ObjectStore) -> None:
    """By name, size and what is known of it; one content a file."""
    keeping = ObjectStore(store.folder, removes=False)
    name, size, md5, checksums = keeping.write([b"abc"], size=3).known
    found = store.find(name, size, md5, checksums)
    assert store.find(name, size, md5, checksums) is found
    assert Value.of(found).read() == b"abc"


@pytest.mark.parametrize("name", ["missing", "../outside", "shorter"])
def test_fails_for_a_file_that_is_not_what_was_kept(store: ObjectStore, name: str) -> None:
    """Gone, another one, or not in the folder at all."""
    (store.folder / "shorter").write_bytes(b"ab")
    (store.folder.parent / "outside").write_bytes(b"abc")
    with pytest.raises(PlatformError, match=rf"{name} is missing, or has not 3 bytes any more"):
        store.find(name, 3, b"", {})


def test_what_nothing_refers_to_can_be_removed_later(tmp_path: Path) -> None:
    """A snapshot may still refer to it: whoever writes snapshots says when."""
    store = ObjectStore(tmp_path, removes=False)
    kept = store.write([b"kept"], size=4)
    gone = store.write([b"gone"], size=4).path

    def looking() -> Iterator[bytes]:
        yield b"x"
        assert store.unreferenced() == [gone]  # and not the one that is being written
        yield b"y"

    written = store.write(looking(), size=2)
    store.remove(store.unreferenced())
    assert _names(store) == {kept.path.name, written.path.name}
