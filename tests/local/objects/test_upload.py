"""Bodies of uploads: framing, lengths and checksums as S3 has them."""

from __future__ import annotations

import base64
import hashlib
import io
import zlib
from typing import Any

import pytest

from ml_a2.local.edge.refusal import RequestError
from ml_a2.local.objects.body import LARGEST_UPLOAD_BYTES, Incoming
from ml_a2.local.objects.checksums import is_computed
from ml_a2.local.objects.store import MARGIN_BYTES, ObjectStore
from ml_a2.local.objects.upload import Upload, receive

CRC32 = base64.b64encode(zlib.crc32(b"hello world").to_bytes(4, "big")).decode()
UNSIGNED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
# As the AWS SDKs for Java, JavaScript and Python write them.
CHUNKED = b"6\r\nhello \r\n5\r\nworld\r\n0\r\n"
SIGNED = b"6;chunk-signature=ab\r\nhello \r\n5;chunk-signature=cd\r\nworld\r\n0;chunk-signature=ef\r\n"


def _environ(body: bytes, length: int | None = -1, **headers: str) -> dict[str, Any]:
    environ: dict[str, Any] = {"wsgi.input": io.BytesIO(body)}
    environ |= {f"HTTP_{name.upper()}": text for name, text in headers.items()}
    if length is not None:
        environ["CONTENT_LENGTH"] = str(len(body) if length == -1 else length)
    return environ


def _receive(store: ObjectStore, body: bytes, length: int | None = -1, **headers: str) -> Upload:
    return receive(Incoming.take(_environ(body, length, **headers)), store)


def _framed(body: bytes, kind: str = UNSIGNED, decoded: int = 11, **headers: str) -> dict[str, Any]:
    return {"body": body, "x_amz_content_sha256": kind, "x_amz_decoded_content_length": str(decoded), **headers}


