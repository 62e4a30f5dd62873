"""What each setting makes of the template: start, network, key, spot instances, tags, names, production."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Match, Template

from ml_a2.settings import (
    EncryptionSettings,
    EvaluationSettings,
    NetworkSettings,
    Settings,
    StartSettings,
    TrainingSettings,
)
from ml_a2.stack import MlA2Stack
from tests.conftest import definition_of

pytestmark = pytest.mark.xdist_group("cdk")

SUBNET, GROUP = "subnet-0123456789abcdef0", "sg-0123456789abcdef0"
VPC = NetworkSettings(subnets=(SUBNET,), security_groups=(GROUP,))
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
MARKER = "start/new-data"


def _template(name: str = "Churn", **settings: Any) -> Template:
    return Template.from_stack(MlA2Stack(App(), name, settings=Settings(**settings)))


def _requests(template: Template) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the two create requests."""
    states = definition_of(dict(template.to_json()))["States"]
    return states["CreateTrainingJob"]["Parameters"], states["CreateProcessingJob"]["Parameters"]


def _statements(template: Template, role: str) -> list[dict[str, Any]]:
    policies = template.find_resources("AWS::IAM::Policy").items()
    return [s for name, policy in policies if role in name for s in policy["Properties"]["PolicyDocument"]["Statement"]]


def _allowed(template: Template, role: str) -> set[str]:
    actions = [statement["Action"] for statement in _statements(template, role)]
    return {action for one in actions for action in (one if isinstance(one, list) else [one])}


def test_a_schedule_starts_the_pipeline_on_its_defaults() -> None:
    """The rule may start this state machine, gives it an empty input, and alarms when it could not."""
    template = _template(start=StartSettings(schedule="cron(0 3 ? * MON *)"))
    target = Match.object_like({"Arn": Match.any_value(), "Input": "{}", "RoleArn": Match.any_value()})
    rule = {"ScheduleExpression": "cron(0 3 ? * MON *)", "State": "ENABLED", "Targets": [target]}
    template.has_resource_properties("AWS::Events::Rule", rule)
    assert _allowed(template, "WorkflowStateMachineEventsRole") == {"states:StartExecution"}
    names = template.find_resources("AWS::Events::Rule", {"Properties": {"ScheduleExpression": Match.any_value()}})
    failed = {
        "MetricName": "FailedInvocations",
        "Dimensions": [{"Name": "RuleName", "Value": {"Ref": next(iter(names))}}],
    }
    template.has_resource_properties("AWS::CloudWatch::Alarm", failed)


