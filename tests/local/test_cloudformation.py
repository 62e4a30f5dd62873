"""Stacks and change sets as CloudFormation's clients see them: what was done is told, what failed leaves nothing."""

from __future__ import annotations

import copy
import json
import time
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ml_a2.local.removal import removable_types
from ml_a2.local.resources import RESOURCE_TYPES
from ml_a2.local.runtime import LocalRuntime

Template = dict[str, Any]

BUCKET = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "one"}}
ALARM = {
    "Type": "AWS::CloudWatch::Alarm",
    "Properties": {
        "AlarmName": "alarm",
        "AlarmActions": [{"Ref": "Topic"}],
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "EvaluationPeriods": 1,
        "MetricName": "ExecutionsFailed",
        "Namespace": "AWS/States",
        "Period": 60,
        "Statistic": "Sum",
        "Threshold": 1,
    },
}
TOPIC = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "topic"}}
TEMPLATE: Template = {
    "Description": "a bucket and an alarm",
    "Parameters": {"Days": {"Type": "String", "Default": "x"}},
    "Resources": {"Bucket": BUCKET, "Topic": TOPIC, "Alarm": ALARM},
    "Outputs": {"Name": {"Value": {"Ref": "Bucket"}, "Description": "the bucket"}},
}
ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
}


@dataclass
class Stack:
    """A stack by its name, through boto3."""

    runtime: LocalRuntime
    api: Any
    name: str = "mine"

    def submit(self, template: Template, kind: str = "CREATE", **members: Any) -> dict[str, Any]:
        request = {"StackName": self.name, "ChangeSetName": "set", "ChangeSetType": kind, **members}
        self.api.create_change_set(**{"TemplateBody": json.dumps(template), **request})
        change_set: dict[str, Any] = self.api.describe_change_set(StackName=self.name, ChangeSetName="set")
        return change_set

    def deploy(self, template: Template, kind: str = "CREATE", **members: Any) -> dict[str, Any]:
        self.submit(template, kind, **members)
        self.api.execute_change_set(StackName=self.name, ChangeSetName="set")
        return self.settle()

    def settle(self, wanted: str | None = None) -> dict[str, Any]:
        while (stack := self.describe(wanted))["StackStatus"].endswith("_IN_PROGRESS"):
            time.sleep(0.02)
        return stack

    def describe(self, wanted: str | None = None) -> dict[str, Any]:
        stack: dict[str, Any] = self.api.describe_stacks(StackName=wanted or self.name)["Stacks"][0]
        return stack

    def events(self) -> list[tuple[str, str, str | None]]:
        events = reversed(self.api.describe_stack_events(StackName=self.name)["StackEvents"])
        return [(e["LogicalResourceId"], e["ResourceStatus"], e.get("ResourceStatusReason")) for e in events]

    def reasons(self) -> str:
        return "\n".join(reason for _, _, reason in self.events() if reason)


@pytest.fixture
def stack(runtime: LocalRuntime) -> Stack:
    return Stack(runtime, runtime.clients.client("cloudformation"))


def _with(**resources: Any) -> Template:
    changed = copy.deepcopy(TEMPLATE)
    for name, resource in resources.items():
        if resource is None:
            del changed["Resources"][name]
        else:
            changed["Resources"][name] = resource
    return changed


def _properties(resource: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**resource, "Properties": {**resource["Properties"], **changes}}


