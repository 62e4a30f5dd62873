"""Where a request's template comes from: its text, an object in S3, or the stack itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from ml_a2.errors import AssemblyError
from ml_a2.local.clients import Clients
from ml_a2.local.edge.json_text import read_json
from ml_a2.local.sagemaker.protocol import ApiError
from ml_a2.local.template_shape import check_shape

# CloudFormation User Guide, "Quotas": in a request, and as an object.
LARGEST_BODY_BYTES = 51_200
LARGEST_OBJECT_BYTES = 1_000_000


def read_template_of(request: Mapping[str, Any], clients: Clients, previous: str | None) -> str:
    """Return the text of the template that a request names.

    Raises:
        ApiError: it names none, or more than one, or one that is not there or too large.
    """
    body, url = request.get("TemplateBody"), request.get("TemplateURL")
    use_previous = request.get("UsePreviousTemplate", False)
    if (body is not None) + (url is not None) + use_previous != 1:
        raise ApiError("ValidationError", "Either Template URL or Template Body must be specified.")
    if url is not None:
        return _fetch(url, clients)
    if use_previous:
        if previous is None:
            raise ApiError("ValidationError", "UsePreviousTemplate: the stack has no template yet")
        return previous
    assert body is not None
    if len(body.encode()) > LARGEST_BODY_BYTES:
        raise ApiError(
            "ValidationError",
            "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "
            f"Member must have length less than or equal to {LARGEST_BODY_BYTES}",
        )
    return str(body)


def parse_template(text: str) -> dict[str, Any]:
    """Read a template's JSON.

    Raises:
        ApiError: it is no JSON object, or has another shape than a template.
    """
    try:
        template = read_json(text)
    except ValueError as error:
        raise ApiError(
            "ValidationError", f"Template format error: no JSON, and YAML is not supported locally: {error}"
        ) from error
    if not isinstance(template, dict):
        raise ApiError("ValidationError", "Template format error: unsupported structure.")
    try:
        check_shape(template)
    except AssemblyError as error:
        raise ApiError("ValidationError", f"Template error: {error}") from error
    return template


def _fetch(url: str, clients: Clients) -> str:
    bucket, key = _bucket_and_key(url)
    try:
        answer = clients.s3.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise ApiError("ValidationError", f"S3 error: {error.response['Error']['Message']} ({code}: {url})") from error
    except BotoCoreError as error:  # a name that no bucket can have
        raise _refusal(url) from error
    if answer["ContentLength"] > LARGEST_OBJECT_BYTES:
        raise ApiError("ValidationError", f"Template may not exceed {LARGEST_OBJECT_BYTES} bytes in size.")
    try:
        return answer["Body"].read().decode()
    except UnicodeDecodeError as error:
        raise ApiError("ValidationError", f"Template format error: {url} is no UTF-8: {error}") from error


def _bucket_and_key(url: str) -> tuple[str, str]:
    """Read an object's URL, with the bucket in the path or in the host name."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise _refusal(url) from error
    host, path = parts.hostname or "", unquote(parts.path).lstrip("/")
    in_host = re.fullmatch(r"(.+)\.s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?", host)
    bucket, key = (in_host.group(1), path) if in_host else path.partition("/")[::2]
    if not bucket or not key:
        raise _refusal(url)
    return bucket, key


def _refusal(url: str) -> ApiError:
    return ApiError("ValidationError", f"TemplateURL must reference a valid S3 object to which you have access: {url}")
