"""Uploads in parts: whole, and resumed after they were broken off."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from ml_a2.errors import PlatformError
from ml_a2.local.runtime import LocalRuntime
from ml_a2.multipart import LEAST_PART_BYTES, MEBIBYTE, MOST_PARTS, MultipartUpload, Source, part_bytes
from ml_a2.uploads import LARGE_BYTES, Uploads
from tests.processes import ended
from tests.test_service_errors import refusal

PARTS = 4
SIZE = (PARTS - 1) * LEAST_PART_BYTES + 7


class FakeS3:
    """Keeps the parts of uploads, and the objects that become of them, by key."""

    def __init__(self, *, tells_checksums: bool = True) -> None:
        """Tell the checksums of parts, as S3 does, or their ETags alone, as other endpoints do."""
        self._tells_checksums = tells_checksums
        self.meta = type("Meta", (), {"endpoint_url": "https://s3"})
        self.uploads: dict[str, dict[int, dict[str, Any]]] = {}
        self.objects: dict[str, bytes] = {}
        self.sent: list[int] = []
        self.refused: set[int] = set()

    def create_multipart_upload(self, *, ChecksumAlgorithm: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        assert ChecksumAlgorithm == "SHA256"
        name = f"upload-{len(self.uploads) + 1}"
        self.uploads[name] = {}
        return {"UploadId": name}

    def upload_part(
        self, *, UploadId: str, PartNumber: int, Body: Any, ChecksumSHA256: str, **_: Any  # noqa: N803
    ) -> dict[str, Any]:  # fmt: skip
        if PartNumber in self.refused:
            raise refusal("AccessDenied", 403)
        content = Body.read()
        etag = f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
        part = {"PartNumber": PartNumber, "Size": len(content), "ETag": etag, "content": content}
        self.uploads[UploadId][PartNumber] = part | (
            {"ChecksumSHA256": ChecksumSHA256} if self._tells_checksums else {}
        )
        self.sent.append(PartNumber)
        return {"ETag": etag}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_parts"
        return self

    def paginate(self, *, UploadId: str, **_: Any) -> Iterator[dict[str, Any]]:  # noqa: N803
        if UploadId not in self.uploads:
            raise refusal("NoSuchUpload", 404)
        for part in self.uploads[UploadId].values():
            yield {"Parts": [part]}
        yield {}  # of an upload without parts there is no list

    def complete_multipart_upload(
        self, *, Key: str, UploadId: str, MultipartUpload: dict[str, Any], **_: Any  # noqa: N803
    ) -> None:  # fmt: skip
        there = self.uploads.pop(UploadId)
        named = MultipartUpload["Parts"]
        assert [part["PartNumber"] for part in named] == sorted(there)
        assert all(part["ETag"] == there[part["PartNumber"]]["ETag"] for part in named)
        assert all("ChecksumSHA256" in part for part in named) or not self._tells_checksums
        self.objects[Key] = b"".join(there[part["PartNumber"]]["content"] for part in named)

    def abort_multipart_upload(self, *, UploadId: str, **_: Any) -> None:  # noqa: N803
        if self.uploads.pop(UploadId, None) is None:
            raise refusal("NoSuchUpload", 404)


def _source(path: Path, content: bytes) -> Source:
    path.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    return Source(path, sha256, len(content), {"sha256": sha256})


@pytest.fixture(scope="module")
def content() -> bytes:
    """Four parts, no two of which are the same."""
    return b"".join(bytes([number]) * LEAST_PART_BYTES for number in range(PARTS))[:SIZE]


@pytest.fixture
def source(tmp_path: Path, content: bytes) -> Source:
    return _source(tmp_path / "rows.csv", content)


def _upload(s3: Any, folder: Path) -> MultipartUpload:
    return MultipartUpload(s3, "bucket", "key", state=folder / "state")


def _break_off(s3: FakeS3, folder: Path, source: Source) -> None:
    """Upload until the first part is told to be done, as Ctrl-C does."""

    def interrupt(size: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _upload(s3, folder).send(source, interrupt)
    assert "key" not in s3.objects


def test_a_file_goes_up_in_parts(tmp_path: Path, source: Source, content: bytes) -> None:
    """Their bytes are told, and add up; nothing is left to go on with."""
    s3, told = FakeS3(), []
    assert _upload(s3, tmp_path).send(source, told.append) == 0
    assert s3.objects["key"] == content
    assert sorted(told) == [7, *[LEAST_PART_BYTES] * (PARTS - 1)]
    assert not list((tmp_path / "state").glob("*.json"))


@pytest.mark.parametrize("tells_checksums", [True, False])
def test_an_upload_that_was_broken_off_goes_on(
    tmp_path: Path, source: Source, content: bytes, *, tells_checksums: bool
) -> None:
    """The parts that are there are not sent again, and count as done."""
    s3 = FakeS3(tells_checksums=tells_checksums)
    _break_off(s3, tmp_path, source)
    there = set(s3.sent)
    assert there
    told: list[int] = []
    resumed = _upload(s3, tmp_path).send(source, told.append)
    assert sorted(s3.sent) == [1, 2, 3, 4]
    assert resumed == sum(7 if number == PARTS else LEAST_PART_BYTES for number in there)
    assert sum(told) == SIZE
    assert s3.objects["key"] == content


def test_a_part_that_holds_something_else_is_sent_again(tmp_path: Path, source: Source, content: bytes) -> None:
    """Of the right size, but not these bytes."""
    s3 = FakeS3()
    _break_off(s3, tmp_path, source)
    parts = next(iter(s3.uploads.values()))
    number = next(iter(parts))
    parts[number] |= {"ChecksumSHA256": "other", "content": b"other"}
    _upload(s3, tmp_path).send(source, lambda size: None)
    assert s3.sent.count(number) == 2
    assert s3.objects["key"] == content


def test_other_content_begins_anew_and_gives_up_what_was_begun(tmp_path: Path, source: Source, content: bytes) -> None:
    """Also where its first parts are the same: the object's own hash is settled at the beginning."""
    s3 = FakeS3()
    _break_off(s3, tmp_path, source)
    longer = content + b"more"
    assert _upload(s3, tmp_path).send(_source(source.path, longer), lambda size: None) == 0
    assert (s3.objects["key"], s3.uploads) == (longer, {})


