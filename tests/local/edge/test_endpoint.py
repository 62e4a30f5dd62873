"""The edge of the embedded endpoint: loopback, known services, AWS-shaped refusals."""

from __future__ import annotations

import http.client
import json
import urllib.parse
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from ml_a2.local.clients import Clients
from ml_a2.local.runtime import LocalRuntime


def _request(runtime: LocalRuntime, host: str, signed_for: str = "", kind: str = "") -> tuple[int, str]:
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(runtime.url).netloc, timeout=10)
    headers = {"Host": host, "Content-Type": kind}
    if signed_for:
        headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/{signed_for}/aws4_request, ..."
    connection.request("GET", "/", headers=headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


FORM = "application/x-www-form-urlencoded; charset=utf-8"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example", ""]
)
def test_foreign_host_headers_are_refused(runtime: LocalRuntime, host: str) -> None:
    """A page in a browser cannot reach the endpoint under a name of its own."""
    status, body = _request(runtime, host)
    assert (
        status,
        "<Code>AccessDenied</Code>" in body,
        f"host {host!r} is not served" in body.replace("&apos;", "'"),
    ) == (
        403,
        True,
        True,
    )


def test_foreign_host_headers_are_refused_in_the_form_of_the_service(runtime: LocalRuntime) -> None:
    """Each client understands what it is told: JSON, a query error, or S3's."""
    assert json.loads(_request(runtime, "evil.example", "states")[1])["__type"] == "AccessDenied"
    assert _request(runtime, "evil.example", "sns", FORM)[1].startswith("<ErrorResponse><Error><Type>Sender</Type>")
    assert _request(runtime, "evil.example", "s3")[1].startswith("<Error><Code>AccessDenied</Code>")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1", "[::1]:80", "[::1]"])
def test_loopback_names_are_served(runtime: LocalRuntime, host: str) -> None:
    """With any port: a tunnel may have another one."""
    assert _request(runtime, host, "s3")[0] == 200


def test_a_bucket_may_stand_before_the_host(runtime: LocalRuntime) -> None:
    """As S3 clients write it that were given localhost."""
    runtime.clients.s3.create_bucket(Bucket="bucket")
    runtime.clients.s3.put_object(Bucket="bucket", Key="key", Body=b"content")
    assert "<Key>key</Key>" in _request(runtime, "bucket.localhost:80", "s3")[1]


def test_listens_on_the_loopback_interface_alone(runtime: LocalRuntime) -> None:
    """Nobody else's machine can connect."""
    port = urllib.parse.urlsplit(runtime.url).port
    table = Path("/proc/net/tcp").read_text().splitlines()[1:]
    addresses = {
        line.split()[1] for line in table if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
    }
    assert addresses == {f"0100007F:{port:04X}"}


def test_fails_in_another_region(runtime: LocalRuntime) -> None:
    """What is not there must not look empty."""
    elsewhere = Clients(runtime.url, "eu-west-1")
    with pytest.raises(ClientError, match="region 'eu-west-1' is not part of the embedded endpoint, only 'us-east-1'"):
        elsewhere.stepfunctions.list_state_machines()


def test_tells_who_one_is_and_lends_no_role_but_the_bootstrap_ones(runtime: LocalRuntime) -> None:
    """Under any other role calls would not be restricted as they are on AWS."""
    sts = runtime.clients.client("sts")
    assert sts.get_caller_identity()["Account"] == runtime.environment.account
    role = f"arn:aws:iam::{runtime.environment.account}:role/"
    deploying = f"{role}cdk-hnb659fds-deploy-role-{runtime.environment.account}-us-east-1"
    assert sts.assume_role(RoleArn=deploying, RoleSessionName="me")["Credentials"]["SessionToken"]
    with pytest.raises(ClientError, match=f"AssumeRole of '{role}job' is not supported locally"):
        sts.assume_role(RoleArn=f"{role}job", RoleSessionName="me")
    with pytest.raises(ClientError, match="GetSessionToken is not supported locally"):
        sts.get_session_token()


def test_knows_no_parameter_but_the_bootstrap_version(runtime: LocalRuntime) -> None:
    """By which the CDK CLI sees that the account is prepared."""
    ssm = runtime.clients.client("ssm")
    assert ssm.get_parameter(Name="/cdk-bootstrap/hnb659fds/version")["Parameter"]["Value"] == "99"
    with pytest.raises(ssm.exceptions.ParameterNotFound, match="parameter '/mine' is not there"):
        ssm.get_parameter(Name="/mine")
    with pytest.raises(ClientError, match="PutParameter is not supported locally"):
        ssm.put_parameter(Name="/mine", Value="x", Type="String")


def test_fails_for_a_service_that_the_template_does_not_use(runtime: LocalRuntime) -> None:
    """Other services are refused by name."""
    with pytest.raises(ClientError, match="service 'dynamodb' is not part of the embedded endpoint"):
        runtime.clients.client("dynamodb").list_tables()


def test_fails_for_an_operation_that_is_not_there(runtime: LocalRuntime) -> None:
    """SageMaker operations without an implementation are refused by name."""
    with pytest.raises(ClientError, match="CreateEndpoint is not supported locally"):
        runtime.clients.sagemaker.create_endpoint(EndpointName="a", EndpointConfigName="b")


def test_objects_survive_the_round_trip(runtime: LocalRuntime, tmp_path: Path) -> None:
    """S3 takes and gives bytes, over HTTP, with boto3's own transfer."""
    data = bytes(range(256)) * 50_000  # 12.8 MB: sent in parts
    (tmp_path / "a").write_bytes(data)
    s3 = runtime.clients.s3
    s3.create_bucket(Bucket="bucket")
    s3.upload_file(str(tmp_path / "a"), "bucket", "some/key with space")
    s3.download_file("bucket", "some/key with space", str(tmp_path / "b"))
    assert (tmp_path / "b").read_bytes() == data


def test_a_second_runtime_starts_empty() -> None:
    """Nothing of an earlier runtime in the same process is left."""
    with LocalRuntime() as first:
        first.clients.s3.create_bucket(Bucket="bucket")
    with LocalRuntime() as second:
        assert second.clients.s3.list_buckets()["Buckets"] == []


def test_credentials_and_profiles_of_the_person_play_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken AWS configuration or a proxy does not disturb the loopback endpoint."""
    monkeypatch.setenv("AWS_PROFILE", "does-not-exist")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with LocalRuntime() as runtime:
        assert runtime.clients.s3.list_buckets()["Buckets"] == []
