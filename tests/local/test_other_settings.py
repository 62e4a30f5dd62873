"""Settings that are carried out locally are executed; those that are not are refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ml_a2.contract import job_prefixes
from ml_a2.errors import AssemblyError
from ml_a2.local.audit import audit
from ml_a2.local.rehearsal import Result, Scenario, Stage, rows
from ml_a2.local.runtime import LocalRuntime
from ml_a2.local.scenarios import FAILED_ALARM, train
from ml_a2.settings import EncryptionSettings, NetworkSettings, Settings, StartSettings, TrainingSettings

pytestmark = pytest.mark.xdist_group("other settings")

NAME = "Churn"
SUBNET, GROUP = "subnet-0123456789abcdef0", "sg-0123456789abcdef0"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def _assembly(folder: Path, **settings: Any) -> Path:
    from aws_cdk import App

    from ml_a2.stack import MlA2Stack

    app = App(outdir=str(folder / "cdk.out"), analytics_reporting=False)
    MlA2Stack(app, NAME, settings=Settings(**settings))
    app.synth()
    return folder / "cdk.out"


def test_another_name_and_tags_are_carried_out(tmp_path: Path) -> None:
    """The stack is deployed under its name, its resources have the tags, and its jobs begin with its prefixes."""
    with LocalRuntime(speed=1000) as runtime:
        stage = Stage(runtime, _assembly(tmp_path, tags={"team": "data"}, environment="production"))
        result = Result.of(stage, Scenario("a success", train(), status="SUCCEEDED"))
        assert result.problems() == []
        for kind, prefix in zip(("training", "processing"), job_prefixes(NAME).values(), strict=True):
            assert [name.startswith(prefix) for name in stage.jobs(kind, "Completed")] == [True]
        clients = runtime.clients
        machine = stage.outputs["StateMachineArn"]
        assert f":{NAME}-Workflow" in machine
        tags = clients.stepfunctions.list_tags_for_resource(resourceArn=machine)["tags"]
        assert tags == [{"key": "team", "value": "data"}]
        assert clients.s3.get_bucket_tagging(Bucket=stage.bucket)["TagSet"] == [{"Key": "team", "Value": "data"}]
        for role in clients.iam.list_roles()["Roles"]:
            assert clients.iam.list_role_tags(RoleName=role["RoleName"])["Tags"] == [{"Key": "team", "Value": "data"}]
        assert list(audit(clients, machine)) == []


def test_fails_without_the_permission_to_tag_jobs(tmp_path: Path) -> None:
    """A create request with tags needs sagemaker:AddTags too."""
    assembly = _assembly(tmp_path, tags={"team": "data"})
    file = assembly / f"{NAME}.template.json"
    file.write_text(file.read_text().replace('"sagemaker:AddTags"', '"sagemaker:ListTags"'))
    with LocalRuntime(speed=1000) as runtime:
        scenario = Scenario(
            "no tags", train(), error="SageMaker.SageMakerException", cause="sagemaker:AddTags",
            messages=["the Training stage failed"], alarms=FAILED_ALARM,
            denied="sagemaker:AddTags",
        )  # fmt: skip
        assert Result.of(Stage(runtime, assembly), scenario).problems() == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"start": StartSettings(schedule="rate(1 day)")}, "property 'ScheduleExpression' is not supported locally"),
        ({"start": StartSettings(marker="start/x")}, "property 'NotificationConfiguration' is not supported locally"),
        ({"encryption": EncryptionSettings(kms_key="create")}, "has type 'AWS::KMS::Key', which is not supported"),
        ({"encryption": EncryptionSettings(kms_key=KEY)}, "property 'KmsMasterKeyId' is not supported locally"),
    ],
)
def test_fails_to_deploy_what_cannot_be_carried_out(tmp_path: Path, settings: dict[str, Any], words: str) -> None:
    """Before anything is created, with the resource and its property."""
    assembly = _assembly(tmp_path, **settings)
    with LocalRuntime(speed=1000) as runtime:
        with pytest.raises(AssemblyError) as caught:
            runtime.deploy(assembly)
        assert words in str(caught.value)
        assert runtime.clients.s3.list_buckets()["Buckets"] == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"network": NetworkSettings(subnets=(SUBNET,), security_groups=(GROUP,))},
            "VpcConfig is not supported locally; see docs/fidelity.md",
        ),
        (
            {"training": TrainingSettings(spot=True)},
            "EnableManagedSpotTraining True is not supported locally",
        ),
    ],
)
def test_fails_to_create_jobs_that_cannot_be_carried_out(tmp_path: Path, settings: dict[str, Any], words: str) -> None:
    """The create call is refused with the member's name, and the topic is told."""
    scenario = Scenario(
        "refused", train(), error="SageMaker.SageMakerException", cause=words, messages=["the Training stage failed"],
        alarms=FAILED_ALARM, told=words,
    )  # fmt: skip
    with LocalRuntime(speed=1000) as runtime:
        stage = Stage(runtime, _assembly(tmp_path, **settings))
        assert Result.of(stage, scenario).problems() == []
        assert list(audit(runtime.clients, stage.outputs["StateMachineArn"])) == []


@pytest.mark.parametrize(("isolation", "count"), [(True, 2), (False, 1)])
def test_network_isolation_is_carried_out(tmp_path: Path, isolation: bool, count: int) -> None:
    """Jobs train and evaluate with it, also on several hosts, and without it."""
    settings = {
        "network": NetworkSettings(isolation=isolation), "training": TrainingSettings(instance_count=count),
    }  # fmt: skip
    with LocalRuntime(speed=1000) as runtime:
        stage = Stage(runtime, _assembly(tmp_path, **settings))
        stage.put("train/u.csv", rows(3))
        assert Result.of(stage, Scenario("a success", train(), status="SUCCEEDED")).problems() == []
        (job,) = stage.jobs("training", "Completed")
        described = runtime.clients.sagemaker.describe_training_job(TrainingJobName=job)
        assert described["EnableNetworkIsolation"] is isolation


def test_fails_for_a_role_that_trusts_another_state_machine(tmp_path: Path) -> None:
    """Step Functions assumes a role on behalf of one state machine, which the role's trust policy may name."""
    assembly = _assembly(tmp_path)
    file = assembly / f"{NAME}.template.json"
    text = file.read_text(encoding="utf-8")
    assert ":stateMachine:*" in text
    file.write_text(text.replace(":stateMachine:*", ":stateMachine:Other*"), encoding="utf-8")
    with LocalRuntime(speed=1000) as runtime, pytest.raises(AssemblyError, match=r"states\.amazonaws\.com is not auth"):
        runtime.deploy(assembly)
