"""The embedded AWS endpoint: one loopback port in front of SageMaker (ours) and the other services (moto's)."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

WSGIApplication = Callable[["WSGIEnvironment", "StartResponse"], Iterable[bytes]]

# What the template, its jobs and their clients talk to, by the name that requests are signed with.
SERVICES = {"s3", "sns", "sqs", "states", "logs", "monitoring", "events", "iam", "sts"}
CLOSING_SECONDS = 0.02
HOSTS = {"127.0.0.1", "localhost"}


class RequestHandler(MotoRequestHandler):  # type: ignore[misc]  # moto publishes no types
    """Serves requests without a line of log each, and keeps connections open."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Stay silent: what the pipeline does stands in its own logs."""


class Endpoint:
    """A server on the loopback interface; requests are told apart by how they are signed."""

    def __init__(self, sagemaker: WSGIApplication, port: int = 0) -> None:
        """Bind to a port, any free one with 0."""
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._sagemaker = sagemaker
        self._others = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", port, self, threaded=True, request_handler=RequestHandler)
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": CLOSING_SECONDS},  # half a second without it, at the end of every run
            name="endpoint",
            daemon=True,
        )

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Dispatch one request."""
        host = environ.get("HTTP_HOST", "").rpartition(":")[0] or environ.get("HTTP_HOST", "")
        if host not in HOSTS:
            return _refuse(start_response, f"host {host!r} is not served; the endpoint is at {self.url}")
        if environ.get("HTTP_X_AMZ_TARGET", "").startswith("SageMaker."):
            return self._sagemaker(environ, start_response)
        service = _signed_for(environ)
        if service not in SERVICES:
            return _refuse(start_response, f"service {service!r} is not part of the embedded endpoint")
        answer: Iterable[bytes] = self._others(environ, start_response)
        return answer


def _signed_for(environ: WSGIEnvironment) -> str:
    """Return the service in the request's credential scope; unsigned requests are S3's."""
    scope = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].partition(",")[0].split("/")
    return scope[3] if len(scope) == 5 else "s3"


def _refuse(start_response: StartResponse, message: str) -> list[bytes]:
    body = json.dumps({"__type": "NotSupported", "message": f"{message}; see docs/fidelity.md"}).encode()
    headers: Any = [("Content-Type", "application/x-amz-json-1.1"), ("Content-Length", str(len(body)))]
    start_response("400 Bad Request", headers)
    return [body]
