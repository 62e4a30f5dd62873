"""Requests that are broken as HTTP, too large, too slow or beside the point: each client can read its answer."""

from __future__ import annotations

import gzip
import io
import json
import logging
import socket
import time
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ml_a2.local.edge.endpoint import RequestHandler
from ml_a2.local.edge.guard import LARGEST_BODY_BYTES, LARGEST_UPLOAD_BYTES, Guard
from ml_a2.local.runtime import LocalRuntime
from tests.local.edge import fuzzing

FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def shared() -> Iterator[LocalRuntime]:
    """One endpoint for requests that leave nothing."""
    with LocalRuntime() as running:
        yield running


def _exchange(runtime: LocalRuntime, content: bytes, *, ends: bool = False) -> tuple[int, bytes]:
    """Send bytes, as they are, and return status and body of what comes back until the connection is closed."""
    address = urllib.parse.urlsplit(runtime.url)
    with socket.create_connection((address.hostname, address.port or 0), timeout=20) as connection:
        connection.sendall(content)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]) if head.startswith(b"HTTP/") else 0, body


def _request(service: str, *headers: str, start: str = "POST / HTTP/1.1", body: bytes = b"") -> bytes:
    lines = [start, "Host: localhost", f"Authorization: {fuzzing.scope(service)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _code(service: str, body: bytes) -> str:
    """Read an error as the service's clients do."""
    answer = fuzzing.check(fuzzing.Request(service), 400, {}, body)
    return answer.code


JSON_TARGET = "X-Amz-Target: AWSStepFunctions.ListStateMachines"


@pytest.mark.parametrize(
    ("service", "headers", "body", "code"),
    [
        ("stepfunctions", (JSON_TARGET, "Content-Length: -5"), b"", "InvalidRequest"),
        ("stepfunctions", (JSON_TARGET, "Content-Length: ten"), b"", "InvalidRequest"),
        ("stepfunctions", (JSON_TARGET, "Content-Length: +2"), b"{}", "InvalidRequest"),
        ("stepfunctions", (JSON_TARGET, "Content-Length: " + "9" * 5000), b"", "InvalidRequest"),
        ("stepfunctions", (JSON_TARGET, "Content-Length: 99999999999"), b"", "RequestEntityTooLarge"),
        ("stepfunctions", (JSON_TARGET, "Content-Length: 2", "Transfer-Encoding: chunked"), b"{}", "InvalidRequest"),
        ("stepfunctions", (JSON_TARGET, "Transfer-Encoding: gzip, chunked"), b"", "InvalidRequest"),
        ("stepfunctions", (JSON_TARGET, "Transfer-Encoding: chunked"), b"zz\r\n{}\r\n0\r\n\r\n", "IncompleteBody"),
        ("stepfunctions", (JSON_TARGET, "Transfer-Encoding: chunked"), b"-2\r\n{}\r\n0\r\n\r\n", "IncompleteBody"),
        ("stepfunctions", (JSON_TARGET, "Content-Length: 2", "Content-Encoding: gzip"), b"{}", "InvalidRequest"),
        ("stepfunctions", (JSON_TARGET, "Content-Length: 2", "Content-Encoding: br"), b"{}", "InvalidRequest"),
        ("stepfunctions", (JSON_TARGET, "Content-Length: 1"), b"{", "SerializationException"),
        ("stepfunctions", (JSON_TARGET, "Content-Length: 3"), b"\xff\xfe\xfd", "SerializationException"),
        ("stepfunctions", (JSON_TARGET, "Content-Length: 2"), b"[]", "ValidationException"),
        ("stepfunctions", (JSON_TARGET, "Content-Length: 18"), b'{"maxResults":NaN}', "SerializationException"),
        ("stepfunctions", (JSON_TARGET, "Content-Length: 3000"), b"[" * 3000, "SerializationException"),
        ("stepfunctions", (JSON_TARGET, "Content-Length: 200"), b"[" * 100 + b"]" * 100, "SerializationException"),
        ("stepfunctions", (JSON_TARGET, "Content-Length: 9000"), b"9" * 9000, "SerializationException"),
        ("stepfunctions", (JSON_TARGET, "Content-Length: 8"), rb'"\ud800"', "SerializationException"),
        ("stepfunctions", ("Content-Length: 2",), b"{}", "UnknownOperationException"),
        ("stepfunctions", ("X-Amz-Target: Nonsense", "Content-Length: 2"), b"{}", "UnknownOperationException"),
        ("stepfunctions", ("X-Amz-Target: Other.ListStateMachines",), b"", "UnknownOperationException"),
        ("stepfunctions", ("X-Amz-Target: AWSStepFunctions.__class__",), b"", "UnknownOperationException"),
        ("sagemaker", ("Content-Length: 2",), b"{}", "UnknownOperationException"),
        (
            "sagemaker",
            ("X-Amz-Target: SageMaker.ListTrainingJobs", "Content-Length: 1"),
            b"{",
            "SerializationException",
        ),
        ("ssm", ("X-Amz-Target: AmazonSSM.GetParameter", "Content-Length: 2"), b"[]", "ValidationException"),
        ("cloudformation", (f"Content-Type: {FORM}", "Content-Length: 8"), b"Action=X", "InvalidAction"),
        ("cloudformation", (), b"", "InvalidAction"),
        ("sns", (f"Content-Type: {FORM}", "Content-Length: 4"), b"\xff=\xff&", "MalformedQueryString"),
        ("sns", (f"Content-Type: {FORM}", "Content-Length: 40000"), b"a=&" * 13333 + b"b", "MalformedQueryString"),
        ("sts", (f"Content-Type: {FORM}", "Content-Length: 8"), b"Action=X", "InvalidAction"),
        ("s3", ("Content-Length: -1",), b"", "InvalidRequest"),
        ("s3", (f"Content-Length: {LARGEST_UPLOAD_BYTES + 1}",), b"", "EntityTooLarge"),
    ],
)
def test_a_broken_request_is_told_so_in_the_form_of_its_service(
    shared: LocalRuntime, service: str, headers: tuple[str, ...], body: bytes, code: str
) -> None:
    """The request is at fault, and the client can read that."""
    status, answer = _exchange(shared, _request(service, *headers, body=body))
    assert 400 <= status < 500
    assert _code(service, answer) == code


@pytest.mark.parametrize(
    "authorization", ["", "x", "Credential=", "AWS4-HMAC-SHA256 Credential=a/b/c", "\xe9\xff", "////"]
)
def test_an_odd_authorization_counts_as_none(shared: LocalRuntime, authorization: str) -> None:
    """Unsigned requests are S3's."""
    request = f"GET /none HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\n\r\n".encode("latin-1")
    status, body = _exchange(shared, request)
    assert (status, _code("s3", body)) == (404, "NoSuchBucket")


@pytest.mark.parametrize(
    ("start", "status"),
    [
        ("GET", 400),
        ("nonsense", 400),
        ("GET / HTTP/9.9", 505),
        ("GET / FTP/1.1", 400),
        ("GET http://[ HTTP/1.1", 400),
        ("GET //[ HTTP/1.1", 404),
        ("GET http://evil.example/ HTTP/1.1", 403),
        ("GET " + "/" + "x" * 70_000 + " HTTP/1.1", 414),
        ("GET /a%00b/%zz%ff?%ff&=&&%00=%zz HTTP/1.1", 404),
        ("GET /../../etc/passwd HTTP/1.1", 404),
        ("PROPFIND / HTTP/1.1", 405),
        ("\x00\x01\x02 / HTTP/1.1", 405),
        ("POST /moto-api/reset HTTP/1.1", 501),
        ("GET /moto-api/data.json HTTP/1.1", 404),
        ("GET /latest/meta-data/iam HTTP/1.1", 404),
    ],
)
def test_an_odd_request_line_gets_an_answer_of_s3(shared: LocalRuntime, start: str, status: int) -> None:
    """Also where it is no HTTP; the engine's own pages are not served."""
    found, body = _exchange(shared, f"{start}\r\nHost: localhost\r\n\r\n".encode("latin-1"))
    assert found == status
    assert _code("s3", body)


def test_too_many_and_too_long_headers_are_refused(shared: LocalRuntime) -> None:
    """Before anybody reads them."""
    for headers in (["X-Header: x"] * 200, ["X-Header: " + "x" * 70_000]):
        status, body = _exchange(shared, _request("s3", *headers, start="GET / HTTP/1.1"))
        assert (status, _code("s3", body)) == (431, "BadRequest")


def test_a_body_in_chunks_or_compressed_is_read(shared: LocalRuntime) -> None:
    """As clients of other languages send it."""
    chunked = _request(
        "stepfunctions", JSON_TARGET, "Transfer-Encoding: chunked", body=b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
    )
    content = gzip.compress(b"{}")
    lengths = (f"Content-Length: {len(content)}", "Content-Encoding: gzip")
    for request in (chunked, _request("stepfunctions", JSON_TARGET, *lengths, body=content)):
        status, body = _exchange(shared, request)
        assert (status, json.loads(body)) == (200, {"stateMachines": []})


def test_a_compressed_body_is_bounded(shared: LocalRuntime) -> None:
    """A few kilobytes that unpack to gigabytes are refused, not unpacked."""
    content = gzip.compress(bytes(LARGEST_BODY_BYTES * 4))
    lengths = (f"Content-Length: {len(content)}", "Content-Encoding: gzip")
    status, body = _exchange(shared, _request("stepfunctions", JSON_TARGET, *lengths, body=content))
    assert (status, _code("stepfunctions", body)) == (413, "RequestEntityTooLarge")


@pytest.mark.parametrize("service", ["stepfunctions", "s3"])
def test_a_body_that_ends_too_early_is_told_so(shared: LocalRuntime, service: str) -> None:
    """The client said more than it sent."""
    start = "PUT /bucket/key HTTP/1.1" if service == "s3" else "POST / HTTP/1.1"
    shared.clients.s3.create_bucket(Bucket="bucket")
    status, body = _exchange(
        shared, _request(service, JSON_TARGET, "Content-Length: 50", start=start, body=b"{"), ends=True
    )
    assert 400 <= status < 500
    assert _code(service, body)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"POST / HT", ""),
        (b"POST / HTTP/1.1\r\nHost: local", ""),
        (_request("stepfunctions", JSON_TARGET, "Content-Length: 50", body=b"{"), "RequestTimeout"),
        (_request("stepfunctions", JSON_TARGET, "Transfer-Encoding: chunked", body=b"5\r\n{"), "RequestTimeout"),
    ],
)
def test_a_client_that_falls_silent_holds_nobody(
    shared: LocalRuntime, monkeypatch: pytest.MonkeyPatch, content: bytes, code: str
) -> None:
    """After its time the connection is closed, with a word where there is a request to answer."""
    monkeypatch.setattr(RequestHandler, "timeout", 0.2)
    status, body = _exchange(shared, content)
    assert (status, _code("stepfunctions", body) if code else "") == ((400, code) if code else (0, ""))


