"""Requests to the endpoint as they come over the wire, valid ones and others, and what every answer must be like."""

from __future__ import annotations

import http.client
import json
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import botocore.parsers
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import create_loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.serialize import create_serializer
from hypothesis import strategies as st

# By botocore's names: how requests are signed, and in which protocol boto3 sends them.
SERVICES = {
    "sagemaker": ("sagemaker", "json"),
    "stepfunctions": ("states", "json"),
    "logs": ("logs", "json"),
    "events": ("events", "json"),
    "cloudwatch": ("monitoring", "json"),
    "sqs": ("sqs", "json"),
    "ssm": ("ssm", "json"),
    "cloudformation": ("cloudformation", "query"),
    "sns": ("sns", "query"),
    "iam": ("iam", "query"),
    "sts": ("sts", "query"),
    "s3": ("s3", "rest-xml"),
}
HEADER = re.compile("[0-9A-Za-z-]+: [\t -~\xa0-\xff]*")
# The one answer beyond 499 that is no bug: S3's own for what it does not do.
ALLOWED_FAILURES = {("s3", 501, "NotImplemented")}
DEEPEST = 4

ODD_TEXT = [
    "", " ", "\x00", "a\x0bb", "\ud7ff\U0001f600", "\u202e", "../../etc/passwd", "%00", "%", "$", "${x}", "<a>&amp;",
    "'\"", "-1", "NaN", "1e999", "null", "[", "{}", '{"a":', "[[[[", "arn:aws:s3:::", "s3://", "s3://data", "x" * 300,
    "é" * 90,
]  # fmt: skip
ODD_VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(ODD_TEXT),
    st.sampled_from(
        [None, True, False, 0, -1, 2**31, 2**63, 10**30, 1.5, 1e300, [], {}, [None], {"": None}, [[[[[]]]]]]
    ),
    st.text(max_size=20),
)
SCALARS: dict[str, list[Any]] = {
    "boolean": [True, False],
    "integer": [0, 1, 5, 60],
    "long": [0, 1, 5, 60],
    "float": [0.0, 1.5],
    "double": [0.0, 1.5],
    "timestamp": [0, 1_800_000_000],
    "blob": ["", "YQ=="],
}


@dataclass
class Request:
    """What goes over the wire."""

    service: str
    method: str = "POST"
    target: str = "/"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What came back, read as the service's clients do."""

    request: Request
    status: int
    body: bytes
    parsed: Mapping[str, Any]

    @property
    def code(self) -> str:
        """Return the error's code, empty for a success."""
        return str(self.parsed.get("Error", {}).get("Code", "")) if self.status >= 300 else ""


def scope(service: str, region: str = "us-east-1") -> str:
    """Return an Authorization header; signatures are not checked."""
    signed = SERVICES[service][0]
    credential = f"local/20261125/{region}/{signed}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"


def send(url: str, request: Request, output: Shape | None = None, failures: tuple[str, ...] = ()) -> Answer:
    """Send a request, and check what no answer may be like; beyond 499 it may have the codes of `failures`.

    Raises:
        AssertionError: the answer is none of the service's, tells a stack trace, or owns up to a bug.
    """
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=30)
    try:
        connection.request(request.method, request.target, request.body, request.headers)
        response = connection.getresponse()
        body, headers = response.read(), dict(response.getheaders())
    finally:
        connection.close()
    return check(request, response.status, headers, body, output, failures)


def check(
    request: Request,
    status: int,
    headers: dict[str, str],
    body: bytes,
    output: Shape | None = None,
    failures: tuple[str, ...] = (),
) -> Answer:
    """Read an answer as botocore does."""
    assert b"Traceback" not in body, (request, body)
    protocol = SERVICES[request.service][1]
    content: dict[str, Any] = {"status_code": status, "headers": headers, "body": body}
    try:
        if status < 300 and request.method == "HEAD":
            parsed: Mapping[str, Any] = {}
        else:
            parsed = botocore.parsers.create_parser(protocol).parse(content, output)
    except botocore.parsers.ResponseParserError as error:
        raise AssertionError((request, status, body)) from error
    answer = Answer(request, status, body, parsed)
    if status >= 300 and request.method != "HEAD":
        assert answer.code, (request, status, body)
    allowed = answer.code in failures or (request.service, status, answer.code) in ALLOWED_FAILURES
    assert status < 500 or allowed, (request, status, body)
    return answer


