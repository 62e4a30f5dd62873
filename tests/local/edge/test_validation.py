"""What the services refuse, and the engine would take as it comes or break on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ml_a2.local.runtime import LocalRuntime
from tests.local.edge import fuzzing

ROLE = "arn:aws:iam::123456789012:role/none"
TOPIC = "arn:aws:sns:us-east-1:123456789012:t"
STATES = "arn:aws:states:us-east-1:123456789012:"
MACHINE = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
CREATION = {"name": "x", "definition": MACHINE, "roleArn": ROLE}
ALARM = {
    "AlarmName": "a",
    "MetricName": "m",
    "Namespace": "n",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanThreshold",
}
RULE = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}


def policy(**changes: Any) -> str:
    """Return a policy with a statement that was changed."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*", **changes}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def shared() -> Iterator[LocalRuntime]:
    """One endpoint with a state machine and a bucket."""
    with LocalRuntime() as runtime:
        runtime.clients.stepfunctions.create_state_machine(name="machine", definition=MACHINE, roleArn=ROLE)
        runtime.clients.s3.create_bucket(Bucket="data")
        yield runtime


def _send(runtime: LocalRuntime, service: str, operation: str, members: Any) -> fuzzing.Answer:
    request = fuzzing.write(service, fuzzing.service_model(service).operation_model(operation), members)
    assert request is not None
    return fuzzing.send(runtime.url, request)