@pytest.mark.parametrize("name", ["Origin: https://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site"])
def test_pages_of_other_sites_are_refused(shared: LocalRuntime, name: str) -> None:
    """A page anywhere may send requests to this machine; its browser says where it comes from."""
    status, body = _exchange(shared, _request("s3", name, start="GET / HTTP/1.1"))
    assert (status, _code("s3", body)) == (403, "AccessDenied")
    assert _exchange(shared, _request("s3", "Origin: http://localhost:3000", start="GET / HTTP/1.1"))[0] == 200


def test_requests_lead_to_no_other_service_or_account(shared: LocalRuntime) -> None:
    """The engine itself would let a header, a path or an action choose."""
    shared.clients.s3.create_bucket(Bucket="mine")
    for start, header in (
        ("GET / HTTP/1.1", "x-moto-account-id: 999999999999"),
        ("GET / HTTP/1.1", "X-Amz-Target: DynamoDB_20120810.ListTables"),
    ):
        assert b"<Name>mine</Name>" in _exchange(shared, _request("s3", header, start=start))[1]
    status, body = _exchange(shared, b"GET /ec2_us-east-1/x HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (status, _code("s3", body)) == (404, "NoSuchBucket")


def _call(application: Callable[..., Any], **environ: Any) -> tuple[str, dict[str, str], bytes]:
    told: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[[bytes], object]:
        told[:] = [status, dict(headers)]
        return told.append

    request = {"REQUEST_METHOD": "POST", "wsgi.input": io.BytesIO(b""), "RAW_URI": "/", **environ}
    body = b"".join(Guard(application)(request, start_response))
    return told[0], told[1], body


def _answering(status: str, body: bytes) -> Callable[..., Any]:
    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response(status, [("Content-Type", "text/html")])
        return [body]

    return application


def _failing(error: Exception) -> Callable[..., Any]:
    def application(environ: Any, start_response: Any) -> Iterator[bytes]:
        raise error
        yield b""

    return application


@pytest.mark.parametrize("service", ["stepfunctions", "sns", "s3", "cloudformation"])
def test_a_bug_is_told_without_its_stack_trace_and_stands_in_the_log(
    service: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The client learns what kind of error it was and where to look; the log has the rest."""
    status, _, body = _call(_failing(KeyError("secret")), HTTP_AUTHORIZATION=fuzzing.scope(service))
    assert (status, _code(service, body)) == ("500 Internal Server Error", "InternalFailure")
    assert b"KeyError in the embedded endpoint" in body
    assert b"docs/fidelity.md" in body
    assert b"secret" not in body
    assert [(record.levelno, record.exc_info is not None) for record in caplog.records] == [(logging.ERROR, True)]
    assert "KeyError: 'secret'" in caplog.text


@pytest.mark.parametrize("service", ["stepfunctions", "sns", "s3"])
@pytest.mark.parametrize(
    ("status", "page", "code"),
    [
        ("404 NOT FOUND", b"<!doctype html><title>404</title>", "NotFound"),
        ("400 BAD REQUEST", b"a text", "BadRequest"),
        ("400 BAD REQUEST", b"", "BadRequest"),
        ("400 BAD REQUEST", b'{"__type": null}', "BadRequest"),
        ("500 INTERNAL SERVER ERROR", b"<html>Traceback (most recent call last)</html>", "InternalFailure"),
    ],
)
def test_pages_become_errors_of_the_service(
    service: str, status: str, page: bytes, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What no client can read does not get through."""
    found, headers, body = _call(_answering(status, page), HTTP_AUTHORIZATION=fuzzing.scope(service))
    assert (found.split()[0], _code(service, body)) == (status.split(maxsplit=1)[0], code)
    assert int(headers["Content-Length"]) == len(body)
    assert len(caplog.records) == (code == "InternalFailure")


def test_what_the_engine_does_not_do_is_refused_by_name() -> None:
    """Not a failure: S3 has a status of its own for it."""
    error = NotImplementedError("The x action has not been implemented")
    for service, status, code in (("stepfunctions", 400, "UnknownOperationException"), ("s3", 501, "NotImplemented")):
        told, _, body = _call(_failing(error), HTTP_AUTHORIZATION=fuzzing.scope(service))
        assert (int(told.split()[0]), _code(service, body)) == (status, code)
        assert b"The x action has not been implemented: not supported locally" in body


def test_a_good_answer_passes_in_pieces_and_is_closed() -> None:
    """Objects are not gathered in memory."""
    closed: list[bool] = []

    class Pieces:
        """Three pieces, each made when it is asked for."""

        def __iter__(self) -> Iterator[bytes]:
            return iter([b"a", b"b", b"c"])

        def close(self) -> None:
            closed.append(True)

    def application(environ: Any, start_response: Any) -> Pieces:
        start_response("200 OK", [])
        return Pieces()

    parts = Guard(application)({"REQUEST_METHOD": "GET", "wsgi.input": io.BytesIO()}, lambda *_: print)
    iterator = iter(parts)
    assert (next(iterator), closed) == (b"a", [])
    assert list(iterator) == [b"b", b"c"]
    parts.close()  # type: ignore[attr-defined]  # WSGI: what has it is closed
    assert closed == [True]


def test_a_head_request_gets_no_body() -> None:
    """An error's form stands in what is not sent."""
    status, _, body = _call(_answering("404 NOT FOUND", b""), REQUEST_METHOD="HEAD")
    assert (status, body) == ("404 NOT FOUND", b"")
    assert _call(_failing(KeyError()), REQUEST_METHOD="HEAD")[2] == b""


def test_a_pattern_that_takes_for_ever_is_given_up(shared: LocalRuntime) -> None:
    """The service models' patterns were not written for every engine of regular expressions."""
    name = "a" + "-" * 60 + "!"
    began = time.monotonic()
    body = json.dumps({"TrainingJobName": name}).encode()
    target = "X-Amz-Target: SageMaker.DescribeTrainingJob"
    status, answer = _exchange(shared, _request("sagemaker", target, f"Content-Length: {len(body)}", body=body))
    assert (status, _code("sagemaker", answer)) == (400, "ValidationException")
    assert time.monotonic() - began < 20
