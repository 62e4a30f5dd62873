"""The JSON 1.1 protocol of SageMaker's API: requests in, validated against botocore's service model, answers out."""

from __future__ import annotations

import base64
import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.validate import ParamValidator

from ml_a2.local.edge.json_text import read_json
from ml_a2.local.edge.refusal import signed_for
from ml_a2.local.edge.rules import broken
from ml_a2.local.java_patterns import has_pattern
from ml_a2.local.service_models import service_model

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Operation = Callable[[dict[str, Any]], Mapping[str, Any]]


class ApiError(Exception):
    """An error that the API answers with: its code, a message, and 400."""

    def __init__(self, code: str, message: str) -> None:
        """Keep code and message apart."""
        super().__init__(message)
        self.code = code


class SageMakerApi:
    """Answers the operations that it is given; every other one is refused by name."""

    service = "sagemaker"

    def __init__(self, operations: Mapping[str, Operation]) -> None:
        """Take the operations by their names in the service model."""
        self._operations = operations

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        name = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        try:
            body = environ["wsgi.input"].read()  # bounded by the guard
            status, answer = "200 OK", self._call(name, body, signed_for(environ)[1])
        except ApiError as error:
            status, answer = "400 Bad Request", {"__type": error.code, "message": str(error)}
        content = json.dumps(answer, default=_encode).encode()
        headers = [
            ("Content-Type", "application/x-amz-json-1.1"),
            ("Content-Length", str(len(content))),
            ("x-amzn-RequestId", str(uuid.uuid4())),
        ]
        start_response(status, headers)
        return [content]

    def _call(self, name: str, body: bytes, region: str) -> Mapping[str, Any]:
        if name not in self._operations:
            raise ApiError("UnknownOperationException", f"{name} is not supported locally; see docs/fidelity.md")
        try:
            request = read_json(body or b"{}")
        except ValueError as error:
            raise ApiError("SerializationException", f"the request is no JSON: {error}") from error
        validate(name, request, self.service)
        for code, problem in broken(self.service, name, request, region):
            raise ApiError(code, problem)
        return self._operations[name](request)


def validate(operation: str, request: Any, service: str = "sagemaker") -> None:
    """Check a request against the service model, as the service does.

    Raises:
        ApiError: ValidationException that names the member and its constraint.
    """
    shape = service_model(service).operation_model(operation).input_shape
    assert shape is not None  # every operation that is answered here takes a request
    if problem := problem_with(request, shape):
        raise ApiError("ValidationException", problem)


def problem_with(request: Any, shape: Shape) -> str | None:
    """Return what is wrong with a request by its shape in a service model, in AWS's words."""
    report = ParamValidator().validate(request, shape)
    if report.has_errors():
        return str(report.generate_report())
    if problems := list(_violations(request, shape, "")):
        count = len(problems)
        plural = "errors" if count > 1 else "error"
        return f"{count} validation {plural} detected: {'; '.join(problems)}"
    return None


def _violations(value: Any, shape: Shape, path: str) -> Iterator[str]:
    """Yield what ParamValidator leaves to the service: patterns, enumerations, upper limits, and sizes of maps."""
    if isinstance(shape, StructureShape):
        for name, item in value.items():
            member = name[0].lower() + name[1:]
            yield from _violations(item, shape.members[name], f"{path}.{member}" if path else member)
    elif isinstance(shape, ListShape):
        for index, item in enumerate(value):
            yield from _violations(item, shape.member, f"{path}.{index + 1}.member")
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            yield from _violations(key, shape.key, f"{path}.key")
            yield from _violations(item, shape.value, f"{path}.{key}.value")
    for problem in _constraints(value, shape):
        yield f"Value '{value}' at '{path}' failed to satisfy constraint: Member must {problem}"


def _constraints(value: Any, shape: Shape) -> Iterator[str]:
    metadata = shape.metadata
    if isinstance(value, str) and shape.type_name == "blob":
        if not _is_base64(value):
            yield "be base64"
    elif isinstance(value, str):
        if (allowed := metadata.get("enum")) and value not in allowed:
            yield f"satisfy enum value set: [{', '.join(allowed)}]"
        if len(value) > metadata.get("max", len(value)):
            yield f"have length less than or equal to {metadata['max']}"
        elif "pattern" in metadata and not has_pattern(metadata["pattern"], value):
            yield f"satisfy regular expression pattern: {metadata['pattern']}"
    elif isinstance(value, int | float) and value > metadata.get("max", value):
        yield f"have value less than or equal to {metadata['max']}"
    elif isinstance(value, list | dict) and len(value) > metadata.get("max", len(value)):
        yield f"have length less than or equal to {metadata['max']}"
    elif isinstance(value, dict) and len(value) < metadata.get("min", 0):
        yield f"have length greater than or equal to {metadata['min']}"


def _is_base64(value: str) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except ValueError:
        return False
    return True


def _encode(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.timestamp()
    raise TypeError(f"{type(value).__name__} cannot be answered")
