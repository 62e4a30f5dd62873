"""The embedded AWS endpoint: one loopback port in front of the services, ours and moto's."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from ml_a2.local.cloudformation.protocol import answer_xml, error_document
from ml_a2.local.sts import SecurityTokens
from ml_a2.local.template import Environment

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# Answers a request for one of our own services, by its name.
OwnServices = Callable[[str, "WSGIEnvironment", "StartResponse"], Iterable[bytes]]

# What the template, its jobs and their clients talk to, by the name that requests are signed with.
OWN = {"sagemaker", "cloudformation", "ssm"}
MOTOS = {"s3", "sns", "sqs", "states", "logs", "monitoring", "events", "iam", "sts"}
# Clients sign for these with another region than the one that they are configured with.
WITHOUT_REGION = {"s3", "iam", "sts"}
CLOSING_SECONDS = 0.02
HOSTS = {"127.0.0.1", "localhost", "[::1]"}


class RequestHandler(MotoRequestHandler):  # type: ignore[misc]  # moto publishes no types
    """Serves requests without a line of log each, and keeps connections open."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Stay silent: what the pipeline does stands in its own logs."""


class Endpoint:
    """A server on the loopback interface; requests are told apart by how they are signed."""

    def __init__(self, own: OwnServices, environment: Environment, port: int = 0) -> None:
        """Bind to a port, any free one with 0."""
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._own = own
        self._region = environment.region
        self._others = DomainDispatcherApplication(create_backend_app)
        self._tokens = SecurityTokens(environment, self._others)
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
        service, region = _signed_for(environ)
        host = environ.get("HTTP_HOST", "")
        if not _is_loopback(host):  # a page in a browser may have any name lead here, but not send another one
            message = f"host {host!r} is not served; the endpoint is at {self.url}"
            return _refuse(environ, start_response, HTTPStatus.FORBIDDEN, "AccessDenied", message)
        problem = None
        if service not in OWN | MOTOS:
            problem = f"service {service!r} is not part of the embedded endpoint"
        elif region != self._region and service not in WITHOUT_REGION:
            problem = f"region {region!r} is not part of the embedded endpoint, only {self._region!r}"
        if problem:
            return _refuse(environ, start_response, HTTPStatus.BAD_REQUEST, "NotSupported", problem)
        if service in OWN:
            return self._own(service, environ, start_response)
        answer: Iterable[bytes] = (self._tokens if service == "sts" else self._others)(environ, start_response)
        return answer


def _is_loopback(host: str) -> bool:
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    return name.lower() in HOSTS or name.lower().endswith(".localhost")  # S3 clients put a bucket before the name


def _signed_for(environ: WSGIEnvironment) -> tuple[str, str]:
    """Return service and region of the request's credential scope; unsigned requests are S3's."""
    scope = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].partition(",")[0].split("/")
    return (scope[3], scope[2]) if len(scope) == 5 else ("s3", "")


def _refuse(
    environ: WSGIEnvironment, start_response: StartResponse, status: HTTPStatus, code: str, message: str
) -> list[bytes]:
    """Answer with an error in the form that the service's clients read."""
    told = f"{message}; see docs/fidelity.md"
    if _signed_for(environ)[0] == "s3":
        return answer_xml(
            start_response, status, f"<Error><Code>{code}</Code><Message>{escape(told)}</Message></Error>"
        )
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return answer_xml(start_response, status, error_document(code, told))
    body = json.dumps({"__type": code, "message": told}).encode()
    headers: Any = [("Content-Type", "application/x-amz-json-1.1"), ("Content-Length", str(len(body)))]
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]
