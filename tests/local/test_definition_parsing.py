"""Definitions are parsed in two passes: the first gives the tree of the second, or hands over to it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from antlr4 import PredictionMode
from moto.stepfunctions.parser.asl.parse import asl_parser

from ml_a2.local.patches import interpreter


def _definitions(template: dict[str, Any]) -> list[str]:
    machines = [r for r in template["Resources"].values() if r["Type"] == "AWS::StepFunctions::StateMachine"]
    joined = [machine["Properties"]["DefinitionString"]["Fn::Join"][1] for machine in machines]
    return ["".join(part if isinstance(part, str) else "arn:aws:x" for part in parts) for parts in joined]


def _whole_context(definition: str) -> tuple[Any, list[str]]:
    tokens = asl_parser.CommonTokenStream(asl_parser.ASLLexer(asl_parser.InputStream(definition)))
    return interpreter._parse(tokens, PredictionMode.LL)


def _nodes(tree: Any) -> Any:
    children = [_nodes(child) for child in tree.getChildren()] if tree.getChildCount() else []
    return (type(tree).__name__, tree.getText(), children)


def test_the_stacks_definitions_have_the_same_tree(template: dict[str, Any]) -> None:
    """As from the whole context."""
    definitions = _definitions(template)
    assert len(definitions) == 2
    for definition in definitions:
        tree, errors = _whole_context(definition)
        assert errors == []
        assert _nodes(interpreter._tree(definition)) == _nodes(tree)


SMALL = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": {"a": [1, "b", None, True]}, "End": True}}}


@pytest.mark.parametrize(
    ("text", "replacement"),
    [("{", "{{"), (":", ""), ('"A", ', '"A" '), ('"States"', "States"), ("[1", "[,1"), ("}}}", "}}"), ("null", "nil")],
)
def test_what_is_no_definition_is_refused_by_both(text: str, replacement: str) -> None:
    """Whatever the first pass makes of it."""
    whole = json.dumps(SMALL)
    assert _whole_context(whole)[1] == []
    interpreter._tree(whole)
    broken = whole.replace(text, replacement, 1)
    assert _whole_context(broken)[1] != []
    with pytest.raises(asl_parser.ASLParserException):
        interpreter._tree(broken)
