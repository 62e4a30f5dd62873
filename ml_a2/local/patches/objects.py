"""What S3 does otherwise so that the bytes of objects are files, and never whole in memory."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from contextlib import closing
from http import HTTPStatus
from itertools import pairwise
from typing import Any

from moto.s3 import responses
from moto.s3.exceptions import EntityTooSmall, InvalidPart, InvalidPartOrder, MalformedXML, MissingKey, NoSuchUpload
from moto.s3.models import FakeKey, FakeMultipart, MultipartDict, S3Backend
from moto.s3.responses import S3Response
from moto.settings import S3_UPLOAD_PART_MIN_SIZE

from ml_a2.local.edge.refusal import RequestError
from ml_a2.local.objects import short_way
from ml_a2.local.objects.body import Incoming
from ml_a2.local.objects.checksums import checksum
from ml_a2.local.objects.store import active
from ml_a2.local.objects.upload import Upload, receive
from ml_a2.local.objects.value import Value
from ml_a2.local.patches.active import expect

LONGEST_KEY_BYTES = 1024
# Far above what S3 takes of anything but an object: the list of 10,000 parts has some 2 MB.
LARGEST_DOCUMENT_BYTES = 16 << 20
# What a PUT of a key may be about, other than the object itself.
SUBRESOURCES = {"acl", "tagging", "retention", "legal-hold"}


def _keep_values_as_files() -> None:
    """Keep an object's bytes in a file of the store; moto has them in memory, and copies them for each request."""
    expect(FakeKey, "value", "etag", "dispose")

    def read(self: Any) -> Any:
        try:
            return self._value_buffer.share()
        except ValueError as error:  # deleted since it was looked up
            raise MissingKey(key=self.name) from error

    def write(self: Any, new: Any) -> None:
        content = new.encode() if isinstance(new, str) else new
        value = content.share() if isinstance(content, Value) else _stored(bytes(content))
        self._value_buffer.close()
        # moto's own dispose() closes what stands here, and the file goes if it was the last reference.
        self._value_buffer = value
        self.contentsize = len(value)
        self._etag = self._etag or value.md5

    FakeKey.value = property(read, write)


def _stored(content: bytes) -> Value:
    return Value.of(active().write([content], size=len(content)))


def _pickle_values_by_name() -> None:
    """Write keys with the name of their file; moto would write the bytes."""
    expect(FakeKey, "__getstate__", "__setstate__")

    def getstate(self: Any) -> dict[str, Any]:
        return {name: item for name, item in vars(self).items() if name != "lock"}

    def setstate(self: Any, state: dict[str, Any]) -> None:
        vars(self).update(state, lock=threading.Lock())

    FakeKey.__getstate__, FakeKey.__setstate__ = getstate, setstate


def _receive_uploads() -> None:
    """Stream the bytes of an upload to the store before moto reads the request, and leave those of a short way there.

    moto reads every body whole, aws-chunked ones several times, and checks neither their lengths nor their checksums.
    """
    expect(S3Response, "key_response", "_key_response", "setup_class", "parse_key_name")
    outer, inner, setup_class = S3Response.key_response, S3Response._key_response, S3Response.setup_class

    def key_response(self: Any, request: Any, full_url: str, headers: Any) -> Any:
        ticket = request.environ.pop(TICKET, None)
        self.incoming = Incoming.take(request.environ) if _brings_object(request) else None
        self.path_brought = short_way.take_brought(ticket) if self.incoming else None
        status, told, content = outer(self, request, full_url, headers)
        if isinstance(content, Value) and short_way.leave(ticket, content):
            return status, {**told, "content-length": "0"}, b""
        return status, told, content

    def limit_documents(self: Any, request: Any, *rest: Any, **named: Any) -> None:
        request.max_content_length = LARGEST_DOCUMENT_BYTES
        setup_class(self, request, *rest, **named)

    def answer(self: Any, request: Any, full_url: str) -> Any:
        if len(self.parse_key_name().encode(errors="surrogatepass")) > LONGEST_KEY_BYTES:
            raise RequestError(HTTPStatus.BAD_REQUEST, "KeyTooLongError", "Your key is too long")
        if self.incoming is None:
            return inner(self, request, full_url)
        bucket = self.backend.get_bucket(self.bucket_name)  # without a bucket nothing is received
        if upload_id := request.args.get("uploadId"):
            bucket.multiparts[upload_id]  # nor without the upload that a part belongs to
        self.upload = receive(self.incoming, active(), self.path_brought)
        self.body = self.raw_body = self.upload.value
        with closing(self.upload.value):
            return inner(self, request, full_url)

    S3Response.key_response, S3Response._key_response = key_response, answer
    S3Response.setup_class = limit_documents


TICKET = f"HTTP_{short_way.TICKET_HEADER.upper().replace('-', '_')}"


