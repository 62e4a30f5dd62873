"""The edge's guard: bodies come whole and bounded, and every error is one that the service's clients can read.

A bug behind it becomes InternalFailure; its stack trace goes to the log, never into the answer.
"""

from __future__ import annotations

import io
import json
import logging
import zlib
from collections.abc import Callable, Iterable
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from werkzeug.wsgi import ClosingIterator

from ml_a2.local.edge.refusal import RequestError, refuse, signed_for, speaks_query

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOG = logging.getLogger(__name__)

# Far above what any service but S3 takes: CloudFormation, CloudWatch and SQS take 1 MB, which a form may write three
# times as long; the others take less.
LARGEST_BODY_BYTES = 4 << 20
# Amazon S3 User Guide, "Uploading objects": of a single PUT, and of a part.
LARGEST_UPLOAD_BYTES = 5 << 30
GZIP = 31  # zlib's window bits with gzip's header


class Guard:
    """Wraps the services."""

    def __init__(self, application: WSGIApplication) -> None:
        """Take what answers."""
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request, whatever it is."""
        environ.pop("HTTP_X_MOTO_ACCOUNT_ID", None)  # it would lead into another account's state
        try:
            _take_body(environ)
            return self._answer(environ, start_response)
        except RequestError as error:
            return refuse(environ, start_response, error.status, error.code, str(error))
        except NotImplementedError as error:  # the engine's word for what it does not do
            return _refuse_unknown(environ, start_response, str(error))
        except Exception as error:
            LOG.exception("%s %s", environ.get("REQUEST_METHOD"), environ.get("RAW_URI"))
            return _fail(environ, start_response, type(error).__name__)

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        begun: list[Any] = []

        def begin(status: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[[bytes], object]:
            begun[:] = [status, headers]
            return _write_nothing

        parts = self._application(environ, begin)
        close = getattr(parts, "close", _do_nothing)
        try:
            rest = iter(parts)
            first = next(rest, b"")  # only now is it sure that the answer has begun
            status, headers = begun
            failed = int(status.split()[0]) >= HTTPStatus.BAD_REQUEST
            told = first + b"".join(rest) if failed else first
        except BaseException:
            close()
            raise
        if not failed:
            start_response(status, headers)
            return ClosingIterator(chain([first], rest), close)
        close()
        if environ["REQUEST_METHOD"] != "HEAD" and not _is_readable(environ, told):
            return _reshape(environ, start_response, HTTPStatus(int(status.split()[0])), told)
        start_response(status, headers)
        return [told]


def _take_body(environ: WSGIEnvironment) -> None:
    """Read a body whole, but for S3's, which are as large as objects; those complain when they end too early."""
    length = _content_length(environ)
    if signed_for(environ)[0] == "s3":
        if length > LARGEST_UPLOAD_BYTES:
            message = f"Your proposed upload exceeds the maximum allowed size of {LARGEST_UPLOAD_BYTES} bytes"
            raise RequestError(HTTPStatus.BAD_REQUEST, "EntityTooLarge", message)
        if "werkzeug.socket" in environ:  # in the same process nothing breaks off
            environ["wsgi.input"] = _Body(environ["wsgi.input"])
        return
    is_chunked = "HTTP_TRANSFER_ENCODING" in environ
    body = _Body(environ["wsgi.input"]).take(LARGEST_BODY_BYTES + 1 if is_chunked else length)
    if not is_chunked and len(body) < length:
        message = f"the body ends after {len(body)} bytes, Content-Length says {length}"
        raise RequestError(HTTPStatus.BAD_REQUEST, "IncompleteBody", message)
    body = _decompressed(environ, body)
    _check_size(len(body))
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ.pop("wsgi.input_terminated", None)


def _content_length(environ: WSGIEnvironment) -> int:
    text = environ.get("CONTENT_LENGTH") or "0"
    coding = environ.get("HTTP_TRANSFER_ENCODING")
    if coding is not None and (coding.strip().lower() != "chunked" or "CONTENT_LENGTH" in environ):
        message = f"Transfer-Encoding {coding!r} is not one that is taken, only 'chunked' without Content-Length"
        raise RequestError(HTTPStatus.BAD_REQUEST, "InvalidRequest", message)
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        message = f"Content-Length {text[:40]!r} is no number of bytes"
        raise RequestError(HTTPStatus.BAD_REQUEST, "InvalidRequest", message)
    if signed_for(environ)[0] != "s3":
        _check_size(int(text))
    return int(text)


