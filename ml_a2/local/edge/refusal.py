"""Errors in the form that a service's clients read: JSON, the query protocol's XML, or S3's."""

from __future__ import annotations

import json
import re
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# Services that speak the query protocol alone; SQS and CloudWatch take it beside JSON.
QUERY = {"sns", "iam", "sts", "cloudformation"}
FORM = "application/x-www-form-urlencoded"
# What XML 1.0 cannot hold, not even escaped.
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class RequestError(Exception):
    """A request that no service needs to see: status, code and message of the answer."""

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        """Keep them apart."""
        super().__init__(message)
        self.status = status
        self.code = code


def signed_for(environ: WSGIEnvironment) -> tuple[str, str]:
    """Return service and region of the request's credential scope; unsigned requests are S3's."""
    scope = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].partition(",")[0].split("/")
    return (scope[3], scope[2]) if len(scope) == 5 else ("s3", "")


def speaks_query(environ: WSGIEnvironment) -> bool:
    """Tell whether a request is one of the query protocol."""
    service = signed_for(environ)[0]
    return service in QUERY or (service != "s3" and environ.get("CONTENT_TYPE", "").startswith(FORM))


def refuse(
    environ: WSGIEnvironment, start_response: StartResponse, status: HTTPStatus, code: str, message: str
) -> list[bytes]:
    """Answer with an error in the form that the service's clients read."""
    if signed_for(environ)[0] == "s3":
        kind, text = "text/xml", f"<Error><Code>{_xml(code)}</Code><Message>{_xml(message)}</Message></Error>"
    elif speaks_query(environ):
        kind, text = "text/xml", error_document(code, message)
    else:
        kind, text = "application/x-amz-json-1.1", json.dumps({"__type": code, "message": message})
    return answer(environ, start_response, status, kind, text)


def error_document(code: str, message: str) -> str:
    """Return an error in the query protocol."""
    error = f"<Error><Type>Sender</Type><Code>{_xml(code)}</Code><Message>{_xml(message)}</Message></Error>"
    return f"<ErrorResponse>{error}<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"


def answer(
    environ: WSGIEnvironment, start_response: StartResponse, status: HTTPStatus, kind: str, text: str
) -> list[bytes]:
    """Send a text of a content type, without what XML cannot hold; a HEAD request gets its headers alone."""
    body = (_readable(text) if kind == "text/xml" else text).encode()
    headers: Any = [("Content-Type", kind), ("Content-Length", str(len(body)))]
    start_response(f"{status.value} {status.phrase}", headers)
    return [] if environ.get("REQUEST_METHOD") == "HEAD" else [body]


def _xml(text: str) -> str:
    return escape(_readable(text))


def _readable(text: str) -> str:
    return NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)
