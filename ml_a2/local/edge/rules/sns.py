"""SNS: names of topics, messages, subscriptions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from ml_a2.local.edge.json_text import is_number, read_json
from ml_a2.local.edge.rules.rule import Rulebook

BOOK = Rulebook("sns")
API = "SNS API reference, "
RECORDED = "recorded answer"
INVALID = "InvalidParameter"
# What a topic that says nothing of MaximumMessageSize takes, and the sizes that it may say.
LARGEST_MESSAGE_BYTES = 262_144
MESSAGE_SIZES = range(1024, 1_048_577)
LONGEST_SUBJECT = 100
TOPIC_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
FIFO = ".fifo"
EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
ENDPOINTS = {
    "email": EMAIL,
    "email-json": EMAIL,
    "http": re.compile(r"http://[^\s/]+\S*"),
    "https": re.compile(r"https://[^\s/]+\S*"),
    "sqs": re.compile(r"arn:[a-z-]+:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+"),
    "lambda": re.compile(r"arn:[a-z-]+:lambda:[a-z0-9-]+:[0-9]{12}:function:\S+"),
    "firehose": re.compile(r"arn:[a-z-]+:firehose:[a-z0-9-]+:[0-9]{12}:deliverystream/\S+"),
    "application": re.compile(r"arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:endpoint/\S+"),
    "sms": re.compile(r"\+?[0-9]+(-[0-9]+)*"),
}
# A label of one's own may follow after a dot.
DATA_TYPE = re.compile(r"(String|Number|Binary)(?:\..+)?")
ATTRIBUTE_NAME = re.compile(r"(?!\.)(?!.*\.\.)[A-Za-z0-9_.-]{1,256}(?<!\.)")


@BOOK.rule("CreateTopic", INVALID, "a name has 1 to 256 letters, digits, `_` and `-`", f"{API}CreateTopic; {RECORDED}")
def _topic_name(request: Mapping[str, Any], region: str) -> Iterator[str]:
    name = request["Name"]
    fifo = request.get("Attributes", {}).get("FifoTopic") == "true"
    if fifo != name.endswith(FIFO) or len(name) > 256 or not TOPIC_NAME.fullmatch(name.removesuffix(FIFO)):
        yield "Invalid parameter: Topic Name"


@BOOK.rule(
    "Publish Subscribe GetTopicAttributes SetTopicAttributes DeleteTopic ListSubscriptionsByTopic",
    INVALID,
    "a topic is one of the region that is asked",
    RECORDED,
)
def _region(request: Mapping[str, Any], region: str) -> Iterator[str]:
    parts = request.get("TopicArn", "").split(":")
    if len(parts) == 6 and parts[3] != region:
        yield "Invalid parameter: TopicArn"


@BOOK.rule("CreateTopic TagResource", INVALID, "a key stands once among the tags", RECORDED)
def _tags(request: Mapping[str, Any], region: str) -> Iterator[str]:
    keys = [tag["Key"] for tag in request.get("Tags", [])]
    if len(set(keys)) < len(keys):
        yield "Invalid parameter: Duplicated keys are not allowed."


@BOOK.rule(
    "Publish",
    INVALID,
    f"a subject has 1 to {LONGEST_SUBJECT} characters, no line breaks and no control characters",
    f"{API}Publish (“less than 100”, the console takes 100); {RECORDED} for the empty one",
)
def _subject(request: Mapping[str, Any], region: str) -> Iterator[str]:
    subject = request.get("Subject", "none")
    controls = any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in subject)
    if not 0 < len(subject) <= LONGEST_SUBJECT or controls:
        yield "Invalid parameter: Subject"


@BOOK.rule("Publish", INVALID, "a message is not empty", RECORDED)
def _message(request: Mapping[str, Any], region: str) -> Iterator[str]:
    if not request["Message"]:
        yield "Invalid parameter: Empty message"


@BOOK.rule(
    "Publish",
    INVALID,
    f"message and attributes together have at most {LARGEST_MESSAGE_BYTES} bytes in UTF-8; MaximumMessageSize of "
    "a topic is not carried out here",
    f"{API}Publish; {RECORDED}",
)
def _message_size(request: Mapping[str, Any], region: str) -> Iterator[str]:
    if _bytes(request["Message"]) + _attribute_bytes(request) > LARGEST_MESSAGE_BYTES:
        yield "Invalid parameter: Message too long"


def _attribute_bytes(request: Mapping[str, Any]) -> int:
    attributes = request.get("MessageAttributes", {})
    return sum(
        _bytes(name) + sum(_bytes(value) for value in attribute.values()) for name, attribute in attributes.items()
    )


def _bytes(value: str | bytes) -> int:
    return len(value.encode() if isinstance(value, str) else value)


@BOOK.rule(
    "Publish",
    INVALID,
    "with MessageStructure `json` a message is a JSON object with the text `default`",
    f"{API}Publish; {RECORDED}s",
)
def _structure(request: Mapping[str, Any], region: str) -> Iterator[str]:
    if "MessageStructure" not in request:
        return
    if request["MessageStructure"] != "json":
        yield "Invalid parameter: MessageStructure"
        return
    try:
        message = read_json(request["Message"])
    except ValueError:
        yield "Invalid parameter: Message Structure - JSON message body failed to parse"
        return
    if not isinstance(message, dict) or not isinstance(message.get("default"), str):
        yield "Invalid parameter: Message Structure - No default entry in JSON message body"


@BOOK.rule(
    "Publish",
    "ParameterValueInvalid",
    "a message attribute has a name of letters, digits, `_`, `-` and single dots, the type String, Number or Binary, "
    "and a value of its type",
    f"SNS Developer Guide, Message attributes; {RECORDED}s",
)
def _attributes(request: Mapping[str, Any], region: str) -> Iterator[str]:
    for name, attribute in request.get("MessageAttributes", {}).items():
        kind = DATA_TYPE.fullmatch(attribute["DataType"])
        if not ATTRIBUTE_NAME.fullmatch(name):
            yield f"The message attribute name '{name:.80}' is not valid."
        elif kind is None:
            yield (
                f"The message attribute '{name}' has an invalid message attribute type, the set of supported type "
                "prefixes is Binary, Number, and String."
            )
        elif not attribute.get("BinaryValue" if kind[1] == "Binary" else "StringValue"):
            yield f"The message attribute '{name}' must contain a value that is not empty for its type '{kind[1]}'."


@BOOK.rule(
    "Subscribe",
    INVALID,
    "a protocol is one of SNS's, and the endpoint is of its kind",
    f"{API}Subscribe; {RECORDED}s",
)
def _endpoint(request: Mapping[str, Any], region: str) -> Iterator[str]:
    protocol, endpoint = request["Protocol"], request.get("Endpoint")
    if protocol not in ENDPOINTS:
        yield f"Invalid parameter: Amazon SNS does not support this protocol string: {protocol}"
    elif endpoint is None or not ENDPOINTS[protocol].fullmatch(endpoint):
        yield f"Invalid parameter: {protocol} endpoint {endpoint!r:.80}"


@BOOK.rule("Subscribe", INVALID, "RawMessageDelivery is `true` or `false`", RECORDED)
def _raw(request: Mapping[str, Any], region: str) -> Iterator[str]:
    raw = request.get("Attributes", {}).get("RawMessageDelivery", "true")
    if raw not in ("true", "false"):
        yield f"Invalid parameter: Attributes Reason: RawMessageDelivery: Invalid value [{raw}]. Must be true or false."


@BOOK.rule(
    "CreateTopic SetTopicAttributes",
    INVALID,
    f"MaximumMessageSize is {MESSAGE_SIZES[0]} to {MESSAGE_SIZES[-1]}, DisplayName has at most 100 characters",
    f"{API}CreateTopic; console",
)
def _topic_attributes(request: Mapping[str, Any], region: str) -> Iterator[str]:
    attributes = {request.get("AttributeName"): request.get("AttributeValue", ""), **request.get("Attributes", {})}
    size = attributes.get("MaximumMessageSize", "1024")
    if not is_number(size) or int(size) not in MESSAGE_SIZES:
        yield f"Invalid parameter: MaximumMessageSize {size!r:.80}"
    if len(attributes.get("DisplayName", "")) > 100:
        yield "Invalid parameter: DisplayName"
