"""Receive what PutObject and UploadPart bring, checked against the checksums that the request gives, as S3 does."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from ml_a2.local.edge.refusal import RequestError
from ml_a2.local.objects.body import Incoming
from ml_a2.local.objects.checksums import LENGTHS, NAMES, Checksums, is_computed
from ml_a2.local.objects.store import Block, NoRoomError, ObjectStore
from ml_a2.local.objects.value import Value

MALFORMED_TRAILER = (
    "The request contained trailing data that was not well-formed or did not conform to our published schema."
)


@dataclass(frozen=True)
class Upload:
    """A body that was received: its value, and the checksum that S3 is to keep of it."""

    value: Value
    algorithm: str
    checksum: str | None


def receive(incoming: Incoming, store: ObjectStore, path: Path | None = None) -> Upload:
    """Store a body, or in its place a file of this machine, and check it against what the request says of it.

    Raises:
        RequestError: it is not what was announced, or there is no room for it.
    """
    algorithm = _algorithm(incoming)
    checksums = Checksums(*([algorithm] if algorithm else []))
    try:
        if path is not None:
            return _kept(Value.of(store.copy(path, checksums)), algorithm, None)
        content = store.write(_verified(incoming, checksums, algorithm), size=incoming.size, checksums=checksums)
    except NoRoomError as error:
        raise RequestError(HTTPStatus.INSUFFICIENT_STORAGE, "InsufficientStorage", str(error)) from error
    return _kept(Value.of(content), algorithm, _given(incoming, algorithm))


def _verified(incoming: Incoming, checksums: Checksums, algorithm: str) -> Iterator[Block]:
    """Yield a body's bytes, and fail at their end, before they are a content, if they are not what was announced."""
    yield from incoming.blocks()
    _check_md5(incoming.headers.get("content-md5"), checksums.md5)
    given = _given(incoming, algorithm)
    if given is not None and is_computed(algorithm) and given != checksums.named[algorithm]:
        message = f"The {algorithm} you specified did not match the calculated checksum."
        raise RequestError(HTTPStatus.BAD_REQUEST, "BadDigest", message)


def _kept(value: Value, algorithm: str, given: bytes | None) -> Upload:
    """Return an upload with its checksum: what was computed, or, where it cannot be computed here, what was given."""
    known = value.checksum(algorithm) if is_computed(algorithm) else given
    return Upload(value, algorithm if known else "", base64.b64encode(known).decode() if known else None)


def _announced(incoming: Incoming) -> set[str]:
    return {name.strip().lower() for name in incoming.headers.get("x-amz-trailer", "").split(",")}


def _algorithm(incoming: Incoming) -> str:
    """Return which checksum the request has or asks for; "" where it does neither."""
    headers = incoming.headers
    for name in NAMES:
        if f"x-amz-checksum-{name.lower()}" in headers.keys() | _announced(incoming):
            return name
    asked = headers.get("x-amz-sdk-checksum-algorithm", "").upper()
    if asked and asked not in NAMES:
        raise RequestError(HTTPStatus.BAD_REQUEST, "InvalidRequest", "Checksum algorithm provided is unsupported.")
    return asked


def _given(incoming: Incoming, algorithm: str) -> bytes | None:
    header = f"x-amz-checksum-{algorithm.lower()}"
    text = incoming.headers.get(header, incoming.trailers.get(header))
    if not algorithm or text is None:
        if header in _announced(incoming):
            raise RequestError(HTTPStatus.BAD_REQUEST, "MalformedTrailerError", MALFORMED_TRAILER)
        return None
    given = _decoded(text)
    if given is None or len(given) != LENGTHS[algorithm]:
        raise RequestError(HTTPStatus.BAD_REQUEST, "InvalidRequest", f"Value for {header} header is invalid.")
    return given


def _check_md5(text: str | None, md5: bytes) -> None:
    if text is None:
        return
    given = _decoded(text)
    if given is None or len(given) != len(md5):
        raise RequestError(HTTPStatus.BAD_REQUEST, "InvalidDigest", "The Content-MD5 you specified is not valid.")
    if given != md5:
        message = "The Content-MD5 you specified did not match what we received."
        raise RequestError(HTTPStatus.BAD_REQUEST, "BadDigest", message)


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