def test_a_marker_starts_the_pipeline_when_it_is_written() -> None:
    """The bucket tells EventBridge, without a function; the rule wants this one key of this one bucket."""
    template = _template(environment="production", start=StartSettings(marker=MARKER))
    tells = {"NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}}
    buckets = template.find_resources("AWS::S3::Bucket", {"Properties": tells})
    assert ["TrainingData" in name for name in buckets] == [True]
    detail = {"bucket": {"name": [{"Ref": next(iter(buckets))}]}, "object": {"key": [MARKER]}}
    pattern = {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": detail}
    template.has_resource_properties("AWS::Events::Rule", {"EventPattern": pattern})
    template.resource_count_is("AWS::Lambda::Function", 0)


def test_jobs_run_in_the_vpc() -> None:
    """Both requests name it, and both roles may make network interfaces there and nowhere else."""
    template = _template(network=VPC)
    training, evaluation = _requests(template)
    place = {"SecurityGroupIds": [GROUP], "Subnets": [SUBNET]}
    assert training["VpcConfig"] == place
    assert evaluation["NetworkConfig"] == {"EnableNetworkIsolation": True, "VpcConfig": place}
    for role in ("TrainingRole", "EvaluationRole"):
        create = next(s for s in _statements(template, role) if s["Action"] == "ec2:CreateNetworkInterface")
        ends = [resource["Fn::Join"][1][-1].rpartition(":")[2] for resource in create["Resource"]]
        assert ends == ["network-interface/*", f"subnet/{SUBNET}", f"security-group/{GROUP}"]
        assert {"ec2:DeleteNetworkInterface", "ec2:CreateNetworkInterfacePermission"} <= _allowed(template, role)
    assert not [action for action in _allowed(_template(), "TrainingRole") if action.startswith("ec2:")]


@pytest.mark.parametrize("isolation", [True, False])
def test_network_isolation_is_a_choice(isolation: bool) -> None:
    """Of both jobs at once."""
    training, evaluation = _requests(_template(network=NetworkSettings(isolation=isolation)))
    assert training["EnableNetworkIsolation"] is isolation
    assert evaluation["NetworkConfig"] == {"EnableNetworkIsolation": isolation}


@pytest.mark.parametrize("kms_key", ["create", KEY])
def test_everything_is_encrypted_with_the_key(kms_key: str) -> None:
    """Buckets, volumes, outputs, topic and log groups; every role that touches them may use the key."""
    template = _template(encryption=EncryptionSettings(kms_key=kms_key))
    keys = template.find_resources("AWS::KMS::Key")
    assert len(keys) == (kms_key == "create")
    arn = {"Fn::GetAtt": [next(iter(keys)), "Arn"]} if keys else KEY
    name = f"<{next(iter(keys))}.Arn>" if keys else KEY
    rule = {
        "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn},
        "BucketKeyEnabled": True,
    }
    buckets = {"BucketEncryption": {"ServerSideEncryptionConfiguration": [rule]}}
    template.all_resources_properties("AWS::S3::Bucket", buckets)
    template.all_resources_properties("AWS::Logs::LogGroup", {"KmsKeyId": arn})
    template.all_resources_properties("AWS::SNS::Topic", {"KmsMasterKeyId": arn})
    training, evaluation = _requests(template)
    assert training["ResourceConfig"]["VolumeKmsKeyId"] == training["OutputDataConfig"]["KmsKeyId"] == name
    assert evaluation["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"] == name
    assert evaluation["ProcessingOutputConfig"]["KmsKeyId"] == name
    for role in ("TrainingRole", "EvaluationRole", "WorkflowStateMachineRole", "CleanUpStateMachineRole"):
        uses = [s for s in _statements(template, role) if "kms:Decrypt" in s["Action"]]
        assert [s["Resource"] for s in uses] == [arn], role
        assert "kms:GenerateDataKey" in uses[0]["Action"]
    assert {"kms:CreateGrant", "kms:DescribeKey", "kms:Encrypt"} <= _allowed(template, "TrainingRole")


def test_a_key_of_the_stack_lets_logs_and_alarms_use_it() -> None:
    """It rotates, and its policy names the two services that act without a role."""
    template = _template(encryption=EncryptionSettings(kms_key="create"))
    (key,) = template.find_resources("AWS::KMS::Key").values()
    assert key["Properties"]["EnableKeyRotation"] is True
    statements = key["Properties"]["KeyPolicy"]["Statement"]
    services = [json.dumps(s["Principal"]["Service"]) for s in statements if "Service" in s["Principal"]]
    assert [text for text in services if "logs." in text]
    assert '"cloudwatch.amazonaws.com"' in services
    assert key["DeletionPolicy"] == "Delete"


def test_spot_instances_are_waited_for_with_checkpoints() -> None:
    """The wait contains the run time, and the execution outlives it; checkpoints have a folder a job."""
    spot = TrainingSettings(spot=True, max_runtime_seconds=3600, max_wait_seconds=7200)
    template = _template(training=spot)
    training, _ = _requests(template)
    assert training["EnableManagedSpotTraining"] is True
    assert training["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200}
    folder = training["CheckpointConfig"]["S3Uri.$"]
    assert folder.endswith("/checkpoints/{}', $.training_job_name)")
    objects = [s for s in _statements(template, "TrainingRole") if "Object" in str(s["Action"])]
    assert sum("/checkpoints/*" in json.dumps(s["Resource"]) for s in objects) == 2
    timeout = definition_of(dict(template.to_json()))["TimeoutSeconds"]
    on_demand = definition_of(dict(_template(training=TrainingSettings(max_runtime_seconds=3600)).to_json()))
    assert timeout - on_demand["TimeoutSeconds"] == 3600


def test_tags_stand_on_resources_and_jobs() -> None:
    """Whatever takes tags has them; the state machine may tag its own jobs."""
    tags = {"cost centre": "42", "team": "data"}
    stack = MlA2Stack(App(), "Churn", settings=Settings(tags=tags))
    template = Template.from_stack(stack)
    assert stack.tags.tag_values() == tags  # CloudFormation hands them on to rules, dashboards and the CDK's function
    wanted = [{"Key": key, "Value": value} for key, value in tags.items()]
    kinds = ("IAM::Role", "SNS::Topic", "CloudWatch::Alarm", "Logs::LogGroup", "StepFunctions::StateMachine")
    for kind in (*kinds, "S3::Bucket", "Lambda::Function"):
        for name, resource in template.find_resources(f"AWS::{kind}").items():
            found = resource.get("Properties", {}).get("Tags", [])
            if "CustomS3AutoDelete" not in name:  # made by the CDK as raw CloudFormation, beyond the reach of tags
                assert [tag for tag in wanted if tag not in found] == [], name
    for request in _requests(template):
        assert request["Tags"] == wanted
    assert "sagemaker:AddTags" in _allowed(template, "WorkflowStateMachineRole")
    assert "sagemaker:AddTags" not in _allowed(_template(), "WorkflowStateMachineRole")


def test_pipelines_of_one_account_share_no_name() -> None:
    """Two stacks have no fixed name in common, and their roles are for their own jobs."""
    first, second = _template("First"), _template("Second")
    names = [
        {
            str(value)
            for resource in template.to_json()["Resources"].values()
            for key, value in resource.get("Properties", {}).items()
            if key.endswith("Name") and isinstance(value, str) and not resource["Type"].startswith("AWS::IAM::Policy")
        }
        - {"ML-A2 pipeline", "AWS/States", "AWS/Events", "ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"}
        - {"FailedInvocations"}
        for template in (first, second)
    ]
    assert names[0]
    assert not names[0] & names[1]
    create = "sagemaker:CreateTrainingJob"
    resources = [
        json.dumps([s["Resource"] for s in _statements(t, "WorkflowStateMachineRole") if create in s["Action"]])
        for t in (first, second)
    ]
    assert resources[0] != resources[1]


def test_production_is_protected_from_deletion() -> None:
    """The CDK deploys it with termination protection; a key that encrypts what stays stays too."""
    settings = Settings(environment="production", encryption=EncryptionSettings(kms_key="create"))
    stack = MlA2Stack(App(), "Production", settings=settings)
    assert stack.termination_protection is True
    template = Template.from_stack(stack)
    for kind in ("KMS::Key", "S3::Bucket", "Logs::LogGroup"):
        template.all_resources(f"AWS::{kind}", {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"})
    versioned = {"VersioningConfiguration": {"Status": "Enabled"}}
    template.all_resources_properties("AWS::S3::Bucket", versioned)
    assert MlA2Stack(App(), "Development").termination_protection is not True


def test_the_other_settings_of_jobs_reach_their_requests() -> None:
    """Instance types and counts, volumes, run times and image versions."""
    training, evaluation = _requests(
        _template(
            training=TrainingSettings(
                image_version="3.0-5", instance_type="ml.m5.large", instance_count=2, volume_size_gb=7,
                max_runtime_seconds=600,
            ),
            evaluation=EvaluationSettings(instance_type="ml.c5.large", volume_size_gb=8, max_runtime_seconds=700),
        )
    )  # fmt: skip
    assert training["AlgorithmSpecification"]["TrainingImage"].endswith("sagemaker-xgboost:3.0-5")
    assert (training["ResourceConfig"]["InstanceCount"], training["ResourceConfig"]["VolumeSizeInGB"]) == (2, 7)
    assert training["StoppingCondition"] == {"MaxRuntimeInSeconds": 600}
    assert evaluation["ProcessingResources"]["ClusterConfig"]["VolumeSizeInGB"] == 8
    assert evaluation["StoppingCondition"] == {"MaxRuntimeInSeconds": 700}
