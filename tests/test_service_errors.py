"""What passes by itself, what needs new credentials, and what is simply refused."""

from __future__ import annotations

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
    SSLError,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from ml_a2.service_errors import has_expired, trouble_of


def refusal(code: str, status: int = 400) -> ClientError:
    """An error as a service answers with it."""
    answer = {"Error": {"Code": code, "Message": "words"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "DescribeExecution")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (refusal("ThrottlingException"), "throttled"),
        (refusal("SlowDown", 503), "throttled"),
        (refusal("InternalFailure", 500), "unreachable"),
        (EndpointConnectionError(endpoint_url="https://x"), "unreachable"),
        (ReadTimeoutError(endpoint_url="https://x"), "unreachable"),
        (SSLError(endpoint_url="https://x", error="self-signed"), None),
        (refusal("AccessDeniedException"), None),
        (refusal("ExpiredTokenException"), None),
        (NoCredentialsError(), None),
        (ValueError("a bug"), None),
    ],
)
def test_tells_what_passes_by_itself(error: Exception, expected: str | None) -> None:
    """Throttling, faults of a service and lost connections; neither refusals nor certificates."""
    assert trouble_of(error) == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (refusal("ExpiredToken"), True),
        (refusal("ExpiredTokenException"), True),
        (refusal("UnrecognizedClientException"), True),
        (refusal("TokenRefreshRequired"), True),
        (UnauthorizedSSOTokenError(), True),
        (SSOTokenLoadError(error_msg="x"), True),
        (TokenRetrievalError(provider="sso", error_msg="x"), True),
        (refusal("AccessDeniedException", 403), False),
        (refusal("ThrottlingException"), False),
        (EndpointConnectionError(endpoint_url="https://x"), False),
    ],
)
def test_tells_credentials_that_have_expired(error: Exception, expected: bool) -> None:
    """By the words of each service, and by what the SDK raises before it asks one."""
    assert has_expired(error) is expected
