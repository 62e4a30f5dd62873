"""S3's objects through its API, over HTTP and in the same process: bytes, memory, and what is left of them."""

from __future__ import annotations

import base64
import hashlib
import http.client
import pickle
import socket
import tracemalloc
import urllib.parse
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from moto.s3.models import s3_backends

from ml_a2.local.clients import Clients
from ml_a2.local.objects.body import LARGEST_UPLOAD_BYTES
from ml_a2.local.objects.store import ObjectStore, activate
from ml_a2.local.runtime import LocalRuntime
from tests.local.objects.conftest import files

MEBIBYTE = 1 << 20
LARGE = 200 * MEBIBYTE


@contextmanager
def _little_memory() -> Iterator[None]:
    """Hold client and endpoint together to a third of the object."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < LARGE // 3
    finally:
        tracemalloc.stop()


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file in which every block is another one."""
    path = tmp_path / "large"
    with path.open("wb") as file:
        for number in range(LARGE // MEBIBYTE):
            file.write(number.to_bytes(8, "big") + bytes(MEBIBYTE - 8))
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_a_large_object_takes_little_memory_in_parts(over_http: Clients, large: Path, tmp_path: Path) -> None:
    """As boto3 and the AWS CLI send and fetch it: parts up, ranges down."""
    config: Any = TransferConfig(max_concurrency=2)
    with _little_memory():
        over_http.s3.upload_file(str(large), "bucket", "key", Config=config)
        over_http.s3.download_file("bucket", "key", str(tmp_path / "copy"), Config=config)
    assert _sha256(tmp_path / "copy") == _sha256(large)
    assert sum(files()) == LARGE


def test_a_large_object_takes_little_memory_whole(clients: Clients, large: Path, tmp_path: Path) -> None:
    """In one request, one answer, and a copy in between that takes no room."""
    s3 = clients.s3
    with _little_memory():
        with large.open("rb") as file:
            s3.put_object(Bucket="bucket", Key="key", Body=file)
        s3.copy_object(Bucket="bucket", Key="copy", CopySource="bucket/key")
        answer = s3.get_object(Bucket="bucket", Key="copy")
        with (tmp_path / "copy").open("wb") as file:
            file.writelines(answer["Body"].iter_chunks(MEBIBYTE))
    assert _sha256(tmp_path / "copy") == _sha256(large)
    assert files() == [LARGE]


@pytest.mark.parametrize(
    ("asked", "status", "told", "range_"),
    [
        ("bytes=2-4", 206, b"cde", "bytes 2-4/6"),
        ("bytes=4-100", 206, b"ef", "bytes 4-5/6"),
        ("bytes=-2", 206, b"ef", "bytes 4-5/6"),
        ("bytes=3-", 206, b"def", "bytes 3-5/6"),
        ("bytes=0-1,3-4", 200, b"abcdef", None),
    ],
)
def test_ranges_are_parts_of_the_file(clients: Clients, asked: str, status: int, told: bytes, range_: str) -> None:
    """With the lengths and headers that go with them."""
    clients.s3.put_object(Bucket="bucket", Key="key", Body=b"abcdef")
    answer = clients.s3.get_object(Bucket="bucket", Key="key", Range=asked)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status
    assert (answer["Body"].read(), answer["ContentLength"], answer.get("ContentRange")) == (told, len(told), range_)


def test_conditions_decide_before_any_byte(clients: Clients) -> None:
    """Those of GetObject and PutObject, and HEAD, which has none."""
    s3 = clients.s3
    etag = s3.put_object(Bucket="bucket", Key="key", Body=b"abcdef")["ETag"]
    assert etag == f'"{hashlib.md5(b"abcdef").hexdigest()}"'  # noqa: S324
    assert s3.get_object(Bucket="bucket", Key="key", IfMatch=etag)["Body"].read() == b"abcdef"
    for call, code in [
        (lambda: s3.get_object(Bucket="bucket", Key="key", IfMatch="other"), "PreconditionFailed"),
        (lambda: s3.get_object(Bucket="bucket", Key="key", IfNoneMatch=etag), "304"),
        (lambda: s3.get_object(Bucket="bucket", Key="key", Range="bytes=6-"), "InvalidRange"),
        (lambda: s3.put_object(Bucket="bucket", Key="key", Body=b"new", IfNoneMatch="*"), "PreconditionFailed"),
    ]:
        with pytest.raises(ClientError) as refused:
            call()
        assert refused.value.response["Error"]["Code"] == code
    assert s3.head_object(Bucket="bucket", Key="key")["ContentLength"] == 6
    assert files() == [6]


def test_empty_objects_are_objects(clients: Clients) -> None:
    """Nothing to send is not nothing there."""
    clients.s3.put_object(Bucket="bucket", Key="key", Body=b"")
    answer = clients.s3.get_object(Bucket="bucket", Key="key")
    assert (answer["Body"].read(), answer["ContentLength"]) == (b"", 0)


@pytest.mark.parametrize(
    "key", ["../../x", "/etc/x", "a//b", "//x", "a\0b", "./a", "x/..", "..", "a%2Fb", "ä ü+?#", "a/", "x" * 1024]
)
def test_keys_are_data(clients: Clients, key: str) -> None:
    """Whatever they look like: they name no file, and come back as they were given."""
    clients.s3.put_object(Bucket="bucket", Key=key, Body=key.encode())
    assert clients.s3.get_object(Bucket="bucket", Key=key)["Body"].read() == key.encode()
    assert [item["Key"] for item in clients.s3.list_objects_v2(Bucket="bucket")["Contents"]] == [key]
    assert files() == [len(key.encode())]


@pytest.mark.parametrize("key", ["../x", "a//b", "%2e%2e/x"])
def test_keys_are_data_where_the_bucket_stands_before_the_host(over_http: Clients, key: str) -> None:
    """Then the whole path is the key."""
    connection = _connect(over_http)
    connection.request("PUT", f"/{key}", body=b"abc", headers={**SIGNED, "Host": "bucket.localhost"})
    assert connection.getresponse().status == 200
    connection.close()
    (item,) = over_http.s3.list_objects_v2(Bucket="bucket")["Contents"]
    assert (item["Key"], item["Size"]) == (urllib.parse.unquote(key), 3)


def test_fails_for_a_key_that_is_too_long(clients: Clients) -> None:
    """In bytes, not in letters; before anything is received."""
    for key in ("x" * 1025, "ä" * 513):
        with pytest.raises(ClientError, match="Your key is too long") as refused:
            clients.s3.put_object(Bucket="bucket", Key=key, Body=b"x")
        assert refused.value.response["Error"]["Code"] == "KeyTooLongError"
    assert files() == []


def test_files_go_with_their_objects(clients: Clients) -> None:
    """Overwritten, deleted, a version deleted, an upload aborted, a bucket deleted with what was unfinished in it."""
    s3 = clients.s3
    s3.put_object(Bucket="bucket", Key="key", Body=b"a")
    s3.put_object(Bucket="bucket", Key="key", Body=b"bb")
    assert files() == [2]
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="bucket", Key="key", Body=b"ccc")["VersionId"]
    marker = s3.delete_object(Bucket="bucket", Key="key")["VersionId"]
    assert files() == [2, 3]
    for each in (version, marker, "null"):
        s3.delete_object(Bucket="bucket", Key="key", VersionId=each)
    assert files() == []
    uploads = [s3.create_multipart_upload(Bucket="bucket", Key="key")["UploadId"] for _ in range(2)]
    for upload in uploads:
        for body in (b"dddd", b"eeeee"):
            s3.upload_part(Bucket="bucket", Key="key", UploadId=upload, PartNumber=1, Body=body)
    assert files() == [5, 5]
    s3.abort_multipart_upload(Bucket="bucket", Key="key", UploadId=uploads[0])
    assert files() == [5]
    s3.delete_bucket(Bucket="bucket")
    assert files() == []