def _check_size(length: int) -> None:
    if length > LARGEST_BODY_BYTES:
        message = f"the body has more than {LARGEST_BODY_BYTES} bytes, the most that is taken"
        raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "RequestEntityTooLarge", message)


def _decompressed(environ: WSGIEnvironment, body: bytes) -> bytes:
    """Undo the compression of a request, never further than to one byte more than what is taken."""
    coding = environ.pop("HTTP_CONTENT_ENCODING", "identity")
    if coding == "identity":
        return body
    if coding != "gzip":
        message = f"Content-Encoding {coding!r} is not one that is taken, only 'gzip'"
        raise RequestError(HTTPStatus.BAD_REQUEST, "InvalidRequest", message)
    try:
        return zlib.decompressobj(GZIP).decompress(body, LARGEST_BODY_BYTES + 1)
    except zlib.error as error:
        raise RequestError(HTTPStatus.BAD_REQUEST, "InvalidRequest", f"the body is no gzip: {error}") from error


class _Body(io.RawIOBase):
    """What a client sends; when it breaks off, or stays silent too long, the request is at fault."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read as much as fits, or to the end."""
        try:
            content = self._stream.read(len(buffer))
        except TimeoutError as error:
            message = "Your socket connection to the server was not read from or written to within the timeout period."
            raise RequestError(HTTPStatus.BAD_REQUEST, "RequestTimeout", message) from error
        except OSError as error:
            raise RequestError(HTTPStatus.BAD_REQUEST, "IncompleteBody", f"the body breaks off: {error}") from error
        buffer[: len(content)] = content
        return len(content)

    def take(self, most: int) -> bytes:
        """Read up to a number of bytes."""
        content = bytearray()
        while len(content) < most and (piece := self.read(most - len(content))):  # never waits for more than that
            content += piece
        return bytes(content)


def _is_readable(environ: WSGIEnvironment, body: bytes) -> bool:
    """Tell whether an error has the form that the service's clients read."""
    try:
        if signed_for(environ)[0] == "s3" or speaks_query(environ):
            root = ET.fromstring(body)  # noqa: S314  # what is parsed is our own answer
            return root.find(".//{*}Code") is not None
        answer = json.loads(body)
    except (ET.ParseError, ValueError):
        return False
    return isinstance(answer, dict) and bool(answer.get("__type"))


def _reshape(environ: WSGIEnvironment, start_response: StartResponse, status: HTTPStatus, body: bytes) -> list[bytes]:
    """Put an error that has no form, such as a page, into the service's."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        LOG.error("%s %s: %s", environ.get("REQUEST_METHOD"), environ.get("RAW_URI"), body.decode(errors="replace"))
        return _fail(environ, start_response, status.phrase)
    service = signed_for(environ)[0]
    message = f"the request is not one that {service} takes here: {status.phrase}; see docs/fidelity.md"
    return refuse(environ, start_response, status, status.phrase.replace(" ", ""), message)


def _refuse_unknown(environ: WSGIEnvironment, start_response: StartResponse, what: str) -> list[bytes]:
    message = f"{what or 'the request'}: not supported locally; see docs/fidelity.md"
    if signed_for(environ)[0] == "s3":  # S3's own answer to what it does not do
        return refuse(environ, start_response, HTTPStatus.NOT_IMPLEMENTED, "NotImplemented", message)
    code = "InvalidAction" if speaks_query(environ) else "UnknownOperationException"
    return refuse(environ, start_response, HTTPStatus.BAD_REQUEST, code, message)


def _fail(environ: WSGIEnvironment, start_response: StartResponse, kind: str) -> list[bytes]:
    message = (
        f"{kind} in the embedded endpoint: a bug there, or a request that it does not understand; its log has the "
        "stack trace, docs/fidelity.md what is supported"
    )
    return refuse(environ, start_response, HTTPStatus.INTERNAL_SERVER_ERROR, "InternalFailure", message)


def _write_nothing(data: bytes) -> None:
    raise NotImplementedError("write() of WSGI")  # nobody here writes so


def _do_nothing() -> None:
    """Close what has nothing to close."""
