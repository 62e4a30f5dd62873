"""The endpoint's application behind the gate."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from ml_a2.local.edge.refusal import RequestError
from ml_a2.local.state.gate import Gate

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# How the names of operations begin that change nothing.
READING = ("Describe", "Get", "List")


def behind(gate: Gate | None, application: WSGIApplication) -> WSGIApplication:
    """Return the application with its requests passing the gate, if there is one."""
    if gate is None:
        return application

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with gate.passage(changes=_may_change(environ)) as is_open:
            if not is_open:
                raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "ServiceUnavailable", "the endpoint is being ended")
            return application(environ, start_response)

    return answer


def _may_change(environ: WSGIEnvironment) -> bool:
    operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    return environ["REQUEST_METHOD"] not in ("GET", "HEAD") and not operation.startswith(READING)
