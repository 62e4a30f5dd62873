"""The deployer creates what the template says, or refuses by name before anything exists."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from ml_a2.errors import AssemblyError
from ml_a2.local.deployer import deploy
from ml_a2.local.runtime import LocalRuntime

Template = dict[str, Any]


def _resource(template: Template, kind: str) -> dict[str, Any]:
    resource: dict[str, Any] = next(r for r in template["Resources"].values() if r["Type"] == kind)
    return resource


def test_every_resource_of_the_template_comes_into_being(runtime: LocalRuntime, template: Template) -> None:
    """What the services' own APIs answer is what the template says."""
    outputs = deploy(template, runtime.environment, runtime.clients, runtime.authorization)
    clients = runtime.clients
    buckets = {bucket["Name"] for bucket in clients.s3.list_buckets()["Buckets"]}
    assert {value for name, value in outputs.items() if "Bucket" in name} == buckets
    for bucket in buckets:
        assert clients.s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        rules = clients.s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
        assert clients.s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]["BlockPublicAcls"]
        assert "aws:SecureTransport" in clients.s3.get_bucket_policy(Bucket=bucket)["Policy"]
    machine = clients.stepfunctions.describe_state_machine(stateMachineArn=outputs["StateMachineArn"])
    assert machine["loggingConfiguration"]["level"] == "ALL"
    alarms = clients.cloudwatch.describe_alarms()["MetricAlarms"]
    assert {alarm["AlarmActions"][0] for alarm in alarms} == {outputs["NotificationTopicArn"]}
    assert len(alarms) == 6
    policy = clients.sns.get_topic_attributes(TopicArn=outputs["NotificationTopicArn"])["Attributes"]["Policy"]
    assert "cloudwatch.amazonaws.com" in policy
    groups = clients.logs.describe_log_groups(logGroupNamePrefix="/aws/vendedlogs/")["logGroups"]
    assert [group["retentionInDays"] for group in groups] == [180, 180]


def _unknown_type(template: Template) -> None:
    _resource(template, "AWS::Logs::LogGroup")["Type"] = "AWS::Logs::LogGruop"


def _unknown_property(template: Template) -> None:
    _resource(template, "AWS::S3::Bucket")["Properties"]["ObjectLockEnabled"] = True


def _missing_property(template: Template) -> None:
    del _resource(template, "AWS::StepFunctions::StateMachine")["Properties"]["RoleArn"]


def _unknown_attribute(template: Template) -> None:
    _resource(template, "AWS::S3::Bucket")["CreationPolicy"] = {}


def _unknown_section(template: Template) -> None:
    template["Transform"] = "AWS::Serverless-2016-10-31"


def _unknown_reference(template: Template) -> None:
    _resource(template, "AWS::CloudWatch::Alarm")["Properties"]["AlarmActions"] = [{"Ref": "NoTopic"}]


def _unknown_dependency(template: Template) -> None:
    _resource(template, "AWS::S3::Bucket")["DependsOn"] = ["Nothing"]


def _circle(template: Template) -> None:
    names = [name for name, r in template["Resources"].items() if r["Type"] == "AWS::S3::Bucket"]
    template["Resources"][names[0]]["DependsOn"] = names[1]
    template["Resources"][names[1]]["DependsOn"] = names[0]


def _other_function(template: Template) -> None:
    _resource(template, "AWS::Lambda::Function")["Properties"]["Description"] = "mine"


def _unmet_rule(template: Template) -> None:
    template["Rules"]["CheckBootstrapVersion"]["Assertions"][0]["Assert"] = {"Fn::Equals": ["1", "2"]}


def _unknown_condition_operator(template: Template) -> None:
    policy = _resource(template, "AWS::S3::BucketPolicy")["Properties"]["PolicyDocument"]
    policy["Statement"][0]["Condition"] = {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01"}}


def _wrong_nested_member(template: Template) -> None:
    _resource(template, "AWS::S3::Bucket")["Properties"]["VersioningConfiguration"] = {"State": "Enabled"}


def _null_resource(template: Template) -> None:
    template["Resources"]["Nothing"] = None


def _half_a_join(template: Template) -> None:
    _resource(template, "AWS::SNS::Topic")["Properties"]["DisplayName"] = {"Fn::Join": [""]}


def _foreign_key(template: Template) -> None:
    encryption = _resource(template, "AWS::S3::Bucket")["Properties"]["BucketEncryption"]
    rule = encryption["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"]
    rule["SSEAlgorithm"] = "aws:kms"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_unknown_type, "has type 'AWS::Logs::LogGruop', which is not supported locally"),
        (_unknown_property, "property 'ObjectLockEnabled' is not supported locally"),
        (_missing_property, "property 'RoleArn' is required"),
        (_unknown_attribute, "attribute 'CreationPolicy' is not supported"),
        (_unknown_section, "template section 'Transform' is not supported"),
        (_unknown_reference, "Ref 'NoTopic' names no parameter and no resource"),
        (_unknown_dependency, "depends on 'Nothing', which is not in the template"),
        (_null_resource, "'Nothing' in template section 'Resources' is no JSON object"),
        (_half_a_join, "Fn::Join cannot be resolved with ['']"),
        (_foreign_key, "SSEAlgorithm 'aws:kms' is not supported locally"),
        (_circle, "circular dependency"),
        (_other_function, "Lambda functions are not supported locally"),
        (_unmet_rule, "rule 'CheckBootstrapVersion' is not met: CDK bootstrap stack version 6 required"),
        (_unknown_condition_operator, "condition operator 'DateGreaterThan' is not supported"),
        (_wrong_nested_member, "Unknown parameter in VersioningConfiguration"),
    ],
)
def test_fails_naming_what_it_cannot_deploy(
    runtime: LocalRuntime, template: Template, change: Callable[[Template], None], words: str
) -> None:
    """Types, properties, references and rules that are not understood stop the deployment."""
    changed = copy.deepcopy(template)
    change(changed)
    with pytest.raises(AssemblyError) as caught:
        deploy(changed, runtime.environment, runtime.clients, runtime.authorization)
    assert words in str(caught.value)


def test_nothing_exists_when_a_type_is_refused(runtime: LocalRuntime, template: Template) -> None:
    """Types and properties are checked before the first resource is created."""
    changed = copy.deepcopy(template)
    _unknown_type(changed)
    with pytest.raises(AssemblyError):
        deploy(changed, runtime.environment, runtime.clients, runtime.authorization)
    assert runtime.clients.s3.list_buckets()["Buckets"] == []


def test_a_resource_whose_condition_is_false_is_left_out(runtime: LocalRuntime) -> None:
    """Conditions decide as in CloudFormation."""
    bucket = {"Type": "AWS::S3::Bucket", "Condition": "Never"}
    conditional = {"Conditions": {"Never": {"Fn::Equals": ["a", "b"]}}, "Resources": {"Bucket": bucket}}
    deploy(conditional, runtime.environment, runtime.clients, runtime.authorization)
    assert runtime.clients.s3.list_buckets()["Buckets"] == []
