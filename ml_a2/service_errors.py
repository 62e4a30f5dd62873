"""What the services and the SDK refuse: whether it passes by itself, or somebody has to renew credentials."""

from __future__ import annotations

from typing import Literal

from botocore.exceptions import (
    ClientError,
    ConnectionError,  # noqa: A004  # botocore's own, of which the built-in one knows nothing
    CredentialRetrievalError,
    HTTPClientError,
    LoginError,
    RefreshWithMFAUnsupportedError,
    SSLError,
    SSOError,
    TokenRetrievalError,
)

Trouble = Literal["throttled", "unreachable"]

# The codes that botocore's standard retries take for throttling.
THROTTLED = frozenset(
    {
        "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException",
        "TooManyRequestsException", "ProvisionedThroughputExceededException", "TransactionInProgressException",
        "RequestLimitExceeded", "BandwidthLimitExceeded", "LimitExceededException", "RequestThrottled", "SlowDown",
        "PriorRequestNotComplete", "EC2ThrottledException",
    }
)  # fmt: skip
# Of every service together: each has its own words for credentials that it does not take any more.
EXPIRED = frozenset(
    {
        "ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired", "InvalidToken",
        "UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId",
    }
)  # fmt: skip
EXPIRED_SESSIONS = (SSOError, TokenRetrievalError, CredentialRetrievalError, RefreshWithMFAUnsupportedError, LoginError)
UNREACHABLE = (ConnectionError, HTTPClientError)
INTERNAL_SERVER_ERROR = 500


def code_of(error: ClientError) -> str:
    """Return the code that a service refused a call with."""
    return error.response["Error"].get("Code", "")


def has_expired(error: Exception) -> bool:
    """Tell whether the credentials are not taken any more."""
    return isinstance(error, EXPIRED_SESSIONS) or (isinstance(error, ClientError) and code_of(error) in EXPIRED)


def trouble_of(error: Exception) -> Trouble | None:
    """Return what passes by itself, after the SDK's own retries; None for anything else."""
    if isinstance(error, UNREACHABLE):
        return None if isinstance(error, SSLError) else "unreachable"  # a certificate gets no better by waiting
    if not isinstance(error, ClientError):
        return None
    if code_of(error) in THROTTLED:
        return "throttled"
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return "unreachable" if status >= INTERNAL_SERVER_ERROR else None
