"""The query protocol: form-encoded requests, validated against botocore's service model, answered in XML.

moto's parser and serializer do the reading and writing; both follow the service model.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from moto.core.serialize import QuerySerializer, SerializationContext
from moto.core.utils import get_service_model

from ml_a2.local.edge.refusal import answer, refuse
from ml_a2.local.edge.validation import parse_form, read_form
from ml_a2.local.sagemaker.protocol import ApiError, Operation, problem_with

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
            text = self._call(read_form(environ))
        except ApiError as error:
            return refuse(environ, start_response, HTTPStatus.BAD_REQUEST, error.code, str(error))
        return answer(environ, start_response, HTTPStatus.OK, "text/xml", text)

    def _call(self, form: Mapping[str, str]) -> str:
        name = form.get("Action", "")
        if name not in self._operations:
            raise ApiError("InvalidAction", f"{name} is not supported locally; see docs/fidelity.md")
        operation = get_service_model(self._service).operation_model(name)
        request = parse_form(operation, form)
        if problem := problem_with(request, operation.input_shape):
            raise ApiError("ValidationError", problem)
        result = self._operations[name](request)
        context = SerializationContext(str(uuid.uuid4()))
        body: str = QuerySerializer(operation, context).serialize(result)["body"]
        return body
