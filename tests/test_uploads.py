"""What is in a bucket already is not sent again; what is not, is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError

from ml_a2.digest import file_sha256
from ml_a2.errors import PlatformError
from ml_a2.uploads import Uploads
from tests.test_service_errors import refusal


class FakeS3:
    """A bucket with at most one object."""

    def __init__(self, there: dict[str, Any] | None = None, error: ClientError | None = None) -> None:
        """Take what HeadObject tells, and what an upload meets."""
        self._there = there
        self._error = error
        self.sent: list[str] = []

    def head_object(self, **_: Any) -> dict[str, Any]:
        if self._there is None:
            raise refusal("404", 404)
        return self._there

    def upload_file(self, path: str, bucket: str, key: str, **options: Any) -> None:
        if self._error:
            try:
                raise self._error
            except ClientError:
                raise S3UploadFailedError(f"Failed to upload {path}: {self._error}")  # noqa: B904  # as boto3 does
        self.sent.append(key)
        self._there = {"VersionId": "2", "Metadata": options["ExtraArgs"]["Metadata"]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text("1,2\n")
    return path


def _send(s3: Any, path: Path, *, again: bool = False) -> Any:
    return Uploads(s3, "bucket").send(path, "train/rows.csv", again=again, tell=lambda size: None)


def test_the_same_content_is_kept_and_its_version_told(path: Path) -> None:
    """By its hash and its size, unless it is wanted again."""
    there = {"VersionId": "1", "ContentLength": 4, "Metadata": {"sha256": file_sha256(path)}}
    s3 = FakeS3(there)
    kept = _send(s3, path)
    assert (kept.kept, kept.version_id, s3.sent) == (True, "1", [])
    assert _send(s3, path, again=True).version_id == "2"


@pytest.mark.parametrize(
    "change", [{"ContentLength": 5}, {"Metadata": {}}, {"Metadata": {"sha256": "another"}}], ids=str
)
def test_what_differs_is_sent(path: Path, change: dict[str, Any]) -> None:
    """Another size, no hash as of another program, another hash."""
    s3 = FakeS3({"VersionId": "1", "ContentLength": 4, "Metadata": {"sha256": file_sha256(path)}, **change})
    sent = _send(s3, path)
    assert (sent.kept, sent.version_id, s3.sent) == (False, "2", ["train/rows.csv"])


def test_fails_on_a_bucket_that_refuses(path: Path) -> None:
    """It is told which object, why, and where to look; of credentials that have expired, that."""
    with pytest.raises(PlatformError, match=r"s3://bucket/train/rows.csv could not be written: .*AccessDenied"):
        _send(FakeS3(error=refusal("AccessDenied", 403)), path)
    with pytest.raises(ClientError, match="ExpiredToken"):
        _send(FakeS3(error=refusal("ExpiredToken")), path)
