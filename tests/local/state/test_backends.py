"""What a person can make in the services beside what stacks have in them is kept, too."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT

from ml_a2.local.clients import Clients
from ml_a2.local.state.backends import store
from tests.local.conftest import TRUST
from tests.local.state.conftest import Serve

POLICY = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}})
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:queue"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:topic"
MAP = {
    "StartAt": "Map",
    "States": {
        "Map": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemProcessor": {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}},
            "End": True,
        }
    },
}


def _make_buckets(clients: Clients) -> None:
    s3, bucket = clients.s3, "data"
    s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    rule: Any = {"ID": "rule", "Status": "Enabled", "Filter": {"Prefix": "x"}, "Expiration": {"Days": 1}}
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    cors: Any = {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration=cors)
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    told: Any = {"QueueConfigurations": [{"Id": "told", "QueueArn": QUEUE, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=told)


def _tell_buckets(clients: Clients) -> list[Any]:
    s3, bucket = clients.s3, "data"
    return [
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"],
        s3.get_bucket_cors(Bucket=bucket)["CORSRules"],
        s3.get_bucket_acl(Bucket=bucket)["Grants"],
        s3.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"],
        s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"],
    ]


def _make_queues(clients: Clients) -> None:
    sqs, sns = clients.sqs, clients.sns
    sqs.create_queue(QueueName="dead.fifo", Attributes={"FifoQueue": "true"})
    redrive = json.dumps({"deadLetterTargetArn": QUEUE.replace(":queue", ":dead.fifo"), "maxReceiveCount": 1})
    attributes: Any = {"FifoQueue": "true", "RedrivePolicy": redrive}
    sqs.create_queue(QueueName="first.fifo", Attributes=attributes)
    sqs.send_message(QueueUrl="first.fifo", MessageBody="body", MessageGroupId="g", MessageDeduplicationId="d")
    sqs.create_queue(QueueName="queue")
    sns.create_topic(Name="topic")
    policy = json.dumps({"kind": ["a", {"prefix": "b"}]})
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=QUEUE, Attributes={"FilterPolicy": policy})


def _tell_queues(clients: Clients) -> list[Any]:
    sqs = clients.sqs
    for value in ("b1", "c"):  # one that the filter lets pass, and one that it does not
        attributes: Any = {"kind": {"DataType": "String", "StringValue": value}}
        clients.sns.publish(TopicArn=TOPIC, Message="m", MessageAttributes=attributes)
    received = sqs.receive_message(QueueUrl="queue", MaxNumberOfMessages=10)["Messages"]
    return [
        len(received),
        [url.rpartition("/")[2] for url in sqs.list_dead_letter_source_queues(QueueUrl="dead.fifo")["queueUrls"]],
        sqs.get_queue_attributes(QueueUrl="first.fifo", AttributeNames=["All"])["Attributes"],
    ]


def _make_others(clients: Clients) -> None:
    iam, logs, cloudwatch, machines = clients.iam, clients.logs, clients.cloudwatch, clients.stepfunctions
    iam.create_user(UserName="user")
    iam.create_access_key(UserName="user")
    arn = iam.create_policy(PolicyName="policy", PolicyDocument=POLICY)["Policy"]["Arn"]
    iam.attach_user_policy(UserName="user", PolicyArn=arn)
    logs.create_log_group(logGroupName="group")
    metric: Any = [{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}]
    logs.put_metric_filter(logGroupName="group", filterName="f", filterPattern="x", metricTransformations=metric)
    common: Any = {"EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold"}
    alarm: Any = {**common, "AlarmName": "alarm", "Namespace": "n", "MetricName": "m", "Period": 60, "Statistic": "Sum"}
    cloudwatch.put_metric_alarm(**alarm)
    role = iam.create_role(RoleName="role", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    machine = machines.create_state_machine(name="map", definition=json.dumps(MAP), roleArn=role)["stateMachineArn"]
    machines.start_execution(stateMachineArn=machine, name="one", input='{"items": [1, 2]}')


def _tell_others(clients: Clients) -> list[Any]:
    iam, machine = clients.iam, f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:map"
    return [
        iam.list_access_keys(UserName="user")["AccessKeyMetadata"],
        iam.list_attached_user_policies(UserName="user")["AttachedPolicies"],
        clients.logs.describe_metric_filters(logGroupName="group")["metricFilters"],
        clients.cloudwatch.describe_alarms()["MetricAlarms"],
        clients.stepfunctions.list_executions(stateMachineArn=machine)["executions"],
    ]


@pytest.mark.parametrize(
    ("make", "tell"), [(_make_buckets, _tell_buckets), (_make_queues, _tell_queues), (_make_others, _tell_others)]
)
def test_what_was_made_is_told_as_before(
    serve: Serve, make: Callable[[Clients], None], tell: Callable[[Clients], list[Any]]
) -> None:
    """And does what it did: a filter chooses, a message waits."""
    with serve() as runtime:
        make(runtime.clients)
        runtime.settle()
        before = tell(runtime.clients)
        assert all(before)
    with serve() as runtime:
        assert tell(runtime.clients) == before


def test_fails_on_a_store_that_is_not_kept() -> None:
    """A snapshot cannot name any other."""
    with pytest.raises(KeyError, match="ec2"):
        store("ec2", ACCOUNT, "us-east-1")
