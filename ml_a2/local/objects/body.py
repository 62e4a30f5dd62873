"""The body of an upload, as its bytes come in: plain, or in chunks of the AWS SDKs ("aws-chunked")."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from ml_a2.local.edge.refusal import RequestError
from ml_a2.local.objects.store import BLOCK_BYTES, Block

# Amazon S3 User Guide, "Amazon S3 multipart upload limits" and "Uploading objects": of a single PUT, and of a part.
LARGEST_UPLOAD_BYTES = 5 << 30
LONGEST_LINE_BYTES = 8 << 10
MOST_TRAILERS = 20
INCOMPLETE = "You did not provide the number of bytes specified by the Content-Length HTTP header"


@dataclass
class Incoming:
    """A request's body and what its headers say of it, taken out of the request: the engine sees an empty one."""

    stream: Any
    # Of the body; None where HTTP's own chunks tell its end.
    length: int | None
    # How many bytes the object has.
    size: int
    # Whether they are framed in chunks of the SDKs.
    is_framed: bool
    headers: Mapping[str, str]
    trailers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def take(cls, environ: dict[str, Any]) -> Incoming:
        """Take the body out of a request.

        Raises:
            RequestError: its length is missing, no number, or larger than what S3 takes.
        """
        headers = {name[5:].lower().replace("_", "-"): text for name, text in environ.items() if name[:5] == "HTTP_"}
        is_framed = headers.get("x-amz-content-sha256", "").startswith("STREAMING-")
        length = _number(environ.get("CONTENT_LENGTH"))
        size = _number(headers.get("x-amz-decoded-content-length")) if is_framed else length
        if size is None:
            raise _without_size(environ)
        if size > LARGEST_UPLOAD_BYTES:
            message = f"Your proposed upload exceeds the maximum allowed size of {LARGEST_UPLOAD_BYTES} bytes"
            raise RequestError(HTTPStatus.BAD_REQUEST, "EntityTooLarge", message)
        if is_framed:
            del environ["HTTP_X_AMZ_CONTENT_SHA256"]  # the engine would look for chunks
        taken = cls(environ["wsgi.input"], length, size, is_framed, headers)
        environ |= {"wsgi.input": io.BytesIO(), "CONTENT_LENGTH": "0"}
        environ.pop("wsgi.input_terminated", None)
        return taken

    def blocks(self) -> Iterator[Block]:
        """Yield the object's bytes, each block only until the next one.

        Raises:
            RequestError: they end too early, are too many, or are not framed as they should be.
        """
        body = _Body(self.stream, self.length)
        received = 0
        for block in self._chunks(body) if self.is_framed else body.blocks():
            received += len(block)
            if received > self.size:
                break
            yield block
        if received != self.size:
            raise RequestError(HTTPStatus.BAD_REQUEST, "IncompleteBody", INCOMPLETE)

    def _chunks(self, body: _Body) -> Iterator[Block]:
        """Yield what is framed as hexadecimal length, perhaps a signature, bytes; trailers may follow."""
        while left := _chunk_length(body.line()):
            while left:
                block = body.read(left)
                if not block:
                    raise RequestError(HTTPStatus.BAD_REQUEST, "IncompleteBody", INCOMPLETE)
                left -= len(block)
                yield block
            if body.line():
                raise _malformed("a chunk is longer than it says")
        while (line := body.line()) and len(self.trailers) < MOST_TRAILERS:
            name, _, text = line.partition(":")
            self.trailers[name.strip().lower()] = text.strip()


class _Body:
    """A stream that is read no further than its length."""

    def __init__(self, stream: Any, length: int | None) -> None:
        self._stream = stream
        self._left = length
        self._buffer = memoryview(bytearray(BLOCK_BYTES if length is None else min(BLOCK_BYTES, length)))

    def read(self, most: int) -> Block:
        """Return the next bytes, which stay until the next call; none at the end."""
        wanted = min(most, BLOCK_BYTES if self._left is None else min(BLOCK_BYTES, self._left))
        if not hasattr(self._stream, "readinto"):
            return self._counted(self._stream.read(wanted))
        return self._counted(self._buffer[: self._stream.readinto(self._buffer[:wanted])])

    def line(self) -> str:
        """Return the next line without its end."""
        limit = LONGEST_LINE_BYTES if self._left is None else min(LONGEST_LINE_BYTES, self._left)
        line = bytes(self._counted(self._stream.readline(limit)))
        if len(line) == LONGEST_LINE_BYTES:
            raise _malformed(f"a line has more than {LONGEST_LINE_BYTES} bytes")
        return line.decode("latin-1").rstrip("\r\n")

    def blocks(self) -> Iterator[Block]:
        """Yield what is left."""
        while block := self.read(BLOCK_BYTES):
            yield block

    def _counted(self, taken: Block) -> Block:
        if self._left is not None:
            self._left -= len(taken)
        return taken


def _chunk_length(line: str) -> int:
    digits = line.partition(";")[0].strip()
    if not 0 < len(digits) <= 16 or not set(digits) <= set("0123456789abcdefABCDEF"):
        if not line:
            raise RequestError(HTTPStatus.BAD_REQUEST, "IncompleteBody", INCOMPLETE)
        raise _malformed(f"{line[:40]!r} is no length of a chunk")
    return int(digits, 16)


def _malformed(what: str) -> RequestError:
    return RequestError(HTTPStatus.BAD_REQUEST, "InvalidRequest", f"the body is not aws-chunked: {what}")


def _number(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise RequestError(HTTPStatus.BAD_REQUEST, "InvalidRequest", f"length {text[:40]!r} is no number of bytes")
    return int(text)


def _without_size(environ: Mapping[str, Any]) -> RequestError:
    if environ.get("wsgi.input_terminated"):  # chunks of HTTP, which S3 does not take
        message = "A header you provided implies functionality that is not implemented: Transfer-Encoding"
        return RequestError(HTTPStatus.NOT_IMPLEMENTED, "NotImplemented", message)
    message = "You must provide the Content-Length HTTP header."
    return RequestError(HTTPStatus.LENGTH_REQUIRED, "MissingContentLength", message)
