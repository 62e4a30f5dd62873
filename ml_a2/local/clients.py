"""boto3 clients of the embedded endpoint, untouched by the person's own AWS configuration."""

from __future__ import annotations

from functools import cached_property
from os import devnull
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config

from ml_a2.local.edge.direct import Direct
from ml_a2.local.objects import short_way
from ml_a2.local.service_models import MODELS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

# Session variables as botocore names them: key in the file, environment variable, default, conversion.
_NO_CONFIGURATION = {
    "profile": (None, None, None, None),
    "config_file": (None, None, devnull, None),
    "credentials_file": (None, None, devnull, None),
}


class Clients:
    """One client a service, made when it is first used; clients may be shared between threads."""

    def __init__(self, endpoint_url: str, region: str, application: WSGIApplication | None = None) -> None:
        """Remember where the endpoint listens; with its application at hand, requests take no connection."""
        self.endpoint_url = endpoint_url
        self.region = region
        # The endpoint accepts any credentials; a proxy of the environment must not see loopback traffic.
        session = botocore.session.Session(session_vars=_NO_CONFIGURATION)
        session.register_component("data_loader", MODELS)
        self._session = boto3.Session(
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106  # the endpoint accepts any
            region_name=region,
            botocore_session=session,
        )
        if application:
            self._session.events.register_first("before-send", Direct(application))  # type: ignore[arg-type]  # answers
            short_way.register(self._session.events)
        config = Config(proxies={}, retries={"total_max_attempts": 1}, max_pool_connections=32)
        self._options: Any = {"endpoint_url": endpoint_url, "config": config}

    def client(self, service: str) -> Any:
        """Return a client of a service by its botocore name."""
        return self._session.client(service, **self._options)  # type: ignore[call-overload]  # a name known at run time

    @cached_property
    def s3(self) -> S3Client:
        """Amazon S3."""
        return self._session.client("s3", **self._options)

    @cached_property
    def iam(self) -> IAMClient:
        """AWS Identity and Access Management."""
        return self._session.client("iam", **self._options)

    @cached_property
    def sns(self) -> SNSClient:
        """Amazon Simple Notification Service."""
        return self._session.client("sns", **self._options)

    @cached_property
    def sqs(self) -> SQSClient:
        """Amazon Simple Queue Service."""
        return self._session.client("sqs", **self._options)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        """Amazon CloudWatch Logs."""
        return self._session.client("logs", **self._options)

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        """Amazon CloudWatch."""
        return self._session.client("cloudwatch", **self._options)

    @cached_property
    def events(self) -> EventBridgeClient:
        """Amazon EventBridge."""
        return self._session.client("events", **self._options)

    @cached_property
    def stepfunctions(self) -> SFNClient:
        """AWS Step Functions."""
        return self._session.client("stepfunctions", **self._options)

    @cached_property
    def sagemaker(self) -> SageMakerClient:
        """Amazon SageMaker."""
        return self._session.client("sagemaker", **self._options)
