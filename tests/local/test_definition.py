"""Definitions that Step Functions would refuse are refused."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from ml_a2.errors import AssemblyError
from ml_a2.local.definition import check_definition
from tests.conftest import definition_of

ALL = {"ErrorEquals": ["States.ALL"], "Next": "C"}
VALID: dict[str, Any] = {
    "StartAt": "A",
    "States": {
        "A": {"Type": "Choice", "Choices": [{"Variable": "$.x", "IsPresent": True, "Next": "B"}], "Default": "C"},
        "B": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sns:publish",
            "Parameters": {"TopicArn": "arn", "Message.$": "$.x"},
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "C"}],
            "End": True,
        },
        "C": {"Type": "Fail"},
    },
}


def _changed(*path: Any, value: Any) -> str:
    definition: Any = copy.deepcopy(VALID)
    inner = definition
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return json.dumps(definition)


def test_the_synthesized_definition_is_accepted(template: dict[str, Any]) -> None:
    """What the stack makes passes, and so does a plain valid one."""
    check_definition(json.dumps(definition_of(template)).replace("<AWS::Partition>", "aws"))
    check_definition(json.dumps(VALID))


@pytest.mark.parametrize("value", ["hello", 1, None, {"b.$": []}])
def test_the_result_of_a_pass_state_is_what_it_is(value: Any) -> None:
    """Only templates hold paths and functions; a literal may have any members."""
    passing = {"Type": "Pass", "Result": {"a.$": value, "c": [{"d.$": value}]}, "End": True}
    check_definition(json.dumps({"StartAt": "A", "States": {"A": passing}}))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "INVALID_JSON_DESCRIPTION: the definition is no JSON"),
        ("[]", "[] is no JSON object at /"),
        (_changed("States", "C", value="Fail"), "'Fail' is no JSON object at /States/C"),
        (
            _changed("States", "B", "Parameters", value={"x.$": "hello"}),
            "'x.$' must be a valid JSONPath or a valid intrinsic function call, not 'hello', at /States/B/Parameters",
        ),
        (
            _changed("States", "B", "Resource", value="arn:aws:states:::sns:publish"),
            "is not supported locally, only AWS SDK",
        ),
        (
            _changed("States", "B", "Catch", value=[ALL, {"ErrorEquals": ["A.B"], "Next": "C"}]),
            "States.ALL must appear alone and at end of list at /States/B/Catch[0]",
        ),
        (
            _changed("States", "B", "Resource", value="arn:aws:states:::aws-sdk:sns:publishh"),
            "sns has no operation 'publishh'",
        ),
        (
            _changed("States", "B", "Resource", value="arn:aws:states:::aws-sdk:sns:createTopic"),
            "the permissions of sns:create_topic are not known here",
        ),
        (_changed("States", "B", "Parameters", "Mesage", value="x"), "the field 'Mesage' is not supported by Step"),
        (_changed("States", "B", "Parameters", value={"TopicArn": "x"}), "the field 'Message' is required but was"),
        (
            _changed("States", "B", "Parameters", "MessageAttributes", value={"a": {"StringValue": "x"}}),
            "the field 'MessageAttributes.a.DataType' is required but was missing",
        ),
        (_changed("States", "B", "Parameters", value=[]), "Parameters is not supported locally unless it is a JSON"),
        (_changed("States", "B", "Retrry", value=[]), "Field 'Retrry' is not supported at /States/B"),
        (_changed("StartAt", value="Z"), "Missing 'Next' target: Z at /StartAt"),
        (_changed("States", "A", "Choices", 0, "Next", value="Z"), "target: Z at /States/A/Choices[0]/Next"),
        (_changed("States", "D", value={"Type": "Succeed"}), 'State "D" is not reachable at /States/D'),
        (_changed("QueryLanguage", value="JSONata"), "'JSONata' is not supported locally"),
        (_changed("States", "B", "QueryLanguage", value="JSONata"), "'JSONata' is not supported locally"),
        (_changed("States", "B", "Assign", value={}), "'Assign' is not supported locally, at /States/B"),
        (_changed("States", "A", "Choices", 0, "Assign", value={}), "'Assign' is not supported locally, at /States/A"),
        (_changed("States", "B", "Credentials", value={}), "'Credentials' is not supported locally, at /States/B"),
        (json.dumps(VALID).replace('"C": {', '"B": {"Type": "Fail"}, "C": {'), "Duplicate State name: B"),
    ],
)
def test_fails_naming_the_state(text: str, words: str) -> None:
    """Each defect names the state and the field."""
    with pytest.raises(AssemblyError) as caught:
        check_definition(text)
    assert words in str(caught.value)