def _parts(s3: Any, sizes: list[int], **given: Any) -> tuple[str, list[dict[str, Any]]]:
    upload = s3.create_multipart_upload(Bucket="bucket", Key="key", **given)["UploadId"]
    parts = []
    for number, size in enumerate(sizes, 1):
        body = bytes([number]) * size
        told = s3.upload_part(Bucket="bucket", Key="key", UploadId=upload, PartNumber=number, Body=body, **given)
        parts.append({"PartNumber": number, "ETag": told["ETag"]})
    return upload, parts


def test_parts_become_an_object_as_they_are(clients: Clients) -> None:
    """With S3's ETag and checksum of parts; those that are not listed go."""
    s3 = clients.s3
    upload, parts = _parts(s3, [5 * MEBIBYTE, 7, 3], ChecksumAlgorithm="SHA256")
    listed: Any = {"Parts": parts[:2]}
    etag = s3.complete_multipart_upload(Bucket="bucket", Key="key", UploadId=upload, MultipartUpload=listed)["ETag"]
    content = [b"\1" * (5 * MEBIBYTE), b"\2" * 7]
    assert etag == f'"{hashlib.md5(b"".join(hashlib.md5(part).digest() for part in content)).hexdigest()}-2"'  # noqa: S324
    answer = s3.get_object(Bucket="bucket", Key="key", Range=f"bytes={5 * MEBIBYTE - 2}-")
    assert answer["Body"].read() == b"\1\1" + b"\2" * 7
    assert files() == [7, 5 * MEBIBYTE]
    del answer  # what is read keeps its files
    told = s3.get_object_attributes(Bucket="bucket", Key="key", ObjectAttributes=["Checksum", "ObjectSize"])
    assert (told["ObjectSize"], told["Checksum"]["ChecksumType"]) == (5 * MEBIBYTE + 7, "COMPOSITE")
    s3.delete_object(Bucket="bucket", Key="key")
    assert files() == []


