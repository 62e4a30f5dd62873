"""SQS: names and attributes of queues, and messages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ml_a2.local.edge.json_text import is_number
from ml_a2.local.edge.rules.rule import Rulebook

BOOK = Rulebook("sqs")
API = "SQS API reference, "
QUEUE_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
FIFO = ".fifo"
LARGEST_MESSAGE_BYTES = 1_048_576
RANGES = {
    "DelaySeconds": (0, 900),
    "MaximumMessageSize": (1024, LARGEST_MESSAGE_BYTES),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43_200),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
}
NOT_IN_MESSAGE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@BOOK.rule(
    "CreateQueue",
    "InvalidParameterValue",
    "a name has 1 to 80 letters, digits, `-` and `_`, a FIFO queue's ends in `.fifo`",
    f"{API}CreateQueue",
)
def _queue_name(request: Mapping[str, Any], region: str) -> Iterator[str]:
    name = request["QueueName"]
    fifo = request.get("Attributes", {}).get("FifoQueue") == "true"
    if len(name) > 80 or fifo != name.endswith(FIFO) or not QUEUE_NAME.fullmatch(name.removesuffix(FIFO)):
        yield "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"


@BOOK.rule(
    "CreateQueue SetQueueAttributes",
    "InvalidAttributeValue",
    "numbers among the attributes are in their ranges",
    f"{API}CreateQueue",
)
def _attributes(request: Mapping[str, Any], region: str) -> Iterator[str]:
    for name, value in request.get("Attributes", {}).items():
        if name in RANGES and is_number(value) and not RANGES[name][0] <= int(value) <= RANGES[name][1]:
            yield f"Invalid value for the parameter {name}."


@BOOK.rule(
    "SendMessage",
    "InvalidMessageContents",
    "a message holds the characters of XML 1.0",
    f"{API}SendMessage",
)
def _characters(request: Mapping[str, Any], region: str) -> Iterator[str]:
    if NOT_IN_MESSAGE.search(request["MessageBody"]):
        yield "Invalid characters found in the message body."


@BOOK.rule(
    "SendMessage",
    "InvalidParameterValue",
    f"a message has at most {LARGEST_MESSAGE_BYTES} bytes",
    f"{API}SendMessage",
)
def _size(request: Mapping[str, Any], region: str) -> Iterator[str]:
    if len(request["MessageBody"].encode()) > LARGEST_MESSAGE_BYTES:
        yield f"One or more parameters are invalid. Reason: Message must be shorter than {LARGEST_MESSAGE_BYTES} bytes."
