"""The edge of the embedded endpoint: loopback, known services, AWS-shaped refusals."""

from __future__ import annotations

import http.client
import json
import urllib.parse
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from ml_a2.local.runtime import LocalRuntime


def _request(runtime: LocalRuntime, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(runtime.url).netloc, timeout=10)
    connection.request("POST", "/", body="{}", headers=headers)
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    return answer.status, body


def test_foreign_host_headers_are_refused(runtime: LocalRuntime) -> None:
    """A page in a browser cannot reach the endpoint under a name of its own."""
    status, body = _request(runtime, {"Host": "evil.example"})
    assert (status, body["__type"]) == (400, "NotSupported")


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