@pytest.mark.parametrize(
    ("code", "sizes", "order"), [("EntityTooSmall", [5, 5], [0, 1]), ("InvalidPartOrder", [5 * MEBIBYTE, 5], [1, 0])]
)
def test_fails_for_parts_that_make_no_object(clients: Clients, code: str, sizes: list[int], order: list[int]) -> None:
    """Too small, or in an order in which S3 would not put them together."""
    upload, parts = _parts(clients.s3, sizes)
    listed: Any = {"Parts": [parts[index] for index in order]}
    with pytest.raises(ClientError) as refused:
        clients.s3.complete_multipart_upload(Bucket="bucket", Key="key", UploadId=upload, MultipartUpload=listed)
    assert refused.value.response["Error"]["Code"] == code


@pytest.mark.parametrize("call", ["upload_part", "upload_part_copy", "complete_multipart_upload"])
def test_fails_for_an_upload_that_is_not_there(clients: Clients, call: str) -> None:
    """Any more, for instance: nothing of the part is received, nothing becomes of the object."""
    s3 = clients.s3
    s3.put_object(Bucket="bucket", Key="source", Body=b"abc")
    upload, parts = _parts(s3, [5])
    where: Any = {"Bucket": "bucket", "Key": "key", "UploadId": upload}
    s3.abort_multipart_upload(**where)
    given: Any = {
        "upload_part": {"PartNumber": 1, "Body": b"more"},
        "upload_part_copy": {"PartNumber": 1, "CopySource": "bucket/source"},
        "complete_multipart_upload": {"MultipartUpload": {"Parts": parts}},
    }[call]
    with pytest.raises(ClientError) as refused:
        getattr(s3, call)(**where, **given)
    assert refused.value.response["Error"]["Code"] == "NoSuchUpload"
    assert files() == [3]


