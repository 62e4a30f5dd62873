"""Files become objects and objects files without a body: the same calls, the same answers."""

from __future__ import annotations

import http.client
import json
import urllib.parse
from pathlib import Path

import pytest
from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError

from ml_a2.local.clients import Clients
from ml_a2.local.objects import short_way
from ml_a2.local.runtime import LocalRuntime
from tests.local.objects.conftest import files


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(b"abc" * 100_000)
    return path


@pytest.fixture
def local(runtime: LocalRuntime) -> Clients:
    runtime.clients.s3.create_bucket(Bucket="bucket")
    return runtime.clients


def test_an_object_is_the_same_either_way(local: Clients, runtime: LocalRuntime, source: Path) -> None:
    """Bytes, ETag, checksum, metadata and version."""
    local.s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    extra = {"Metadata": {"sha256": "12"}, "ContentType": "text/csv"}
    heard: list[int] = []
    local.s3.upload_file(str(source), "bucket", "short", ExtraArgs=extra, Callback=heard.append)
    Clients(runtime.url, "us-east-1").s3.upload_file(str(source), "bucket", "long", ExtraArgs=extra)
    short, long = (local.s3.get_object(Bucket="bucket", Key=key, ChecksumMode="ENABLED") for key in ("short", "long"))
    assert short["Body"].read() == long["Body"].read() == source.read_bytes()
    same = ("ETag", "ContentLength", "ContentType", "Metadata", "ChecksumCRC32")
    assert [short[name] for name in same] == [long[name] for name in same]  # type: ignore[literal-required]
    assert short["VersionId"] not in ("null", long["VersionId"])
    assert heard == [300_000]


def test_the_bytes_stand_in_no_request(local: Clients, source: Path, tmp_path: Path) -> None:
    """Neither up nor down."""
    answered: list[str] = []
    sent: list[str] = []
    local.s3.meta.events.register_first("before-send.s3", lambda request, **_: sent.append(str(request.body or "")))
    local.s3.meta.events.register(
        "after-call.s3", lambda http_response, **_: answered.append(http_response.headers.get("content-length", "0"))
    )
    local.s3.upload_file(str(source), "bucket", "key")
    local.s3.download_file("bucket", "key", str(tmp_path / "target"))
    assert (tmp_path / "target").read_bytes() == source.read_bytes()
    assert (sent, answered) == (["", ""], ["0", "0"])


def test_the_file_may_change_afterwards(local: Clients, source: Path, tmp_path: Path) -> None:
    """Both are copies: a job may write into its input."""
    local.s3.upload_file(str(source), "bucket", "key")
    with source.open("r+b") as file:
        file.write(b"changed")
    local.s3.download_file("bucket", "key", str(tmp_path / "target"))
    with (tmp_path / "target").open("r+b") as file:
        file.write(b"changed")
    assert local.s3.get_object(Bucket="bucket", Key="key")["Body"].read() == b"abc" * 100_000


def test_a_version_and_a_range_can_be_fetched(local: Clients, source: Path, tmp_path: Path) -> None:
    """What GetObject takes, this takes; what was there before is replaced."""
    local.s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    first = short_way.put_file(local.s3, "bucket", "key", source)["VersionId"]
    local.s3.put_object(Bucket="bucket", Key="key", Body=b"second")
    target = tmp_path / "target"
    assert short_way.fetch_file(local.s3, "bucket", "key", target) == 6
    assert target.read_bytes() == b"second"
    extra = {"VersionId": first, "Range": "bytes=1-4"}
    assert short_way.fetch_file(local.s3, "bucket", "key", target, extra) == 4
    assert target.read_bytes() == b"bcab"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source", "target"]


def test_fails_as_the_long_way_does(local: Clients, source: Path, tmp_path: Path) -> None:
    """No bucket, no key, a policy that says no: the codes are S3's."""
    with pytest.raises(S3UploadFailedError, match="NoSuchBucket"):
        local.s3.upload_file(str(source), "elsewhere", "key")
    with pytest.raises(ClientError) as missing:
        local.s3.download_file("bucket", "key", str(tmp_path / "target"))
    assert missing.value.response["Error"]["Code"] == "NoSuchKey"
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::bucket/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
    local.s3.put_object(Bucket="bucket", Key="key", Body=b"x")
    local.s3.put_bucket_policy(Bucket="bucket", Policy=policy)
    with pytest.raises(ClientError) as denied:
        local.s3.put_object(Bucket="bucket", Key="key", Body=b"x")
    with pytest.raises(S3UploadFailedError, match=str(denied.value.response["Error"]["Code"])):
        local.s3.upload_file(str(source), "bucket", "key")
    assert not (tmp_path / "target").exists()
    assert files() == [1]


def test_fails_for_a_file_that_is_not_there(local: Clients, tmp_path: Path) -> None:
    """As boto3 does."""
    with pytest.raises(FileNotFoundError):
        local.s3.upload_file(str(tmp_path / "missing"), "bucket", "key")


@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_a_ticket_of_somebody_else_is_none(local: Clients, runtime: LocalRuntime, method: str) -> None:
    """A request with a made-up ticket is a request like any other."""
    local.s3.put_object(Bucket="bucket", Key="key", Body=b"there")
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(runtime.url).netloc, timeout=20)
    headers = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3/aws4_request, ...",
        short_way.TICKET_HEADER: "/etc/passwd",
    }
    connection.request(method, "/bucket/key", body=b"sent" if method == "PUT" else None, headers=headers)
    assert connection.getresponse().read() == (b"" if method == "PUT" else b"there")
    connection.close()
    expected = b"sent" if method == "PUT" else b"there"
    assert local.s3.get_object(Bucket="bucket", Key="key")["Body"].read() == expected