def test_an_upload_that_the_bucket_cleaned_away_begins_anew(tmp_path: Path, source: Source, content: bytes) -> None:
    """As a lifecycle rule does after some days."""
    s3 = FakeS3()
    _break_off(s3, tmp_path, source)
    s3.uploads.clear()
    assert _upload(s3, tmp_path).send(source, lambda size: None) == 0
    assert s3.objects["key"] == content


def test_fails_on_a_part_that_is_refused_and_goes_on_later(tmp_path: Path, source: Source, content: bytes) -> None:
    """What went up until then stays."""
    s3 = FakeS3()
    s3.refused = {3}
    with pytest.raises(type(refusal("x")), match="AccessDenied"):
        _upload(s3, tmp_path).send(source, lambda size: None)
    s3.refused = set()
    _upload(s3, tmp_path).send(source, lambda size: None)
    assert sorted(s3.sent) == [1, 2, 3, 4]
    assert s3.objects["key"] == content


def test_fails_while_another_process_uploads_to_the_same_place(tmp_path: Path, source: Source) -> None:
    """Two of them would abort each other's parts."""
    s3 = FakeS3()
    _break_off(s3, tmp_path, source)
    record = next((tmp_path / "state").glob("*.json"))
    with (
        FileLock(record.with_suffix(".lock")),
        pytest.raises(PlatformError, match="s3://bucket/key is being uploaded by another process"),
    ):
        _upload(s3, tmp_path).send(source, lambda size: None)


def test_fails_on_a_record_that_cannot_be_read(tmp_path: Path, source: Source) -> None:
    """And says which file to remove."""
    s3 = FakeS3()
    _break_off(s3, tmp_path, source)
    record = next((tmp_path / "state").glob("*.json"))
    record.write_text("{")
    with pytest.raises(PlatformError, match=rf"{record} cannot be read: .*; remove it"):
        _upload(s3, tmp_path).send(source, lambda size: None)


@pytest.mark.parametrize("size", [1, LARGE_BYTES, MOST_PARTS * LEAST_PART_BYTES, 1 << 40, 5 << 40])
def test_parts_grow_with_the_file(size: int) -> None:
    """S3 takes 10,000 parts of at least 5 MiB and at most 5 GiB."""
    assert -(-size // part_bytes(size)) <= 10_000
    assert 5 * MEBIBYTE <= part_bytes(size) <= 5 << 30


UPLOADER = """
import sys
from pathlib import Path
from ml_a2.local.clients import Clients
from ml_a2.uploads import Uploads
url, path, state = sys.argv[1:]
uploads = Uploads(Clients(url, "us-east-1").s3, "bucket", state=Path(state))
print(uploads.send(Path(path), "key", again=False, tell=lambda size: print("part", flush=True)).resumed)
"""


def test_an_upload_goes_on_after_the_process_was_killed(runtime: LocalRuntime, tmp_path: Path) -> None:
    """Over HTTP, with S3's own rules on parts; the object is whole and tells its hash."""
    s3, path = runtime.clients.s3, tmp_path / "rows.csv"
    path.write_bytes(os.urandom(LARGE_BYTES + MEBIBYTE))
    s3.create_bucket(Bucket="bucket")
    state = tmp_path / "state"
    command = [sys.executable, "-c", UPLOADER, runtime.url, str(path), str(state)]
    with ended(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "part\n"
        process.send_signal(signal.SIGKILL)
    assert "Contents" not in s3.list_objects_v2(Bucket="bucket")
    uploads = Uploads(s3, "bucket", state=state)
    done = _ignoring(lambda tell: uploads.send(path, "key", again=False, tell=tell))
    assert done.resumed >= LEAST_PART_BYTES
    digest = hashlib.sha256()
    for block in s3.get_object(Bucket="bucket", Key="key")["Body"].iter_chunks(MEBIBYTE):
        digest.update(block)
    assert digest.hexdigest() == done.sha256
    assert _ignoring(lambda tell: uploads.send(path, "key", again=False, tell=tell)).kept


def _ignoring(call: Callable[[Callable[[int], None]], Any]) -> Any:
    return call(lambda size: None)
