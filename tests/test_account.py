"""An account as a person's configuration names it: found, or told what is wrong in one line."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from botocore.exceptions import TokenRetrievalError, UnauthorizedSSOTokenError

from ml_a2 import contract
from ml_a2.account import Account, aws_errors
from ml_a2.errors import PlatformError, UserError
from ml_a2.local.runtime import LocalRuntime
from tests.test_service_errors import refusal

NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


@pytest.fixture(autouse=True)
def configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials, and nothing else of this machine."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": "/nowhere",
        "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)


@contextmanager
def _cloudformation(status: int, body: str) -> Iterator[str]:
    """Answer every request with one document, as CloudFormation would."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *arguments: object) -> None:
            """Stay silent."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _stacks(outputs: dict[str, str]) -> str:
    members = "".join(
        f"<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
        for key, value in outputs.items()
    )
    return (
        f'<DescribeStacksResponse xmlns="{NAMESPACE}"><DescribeStacksResult><Stacks><member><StackName>s</StackName>'
        f"<Outputs>{members}</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
    )


def _error(code: str, message: str) -> str:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return f'<ErrorResponse xmlns="{NAMESPACE}">{error}</ErrorResponse>'


def test_finds_the_outputs_of_a_stack() -> None:
    """As DescribeStacks tells them."""
    expected = {name: f"value-of-{name}" for name in contract.OUTPUTS}
    with _cloudformation(200, _stacks(expected)) as url:
        assert Account(region="eu-central-1", endpoint_url=url).outputs("s") == expected


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (200, _stacks({"Other": "x"}), UserError, "stack 'mine' has no output 'EvaluationResultsBucketName'"),
        (400, _error("ValidationError", "Stack with id mine does not exist"), UserError, "mine does not exist; deploy"),
        (403, _error("AccessDenied", "not authorized"), PlatformError, "does not answer .*AccessDenied"),
    ],
)
def test_fails_on_a_stack_that_cannot_be_found(status: int, body: str, kind: type[Exception], words: str) -> None:
    """Not there, somebody else's, or not to be asked for."""
    with _cloudformation(status, body) as url, pytest.raises(kind, match=words):
        Account(region="eu-central-1", endpoint_url=url).outputs("mine")


def _unreachable() -> None:
    Account(region="us-east-1", endpoint_url="http://127.0.0.1:9").outputs("s")


def _no_such_profile() -> None:
    Account(profile="nobody")


def _no_region() -> None:
    Account().outputs("s")


def _refused() -> None:
    with _cloudformation(400, '{"__type": "AccessDeniedException", "message": "no"}') as url:
        machine = "arn:aws:states:us-east-1:123456789012:stateMachine:x"
        Account(region="us-east-1", endpoint_url=url).stepfunctions.list_executions(stateMachineArn=machine)


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (_unreachable, PlatformError, "AWS cannot be reached: .*127.0.0.1:9"),
        (_no_such_profile, UserError, "AWS configuration: The config profile .nobody. could not be found; see"),
        (_no_region, UserError, "AWS configuration: You must specify a region; see"),
        (_refused, PlatformError, "AWS refused a call: .*AccessDeniedException"),
    ],
)
def test_what_the_sdk_refuses_is_told_in_one_line(call: Callable[[], None], kind: type[Exception], words: str) -> None:
    """Who can mend it decides the kind."""
    with pytest.raises(kind, match=words), aws_errors():
        call()


@pytest.mark.parametrize(
    "error",
    [
        refusal("ExpiredTokenException"),
        refusal("UnrecognizedClientException"),
        UnauthorizedSSOTokenError(),
        TokenRetrievalError(provider="sso", error_msg="expired"),
    ],
    ids=str,
)
def test_credentials_that_have_expired_are_the_person_s_to_renew(error: Exception) -> None:
    """The message says how, and how to go on with what was begun."""
    words = r"the AWS credentials have expired, .*`aws sso login`, or new keys\) and watch it further"
    with pytest.raises(UserError, match=words), aws_errors("watch it further"):
        raise error


def test_the_region_is_that_of_either_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_REGION before AWS_DEFAULT_REGION, and an option before both."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert Account().s3.meta.region_name == "eu-west-1"
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert Account().s3.meta.region_name == "eu-central-1"
    assert Account(region="us-east-1").s3.meta.region_name == "us-east-1"


def test_throttling_is_told_as_such() -> None:
    """No permission would help."""
    with pytest.raises(PlatformError, match=r"AWS throttles .*; wait a minute; and then"), aws_errors("and then"):
        raise refusal("ThrottlingException")


def test_expired_credentials_are_told_by_the_first_call(configuration: None) -> None:
    """Not as an endpoint that knows no stacks."""
    with (
        _cloudformation(403, _error("ExpiredToken", "The security token included in the request is expired")) as url,
        pytest.raises(UserError, match="have expired"),
        aws_errors(),
    ):
        Account(region="eu-central-1", endpoint_url=url).outputs("mine")


def test_retries_are_patient_unless_somebody_decided_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_MAX_ATTEMPTS is the person's word."""
    account = Account(region="us-east-1", endpoint_url="http://127.0.0.1:9")
    assert account.stepfunctions.meta.config.retries["total_max_attempts"] == 1
    monkeypatch.delenv("AWS_MAX_ATTEMPTS")
    account = Account(region="us-east-1", endpoint_url="http://127.0.0.1:9")
    assert account.stepfunctions.meta.config.retries == {"total_max_attempts": 11, "mode": "standard"}


def test_fails_without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key in the environment, no file, no instance to ask."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(UserError, match="Unable to locate credentials"), aws_errors():
        Account(region="us-east-1", endpoint_url="http://127.0.0.1:9").outputs("s")


def test_fails_on_an_endpoint_without_the_stack(runtime: LocalRuntime) -> None:
    """The embedded endpoint says so in CloudFormation's words."""
    with pytest.raises(UserError, match=r"Stack with id s does not exist; deploy it, or name another with --stack"):
        Account(region="us-east-1", endpoint_url=runtime.url).outputs("s")


def test_finds_the_stack_of_the_embedded_endpoint(runtime: LocalRuntime, assembly: Path) -> None:
    """What the runtime deploys is told as CloudFormation tells it."""
    outputs = runtime.deploy(assembly)
    assert Account(region="us-east-1", endpoint_url=runtime.url).outputs(contract.STACK_NAME) == outputs


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_no_proxy_stands_before_an_endpoint_of_this_machine(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a company's proxy, which would not find it."""
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    expected = dict.fromkeys(contract.OUTPUTS, "value")
    with _cloudformation(200, _stacks(expected)) as url:
        assert Account(region="eu-west-1", endpoint_url=url).outputs("s") == expected
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        assert Account(region="eu-west-1").outputs("s") == expected


def test_a_proxy_stands_before_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a person's network has no other way out; here nobody answers at the proxy."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(PlatformError, match="Failed to connect to proxy URL"), aws_errors():
        Account(region="eu-west-1").s3.list_buckets()
