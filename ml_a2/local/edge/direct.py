"""What botocore sends, answered by the endpoint's application in the same process, without a connection."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from moto.moto_server.werkzeug_app import (
    PRESERVED_HEADER_NAMES_ENVIRON_KEY,
    environ_key_for_header,
    should_preserve_original_header_name,
)
from werkzeug.test import run_wsgi_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    BufferedReader = io.BufferedReader[io.RawIOBase]
else:
    BufferedReader = io.BufferedReader


class Direct:
    """A handler of botocore's event `before-send`: what it returns is taken for the answer from the network."""

    def __init__(self, application: WSGIApplication) -> None:
        """Send to an application."""
        self._application = application

    def __call__(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        """Answer one request."""
        parts, status, headers = run_wsgi_app(self._application, _environ(request))
        return AWSResponse(request.url, int(status.partition(" ")[0]), _headers(headers), _Raw(_Body(parts)))


def _headers(pairs: Iterable[tuple[str, str]]) -> HTTPHeaders:
    headers = HTTPHeaders()
    for name, value in pairs:
        headers[name] = value
    return headers


class _Body(io.RawIOBase):
    """The parts of an answer as a file, taken as they are read."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._whole = parts
        self._parts = iter(parts)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                self._end()
                return 0
            self._rest = part
        taken = self._rest[: len(buffer)]
        self._rest = self._rest[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)

    def close(self) -> None:
        self._end()
        super().close()

    def _end(self) -> None:
        """Tell the application that its answer was taken, or is no longer wanted: an object's file goes with it."""
        whole, self._whole = self._whole, ()
        if hasattr(whole, "close"):
            whole.close()


class _Raw(BufferedReader):
    """What botocore reads an answer from: a file that is also given in pieces."""

    def stream(self, amt: int = 1 << 20, **_: Any) -> Iterator[bytes]:
        """Yield what is left of the answer."""
        while piece := self.read(amt):
            yield piece


def _environ(request: AWSPreparedRequest) -> dict[str, Any]:
    """Write a request as a server does for an application: PEP 3333."""
    url = urlsplit(request.url)
    target = f"{url.path or '/'}{'?' + url.query if url.query else ''}"
    headers = {
        name: value.decode() if isinstance(value, bytes) else str(value) for name, value in request.headers.items()
    }
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(url.path or "/").decode("latin-1"),
        "QUERY_STRING": url.query,
        "RAW_URI": target,
        "REQUEST_URI": target,
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": url.hostname,
        "SERVER_PORT": str(url.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": url.netloc,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": url.scheme,
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **_input(request.body, headers),
    }
    # Names with underscores, which WSGI cannot tell from others: moto looks here for them.
    kept = [name for name in headers if should_preserve_original_header_name(name)]
    environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = {environ_key_for_header(name): name for name in kept}
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
    return environ


def _input(body: Any, headers: dict[str, str]) -> dict[str, Any]:
    """Return the request's body as a file; without a length it goes to the file's end, no chunks around it."""
    if body is None or isinstance(body, (bytes, bytearray, str)):
        content = body.encode() if isinstance(body, str) else bytes(body or b"")
        headers["Content-Length"] = str(len(content))
        return {"wsgi.input": io.BytesIO(content)}
    if headers.pop("Transfer-Encoding", None):
        return {"wsgi.input": body, "wsgi.input_terminated": True}
    return {"wsgi.input": body}