def test_a_change_set_creates_a_stack(stack: Stack) -> None:
    """First its changes are told, then they happen, one event after the other."""
    change_set = stack.submit(TEMPLATE)
    changes = [change["ResourceChange"] for change in change_set["Changes"]]
    assert (change_set["Status"], change_set["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    assert {(c["Action"], c["LogicalResourceId"]) for c in changes} == {(("Add"), n) for n in TEMPLATE["Resources"]}
    assert stack.describe()["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert stack.runtime.clients.s3.list_buckets()["Buckets"] == []
    stack.api.execute_change_set(StackName="mine", ChangeSetName="set")
    described = stack.settle()
    assert described["StackStatus"] == "CREATE_COMPLETE"
    assert described["Outputs"] == [{"OutputKey": "Name", "OutputValue": "one", "Description": "the bucket"}]
    assert described["Parameters"] == [{"ParameterKey": "Days", "ParameterValue": "x"}]
    assert described["Description"] == "a bucket and an alarm"
    statuses = [(name, status) for name, status, _ in stack.events()]
    assert statuses[:2] == [("mine", "REVIEW_IN_PROGRESS"), ("mine", "CREATE_IN_PROGRESS")]
    assert statuses.index(("Topic", "CREATE_COMPLETE")) < statuses.index(("Alarm", "CREATE_IN_PROGRESS"))
    assert statuses[-1] == ("mine", "CREATE_COMPLETE")
    assert json.loads(json.dumps(stack.api.get_template(StackName="mine")["TemplateBody"])) == TEMPLATE
    resources = stack.api.list_stack_resources(StackName="mine")["StackResourceSummaries"]
    assert {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in resources}["Bucket"] == "one"


def test_what_the_deployer_refuses_leaves_nothing(stack: Stack) -> None:
    """The reason stands in an event; what was created before is deleted again."""
    kms = {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}
    second = {**BUCKET, "Properties": {"BucketName": "two", "BucketEncryption": kms}, "DependsOn": "Alarm"}
    described = stack.deploy(_with(Second=second))
    assert described["StackStatus"] == "ROLLBACK_COMPLETE"
    failed = [event for event in stack.events() if event[1] == "CREATE_FAILED"]
    assert failed[0][0] == "Second"
    assert "SSEAlgorithm 'aws:kms' is not supported locally" in str(failed[0][2])
    clients = stack.runtime.clients
    assert clients.s3.list_buckets()["Buckets"] == []
    assert clients.sns.list_topics()["Topics"] == []
    assert clients.cloudwatch.describe_alarms()["MetricAlarms"] == []
    with pytest.raises(ClientError, match="is in ROLLBACK_COMPLETE state and can not be updated"):
        stack.submit(TEMPLATE, "UPDATE")


def test_an_identical_template_is_no_change(stack: Stack) -> None:
    """In the words by which clients know it."""
    stack.deploy(TEMPLATE)
    change_set = stack.submit(TEMPLATE, "UPDATE")
    assert (change_set["Status"], change_set["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert change_set["StatusReason"].startswith("The submitted information didn't contain changes.")
    with pytest.raises(ClientError, match="cannot be executed in its current execution status"):
        stack.api.execute_change_set(StackName="mine", ChangeSetName="set")


def test_an_update_adds_changes_and_removes(stack: Stack) -> None:
    """Each resource through its service, and only those that differ."""
    stack.deploy(TEMPLATE)
    alarm = _properties(ALARM, Threshold=5)
    changed = _with(Bucket=None, Alarm=alarm, Second=_properties(BUCKET, BucketName="two"))
    changed["Outputs"] = {}
    actions = {
        c["ResourceChange"]["LogicalResourceId"]: c["ResourceChange"]
        for c in stack.submit(changed, "UPDATE")["Changes"]
    }
    assert {name: c["Action"] for name, c in actions.items()} == {
        "Bucket": "Remove",
        "Alarm": "Modify",
        "Second": "Add",
    }
    assert actions["Alarm"]["Replacement"] == "False"
    stack.api.execute_change_set(StackName="mine", ChangeSetName="set")
    assert stack.settle()["StackStatus"] == "UPDATE_COMPLETE"
    clients = stack.runtime.clients
    assert [bucket["Name"] for bucket in clients.s3.list_buckets()["Buckets"]] == ["two"]
    assert clients.cloudwatch.describe_alarms()["MetricAlarms"][0]["Threshold"] == 5
    assert ("Topic", "UPDATE_COMPLETE", None) not in stack.events()


def test_an_update_that_fails_half_way_is_taken_back(stack: Stack) -> None:
    """What was changed and added before the failure is as it was."""
    stack.deploy(TEMPLATE)
    broken = {**TOPIC, "Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": "{"}, "DependsOn": "Alarm"}
    changed = _with(Alarm=_properties(ALARM, Threshold=5), Second=_properties(BUCKET, BucketName="two"), Board=broken)
    changed["Resources"]["Second"]["DependsOn"] = "Alarm"
    assert stack.deploy(changed, "UPDATE")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "DashboardBody is no JSON" in stack.reasons()
    clients = stack.runtime.clients
    assert clients.cloudwatch.describe_alarms()["MetricAlarms"][0]["Threshold"] == 1
    assert [bucket["Name"] for bucket in clients.s3.list_buckets()["Buckets"]] == ["one"]
    assert (
        stack.deploy(_with(Second=_properties(BUCKET, BucketName="two")), "UPDATE")["StackStatus"] == "UPDATE_COMPLETE"
    )


def test_fails_for_an_update_that_would_replace(stack: Stack) -> None:
    """Refused by name before anything is touched."""
    stack.deploy(TEMPLATE)
    assert stack.deploy(_with(Bucket=_properties(BUCKET, BucketName="other")), "UPDATE")["StackStatus"] == (
        "UPDATE_ROLLBACK_COMPLETE"
    )
    assert "'Bucket' (AWS::S3::Bucket): a change of 'BucketName' is not supported locally" in stack.reasons()
    assert [b["Name"] for b in stack.runtime.clients.s3.list_buckets()["Buckets"]] == ["one"]


def test_deletion_honours_policies(stack: Stack) -> None:
    """A retained bucket stays, with what is in it."""
    stack.deploy(_with(Bucket={**BUCKET, "DeletionPolicy": "Retain"}))
    stack.runtime.clients.s3.put_object(Bucket="one", Key="k", Body=b"")
    stack_id = stack.describe()["StackId"]
    stack.api.delete_stack(StackName="mine")
    assert stack.settle(stack_id)["StackStatus"] == "DELETE_COMPLETE"
    assert [b["Name"] for b in stack.runtime.clients.s3.list_buckets()["Buckets"]] == ["one"]
    assert stack.runtime.clients.cloudwatch.describe_alarms()["MetricAlarms"] == []
    with pytest.raises(ClientError, match="Stack with id mine does not exist"):
        stack.describe()
    assert stack.api.delete_stack(StackName="mine")["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_bucket_that_is_not_empty_is_not_deleted(stack: Stack) -> None:
    """As on AWS, and the deletion may be repeated without it."""
    stack.deploy(TEMPLATE)
    stack.runtime.clients.s3.put_object(Bucket="one", Key="k", Body=b"")
    stack_id = stack.describe()["StackId"]
    stack.api.delete_stack(StackName="mine")
    assert stack.settle()["StackStatus"] == "DELETE_FAILED"
    assert "BucketNotEmpty" in stack.reasons()
    stack.api.delete_stack(StackName="mine", RetainResources=["Bucket"])
    assert stack.settle(stack_id)["StackStatus"] == "DELETE_COMPLETE"


def test_a_protected_stack_is_not_deleted(stack: Stack) -> None:
    """Until its protection is taken away."""
    stack.deploy(TEMPLATE)
    stack.api.update_termination_protection(StackName="mine", EnableTerminationProtection=True)
    with pytest.raises(ClientError, match="cannot be deleted while TerminationProtection is enabled"):
        stack.api.delete_stack(StackName="mine")


def test_a_state_machine_with_executions_is_not_deleted(runtime: LocalRuntime, assembly: Any) -> None:
    """What AWS does with them is not known."""
    outputs = runtime.deploy(assembly)
    arn = outputs["StateMachineArn"]
    document = json.dumps({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600_000, "End": True}}})
    runtime.clients.stepfunctions.update_state_machine(stateMachineArn=arn, definition=document)
    runtime.clients.stepfunctions.start_execution(stateMachineArn=arn, name="long", input="{}")
    own = Stack(runtime, runtime.clients.client("cloudformation"), runtime.environment.stack_name)
    own.api.delete_stack(StackName=own.name)
    assert own.settle()["StackStatus"] == "DELETE_FAILED"
    assert "execution 'long' is running" in own.reasons()


def test_fails_to_empty_a_bucket_that_the_functions_role_may_not(runtime: LocalRuntime, assembly: Any) -> None:
    """The function that empties buckets does it with its own role."""
    outputs = runtime.deploy(assembly)
    bucket = outputs["TrainingDataBucketName"]
    runtime.clients.s3.put_object(Bucket=bucket, Key="k", Body=b"")
    runtime.clients.s3.delete_bucket_policy(Bucket=bucket)
    own = Stack(runtime, runtime.clients.client("cloudformation"), runtime.environment.stack_name)
    own.api.delete_stack(StackName=own.name)
    assert own.settle()["StackStatus"] == "DELETE_FAILED"
    assert "is not authorized to perform: s3:GetBucketTagging" in own.reasons()


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (
            {"RollbackConfiguration": {"MonitoringTimeInMinutes": 1}},
            "RollbackConfiguration .* is not supported locally",
        ),
        (
            {"NotificationARNs": ["arn:aws:sns:us-east-1:123456789012:t"]},
            "NotificationARNs .* is not supported locally",
        ),
        ({"RoleARN": "arn:aws:iam::123456789012:role/mine"}, "RoleARN 'arn:aws:iam::123456789012:role/mine' is not"),
        ({"ChangeSetName": "no spaces"}, "Value 'no spaces' at 'changeSetName' failed to satisfy constraint"),
        ({"TemplateBody": "Resources:\n  A: 1"}, "YAML is not supported locally"),
        ({"TemplateBody": '{"Resources": {"A": "' + "x" * 51_200 + '"}}'}, "length less than or equal to 51200"),
        ({"TemplateURL": "https://s3.amazonaws.com/b/k"}, "Either Template URL or Template Body must be specified"),
        ({"Parameters": [{"ParameterKey": "No", "ParameterValue": "1"}]}, "parameter 'No' does not exist"),
        ({"ChangeSetType": "IMPORT"}, "ChangeSetType 'IMPORT' is not supported locally"),
        ({"ChangeSetType": "UPDATE"}, r"Stack \[mine\] does not exist"),
        ({"TemplateBody": json.dumps(_with(Role=ROLE))}, r"Requires capabilities : \[CAPABILITY_IAM\]"),
    ],
)
def test_fails_for_a_change_set_that_cannot_be(stack: Stack, members: dict[str, Any], words: str) -> None:
    """Refused when it is submitted; no stack comes of it."""
    with pytest.raises(ClientError, match=words):
        stack.submit(TEMPLATE, **members)
    assert stack.api.describe_stacks()["Stacks"] == []


def test_every_resource_gets_the_stacks_tags(stack: Stack) -> None:
    """Unless it names another value itself."""
    own = _properties(BUCKET, Tags=[{"Key": "team", "Value": "mine"}])
    tags = [{"Key": "team", "Value": "all"}, {"Key": "cost", "Value": "1"}]
    described = stack.deploy(_with(Bucket=own), Tags=tags)
    assert described["Tags"] == tags
    found = stack.runtime.clients.s3.get_bucket_tagging(Bucket="one")["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in found} == {"team": "mine", "cost": "1"}
    assert stack.submit(_with(Bucket=own), "UPDATE", Tags=tags)["Status"] == "FAILED"  # no changes


def test_every_type_can_be_deleted() -> None:
    """A type that is created has an end."""
    assert removable_types() == set(RESOURCE_TYPES)


def test_fails_for_an_operation_that_is_not_there(stack: Stack) -> None:
    """By its name."""
    with pytest.raises(ClientError, match="ListExports is not supported locally"):
        stack.api.list_exports()


def test_a_parameter_takes_the_value_that_it_is_given(stack: Stack) -> None:
    """And keeps it when told so."""
    named = _with(Bucket=_properties(BUCKET, BucketName={"Ref": "Days"}))
    stack.deploy(named, Parameters=[{"ParameterKey": "Days", "ParameterValue": "given"}])
    assert stack.describe()["Outputs"][0]["OutputValue"] == "given"
    previous = [{"ParameterKey": "Days", "UsePreviousValue": True}]
    assert stack.submit(named, "UPDATE", Parameters=previous)["Status"] == "FAILED"