@cache
def service_model(service: str) -> ServiceModel:
    """Return a model of its own: of the one that clients share, they take the bucket out of S3's addresses."""
    return ServiceModel(create_loader().load_service_model(service, "service-2"), service)


def operations(service: str) -> list[str]:
    """Return every operation of a service, whether it is supported or not."""
    return list(service_model(service).operation_names)


def value_of(shape: Shape, known: Mapping[str, list[str]], depth: int = 0) -> st.SearchStrategy[Any]:
    """Return values that have a shape's type, made of names that exist where there are some."""
    if isinstance(shape, StructureShape):
        required = {
            name: value_of(member, known, depth + 1)
            for name, member in shape.members.items()
            if name in shape.required_members
        }
        optional = {
            name: value_of(member, known, depth + 1)
            for name, member in shape.members.items()
            if name not in shape.required_members
        }
        return st.fixed_dictionaries(required, optional=optional if depth < DEEPEST else {})
    if isinstance(shape, ListShape):
        return st.lists(value_of(shape.member, known, depth + 1), max_size=2) if depth < DEEPEST else st.just([])
    if isinstance(shape, MapShape):
        if depth >= DEEPEST:
            return st.just({})
        return st.dictionaries(value_of(shape.key, known), value_of(shape.value, known, depth + 1), max_size=2)
    return _scalar_of(shape, known)


def _scalar_of(shape: Shape, known: Mapping[str, list[str]]) -> st.SearchStrategy[Any]:
    if shape.metadata.get("enum"):
        return st.sampled_from(list(shape.metadata["enum"]))
    return st.sampled_from(SCALARS.get(shape.type_name) or [*known.get(shape.name, []), *known["names"]])


def write(service: str, operation: OperationModel, members: Any) -> Request | None:
    """Write a request as boto3 does, without its checks; None where its protocol cannot even write that down."""
    protocol = SERVICES[service][1]
    headers = {"Authorization": scope(service)}
    if protocol == "json":
        prefix = operation.service_model.metadata["targetPrefix"]
        headers |= {"X-Amz-Target": f"{prefix}.{operation.name}", "Content-Type": "application/x-amz-json-1.1"}
        return Request(service, headers=headers, body=json.dumps(members).encode())
    try:
        written = create_serializer(protocol, include_validation=False).serialize_to_request(members, operation)
        written["url_path"].encode("ascii")
    except (AttributeError, TypeError, ValueError, KeyError, LookupError, ClientError, BotoCoreError):
        return None
    query = urllib.parse.urlencode(written.get("query_string") or {}, doseq=True)
    path = written["url_path"] + ("&" if "?" in written["url_path"] else "?") * bool(query) + query
    body = written["body"]
    if isinstance(body, dict):
        body = urllib.parse.urlencode(body)
        headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
    written["headers"].pop("Content-Length", None)  # what the body has is what counts
    headers |= {name: str(value) for name, value in written["headers"].items() if name not in headers}
    if any(not HEADER.fullmatch(f"{name}: {value}") for name, value in headers.items()):
        return None
    return Request(service, written["method"], path, headers, body.encode() if isinstance(body, str) else body)


@st.composite
def mutated(draw: st.DrawFn, value: Any, changes: int = 3) -> Any:
    """Return a copy of a JSON value with up to some places dropped, renamed, repeated, wrapped or replaced."""
    for _ in range(draw(st.integers(1, changes))):
        value = _replaced(draw, value, draw(st.sampled_from(list(_places(value)))))
    return value


def _places(value: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the path to every place within a value, its own first."""
    yield ()
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from ((key, *place) for place in _places(item))


def _replaced(draw: st.DrawFn, value: Any, place: tuple[Any, ...]) -> Any:
    if not place:
        return draw(st.one_of(ODD_VALUES, st.sampled_from([[value], {"Ref": value}, {"Fn::Sub": value}])))
    key, *rest = place
    change = draw(st.sampled_from(["drop", "repeat", "replace", "replace"])) if not rest else "descend"
    copy = dict(value) if isinstance(value, dict) else list(value)
    if change == "drop":
        del copy[key]
    elif change == "repeat" and isinstance(copy, list):
        copy.append(copy[key])
    elif change == "repeat":
        copy[draw(st.sampled_from(ODD_TEXT))] = copy.pop(key)
    else:
        copy[key] = _replaced(draw, value[key], tuple(rest))
    return copy
