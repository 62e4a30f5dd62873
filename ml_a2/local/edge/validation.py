"""Requests to the engine's services, checked against the service's own model before the engine sees them.

The services refuse what does not fit; the engine takes it as it comes, or breaks.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from moto.core.parse import QueryParser
from moto.core.utils import get_service_model

from ml_a2.local.edge.engine_checks import is_offered, problems
from ml_a2.local.edge.json_text import read_json
from ml_a2.local.edge.refusal import RequestError, signed_for, speaks_query
from ml_a2.local.edge.rules import broken
from ml_a2.local.sagemaker.protocol import problem_with
from ml_a2.local.service_models import service_model

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from botocore.model import OperationModel

# By the name that requests are signed with, where botocore has another one.
MODELS = {"states": "stepfunctions", "monitoring": "cloudwatch"}
# How each service names a value that does not fit; any other one says ValidationException.
CODES = {
    "logs": "InvalidParameterException",
    "sns": "ValidationError",
    "sqs": "InvalidParameterValue",
    "monitoring": "ValidationError",
    "iam": "ValidationError",
    "sts": "ValidationError",
}
MOST_FIELDS = 5_000


def check_request(environ: WSGIEnvironment) -> None:
    """Check a request to one of the engine's services but S3, whose body lies in memory.

    Raises:
        RequestError: what the service would refuse about it.
    """
    service, region = signed_for(environ)
    if speaks_query(environ):
        form = read_form(environ)
        operation = _operation(service, form.get("Action", ""), "InvalidAction")
        request = parse_form(operation, form)
    else:
        prefix, _, name = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")
        operation = _operation(service, name, "UnknownOperationException", prefix)
        request = read_body(environ)
    if operation.input_shape and (problem := problem_with(request, operation.input_shape)):
        raise _refusal(CODES.get(service, "ValidationException"), problem)
    for code, problem in chain(
        broken(service, operation.name, request, region), problems(service, operation.name, request)
    ):
        raise _refusal(code, problem)


def read_form(environ: WSGIEnvironment) -> dict[str, str]:
    """Read the fields of a form, out of the body or the address.

    Raises:
        RequestError: it is no text, or has too many.
    """
    try:
        text = (_body(environ) or environ.get("QUERY_STRING", "").encode("latin-1")).decode()
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError as error:
        raise _refusal("MalformedQueryString", f"the form cannot be read: {error}") from error


def parse_form(operation: OperationModel, form: Mapping[str, str]) -> Any:
    """Return the request that a form holds.

    Raises:
        RequestError: a field is not of its type.
    """
    try:
        return QueryParser(operation).parse({"values": form})
    except (ValueError, OverflowError) as error:
        raise _refusal("MalformedInput", f"the request cannot be read: {error}") from error


def read_body(environ: WSGIEnvironment) -> Any:
    """Return the JSON that a request holds.

    Raises:
        RequestError: it is none.
    """
    try:
        return read_json(_body(environ) or b"{}")
    except ValueError as error:
        raise _refusal("SerializationException", f"the request is no JSON: {error}") from error


def _body(environ: WSGIEnvironment) -> bytes:
    """Return the body, which the guard has read, and leave it for the next reader."""
    content: bytes = environ["wsgi.input"].read()
    environ["wsgi.input"].seek(0)
    return content


def _operation(service: str, name: str, code: str, prefix: str | None = None) -> OperationModel:
    # The engine's reader of forms needs the engine's own class of models.
    model = (service_model if prefix is not None else get_service_model)(MODELS.get(service, service))
    if (
        name not in model.operation_names
        or not is_offered(service, name)
        or prefix not in (None, model.metadata.get("targetPrefix"))
    ):
        raise _refusal(code, f"{name!r} of {service} is not supported locally; see docs/fidelity.md")
    operation: OperationModel = model.operation_model(name)
    return operation


def _refusal(code: str, message: str) -> RequestError:
    return RequestError(HTTPStatus.BAD_REQUEST, code, message)
