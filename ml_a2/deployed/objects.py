"""What lies in the bucket of training data: the evaluation's code, and the rows as the image will read them."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ml_a2 import contract
from ml_a2.channel_files import Labels, Reading, read_file
from ml_a2.digest import file_sha256
from ml_a2.finding import Finding
from ml_a2.object_keys import ILLEGAL, both_file_and_folder, has_illegal_sequence
from ml_a2.service_errors import code_of
from ml_a2.uploads import HASH

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CHANNELS = (contract.TRAIN_PREFIX, contract.VALIDATION_PREFIX)
# Of each object the first rows are read, and of a channel so many objects.
FIRST_BYTES = 1 << 18
MOST_OBJECTS = 20
RENAME = "copy it to a key with single slashes, and remove this one"
UPLOAD = "upload it, see `ml-a2 upload`"


@dataclass(frozen=True)
class Bucket:
    """A bucket, for reading."""

    s3: S3Client
    name: str

    def uri(self, key: str) -> str:
        """Return where an object lies."""
        return f"s3://{self.name}/{key}"

    def every_object(self, prefix: str) -> list[tuple[str, int]]:
        """Return keys and sizes."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return [(entry["Key"], entry["Size"]) for page in pages for entry in page.get("Contents", [])]

    def objects(self, prefix: str) -> list[tuple[str, int]]:
        """Return keys and sizes, without what consoles write to show a folder."""
        return [(key, size) for key, size in self.every_object(prefix) if size or not key.endswith("/")]

    def sha256(self, key: str, size: int) -> str | None:
        """Return the hash of an object's content: None where it is not there, nothing where its size is another."""
        try:
            head = self.s3.head_object(Bucket=self.name, Key=key)
        except ClientError as error:
            if code_of(error) in ("404", "NoSuchKey"):
                return None
            raise
        if head["ContentLength"] != size:
            return ""
        return head["Metadata"].get(HASH) or self._read_sha256(key)

    def _read_sha256(self, key: str) -> str:
        """Hash what somebody uploaded with another program."""
        digest = hashlib.sha256()
        for block in self.s3.get_object(Bucket=self.name, Key=key)["Body"].iter_chunks(1 << 20):
            digest.update(block)
        return digest.hexdigest()

    def first(self, key: str, size: int) -> bytes:
        """Return the whole lines at the beginning of an object; nothing where the first one is too long."""
        wanted: Any = {"Range": f"bytes=0-{FIRST_BYTES - 1}"}
        content = self.s3.get_object(Bucket=self.name, Key=key, **wanted)["Body"].read()
        return content if len(content) == size else content[: content.rfind(b"\n") + 1]


def check_files(bucket: Bucket, files: Mapping[str, Path]) -> Iterator[Finding]:
    """Yield which files are not in the bucket, or are there with other content."""
    for key, path in files.items():
        there = bucket.sha256(key, path.stat().st_size)
        if there is None:
            yield Finding("error", bucket.uri(key), "is not there", UPLOAD)
        elif there != file_sha256(path):
            yield Finding("warning", bucket.uri(key), f"is not the same as {path.name} here", UPLOAD)


def check_leftovers(bucket: Bucket, files: Mapping[str, Path]) -> Iterator[Finding]:
    """Yield objects that the image reads with the data, and that are none of it."""
    for prefix in CHANNELS:
        for key, _ in bucket.objects(prefix):
            if key not in files:
                problem = "lies beside your data, and the image reads it too"
                yield Finding("warning", bucket.uri(key), problem, "remove it, unless it is meant")


def check_keys(bucket: Bucket) -> Iterator[Finding]:
    """Yield the objects that SageMaker does not download: their job fails before it begins."""
    for prefix in contract.JOB_READ_PREFIXES:
        entries = bucket.every_object(prefix)
        for key, size in entries:
            if has_illegal_sequence(key):
                yield Finding("error", bucket.uri(key), f"has {ILLEGAL!r} in its key: SageMaker fails the job", RENAME)
            elif key.endswith("/") and size:
                problem = f"has {size} bytes and the name of a folder: no job gets them"
                yield Finding("error", bucket.uri(key), problem, "copy it to a key without the last slash")
        for key in both_file_and_folder(key for key, _ in entries if not key.endswith("/")):
            problem = "is a file and the folder of other objects: SageMaker fails the job"
            yield Finding("error", bucket.uri(key), problem, "rename it, or the folder")


def check_channels(bucket: Bucket) -> Iterator[Finding]:
    """Yield what the image would refuse about the rows that lie there, or silently get wrong, by their beginnings."""
    columns: dict[str, tuple[str, int]] = {}
    for prefix in CHANNELS:
        objects = bucket.objects(prefix)
        if not objects:
            yield Finding(
                "error", bucket.uri(prefix), "has no objects: the job fails", "upload data, see `ml-a2 upload`"
            )
        yield from _names(bucket, objects)
        for key, size in [each for each in objects if each[1]][:MOST_OBJECTS]:
            count, findings = _look(bucket, key, size)
            yield from findings
            known, expected = columns.setdefault(prefix, (key, count)) if count else (key, count)
            if count != expected:
                yield _other_columns(bucket, key, count, known, expected)
    if len(columns) == len(CHANNELS):
        (train, expected), (validation, count) = columns.values()
        if count != expected:
            yield _other_columns(bucket, validation, count, train, expected)


def _names(bucket: Bucket, objects: Iterable[tuple[str, int]]) -> Iterator[Finding]:
    for key, size in objects:
        if key.rpartition("/")[2].startswith("."):
            problem = "is a hidden file: the image refuses the whole channel"
            yield Finding("error", bucket.uri(key), problem, "remove it")
        elif not size:
            yield Finding("error", bucket.uri(key), "has no bytes: the image fails", "remove it")


def _look(bucket: Bucket, key: str, size: int) -> tuple[int, list[Finding]]:
    """Return how many columns an object has, 0 where that cannot be told, and what is wrong with its first rows."""
    uri, content = bucket.uri(key), bucket.first(key, size)
    if not content:
        problem = f"its first line has more than {FIRST_BYTES} bytes: it is not looked at"
        return 0, [Finding("warning", uri, problem, "look at it by hand")]
    with tempfile.TemporaryDirectory(prefix="ml-a2-") as folder:
        path = Path(folder, "first")
        path.write_bytes(content)
        summary, findings = read_file(path, Reading(), Labels())
        found = [replace(finding, where=finding.where.replace(str(path), uri)) for finding in findings]
    return summary.columns or 0, found


def _other_columns(bucket: Bucket, key: str, count: int, known: str, expected: int) -> Finding:
    problem = f"has {count} columns, {known} has {expected}"
    return Finding("error", bucket.uri(key), problem, "give every file of both channels the same columns")
