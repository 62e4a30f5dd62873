"""The embedded AWS endpoint: one loopback port in front of the services, ours and moto's."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from moto.moto_server.werkzeug_app import MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from ml_a2.local.edge.guard import Guard
from ml_a2.local.edge.refusal import RequestError, signed_for
from ml_a2.local.edge.s3_validation import check_s3_request
from ml_a2.local.edge.sts import SecurityTokens
from ml_a2.local.edge.validation import check_request
from ml_a2.local.state.gate import Gate
from ml_a2.local.state.passage import behind
from ml_a2.local.template import Environment

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Answers a request for one of our own services, by its name.
OwnServices = Callable[[str, "WSGIEnvironment", "StartResponse"], Iterable[bytes]]

# What the template, its jobs and their clients talk to, by the name that requests are signed with.
OWN = {"sagemaker", "cloudformation", "ssm"}
# The engine's, with its own names for them.
MOTOS = {
    "s3": "s3", "sns": "sns", "sqs": "sqs", "states": "stepfunctions", "logs": "logs", "monitoring": "cloudwatch",
    "events": "events", "iam": "iam", "sts": "sts",
}  # fmt: skip
# Clients sign for these with another region than the one that they are configured with.
WITHOUT_REGION = {"s3", "iam", "sts"}
CLOSING_SECONDS = 0.02
HOSTS = {"127.0.0.1", "localhost", "[::1]"}
# How long a client may stay silent in the middle of a request.
SILENCE_SECONDS = 60


class RequestHandler(MotoRequestHandler):  # type: ignore[misc]  # moto publishes no types
    """Serves requests without a line of log each; what is no HTTP gets an answer as S3 has it for that."""

    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # of what names none; the one before has answers without a status
    timeout = SILENCE_SECONDS
    error_message_format = "<Error><Code>BadRequest</Code><Message>%(message)s</Message></Error>"
    error_content_type = "text/xml"

    def run_wsgi(self) -> None:
        """Answer a request whose address can be read."""
        try:
            urlsplit(self.path)
        except ValueError as error:
            self.send_error(HTTPStatus.BAD_REQUEST, f"the address cannot be read: {error}")
        else:
            super().run_wsgi()

    def log_error(self, format: str, *args: object) -> None:  # noqa: A002  # the name is http.server's
        """Stay silent: clients that send no HTTP, or stop in the middle, are told so themselves."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Stay silent: what the pipeline does stands in its own logs."""


class Endpoint:
    """A server on the loopback interface; requests are told apart by how they are signed."""

    def __init__(self, own: OwnServices, environment: Environment, port: int = 0, gate: Gate | None = None) -> None:
        """Bind to a port, any free one with 0; requests pass the gate."""
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._own = own
        self._region = environment.region
        self._engine: dict[str, WSGIApplication] = {}
        self._lock = threading.Lock()
        self._tokens = SecurityTokens(environment, self._ask_engine)
        self._guard = Guard(behind(gate, self._dispatch))
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
        """Answer one request."""
        return self._guard(environ, start_response)

    def _dispatch(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self._check_caller(environ)
        service, region = signed_for(environ)
        problem = None
        if service not in OWN | MOTOS.keys():
            problem = f"service {service!r} is not part of the embedded endpoint"
        elif region != self._region and service not in WITHOUT_REGION:
            problem = f"region {region!r} is not part of the embedded endpoint, only {self._region!r}"
        if problem:
            raise RequestError(HTTPStatus.BAD_REQUEST, "NotSupported", f"{problem}; see docs/fidelity.md")
        if service in OWN:
            return self._own(service, environ, start_response)
        (check_s3_request if service == "s3" else check_request)(environ)
        return (self._tokens if service == "sts" else self._ask_engine)(environ, start_response)

    def _check_caller(self, environ: WSGIEnvironment) -> None:
        """Refuse what a page of elsewhere sends: it may have any name lead here, but not send another one."""
        host, origin = environ.get("HTTP_HOST", ""), environ.get("HTTP_ORIGIN")
        problem = None
        if not _is_loopback(host):
            problem = f"host {host!r} is not served; the endpoint is at {self.url}"
        elif origin is not None and not _is_loopback(origin.rpartition("/")[2]):
            problem = f"pages of {origin!r} are not served"
        elif environ.get("HTTP_SEC_FETCH_SITE") == "cross-site":
            problem = "pages of other sites are not served"
        if problem:
            raise RequestError(HTTPStatus.FORBIDDEN, "AccessDenied", f"{problem}; see docs/fidelity.md")

    def _ask_engine(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Let the engine answer for the service signed for; its own dispatcher would let requests choose others."""
        service = signed_for(environ)[0]
        with self._lock:
            if service not in self._engine:
                self._engine[service] = create_backend_app(MOTOS[service])
        return self._engine[service](environ, start_response)


def _is_loopback(host: str) -> bool:
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    return name.lower() in HOSTS or name.lower().endswith(".localhost")  # S3 clients put a bucket before the name
