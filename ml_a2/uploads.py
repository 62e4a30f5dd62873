"""Copy files into a bucket, each with the hash by which it is recognised again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError

from ml_a2.digest import file_sha256
from ml_a2.errors import PlatformError
from ml_a2.multipart import MEBIBYTE, MultipartUpload, Source
from ml_a2.service_errors import code_of, has_expired

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# The metadata in which an object tells the SHA-256 of the file that it is a copy of.
HASH = "sha256"
# From here on an upload that breaks off is worth going on with.
LARGE_BYTES = 64 * MEBIBYTE


@dataclass(frozen=True)
class Uploaded:
    """An object as it was written: the version that a bucket gave it, and the hash of the file that it is a copy of."""

    key: str
    version_id: str | None
    sha256: str
    size: int
    # Whether the object was there already, of the same content.
    kept: bool = False
    # Bytes that were there already, from an upload that was broken off.
    resumed: int = 0


class Uploads:
    """Copies files into one bucket."""

    def __init__(self, s3: S3Client, bucket: str, *, state: Path | None = None) -> None:
        """Take the client and the bucket; `state` is where this machine writes down what it has begun."""
        self._s3 = s3
        self._bucket = bucket
        self._state = state

    def send(
        self, path: Path, key: str, *, again: bool, tell: Callable[[int], None], sha256: str | None = None
    ) -> Uploaded:
        """Copy a file.

        Args:
            path: the file.
            key: where it goes.
            again: whether to copy it also where the object has its content already; it goes up anew then.
            tell: hears the bytes of each part that is done.
            sha256: the file's, where it is known already.

        Raises:
            PlatformError: the bucket does not take it.
        """
        sha256 = sha256 or file_sha256(path)
        source = Source(path, sha256, size := path.stat().st_size, {HASH: sha256})
        there = {} if again else self._head(key)
        if there.get("ContentLength") == size and there["Metadata"].get(HASH) == sha256:
            tell(size)
            return Uploaded(key, there.get("VersionId"), sha256, size, kept=True)
        try:
            resumed = self._copy(source, key, again=again, tell=tell)
        except (S3UploadFailedError, ClientError) as error:
            # boto3 puts its own error before the service's.
            refused = error.__context__ if isinstance(error, S3UploadFailedError) else error
            if isinstance(refused, ClientError) and has_expired(refused):
                raise refused from error
            raise not_written(f"s3://{self._bucket}/{key}", error) from error
        return Uploaded(key, self._head(key).get("VersionId"), sha256, size, resumed=resumed)

    def _copy(self, source: Source, key: str, *, again: bool, tell: Callable[[int], None]) -> int:
        if again or source.size < LARGE_BYTES:
            extra: Any = {"Metadata": source.metadata}
            self._s3.upload_file(str(source.path), self._bucket, key, ExtraArgs=extra, Callback=tell)
            return 0
        return MultipartUpload(self._s3, self._bucket, key, state=self._state).send(source, tell)

    def _head(self, key: str) -> dict[str, Any]:
        try:
            return dict(self._s3.head_object(Bucket=self._bucket, Key=key))
        except ClientError as error:
            if code_of(error) in ("404", "403", "NoSuchKey"):
                return {}  # there is none, or it cannot be told
            raise


def not_written(uri: str, error: Exception) -> PlatformError:
    """Return the error that tells that a bucket did not take an object."""
    return PlatformError(
        f"{uri} could not be written: {error}; look at the bucket's policy and at your own permissions"
    )
