"""What SNS refuses and takes."""

from __future__ import annotations

from typing import Any

from tests.local.edge.rules.case import Case
from tests.local.edge.rules.policies import ROLE, document

SERVICE = "sns"
TOPIC = "arn:aws:sns:us-east-1:123456789012:t"


def _message(**changes: Any) -> dict[str, Any]:
    return {"TopicArn": TOPIC, "Message": "m", **changes}


def _attribute(name: str, **value: Any) -> dict[str, Any]:
    return _message(MessageAttributes={name: value})


def _subscription(protocol: str, endpoint: str, **attributes: str) -> dict[str, Any]:
    return {"TopicArn": TOPIC, "Protocol": protocol, "Endpoint": endpoint, "Attributes": attributes}


def _name(refused: str, taken: str) -> Case:
    return Case("topic_name", "CreateTopic", {"Name": refused}, {"Name": taken})


def _subject(refused: str, taken: str) -> Case:
    return Case("subject", "Publish", _message(Subject=refused), _message(Subject=taken))


def _endpoint(protocol: str, refused: str, taken: str) -> Case:
    return Case("endpoint", "Subscribe", _subscription(protocol, refused), _subscription(protocol, taken))


STATEMENT = {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "sns:Publish", "Resource": TOPIC}


def _policy(rule: str, refused: dict[str, Any], taken: dict[str, Any]) -> Case:
    requests = [
        {"TopicArn": TOPIC, "AttributeName": "Policy", "AttributeValue": document(STATEMENT, **changes)}
        for changes in (refused, taken)
    ]
    return Case(rule, "SetTopicAttributes", *requests)


TEXT = {"DataType": "String", "StringValue": "v"}
CASES = [
    _name("", "a"),
    _name("a" * 257, "a" * 256),
    _name("a b", "a-b"),
    _name("a.b", "a_b"),
    _name("é", "e"),
    _name("a.fifo", "afifo"),
    Case(
        "topic_name",
        "CreateTopic",
        {"Name": "a", "Attributes": {"FifoTopic": "true"}},
        {"Name": "a.fifo", "Attributes": {"FifoTopic": "true"}},
    ),
    Case(
        "tags",
        "CreateTopic",
        {"Name": "a", "Tags": [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}]},
        {"Name": "a", "Tags": [{"Key": "k", "Value": "1"}, {"Key": "K", "Value": "2"}]},
    ),
    Case("region", "Publish", _message(TopicArn=TOPIC.replace("us-east-1", "eu-west-1")), _message()),
    _subject("", " "),
    _subject("s" * 101, "s" * 100),
    _subject("two\nlines", "two lines"),
    _subject("tab\tin it", "é, with an accent"),
    _subject("line\u2028separator", "line-separator"),
    Case("message", "Publish", _message(Message=""), _message(Message=" ")),
    Case("message_size", "Publish", _message(Message="é" * 131_073), _message(Message="é" * 131_072)),
    Case(
        "message_size",
        "Publish",
        _message(Message="m" * 262_134, MessageAttributes={"name": TEXT}),
        _message(Message="m" * 262_133, MessageAttributes={"name": TEXT}),
    ),
    Case("structure", "Publish", _message(MessageStructure="xml"), _message()),
    Case("structure", "Publish", _message(MessageStructure="json"), _message(Message="{}")),
    Case(
        "structure",
        "Publish",
        _message(MessageStructure="json", Message='{"email": "m"}'),
        _message(MessageStructure="json", Message='{"default": "m", "email": "m"}'),
    ),
    Case("attributes", "Publish", _attribute("a b", **TEXT), _attribute("a.b", **TEXT)),
    Case("attributes", "Publish", _attribute(".a", **TEXT), _attribute("a", **TEXT)),
    Case("attributes", "Publish", _attribute("a..b", **TEXT), _attribute("a-b", **TEXT)),
    Case(
        "attributes",
        "Publish",
        _attribute("a", DataType="Stringy", StringValue="v"),
        _attribute("a", DataType="String.y", StringValue="v"),
    ),
    Case(
        "attributes",
        "Publish",
        _attribute("a", DataType="String", StringValue=""),
        _attribute("a", DataType="Number", StringValue="1"),
    ),
    Case(
        "attributes",
        "Publish",
        _attribute("a", DataType="String", BinaryValue="YQ=="),
        _attribute("a", DataType="Binary", BinaryValue="YQ=="),
    ),
    Case("endpoint", "Subscribe", _subscription("mail", "a@b.example"), _subscription("email", "a@b.example")),
    _endpoint("email", "team", "team@example.com"),
    _endpoint("email-json", "a b@example.com", "a.b@example.com"),
    _endpoint("https", "http://example.com", "https://example.com/hook?a=b"),
    _endpoint("http", "example.com", "http://example.com:8080"),
    _endpoint("sqs", "https://queue.amazonaws.com/123456789012/q", "arn:aws:sqs:us-east-1:123456789012:q"),
    _endpoint("lambda", "f", "arn:aws:lambda:us-east-1:123456789012:function:f"),
    _endpoint("sms", "+15551234567.", "+15551234567"),
    Case(
        "raw",
        "Subscribe",
        _subscription("email", "a@b.example", RawMessageDelivery="yes"),
        _subscription("email", "a@b.example", RawMessageDelivery="false"),
    ),
    Case(
        "topic_attributes",
        "CreateTopic",
        {"Name": "a", "Attributes": {"MaximumMessageSize": "1048577"}},
        {"Name": "a", "Attributes": {"MaximumMessageSize": "1048576"}},
    ),
    Case(
        "topic_attributes",
        "SetTopicAttributes",
        {"TopicArn": TOPIC, "AttributeName": "DisplayName", "AttributeValue": "d" * 101},
        {"TopicArn": TOPIC, "AttributeName": "DisplayName", "AttributeValue": "d" * 100},
    ),
    _policy("topic_policy", {"Principal": None}, {"Principal": {"Service": "cloudwatch.amazonaws.com"}}),
    _policy("topic_policy", {"Resource": None}, {"Resource": "*"}),
    _policy("topic_policy", {"Effect": "Permit"}, {"Effect": "Deny"}),
    _policy("topic_policy", {"Condition": {"ArnIs": {"a": "b"}}}, {"Condition": {"ArnLike": {"aws:SourceArn": "a"}}}),
    _policy("topic_policy_actions", {"Action": "sns:CreateTopic"}, {"Action": "SNS:Subscribe"}),
    _policy("topic_policy_actions", {"Action": "s3:GetObject"}, {"Action": ["sns:Publish", "sns:Receive"]}),
    Case(
        "topic_policy",
        "CreateTopic",
        {"Name": "t", "Attributes": {"Policy": "{"}},
        {"Name": "t", "Attributes": {"Policy": document(STATEMENT)}},
    ),
]