def test_a_part_may_be_a_range_of_another_object(clients: Clients) -> None:
    """Shared, not copied; it stays when the other object goes."""
    s3 = clients.s3
    s3.put_object(Bucket="bucket", Key="source", Body=b"abcdef")
    upload = s3.create_multipart_upload(Bucket="bucket", Key="key")["UploadId"]
    where: Any = {"Bucket": "bucket", "Key": "key", "UploadId": upload}
    part = s3.upload_part_copy(**where, PartNumber=1, CopySource="bucket/source", CopySourceRange="bytes=1-3")
    listed: Any = {"Parts": [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]}
    s3.complete_multipart_upload(**where, MultipartUpload=listed)
    s3.delete_object(Bucket="bucket", Key="source")
    assert s3.get_object(Bucket="bucket", Key="key")["Body"].read() == b"bcd"


@pytest.mark.parametrize("name", ["CRC32", "SHA256"])
def test_checksums_are_kept_and_told(clients: Clients, name: str) -> None:
    """Of what was uploaded, and of a copy with another algorithm."""
    s3: Any = clients.s3
    put = s3.put_object(Bucket="bucket", Key="key", Body=b"abc", ChecksumAlgorithm=name)
    got = s3.get_object(Bucket="bucket", Key="key", ChecksumMode="ENABLED")
    assert put[f"Checksum{name}"] == got[f"Checksum{name}"]
    assert got["Body"].read() == b"abc"
    copied = s3.copy_object(Bucket="bucket", Key="copy", CopySource="bucket/key", ChecksumAlgorithm="SHA1")
    assert copied["CopyObjectResult"]["ChecksumSHA1"] == "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="


def test_fails_for_a_wrong_checksum(clients: Clients) -> None:
    """Nothing becomes of the object."""
    with pytest.raises(ClientError, match="The SHA256 you specified did not match the calculated checksum") as refused:
        clients.s3.put_object(Bucket="bucket", Key="key", Body=b"abc", ChecksumSHA256="A" * 43 + "=")
    assert refused.value.response["Error"]["Code"] == "BadDigest"
    assert "Contents" not in clients.s3.list_objects_v2(Bucket="bucket")
    assert files() == []


def test_fails_without_a_bucket_before_anything_is_received(clients: Clients, tmp_path: Path) -> None:
    """Else the full disk would be told of."""
    activate(ObjectStore(tmp_path / "objects", free=lambda path: 0))
    with pytest.raises(ClientError) as refused:
        clients.s3.put_object(Bucket="elsewhere", Key="key", Body=bytes(MEBIBYTE))
    assert refused.value.response["Error"]["Code"] == "NoSuchBucket"


def test_fails_without_room_in_a_form_that_clients_read(clients: Clients, tmp_path: Path) -> None:
    """And do not send again and again."""
    activate(ObjectStore(tmp_path / "objects", free=lambda path: 0))
    with pytest.raises(ClientError, match=r"1048576 bytes do not fit into .*: 0 bytes are free") as refused:
        clients.s3.put_object(Bucket="bucket", Key="key", Body=bytes(MEBIBYTE))
    answer = refused.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["RetryAttempts"]) == ("InsufficientStorage", 0)


def _connect(clients: Clients) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urllib.parse.urlsplit(clients.endpoint_url).netloc, timeout=20)


SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3/aws4_request, ..."}


def test_a_body_that_breaks_off_is_no_object(over_http: Clients) -> None:
    """The connection ends in the middle; so does the upload."""
    connection = _connect(over_http)
    connection.putrequest("PUT", "/bucket/key")
    for name, text in {**SIGNED, "Content-Length": "1000000"}.items():
        connection.putheader(name, text)
    connection.endheaders(b"abc")
    assert connection.sock
    connection.sock.shutdown(socket.SHUT_WR)
    answer = connection.getresponse()
    assert (answer.status, b"<Code>IncompleteBody</Code>" in answer.read()) == (400, True)
    connection.close()
    assert "Contents" not in over_http.s3.list_objects_v2(Bucket="bucket")
    assert files() == []


