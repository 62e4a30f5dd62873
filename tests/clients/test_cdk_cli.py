"""The CDK's own command line deploys the stack onto the endpoint, as it does onto AWS."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ml_a2 import contract
from ml_a2.account import Account
from tests.clients.conftest import Client

pytestmark = pytest.mark.xdist_group("clients")


def _deploy(cdk: Client, assembly: Path) -> tuple[int, str]:
    answer = cdk.run("deploy", "--app", str(assembly), "--no-notices", "--require-approval", "never")
    return answer.returncode, answer.stdout + answer.stderr


def _changed(assembly: Path, folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Copy an assembly, with other resources; its template's name in S3 is its hash."""
    shutil.copytree(assembly, folder)
    path = folder / f"{contract.STACK_NAME}.template.json"
    before = json.loads(path.read_text())
    change(before["Resources"])
    text = json.dumps(before)
    path.write_text(text)
    manifest = json.loads((folder / "manifest.json").read_text())
    url = manifest["artifacts"][contract.STACK_NAME]["properties"]["stackTemplateAssetObjectUrl"]
    old, new = url.rpartition("/")[2].removesuffix(".json"), hashlib.sha256(text.encode()).hexdigest()
    for file in (folder / "manifest.json", folder / f"{contract.STACK_NAME}.assets.json"):
        file.write_text(file.read_text().replace(old, new))
    return folder


def _shorter_retention(resources: dict[str, Any]) -> None:
    for resource in resources.values():
        if resource["Type"] == "AWS::Logs::LogGroup":
            resource["Properties"]["RetentionInDays"] = 30


def _unknown_type(resources: dict[str, Any]) -> None:
    resources["Queue"] = {"Type": "AWS::SQS::Queue"}


def test_deploys_again_changes_and_destroys(cdk: Client, assembly: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stack stands, an identical deployment changes nothing, a changed one does, and nothing is left at the end."""
    clients = cdk.runtime.clients
    assert _deploy(cdk, assembly)[0] == 0
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    outputs = Account(region="us-east-1", endpoint_url=cdk.runtime.url).outputs(contract.STACK_NAME)
    machine = outputs[contract.OUTPUT_STATE_MACHINE]
    assert clients.stepfunctions.describe_state_machine(stateMachineArn=machine)["status"] == "ACTIVE"

    status, told = _deploy(cdk, assembly)
    assert (status, "(no changes)" in told) == (0, True)

    status, told = _deploy(cdk, _changed(assembly, cdk.folder / "changed", _shorter_retention))
    assert (status, "UPDATE_COMPLETE" in told) == (0, True), told
    groups = clients.logs.describe_log_groups(logGroupNamePrefix="/aws/vendedlogs/")["logGroups"]
    assert [group["retentionInDays"] for group in groups] == [30, 30]

    bucket = outputs[contract.OUTPUT_TRAINING_DATA_BUCKET]
    for body in (b"first", b"second"):
        clients.s3.put_object(Bucket=bucket, Key="train/a.csv", Body=body)
    clients.s3.delete_object(Bucket=bucket, Key="train/a.csv")
    cdk.text("destroy", "--app", str(assembly), "--no-notices", "--force")
    assert [b["Name"] for b in clients.s3.list_buckets()["Buckets"]] == ["cdk-hnb659fds-assets-123456789012-us-east-1"]
    assert clients.stepfunctions.list_state_machines()["stateMachines"] == []
    assert clients.iam.list_roles()["Roles"] == []


def test_fails_telling_why_and_deploys_once_that_is_mended(cdk: Client, assembly: Path) -> None:
    """The strict deployer's refusal reaches the terminal, and the next deployment replaces what failed."""
    status, told = _deploy(cdk, _changed(assembly, cdk.folder / "changed", _unknown_type))
    assert status == 1
    assert "resource 'Queue' has type 'AWS::SQS::Queue', which is not supported locally" in told
    assert "ROLLBACK_COMPLETE" in told
    assert cdk.runtime.clients.iam.list_roles()["Roles"] == []
    assert _deploy(cdk, assembly)[0] == 0
