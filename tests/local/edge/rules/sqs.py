"""What SQS refuses and takes."""

from __future__ import annotations

from typing import Any

from tests.local.edge.rules.case import Case

SERVICE = "sqs"


def _name(refused: str, taken: str) -> Case:
    return Case("queue_name", "CreateQueue", {"QueueName": refused}, {"QueueName": taken})


def _attribute(name: str, refused: int, taken: int) -> Case:
    def queue(value: int) -> dict[str, Any]:
        return {"QueueName": "q", "Attributes": {name: str(value)}}

    return Case("attributes", "CreateQueue", queue(refused), queue(taken))


def _message(body: str) -> dict[str, Any]:
    return {"QueueUrl": "http://localhost/123456789012/q", "MessageBody": body}


CASES = [
    _name("a b", "a-b"),
    _name("q" * 81, "q" * 80),
    _name("q.fifo", "q_fifo"),
    _attribute("DelaySeconds", 901, 900),
    _attribute("MaximumMessageSize", 1023, 1024),
    _attribute("MessageRetentionPeriod", 59, 60),
    _attribute("ReceiveMessageWaitTimeSeconds", 21, 20),
    _attribute("VisibilityTimeout", 43_201, 43_200),
    Case("characters", "SendMessage", _message("a\x00"), _message("a\tb\n\U0001f600")),
    Case("size", "SendMessage", _message("m" * 1_048_577), _message("m" * 1_048_576)),
]
