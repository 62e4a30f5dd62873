"""A definition with every kind of state, and changes of it."""

from __future__ import annotations

import copy
from typing import Any

TASK = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sns:publish", "End": True}
PASS = {"Type": "Pass", "End": True}
RETRY = {
    "ErrorEquals": ["A"],
    "IntervalSeconds": 1,
    "MaxAttempts": 2,
    "BackoffRate": 1.5,
    "MaxDelaySeconds": 9,
    "JitterStrategy": "FULL",
}
VALID: dict[str, Any] = {
    "Comment": "every type of state",
    "Version": "1.0",
    "TimeoutSeconds": 60,
    "QueryLanguage": "JSONPath",
    "StartAt": "Choice",
    "States": {
        "Choice": {
            "Type": "Choice",
            "Choices": [
                {
                    "And": [{"Variable": "$.a", "IsPresent": True}, {"Not": {"Variable": "$.a", "IsNull": True}}],
                    "Next": "Task",
                },
                {"Variable": "$.a", "StringEquals": "b", "Next": "Wait"},
            ],
            "Default": "Pass",
        },
        "Task": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sns:publish",
            "InputPath": "$.items[?(@.a == 1)]",
            "Parameters": {"TopicArn": "arn", "Message.$": "States.Format('{}', $.x)"},
            "ResultSelector": {"id.$": "$.MessageId"},
            "ResultPath": "$.sent['id']",
            "OutputPath": "$$.Execution",
            "TimeoutSeconds": 20,
            "HeartbeatSeconds": 10,
            "Retry": [RETRY, {"ErrorEquals": ["States.ALL"]}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": "Fail"}],
            "Next": "Parallel",
        },
        "Wait": {"Type": "Wait", "Seconds": 0, "Next": "Pass"},
        "Pass": {"Type": "Pass", "Result": {"a.$": 1}, "End": False, "Next": "Succeed"},
        "Parallel": {"Type": "Parallel", "Branches": [{"StartAt": "Inner", "States": {"Inner": PASS}}], "Next": "Map"},
        "Map": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemSelector": {"value.$": "$$.Map.Item.Value"},
            "MaxConcurrency": 0,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "INLINE"},
                "StartAt": "Item",
                "States": {"Item": PASS},
            },
            "Next": "Succeed",
        },
        "Succeed": {"Type": "Succeed"},
        "Fail": {"Type": "Fail", "ErrorPath": "$.error", "CausePath": "States.Format('{}', $.cause)"},
    },
}
GONE = object()


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the definition with another value at a place: `States/Wait/Seconds`, `States/Task/Retry/0`."""
    definition: Any = copy.deepcopy(VALID)
    *way, last = path.split("/")
    inner = definition
    for key in way:
        inner = inner[int(key) if isinstance(inner, list) else key]
    if value is GONE:
        del inner[last]
    else:
        inner[int(last) if isinstance(inner, list) else last] = value
    return dict(definition)
