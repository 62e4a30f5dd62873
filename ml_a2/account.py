"""An AWS account, or another endpoint, as a person's configuration names it; and the stack that is deployed there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004  # botocore's own, of which the built-in one knows nothing
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)
from botocore.parsers import ResponseParserError

from ml_a2 import contract
from ml_a2.errors import PlatformError, UserError
from ml_a2.loopback import is_loopback
from ml_a2.service_errors import code_of, has_expired, trouble_of

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient

CONFIGURATION_ERRORS = (NoCredentialsError, NoRegionError, PartialCredentialsError, ProfileNotFound)
# Throttling and faults of a service are waited for, with growing pauses, for about a minute and a half.
PATIENT = Config(retries={"mode": "standard", "max_attempts": 10})


class Account:
    """The services' clients; what is not given comes from the standard AWS environment variables and files."""

    def __init__(
        self, *, profile: str | None = None, region: str | None = None, endpoint_url: str | None = None
    ) -> None:
        """Open a session."""
        core = botocore.session.Session()
        # The AWS CLI's and the other SDKs' variable; botocore knows AWS_DEFAULT_REGION alone.
        region = region or os.environ.get("AWS_REGION") or None
        self._session = boto3.Session(profile_name=profile, region_name=region, botocore_session=core)
        self._endpoint_url = endpoint_url
        # AWS_MAX_ATTEMPTS, or the profile's own, is the person's decision.
        self._config = None if core.get_config_variable("max_attempts") else PATIENT

    @cached_property
    def s3(self) -> S3Client:
        """Amazon S3."""
        client: S3Client = self._client("s3", self._config)
        return client

    @cached_property
    def stepfunctions(self) -> SFNClient:
        """AWS Step Functions."""
        client: SFNClient = self._client("stepfunctions", self._config)
        return client

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        """Amazon CloudWatch Logs."""
        client: CloudWatchLogsClient = self._client("logs", self._config)
        return client

    @cached_property
    def cloudformation(self) -> Any:
        """AWS CloudFormation; asked first, it tells at once of an endpoint that is not there."""
        return self._client("cloudformation", None)

    @cached_property
    def sns(self) -> Any:
        """Amazon Simple Notification Service."""
        return self._client("sns", self._config)

    def _client(self, service: str, config: Config | None) -> Any:
        """Return a client; of an endpoint on this machine, which no proxy can reach, one without a proxy."""
        client: Any = self._session.client(service, endpoint_url=self._endpoint_url, config=config)  # type: ignore[call-overload]  # a name known at run time
        if getproxies() and is_loopback(client.meta.endpoint_url):
            direct = (config or Config()).merge(Config(proxies={}))
            client = self._session.client(service, endpoint_url=self._endpoint_url, config=direct)  # type: ignore[call-overload]
        return client

    def outputs(self, stack: str) -> dict[str, str]:
        """Return the outputs of a deployed stack, by which its resources are found.

        Raises:
            UserError: there is no such stack, or it is not one of ours.
            PlatformError: the endpoint does not tell of stacks.
        """
        found = self.describe(stack)
        outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
        if missing := set(contract.OUTPUTS) - set(outputs):
            raise UserError(f"stack {stack!r} has no output {min(missing)!r}; name one of this project with --stack")
        return outputs

    def describe(self, stack: str) -> dict[str, Any]:
        """Return a deployed stack as CloudFormation describes it.

        Raises:
            UserError: there is no such stack.
            PlatformError: the endpoint does not tell of stacks.
        """
        try:
            return dict(self.cloudformation.describe_stacks(StackName=stack)["Stacks"][0])
        except (ClientError, ResponseParserError) as error:
            if has_expired(error):
                raise
            if isinstance(error, ClientError) and code_of(error) == "ValidationError":
                raise UserError(f"stack {stack!r}: {error}; deploy it, or name another with --stack") from error
            reason = " ".join(str(error).split())
            raise PlatformError(
                f"{self.cloudformation.meta.endpoint_url} does not answer CloudFormation's DescribeStacks, by which "
                f"the buckets and the state machine of {stack!r} are found: {reason}"
            ) from error


@contextmanager
def aws_errors(going_on: str = "") -> Iterator[None]:
    """Tell what the SDK and the services refuse in one line, each to who can mend it.

    Args:
        going_on: what a person is told besides of what was begun, and how to go on with it.

    Raises:
        UserError: the configuration names no credentials, ones that have expired, no region, or no known profile.
        PlatformError: a service cannot be reached, or refused a call.
    """
    rest = f"; {going_on}" if going_on else ""
    try:
        yield
    except CONFIGURATION_ERRORS as error:
        raise UserError(
            f"AWS configuration: {str(error).rstrip('.')}; see --profile, --region and the AWS_ variables"
        ) from error
    except (ConnectionError, HTTPClientError) as error:
        raise PlatformError(
            f"AWS cannot be reached: {error}; look at the network and at --endpoint-url{rest}"
        ) from error
    except (ClientError, BotoCoreError) as error:
        if has_expired(error):
            raise UserError(
                f"the AWS credentials have expired, or are not valid: {str(error).rstrip('.')}; renew them "
                f"(`aws sso login`, or new keys) and {going_on or 'give the same command again'}"
            ) from error
        if trouble_of(error) == "throttled":
            raise PlatformError(f"AWS throttles this account's calls: {error}; wait a minute{rest}") from error
        if isinstance(error, ClientError):
            raise PlatformError(f"AWS refused a call: {error}; look at your permissions") from error
        raise PlatformError(f"the AWS SDK failed: {error}") from error
    except ResponseParserError as error:
        raise PlatformError(f"no answer of AWS: {' '.join(str(error).split())}; look at --endpoint-url") from error
