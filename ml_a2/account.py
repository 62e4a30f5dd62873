"""An AWS account, or another endpoint, as a person's configuration names it; and the stack that is deployed there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
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

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient

CONFIGURATION_ERRORS = (NoCredentialsError, NoRegionError, PartialCredentialsError, ProfileNotFound)
EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")
# Throttling and faults of a service are waited for, with growing pauses, for about a minute and a half.
PATIENT = Config(retries={"mode": "standard", "max_attempts": 10})


class Account:
    """The services' clients; what is not given comes from the standard AWS environment variables and files."""

    def __init__(
        self, *, profile: str | None = None, region: str | None = None, endpoint_url: str | None = None
    ) -> None:
        """Open a session."""
        self._session = boto3.Session(profile_name=profile, region_name=region)
        self._endpoint_url = endpoint_url

    @cached_property
    def s3(self) -> S3Client:
        """Amazon S3."""
        return self._session.client("s3", endpoint_url=self._endpoint_url, config=PATIENT)

    @cached_property
    def stepfunctions(self) -> SFNClient:
        """AWS Step Functions."""
        return self._session.client("stepfunctions", endpoint_url=self._endpoint_url, config=PATIENT)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        """Amazon CloudWatch Logs."""
        return self._session.client("logs", endpoint_url=self._endpoint_url, config=PATIENT)

    def outputs(self, stack: str) -> dict[str, str]:
        """Return the outputs of a deployed stack, by which its resources are found.

        Raises:
            UserError: there is no such stack, or it is not one of ours.
            PlatformError: the endpoint does not tell of stacks.
        """
        cloudformation: Any = self._session.client("cloudformation", endpoint_url=self._endpoint_url)
        try:
            found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        except (ClientError, ResponseParserError) as error:
            if isinstance(error, ClientError) and error.response["Error"].get("Code") == "ValidationError":
                raise UserError(f"stack {stack!r}: {error}; deploy it, or name another with --stack") from error
            reason = " ".join(str(error).split())
            raise PlatformError(
                f"{cloudformation.meta.endpoint_url} does not answer CloudFormation's DescribeStacks, by which the "
                f"buckets and the state machine of {stack!r} are found: {reason}"
            ) from error
        outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
        if missing := set(contract.OUTPUTS) - set(outputs):
            raise UserError(f"stack {stack!r} has no output {min(missing)!r}; name one of this project with --stack")
        return outputs


@contextmanager
def aws_errors() -> Iterator[None]:
    """Tell what the SDK and the services refuse in one line, each to who can mend it.

    Raises:
        UserError: the configuration names no credentials, no region, or a profile that is not there.
        PlatformError: a service cannot be reached, or refused a call.
    """
    try:
        yield
    except CONFIGURATION_ERRORS as error:
        raise UserError(
            f"AWS configuration: {str(error).rstrip('.')}; see --profile, --region and the AWS_ variables"
        ) from error
    except (ConnectionError, HTTPClientError) as error:
        raise PlatformError(f"AWS cannot be reached: {error}; look at the network and at --endpoint-url") from error
    except ClientError as error:
        if error.response["Error"].get("Code") in EXPIRED:
            raise PlatformError(
                f"the AWS credentials have expired: {error}; renew them and give the same command again, what runs on "
                "AWS goes on"
            ) from error
        raise PlatformError(f"AWS refused a call: {error}; look at your permissions") from error
    except BotoCoreError as error:
        raise PlatformError(f"the AWS SDK failed: {error}") from error
