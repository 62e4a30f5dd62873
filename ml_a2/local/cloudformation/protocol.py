"""The query protocol: form-encoded requests, validated against botocore's service model, answered in XML.

moto's parser and serializer do the reading and writing; both follow the service model.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from moto.core.parse import QueryParser
from moto.core.serialize import QuerySerializer, SerializationContext
from moto.core.utils import get_service_model

from ml_a2.local.sagemaker.protocol import LARGEST_REQUEST_BYTES, ApiError, Operation, problem_with

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class QueryApi:
    """Answers the operations that it is given; every other one is refused by name."""

    def __init__(self, service: str, operations: Mapping[str, Operation]) -> None:
        """Take the operations by their names in the service's model."""
        self._service = service
        self._operations = operations

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        try:
            status, body = HTTPStatus.OK, self._call(read_form(environ))
        except ApiError as error:
            status, body = HTTPStatus.BAD_REQUEST, error_document(error.code, str(error))
        return answer_xml(start_response, status, body)

    def _call(self, form: Mapping[str, str]) -> str:
        name = form.get("Action", "")
        if name not in self._operations:
            raise ApiError("InvalidAction", f"{name} is not supported locally; see docs/fidelity.md")
        operation = get_service_model(self._service).operation_model(name)
        try:
            request = QueryParser(operation).parse({"values": form})
        except ValueError as error:
            raise ApiError("ValidationError", f"the request cannot be read: {error}") from error
        if problem := problem_with(request, operation.input_shape):
            raise ApiError("ValidationError", problem)
        result = self._operations[name](request)
        context = SerializationContext(str(uuid.uuid4()))
        body: str = QuerySerializer(operation, context).serialize(result)["body"]
        return body


def read_form(environ: WSGIEnvironment) -> dict[str, str]:
    """Read the members of a request.

    Raises:
        ApiError: it is larger than any that the API takes.
    """
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > LARGEST_REQUEST_BYTES:
        raise ApiError("ValidationError", f"the request has {length} bytes, more than {LARGEST_REQUEST_BYTES}")
    text = environ["wsgi.input"].read(length).decode(errors="replace")
    return dict(parse_qsl(text, keep_blank_values=True))


def error_document(code: str, message: str) -> str:
    """Return an error in the query protocol."""
    error = f"<Error><Type>Sender</Type><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
    return f"<ErrorResponse>{error}<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"


def answer_xml(start_response: StartResponse, status: HTTPStatus, document: str) -> list[bytes]:
    """Send a document."""
    body = document.encode()
    headers: Any = [("Content-Type", "text/xml"), ("Content-Length", str(len(body)))]
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]