def _brings_object(request: Any) -> bool:
    """Tell whether a request for a key has an object's bytes, or a part's, as moto decides it."""
    if request.method != "PUT" or "x-amz-copy-source" in request.headers:
        return False
    asked = request.args
    return bool(asked.get("uploadId") and asked.get("partNumber")) or not SUBRESOURCES & asked.keys()


def _tell_checksums_received() -> None:
    """Answer an upload with the checksum that was verified; moto believes what the request says, or searches for it."""
    expect(S3Response, "_get_checksum")
    original = S3Response._get_checksum

    def get_checksum(self: Any, response_headers: dict[str, Any]) -> tuple[str, str | None]:
        upload: Upload | None = getattr(self, "upload", None)
        if upload is None:
            told: tuple[str, str | None] = original(self, response_headers)
            return told
        if upload.checksum:
            response_headers[f"x-amz-checksum-{upload.algorithm.lower()}"] = upload.checksum
        return upload.algorithm, upload.checksum

    S3Response._get_checksum = get_checksum


def _compute_checksums_of_files() -> None:
    """Compute CopyObject's checksum block by block; of what there is no library for, moto gives a CRC32 instead."""
    expect(responses, "compute_checksum")
    original = responses.compute_checksum

    def compute_checksum(body: Any, algorithm: str, encode_base64: bool = True) -> bytes:
        if not isinstance(body, Value):
            return bytes(original(body, algorithm, encode_base64))
        found = body.checksum(algorithm)
        if found is None:
            message = f"checksum {algorithm!r} cannot be computed here: CRC32C and CRC64NVME need the package awscrt"
            raise RequestError(HTTPStatus.NOT_IMPLEMENTED, "NotImplemented", f"{message}; see docs/fidelity.md")
        return base64.b64encode(found) if encode_base64 else found

    responses.compute_checksum = compute_checksum


def _join_parts() -> None:
    """Make an object of the files of its parts as they are; moto joins them in memory, and takes them in any order."""
    expect(FakeMultipart, "complete", "set_part")

    def complete(self: Any, body: Iterator[tuple[int, str]]) -> tuple[Value, str, tuple[str, str, int] | None]:
        listed = list(body)
        parts = [_listed_part(self, number, etag) for number, etag in listed]
        if not parts:
            raise MalformedXML
        if any(number >= following for (number, _), (following, _) in pairwise(listed)):
            raise InvalidPartOrder
        if any(part.contentsize < S3_UPLOAD_PART_MIN_SIZE for part in parts[:-1]):
            raise EntityTooSmall
        values = [part.value for part in parts]
        whole = Value.joined(values)
        md5s = b"".join(bytes.fromhex(part.etag.strip('"')) for part in parts)
        etag = f"{hashlib.md5(md5s, usedforsecurity=False).hexdigest()}-{len(parts)}"
        return whole, etag, _checksum_of_parts(self.metadata, whole, values)

    FakeMultipart.complete = complete


def _listed_part(multipart: Any, number: int, etag: str) -> Any:
    part = multipart.parts.get(number)
    if part is None or part.etag.strip('"') != etag.strip('"'):
        raise InvalidPart
    return part


def _checksum_of_parts(metadata: Any, whole: Value, values: list[Value]) -> tuple[str, str, int] | None:
    """Return type, checksum and number of parts; None where none was asked for, or it cannot be computed here."""
    algorithm = metadata.get("x-amz-checksum-algorithm")
    if algorithm is None:
        return None
    usual = "FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE"
    kind = metadata.get("x-amz-checksum-type") or usual
    of_parts = [value.checksum(algorithm) for value in values] if kind == "COMPOSITE" else []
    if None in of_parts:
        return None
    if kind == "COMPOSITE":
        found, count = checksum(algorithm, [digest for digest in of_parts if digest]), len(values)
    else:
        found, count = whole.checksum(algorithm), 1
    return (kind, base64.b64encode(found).decode(), count) if found else None


def _miss_unknown_uploads() -> None:
    """Answer NoSuchUpload for an upload that is not there, or not any more; moto fails with a KeyError of its own."""
    expect(MultipartDict, "__getitem__")

    def missing(self: Any, upload_id: str) -> Any:
        raise NoSuchUpload(upload_id=upload_id)

    MultipartDict.__missing__ = missing


def _drop_parts_with_their_bucket() -> None:
    """Let the parts of unfinished uploads go with their bucket; moto keeps them for ever."""
    expect(S3Backend, "delete_bucket")
    original = S3Backend.delete_bucket

    def delete_bucket(self: Any, bucket_name: str) -> Any:
        bucket = original(self, bucket_name)
        for multipart in bucket.multiparts.values() if bucket else ():
            multipart.dispose()
        return bucket

    S3Backend.delete_bucket = delete_bucket


PATCHES = (
    _keep_values_as_files,
    _pickle_values_by_name,
    _receive_uploads,
    _tell_checksums_received,
    _compute_checksums_of_files,
    _join_parts,
    _miss_unknown_uploads,
    _drop_parts_with_their_bucket,
)