@pytest.mark.parametrize(
    ("service", "operation", "members", "code"),
    [
        ("stepfunctions", "CreateStateMachine", {**CREATION, "definition": "{"}, "InvalidDefinition"),
        ("stepfunctions", "CreateStateMachine", {**CREATION, "definition": "[" * 9999}, "InvalidDefinition"),
        (
            "stepfunctions",
            "CreateStateMachine",
            {**CREATION, "definition": MACHINE.replace("Succeed", "Choice")},
            "InvalidDefinition",
        ),
        (
            "stepfunctions",  # the interpreter's own refusal, which the engine answers without a code
            "CreateStateMachine",
            {**CREATION, "definition": MACHINE.replace('"Type"', '"InputPath": "no path", "Type"')},
            "InvalidDefinition",
        ),
        ("stepfunctions", "CreateStateMachine", {**CREATION, "name": ["x"]}, "ValidationException"),
        ("stepfunctions", "CreateStateMachine", {**CREATION, "nonsense": 1}, "ValidationException"),
        (
            "stepfunctions",
            "UpdateStateMachine",
            {"stateMachineArn": STATES + "stateMachine:machine"},
            "MissingRequiredParameter",
        ),
        (
            "stepfunctions",
            "StartExecution",
            {"stateMachineArn": STATES + "stateMachine:machine", "name": "nightly run"},
            "InvalidName",
        ),
        (
            "stepfunctions",
            "StartExecution",
            {"stateMachineArn": STATES + "stateMachine:machine", "input": "{"},
            "InvalidExecutionInput",
        ),
        ("stepfunctions", "ListExecutions", {}, "ValidationException"),
        ("stepfunctions", "TagResource", {"resourceArn": ROLE, "tags": [{"key": "a"}]}, "ValidationException"),
        (
            "stepfunctions",
            "GetExecutionHistory",
            {"executionArn": STATES + "execution:machine:x", "nextToken": "x"},
            "InvalidToken",
        ),
        ("stepfunctions", "DescribeMapRun", {"mapRunArn": "x"}, "UnknownOperationException"),
        ("sns", "GetTopicAttributes", {"TopicArn": "topic"}, "InvalidParameter"),
        ("sns", "Publish", {"Message": "m"}, "InvalidParameter"),
        ("sns", "ListTopics", {"NextToken": "x"}, "InvalidParameter"),
        ("sns", "CreateTopic", {}, "ValidationError"),
        ("sns", "DeletePlatformApplication", {"PlatformApplicationArn": "x"}, "InvalidAction"),
        ("sqs", "CreateQueue", {"QueueName": "q", "Attributes": {"DelaySeconds": "x"}}, "InvalidAttributeValue"),
        ("sqs", "CreateQueue", {"QueueName": "q", "Attributes": {"Policy": "{"}}, "InvalidAttributeValue"),
        (
            "sqs",
            "SendMessage",
            {
                "QueueUrl": "http://localhost/123456789012/q",
                "MessageBody": "x",
                "MessageAttributes": {"a": {"DataType": "Binary", "BinaryValue": "\xb4"}},
            },
            "InvalidParameterValue",
        ),
        ("iam", "ListRoles", {"Marker": "x"}, "ValidationError"),
        ("iam", "DeleteRole", {"RoleName": "r\u00f4le"}, "ValidationError"),
        ("logs", "CreateLogGroup", {"logGroupName": "g", "tags": {}}, "InvalidParameterException"),
        ("sns", "Publish", {"TopicArn": TOPIC, "Message": "m", "Subject": "two\nlines"}, "InvalidParameter"),
        ("s3", "CreateBucket", {"Bucket": "Data_1"}, "InvalidBucketName"),
        ("s3", "PutBucketPolicy", {"Bucket": "data", "Policy": policy(Resource="*")}, "MalformedPolicy"),
        ("s3", "PutBucketPolicy", {"Bucket": "data", "Policy": policy(Resource="arn:aws:s3:::data/*")}, "AccessDenied"),
        ("s3", "PutObject", {"Bucket": "data", "Key": "k", "Metadata": {"m": "v" * 2048}}, "MetadataTooLarge"),
        ("logs", "CreateLogGroup", {"logGroupName": "no spaces"}, "InvalidParameterException"),
        ("logs", "GetQueryResults", {"queryId": "x"}, "UnknownOperationException"),
        ("events", "PutRule", {"Name": "a b"}, "ValidationException"),
        ("events", "PutRule", {"Name": "a", "EventPattern": "true"}, "InvalidEventPatternException"),
        ("events", "PutRule", {"Name": "a", "EventPattern": "{"}, "InvalidEventPatternException"),
        ("sqs", "CreateQueue", {"QueueName": "q", "Attributes": {"QueueArn": "x"}}, "InvalidAttributeName"),
        ("cloudwatch", "PutMetricAlarm", {**ALARM, "Period": 7}, "ValidationError"),
        ("cloudwatch", "PutMetricAlarm", {**ALARM, "EvaluationPeriods": 10**9}, "ValidationError"),
        ("cloudwatch", "PutMetricAlarm", {**ALARM, "Unit": "Seconds"}, "ValidationError"),
        ("cloudwatch", "PutMetricAlarm", {**ALARM, "DatapointsToAlarm": 2}, "ValidationError"),
        (
            "cloudwatch",
            "PutMetricAlarm",
            {**ALARM, "ComparisonOperator": "GreaterThanUpperThreshold"},
            "ValidationError",
        ),
        ("cloudwatch", "PutMetricAlarm", {k: v for k, v in ALARM.items() if k != "Period"}, "ValidationError"),
        (
            "cloudwatch",
            "GetMetricData",
            {
                "StartTime": 0,
                "EndTime": 1,
                "MetricDataQueries": [{"Id": "a", "MetricStat": {"Metric": {}, "Period": 60, "Stat": "Sum"}}],
            },
            "ValidationError",
        ),
        ("s3", "PutBucketPolicy", {"Bucket": "data", "Policy": "{"}, "MalformedPolicy"),
        ("s3", "PutBucketPolicy", {"Bucket": "data", "Policy": "[]"}, "MalformedPolicy"),
        ("s3", "PutBucketPolicy", {"Bucket": "data", "Policy": policy(Principal="odd")}, "MalformedPolicy"),
        ("s3", "PutBucketPolicy", {"Bucket": "data", "Policy": policy(Condition=[])}, "MalformedPolicy"),
        ("s3", "PutBucketPolicy", {"Bucket": "data", "Policy": policy(Resource=[{}])}, "MalformedPolicy"),
        (
            "iam",
            "CreateRole",
            {"RoleName": "r", "AssumeRolePolicyDocument": policy(Principal=["x"])},
            "MalformedPolicyDocument",
        ),
        (
            "iam",
            "PutRolePolicy",
            {"RoleName": "r", "PolicyName": "p", "PolicyDocument": policy(Effect=1)},
            "MalformedPolicyDocument",
        ),
        ("sns", "CreateTopic", {"Name": "t", "Attributes": {"Policy": policy(Action=1)}}, "InvalidParameter"),
        ("s3", "PutBucketVersioning", {"Bucket": "data", "VersioningConfiguration": {"Status": "x"}}, "MalformedXML"),
        ("s3", "PutBucketTagging", {"Bucket": "data"}, "MissingRequestBodyError"),
        (
            "s3",
            "PutBucketEncryption",
            {"Bucket": "data", "ServerSideEncryptionConfiguration": {"Rules": [RULE, RULE]}},
            "MalformedXML",
        ),
        ("s3", "ListObjectsV2", {"Bucket": "data", "MaxKeys": -1}, "InvalidArgument"),
        ("s3", "CopyObject", {"Bucket": "data", "Key": "k", "CopySource": "data"}, "InvalidArgument"),
        ("s3", "PutObject", {"Bucket": "data", "Key": "k", "GrantRead": "x"}, "AccessControlListNotSupported"),
        ("s3", "DeleteObjects", {"Bucket": "data/key", "Delete": {"Objects": [{"Key": "a"}]}}, "MethodNotAllowed"),
        ("cloudformation", "GetTemplate", {}, "ValidationError"),
        ("cloudformation", "DescribeStackEvents", {}, "ValidationError"),
        ("cloudformation", "GetTemplateSummary", {"TemplateURL": "http://["}, "ValidationError"),
        ("cloudformation", "GetTemplateSummary", {"TemplateURL": "http://x/-/key"}, "ValidationError"),
        ("cloudformation", "GetTemplateSummary", {"TemplateBody": "[" * 9999}, "ValidationError"),
    ],
)
def test_fails_with_the_code_of_the_service(
    shared: LocalRuntime, service: str, operation: str, members: dict[str, Any], code: str
) -> None:
    """Not with a failure of the engine, and not with a success."""
    assert _send(shared, service, operation, members).code == code