@pytest.mark.parametrize("headers", [{"Content-Length": str(LARGEST_UPLOAD_BYTES + 1)}, {
    "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "Content-Length": "9",
    "x-amz-decoded-content-length": str(LARGEST_UPLOAD_BYTES + 1),
}])  # fmt: skip
def test_fails_for_more_than_a_single_put_may_bring(over_http: Clients, headers: dict[str, str]) -> None:
    """By what it announces, before it comes."""
    connection = _connect(over_http)
    connection.request("PUT", "/bucket/key", headers={**SIGNED, **headers})
    answer = connection.getresponse()
    assert (answer.status, b"<Code>EntityTooLarge</Code>" in answer.read()) == (400, True)
    connection.close()


def test_takes_chunks_within_chunks(over_http: Clients) -> None:
    """Those of the AWS SDKs in those of HTTP, as SDKs send a stream."""
    content = b"d" * 300_000
    framed = b"493e0\r\n" + content + b"\r\n0\r\nx-amz-checksum-crc32:" + _crc32(content) + b"\r\n\r\n"
    told = {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-decoded-content-length": "300000",
        "Content-Encoding": "aws-chunked", "x-amz-trailer": "x-amz-checksum-crc32",
    }  # fmt: skip
    connection = _connect(over_http)
    blocks = (framed[at : at + 70_000] for at in range(0, len(framed), 70_000))
    connection.request("PUT", "/bucket/key", body=blocks, headers={**SIGNED, **told}, encode_chunked=True)
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"")
    connection.close()
    got = over_http.s3.get_object(Bucket="bucket", Key="key", ChecksumMode="ENABLED")
    assert (got["Body"].read(), got["ChecksumCRC32"].encode()) == (content, _crc32(content))
    assert "ContentEncoding" not in got


def _crc32(content: bytes) -> bytes:
    return base64.b64encode(zlib.crc32(content).to_bytes(4, "big"))


def test_fails_for_chunks_without_a_length(over_http: Clients) -> None:
    """Of HTTP alone: S3 does not take them either."""
    connection = _connect(over_http)
    connection.request("PUT", "/bucket/key", body=iter([b"abc"]), headers=SIGNED, encode_chunked=True)
    answer = connection.getresponse()
    assert (answer.status, b"<Code>NotImplemented</Code>" in answer.read()) == (501, True)
    connection.close()


def test_fails_for_a_document_that_is_as_large_as_an_object(over_http: Clients) -> None:
    """What is no object is read whole, so there is a limit to it."""
    connection = _connect(over_http)
    connection.request("POST", "/bucket/key?uploadId=x", body=bytes(17 * MEBIBYTE), headers=SIGNED)
    answer = connection.getresponse()
    assert (answer.status, b"Request Entity Too Large" in answer.read()) == (413, True)
    connection.close()


def test_a_form_type_does_not_change_the_bytes(over_http: Clients) -> None:
    """It is what curl sends without being asked; the engine would read a form."""
    connection = _connect(over_http)
    headers = {**SIGNED, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("PUT", "/bucket/key", body=b"a=b&c", headers=headers)
    assert connection.getresponse().status == 200
    connection.close()
    assert over_http.s3.get_object(Bucket="bucket", Key="key")["Body"].read() == b"a=b&c"


def test_keys_are_pickled_without_their_bytes(runtime: LocalRuntime) -> None:
    """What is kept of a bucket is small, and finds the files again in the same folder."""
    s3 = runtime.clients.s3
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="key", Body=b"x" * MEBIBYTE)
    bucket = s3_backends[runtime.environment.account]["aws"].buckets["bucket"]
    kept = pickle.dumps(bucket.keys["key"])
    assert len(kept) < 5000
    before = bucket.keys["key"].value
    activate(ObjectStore(next(iter(before.ranges)).content.path.parent, removes=False))
    after = pickle.loads(kept)  # noqa: S301  # it was written here
    assert (after.value.read(), after.etag, after.size) == (b"x" * MEBIBYTE, bucket.keys["key"].etag, MEBIBYTE)
