"""What a job reads from S3 and writes there, each access decided by the policies of its role."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from ml_a2.errors import UserError
from ml_a2.local.authorization import AccessDeniedError, Authorization, Session
from ml_a2.local.clients import Clients
from ml_a2.object_keys import ILLEGAL, has_illegal_sequence

# What a failure reason begins with when the data of a job could not be brought to it.
FAILED = "ClientError: Data download failed:"


class TransferError(Exception):
    """S3 data that a job cannot have; the message is what the service would give as the reason."""


class Transfer:
    """The data path of one job."""

    def __init__(self, clients: Clients, authorization: Authorization, session: Session) -> None:
        """Act as the session."""
        self._s3 = clients.s3
        self._authorization = authorization
        self._session = session
        self._finds_nothing = False
        self._partition = session.role_arn.split(":")[1]

    def download(self, uri: str, *folders: Path, sharded: bool = False, may_be_empty: bool = False) -> None:
        """Copy every object under an S3 prefix into a folder, at its place below the prefix; of several, into each.

        Args:
            uri: the prefix.
            folders: one for each host.
            sharded: whether each host gets a share of the objects, in the order of their keys, instead of all.
            may_be_empty: whether it is fine that nothing lies there.

        Raises:
            TransferError: nothing lies there, the role may not read it, or a key is none that is downloaded.
        """
        bucket, prefix = split_uri(uri)
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        number = 0
        for key, size in self._objects(bucket, prefix):
            _check_key(bucket, key, size)
            if key.endswith("/"):  # what consoles write to show a folder
                continue
            chosen = folders[number % len(folders) :][:1] if sharded else folders
            try:
                self._download_object(bucket, key, [_inside(folder, key, prefix) for folder in chosen])
            except OSError as error:  # a name too long for a file, or a file where another key needs a folder
                raise TransferError(f"{FAILED}the object {key!r} could not be written: {error.strerror}") from error
            number += 1
        if (not number and not may_be_empty) or self._finds_nothing:
            raise TransferError(f"{FAILED}No S3 objects found under S3 URL {uri!r} given in input data source.")

    def _download_object(self, bucket: str, key: str, targets: list[Path]) -> None:
        self._require("s3:GetObject", f"{bucket}/{key}")
        for target in targets:
            target.parent.mkdir(parents=True, exist_ok=True)
        self._s3.download_file(bucket, key, str(targets[0]))
        for target in targets[1:]:
            shutil.copyfile(targets[0], target)

    def find_nothing(self) -> None:
        """Behave from now on as if nothing lay under any prefix."""
        self._finds_nothing = True

    def upload(self, file: Path, uri: str) -> None:
        """Copy a file to an object.

        Raises:
            TransferError: the role may not write it.
        """
        bucket, key = split_uri(uri)
        self._require("s3:PutObject", f"{bucket}/{key}")
        self._s3.upload_file(str(file), bucket, key)

    def upload_folder(self, folder: Path, uri: str) -> None:
        """Copy the regular files of a folder below a prefix; symbolic links stay behind, as on SageMaker."""
        for file in sorted(folder.rglob("*")):
            if file.is_file() and not file.is_symlink():
                self.upload(file, f"{uri.removesuffix('/')}/{file.relative_to(folder).as_posix()}")

    def _objects(self, bucket: str, prefix: str) -> Iterator[tuple[str, int]]:
        self._require("s3:ListBucket", bucket, {"s3:prefix": prefix})
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            for item in page.get("Contents", []):
                yield item["Key"], item["Size"]

    def _require(self, action: str, resource: str, context: dict[str, str] | None = None) -> None:
        arn = f"arn:{self._partition}:s3:::{resource}"
        try:
            self._authorization.require(self._session, action, arn, context)
        except AccessDeniedError as error:
            raise TransferError(f"ClientError: {error}") from error


def split_uri(uri: str) -> tuple[str, str]:
    """Return bucket and key of an s3:// URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise UserError(f"{uri!r} is no S3 URI; write s3://BUCKET/KEY")
    return bucket, key


def _check_key(bucket: str, key: str, size: int) -> None:
    """Refuse a key that SageMaker does not download, and one whose bytes would be left out in silence."""
    if has_illegal_sequence(key):
        raise TransferError(
            f"{FAILED}Failed to download data. S3 key: s3://{bucket}/{key} has an illegal char sub-sequence "
            f"{ILLEGAL!r} in it"
        )
    if key.endswith("/") and size:
        raise TransferError(f"{FAILED}the object {key!r} has {size} bytes and the name of a folder")


def _inside(folder: Path, key: str, prefix: str) -> Path:
    """Return where an object goes; a key can never lead outside the folder."""
    relative = key.removeprefix(prefix).lstrip("/") or key.rpartition("/")[2]
    # A prefix may end within a name: SageMaker keeps that name whole.
    if not prefix.endswith("/") and key != prefix:
        relative = key[prefix.rfind("/") + 1 :] if not key.startswith(prefix + "/") else relative
    if "\0" in relative:
        raise TransferError(f"ClientError: the key {key!r} cannot be a file's name")
    target = (folder / relative).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise TransferError(f"ClientError: the key {key!r} leads outside its channel")
    return target
