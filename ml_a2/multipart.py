"""Upload a large file in parts, several at a time; one that was broken off goes on with the parts that are there.

What S3 lists of an unfinished upload does not tell of which content it is, and the object's metadata, which does, is
settled when it begins. So this machine writes down which upload it has begun for which content.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from filelock import FileLock, Timeout
from platformdirs import user_state_path
from s3transfer.utils import ReadFileChunk

from ml_a2.errors import PlatformError
from ml_a2.service_errors import code_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MEBIBYTE = 1 << 20
# S3 takes 10,000 parts of 5 MiB to 5 GiB.
LEAST_PART_BYTES = 16 * MEBIBYTE
MOST_PARTS = 10_000
AT_ONCE = 4


@dataclass(frozen=True)
class Source:
    """A file and its content, as it is to stand in a bucket."""

    path: Path
    sha256: str
    size: int
    metadata: dict[str, str]


@dataclass(frozen=True)
class _Begun:
    """An upload that was begun, as this machine remembers it."""

    upload_id: str
    sha256: str
    size: int
    part_bytes: int


class MultipartUpload:
    """The upload of one object."""

    def __init__(self, s3: S3Client, bucket: str, key: str, *, state: Path | None = None) -> None:
        """Take the client and the place; `state` is the folder of what this machine has begun."""
        self._s3 = s3
        self._where: Any = {"Bucket": bucket, "Key": key}
        name = hashlib.sha256(f"{s3.meta.endpoint_url}\n{bucket}\n{key}".encode()).hexdigest()
        self._record = (state or user_state_path("ml-a2") / "uploads") / f"{name}.json"

    def send(self, source: Source, tell: Callable[[int], None]) -> int:
        """Upload a file, and return how many bytes of it were there from an upload that was broken off.

        Args:
            source: the file.
            tell: hears the bytes of each part that is done.

        Raises:
            PlatformError: another process of this machine uploads to the same place.
            ClientError: S3 refuses a call.
        """
        with self._alone():
            begun, there = self._resumed(source, tell) or (self._begin(source), {})
            parts = {**there, **self._send_parts(source.path, begun, there, tell)}
            listed: Any = {"Parts": [parts[number] for number in sorted(parts)]}
            self._s3.complete_multipart_upload(**self._where, UploadId=begun.upload_id, MultipartUpload=listed)
            self._record.unlink()
            return sum(_length(begun, number) for number in there)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._record.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self._record.with_suffix(".lock"), timeout=0):
                yield
        except Timeout as error:
            where = f"s3://{self._where['Bucket']}/{self._where['Key']}"
            raise PlatformError(f"{where} is being uploaded by another process of this machine; wait for it") from error

    def _begin(self, source: Source) -> _Begun:
        answer = self._s3.create_multipart_upload(**self._where, Metadata=source.metadata, ChecksumAlgorithm="SHA256")
        begun = _Begun(answer["UploadId"], source.sha256, source.size, part_bytes(source.size))
        unfinished = self._record.with_suffix(".new")
        unfinished.write_text(json.dumps(asdict(begun)), encoding="utf-8")
        unfinished.replace(self._record)
        return begun

    def _resumed(self, source: Source, tell: Callable[[int], None]) -> tuple[_Begun, dict[int, Any]] | None:
        """Return the upload that was begun for this content, with its parts; one for other content is given up."""
        begun = self._remembered()
        if begun is None:
            return None
        try:
            if (begun.sha256, begun.size) != (source.sha256, source.size):
                self._s3.abort_multipart_upload(**self._where, UploadId=begun.upload_id)
                return None
            return begun, dict(self._there(source.path, begun, tell))
        except ClientError as error:
            if code_of(error) != "NoSuchUpload":  # the bucket has cleaned it away, or it was completed elsewhere
                raise
            return None

    def _remembered(self) -> _Begun | None:
        try:
            return _Begun(**json.loads(self._record.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, RecursionError) as error:
            raise PlatformError(f"{self._record} cannot be read: {error}; remove it to upload anew") from error

    def _there(self, path: Path, begun: _Begun, tell: Callable[[int], None]) -> Iterator[tuple[int, Any]]:
        """Yield the parts that are there and hold what the file holds."""
        pages = self._s3.get_paginator("list_parts").paginate(**self._where, UploadId=begun.upload_id)
        for part in (part for page in pages for part in page.get("Parts", [])):
            number = part["PartNumber"]
            if part["Size"] == _length(begun, number) and _holds(part, _content(path, begun, number)):
                tell(part["Size"])
                yield number, _named(number, part)

    def _send_parts(
        self, path: Path, begun: _Begun, there: dict[int, Any], tell: Callable[[int], None]
    ) -> dict[int, Any]:
        stop = threading.Event()
        sent: dict[int, Any] = {}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            numbers = [number for number in _numbers(begun) if number not in there]
            futures: dict[Future[Any], int] = {
                pool.submit(self._send_part, path, begun, number, stop): number for number in numbers
            }
            try:
                for future in as_completed(futures):
                    number = futures[future]
                    sent[number] = future.result()
                    tell(_length(begun, number))
            except BaseException:
                stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return sent

    def _send_part(self, path: Path, begun: _Begun, number: int, stop: threading.Event) -> dict[str, Any]:
        def go_on(bytes_transferred: int) -> None:
            if stop.is_set():
                raise KeyboardInterrupt  # no Exception: the SDK would repeat the call

        digest = _sha256(_content(path, begun, number))
        start, length = (number - 1) * begun.part_bytes, _length(begun, number)
        body: Any  # a part of a file, which boto3's types know nothing of
        with ReadFileChunk.from_filename(os.fspath(path), start, length, callbacks=[go_on]) as body:
            answer = self._s3.upload_part(
                **self._where, UploadId=begun.upload_id, PartNumber=number, Body=body, ChecksumSHA256=digest
            )
        return _named(number, {"ChecksumSHA256": digest, **answer})


def part_bytes(size: int) -> int:
    """Return how large the parts of a file are: larger ones where there would be too many."""
    least = -(-size // MOST_PARTS)
    return max(LEAST_PART_BYTES, -(-least // MEBIBYTE) * MEBIBYTE)


def _numbers(begun: _Begun) -> range:
    return range(1, -(-begun.size // begun.part_bytes) + 1)


def _length(begun: _Begun, number: int) -> int:
    """Return how many bytes a part has; none beyond the last one."""
    return max(0, min(begun.part_bytes, begun.size - (number - 1) * begun.part_bytes))


def _content(path: Path, begun: _Begun, number: int) -> Iterator[bytes]:
    left = _length(begun, number)
    with path.open("rb") as file:
        file.seek((number - 1) * begun.part_bytes)
        while left and (block := file.read(min(left, MEBIBYTE))):
            left -= len(block)
            yield block


def _holds(part: Any, content: Iterator[bytes]) -> bool:
    """Tell whether a part holds this content: by its checksum, or by its ETag where an endpoint tells no other."""
    if "ChecksumSHA256" in part:
        return bool(part["ChecksumSHA256"] == _sha256(content))
    md5 = hashlib.md5(usedforsecurity=False)
    for block in content:
        md5.update(block)
    return bool(part["ETag"].strip('"') == md5.hexdigest())


def _sha256(content: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for block in content:
        digest.update(block)
    return base64.b64encode(digest.digest()).decode()


def _named(number: int, part: Any) -> dict[str, Any]:
    """Return a part as the completion names it; where there is a checksum S3 asks for it again."""
    checksum = {"ChecksumSHA256": part["ChecksumSHA256"]} if "ChecksumSHA256" in part else {}
    return {"PartNumber": number, "ETag": part["ETag"], **checksum}