@pytest.mark.parametrize(
    "document",
    [
        b"<Tagging",
        b"text",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><Tagging><TagSet/></Tagging>",
        b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><Tagging><TagSet/></Tagging>",
        b"\xff\xfe",
        b"<a>" * 5000,
    ],
)
def test_fails_for_xml_that_is_none_or_more_than_that(shared: LocalRuntime, document: bytes) -> None:
    """Entities that grow, or lead to files, are not even looked at."""
    headers = {"Authorization": fuzzing.scope("s3")}
    answer = fuzzing.send(shared.url, fuzzing.Request("s3", "PUT", "/data?tagging", headers, document))
    assert (answer.status, answer.code) == (400, "MalformedXML")


def test_a_document_without_end_is_refused(shared: LocalRuntime) -> None:
    """S3's documents are far smaller than its objects."""
    headers = {"Authorization": fuzzing.scope("s3")}
    request = fuzzing.Request("s3", "POST", "/data?delete", headers, b" " * (3 << 20))
    assert fuzzing.send(shared.url, request).code == "MaxMessageLengthExceeded"


def test_what_fits_is_let_through(shared: LocalRuntime) -> None:
    """The checks refuse nothing that clients send in earnest."""
    clients = shared.clients
    clients.cloudwatch.put_metric_alarm(**{**ALARM, "Dimensions": [{"Name": "d", "Value": "v"}]})  # type: ignore[arg-type]
    assert clients.cloudwatch.describe_alarms()["MetricAlarms"][0]["Period"] == 60
    clients.s3.put_bucket_encryption(Bucket="data", ServerSideEncryptionConfiguration={"Rules": [RULE]})  # type: ignore[list-item,typeddict-item]
    clients.s3.put_bucket_tagging(Bucket="data", Tagging={"TagSet": [{"Key": "a", "Value": "a + b"}]})
    assert clients.s3.get_bucket_tagging(Bucket="data")["TagSet"] == [{"Key": "a", "Value": "a + b"}]
    clients.s3.put_object(Bucket="data", Key="policy?uploads&max-keys=x", Body=b"<not xml")
    deleted = clients.s3.delete_objects(Bucket="data", Delete={"Objects": [{"Key": "policy?uploads&max-keys=x"}]})
    assert len(deleted["Deleted"]) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Resources": []}, "template section 'Resources' is no JSON object"),
        (
            {"Resources": {"a-b": {"Type": "AWS::SNS::Topic"}}},
            "'a-b' in template section 'Resources' is non alphanumeric",
        ),
        ({"Resources": {"A": {"Type": ["AWS::SNS::Topic"]}}}, "'A' in template section 'Resources': Type"),
        ({"Resources": {"A": {"Type": "AWS::SNS::Topic", "Properties": 1}}}, "Properties 1 is of another type"),
        ({"Resources": {"A": {"Type": "AWS::SNS::Topic", "DependsOn": [{}]}}}, "DependsOn names something other"),
        ({"Outputs": {"O": {}}}, "'O' in template section 'Outputs' has no Value"),
        ({"Rules": {"R": {}}}, "'R' in template section 'Rules' has no Assertions"),
        ({"Rules": {"R": {"Assertions": [{}]}}}, "'R' in template section 'Rules' has an assertion without Assert"),
        ({"Parameters": {"P": {"Type": "String", "Default": {}}}}, "Default {} is of another type"),
        ({"Description": []}, "template section 'Description' is no text"),
    ],
)
def test_fails_for_a_template_of_another_shape(shared: LocalRuntime, change: dict[str, Any], words: str) -> None:
    """Section, entry and attribute are named."""
    template = {"Resources": {"A": {"Type": "AWS::SNS::Topic"}}, **change}
    answer = _send(shared, "cloudformation", "GetTemplateSummary", {"TemplateBody": json.dumps(template)})
    assert answer.code == "ValidationError"
    assert words in answer.parsed["Error"]["Message"]


def test_answers_hold_nothing_that_xml_cannot(shared: LocalRuntime) -> None:
    """A description may have any characters."""
    template = {"Description": "a\x00b\x0b", "Resources": {"A": {"Type": "AWS::SNS::Topic"}}}
    answer = _send(shared, "cloudformation", "GetTemplateSummary", {"TemplateBody": json.dumps(template)})
    assert (answer.status, "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}" in answer.body.decode()) == (
        200,
        True,
    )