@pytest.mark.parametrize(
    "request_",
    [
        {"body": b"hello world"},
        {"body": b"hello world", "x_amz_content_sha256": "UNSIGNED-PAYLOAD"},
        _framed(CHUNKED + b"\r\n"),
        _framed(CHUNKED),
        _framed(CHUNKED + f"x-amz-checksum-crc32:{CRC32}\r\n\r\n".encode(), x_amz_trailer="x-amz-checksum-crc32"),
        _framed(SIGNED + b"\r\n", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        _framed(
            SIGNED + f"x-amz-checksum-crc32:{CRC32}\r\nx-amz-trailer-signature:12\r\n\r\n".encode(),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            x_amz_trailer="x-amz-checksum-crc32",
        ),
    ],
)
def test_takes_what_the_sdks_send(store: ObjectStore, request_: dict[str, Any]) -> None:
    """Plain and in chunks, signed or not, with and without trailers."""
    upload = _receive(store, **request_)
    assert upload.value.read() == b"hello world"
    assert upload.checksum == (CRC32 if "x_amz_trailer" in request_ else None)


def test_takes_the_body_out_of_the_request() -> None:
    """The engine sees an empty one, and no word of chunks."""
    environ = _environ(**_framed(CHUNKED))
    Incoming.take(environ)
    assert (environ["CONTENT_LENGTH"], environ["wsgi.input"].read()) == ("0", b"")
    assert "HTTP_X_AMZ_CONTENT_SHA256" not in environ


def test_reads_no_further_than_the_body(store: ObjectStore) -> None:
    """Behind it there is the next request."""
    environ = _environ(b"hello worldGET / HTTP/1.1", 11)
    stream = environ["wsgi.input"]
    assert receive(Incoming.take(environ), store).value.read() == b"hello world"
    assert stream.read() == b"GET / HTTP/1.1"


def _digests(text: bytes) -> dict[str, str]:
    found = {"CRC32": zlib.crc32(text).to_bytes(4, "big")}
    found |= {name: hashlib.new(name, text).digest() for name in ("SHA1", "SHA256")}
    return {name: base64.b64encode(digest).decode() for name, digest in found.items()}


@pytest.mark.parametrize("name", ["CRC32", "SHA1", "SHA256"])
def test_verifies_checksums(store: ObjectStore, name: str) -> None:
    """The right one is kept, a wrong one refused in S3's words."""
    header = f"x_amz_checksum_{name.lower()}"
    kept = _receive(store, b"hello world", **{header: _digests(b"hello world")[name]})
    assert (kept.algorithm, kept.checksum) == (name, _digests(b"hello world")[name])
    with pytest.raises(RequestError, match=f"The {name} you specified did not match") as refused:
        _receive(store, b"hello world", **{header: _digests(b"hello World")[name]})
    assert (refused.value.code, int(refused.value.status)) == ("BadDigest", 400)


@pytest.mark.skipif(not is_computed("CRC64NVME"), reason="awscrt is not installed")
@pytest.mark.parametrize(("name", "right"), [("CRC32C", "4waSgw=="), ("CRC64NVME", "rosUhgp5mIg=")])
def test_verifies_checksums_of_the_common_runtime(store: ObjectStore, name: str, right: str) -> None:
    """Of the text 123456789, for which both algorithms' catalogues give the value."""
    header = f"x_amz_checksum_{name.lower()}"
    assert _receive(store, b"123456789", **{header: right}).checksum == right
    with pytest.raises(RequestError, match=f"The {name} you specified did not match"):
        _receive(store, b"123456780", **{header: right})


@pytest.mark.skipif(is_computed("CRC64NVME"), reason="awscrt is installed")
def test_keeps_a_checksum_that_cannot_be_computed_here(store: ObjectStore) -> None:
    """As it was given: the AWS CLI sends one by default."""
    assert _receive(store, b"123456789", x_amz_checksum_crc64nvme="rosUhgp5mIg=").checksum == "rosUhgp5mIg="


def test_computes_a_checksum_that_is_asked_for(store: ObjectStore) -> None:
    """Where the request gives none."""
    upload = _receive(store, b"hello world", x_amz_sdk_checksum_algorithm="CRC32")
    assert (upload.algorithm, upload.checksum) == ("CRC32", CRC32)


@pytest.mark.parametrize(
    ("code", "request_"),
    [
        ("IncompleteBody", {"body": b"hello", "length": 11}),
        ("IncompleteBody", _framed(CHUNKED[:-3])),
        ("IncompleteBody", _framed(b"6\r\nhel")),
        ("IncompleteBody", _framed(b"")),
        ("IncompleteBody", _framed(CHUNKED, decoded=12)),
        ("IncompleteBody", _framed(CHUNKED, decoded=10)),
        ("MalformedTrailerError", _framed(CHUNKED + b"\r\n", x_amz_trailer="x-amz-checksum-crc32")),
        ("InvalidRequest", _framed(b"-6\r\nhello \r\n0\r\n\r\n", decoded=6)),
        ("InvalidRequest", _framed(b"5\r\nhello \r\n0\r\n\r\n", decoded=6)),
        ("InvalidRequest", _framed(b"6;" + b"x" * 10_000 + b"\r\nhello \r\n0\r\n\r\n", decoded=6)),
        ("InvalidRequest", {"body": b"hello", "x_amz_checksum_crc32": "?"}),
        ("InvalidRequest", {"body": b"hello", "x_amz_checksum_crc32": "AAA="}),
        ("InvalidRequest", {"body": b"hello", "x_amz_sdk_checksum_algorithm": "MD4"}),
        ("InvalidDigest", {"body": b"hello", "content_md5": "AAA="}),
        ("BadDigest", {"body": b"hello", "content_md5": base64.b64encode(bytes(16)).decode()}),
        ("MissingContentLength", {"body": b"hello", "length": None}),
        ("MissingContentLength", {"body": CHUNKED, "x_amz_content_sha256": UNSIGNED}),
        ("InvalidRequest", {"body": CHUNKED, "length": 10**20}),
        ("EntityTooLarge", {"body": b"", "length": LARGEST_UPLOAD_BYTES + 1}),
        ("EntityTooLarge", _framed(b"", decoded=LARGEST_UPLOAD_BYTES + 1)),
    ],
)
def test_fails_for_a_body_that_is_not_what_it_says(store: ObjectStore, code: str, request_: dict[str, Any]) -> None:
    """With S3's code for it; nothing stays of what was received."""
    with pytest.raises(RequestError) as refused:
        _receive(store, **request_)
    assert refused.value.code == code
    assert list(store.folder.iterdir()) == []


def test_fails_without_room(store: ObjectStore) -> None:
    """In a form that clients can read, with a status that they do not try again."""
    full = ObjectStore(store.folder, free=lambda path: MARGIN_BYTES)
    with pytest.raises(
        RequestError, match=r"5 bytes do not fit into .* delete objects or other files there"
    ) as refused:
        _receive(full, b"hello")
    assert (refused.value.code, int(refused.value.status)) == ("InsufficientStorage", 507)
