"""Requests to S3, checked before the engine sees them; the bytes of objects are not looked at."""

from __future__ import annotations

import io
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from moto.core.parse import RequestParserError, RestXMLParser
from moto.core.request import Request
from moto.core.routing import get_service_router
from werkzeug.exceptions import MethodNotAllowed, NotFound

from ml_a2.local.edge.refusal import RequestError, signed_for
from ml_a2.local.edge.rules import broken
from ml_a2.local.sagemaker.protocol import problem_with

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# How a server writes the headers of an object's own metadata; the names count without what stands before them.
METADATA = "HTTP_X_AMZ_META_"
STATUSES = {"AccessDenied": HTTPStatus.FORBIDDEN}
NUMBERS = {"max-keys", "max-uploads", "max-parts", "max-buckets", "part-number-marker", "partNumber"}
POSTS = {"uploads", "uploadId", "delete"}
LARGEST_NUMBER = 2**31 - 1
# What a request may be about beside the object or the bucket itself, and then has a document for its body.
DOCUMENTS = {
    "accelerate", "acl", "analytics", "cors", "delete", "encryption", "intelligent-tiering", "inventory", "legal-hold",
    "lifecycle", "logging", "metrics", "notification", "object-lock", "ownershipControls", "publicAccessBlock",
    "replication", "requestPayment", "retention", "tagging", "versioning", "website",
}  # fmt: skip
# Documents whose rules are a list of one.
SINGLE = {"ServerSideEncryptionConfiguration": "Rules", "OwnershipControls": "Rules"}
# DeleteObjects names a thousand keys of 1,024 bytes.
LARGEST_DOCUMENT_BYTES = 2 << 20


def check_s3_request(environ: WSGIEnvironment) -> None:
    """Check numbers and documents.

    Raises:
        RequestError: what S3 would refuse about it.
    """
    query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    for name in NUMBERS & query.keys():
        if not (query[name].isascii() and query[name].isdigit()) or int(query[name][:12]) > LARGEST_NUMBER:
            raise _refusal("InvalidArgument", f"{name} {query[name][:40]!r} is no number that S3 takes")
    _check_headers(environ)
    if environ["REQUEST_METHOD"] == "POST" and not POSTS & query.keys():
        raise NotImplementedError("POST without uploads, uploadId or delete")
    if "delete" in query and "/" in environ["PATH_INFO"].strip("/"):
        raise _not_allowed()
    if environ["REQUEST_METHOD"] in ("PUT", "POST"):
        _check_rules(environ, query)
        if "policy" not in query and DOCUMENTS & query.keys():
            _check_document(environ)


def _check_headers(environ: WSGIEnvironment) -> None:
    source = environ.get("HTTP_X_AMZ_COPY_SOURCE")
    if source is not None and not all(source.lstrip("/").partition("/")[::2]):
        raise _refusal("InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
    if any(name.startswith("HTTP_X_AMZ_GRANT_") for name in environ):  # as of every bucket, by default
        raise _refusal("AccessControlListNotSupported", "The bucket does not allow ACLs")


def _check_rules(environ: WSGIEnvironment, query: Mapping[str, str]) -> None:
    bucket, key = _place(environ)
    named: dict[str, Any] = {"Bucket": bucket}
    operation = ""
    if "policy" in query:
        operation = "PutBucketPolicy"
        # What is no UTF-8 is no JSON either, and refused as that.
        named["Policy"] = _take_document(environ).decode(errors="replace")
    elif not key and not DOCUMENTS & query.keys():
        operation = "CreateBucket"
    elif key and "uploadId" not in query and not DOCUMENTS & query.keys():
        operation = "CreateMultipartUpload" if "uploads" in query else "PutObject"
        headers = [name for name in environ if name.startswith(METADATA)]
        named["Metadata"] = {name.removeprefix(METADATA): environ[name] for name in headers}
    for code, problem in broken("s3", operation, named, signed_for(environ)[1]):
        raise _refusal(code, problem)


def _place(environ: WSGIEnvironment) -> tuple[str, str]:
    """Return bucket and key, wherever the bucket stands: in the path, or before the host's name."""
    host = environ.get("HTTP_HOST", "").rpartition(":")[0].lower()
    path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace").removeprefix("/")
    if host.endswith(".localhost"):
        return host.removesuffix(".localhost"), path
    bucket, _, key = path.partition("/")
    return bucket, key


def _check_document(environ: WSGIEnvironment) -> None:
    body = _take_document(environ)
    if not body and "acl" not in environ["QUERY_STRING"]:  # which may stand in the headers
        raise _refusal("MissingRequestBodyError", "Request Body is empty")
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise _refusal("MalformedXML", "a document with a document type is not taken")
    if not body:
        return
    request = Request({**environ, "wsgi.input": io.BytesIO(body)})
    try:
        operation, parameters = get_service_router("s3").match(request)
        parsed: Any = RestXMLParser(operation).parse(
            {
                "method": request.method,
                "values": request.args,
                "headers": request.headers,
                "body": body,
                "url_path": request.path,
                "url_params": parameters,
            }
        )
    except (NotFound, MethodNotAllowed) as error:
        raise _not_allowed() from error
    except (RequestParserError, ValueError, TypeError, AttributeError) as error:
        raise _refusal("MalformedXML", f"the XML is not well-formed, or not what S3 takes: {error}") from error
    if problem := problem_with(parsed, operation.input_shape):
        raise _refusal("MalformedXML", f"the XML is not what S3 takes: {problem}")
    for code, problem in broken("s3", operation.name, parsed, signed_for(environ)[1]):
        raise _refusal(code, problem)
    for name, member in SINGLE.items():
        if len(parsed.get(name, {}).get(member, ())) > 1:
            raise _refusal("MalformedXML", f"the XML has more than one rule in {name}, which S3 does not take")


def _take_document(environ: WSGIEnvironment) -> bytes:
    content: bytes = Request(environ).stream.read(LARGEST_DOCUMENT_BYTES + 1)
    if len(content) > LARGEST_DOCUMENT_BYTES:
        raise _refusal("MaxMessageLengthExceeded", f"the document has more than {LARGEST_DOCUMENT_BYTES} bytes")
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(content), str(len(content))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ.pop("wsgi.input_terminated", None)
    return content


def _refusal(code: str, message: str) -> RequestError:
    return RequestError(STATUSES.get(code, HTTPStatus.BAD_REQUEST), code, message)


def _not_allowed() -> RequestError:
    message = "The specified method is not allowed against this resource."
    return RequestError(HTTPStatus.METHOD_NOT_ALLOWED, "MethodNotAllowed", message)
