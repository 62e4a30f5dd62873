"""What Step Functions refuses beyond what its model says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ml_a2.errors import AssemblyError
from ml_a2.execution_name import problem_with_name
from ml_a2.local.definition import check_definition
from ml_a2.local.edge.json_text import is_number, problem_with_json

# Code and message of what is wrong.
Problem = tuple[str, str]
# Operations whose `name` is one that Step Functions keeps to its characters.
NAMING = {"CreateStateMachine", "StartExecution", "StartSyncExecution", "CreateActivity"}
LOGGED_NAME = re.compile(r"[0-9A-Za-z._-]+")
MACHINE_CHANGES = {
    "definition", "roleArn", "loggingConfiguration", "tracingConfiguration", "encryptionConfiguration",
}  # fmt: skip


def check_name(operation: str, request: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with the name of an execution or of a state machine."""
    if operation in NAMING and problem_with_name(name := request.get("name", "unnamed")):
        yield "InvalidName", f"Invalid Name: '{name}'"


def check_logged_name(operation: str, request: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with the name of a state machine whose executions are logged: the delivery bears it."""
    level = request.get("loggingConfiguration", {}).get("level", "OFF")
    if operation == "CreateStateMachine" and level != "OFF" and not LOGGED_NAME.fullmatch(request["name"]):
        yield (
            "InvalidLoggingConfiguration",
            f"Invalid Logging Configuration: the name {request['name']!r} has characters other than 0-9A-Za-z._-",
        )


def check_machine(operation: str, request: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with a state machine that is created or changed."""
    if operation in ("CreateStateMachine", "UpdateStateMachine") and "definition" in request:
        try:
            check_definition(request["definition"])
        except AssemblyError as error:
            problem = str(error).removeprefix("InvalidDefinition: ")
            yield "InvalidDefinition", f"Invalid State Machine Definition: '{problem}'"
    if operation == "UpdateStateMachine" and not MACHINE_CHANGES & request.keys():
        yield "MissingRequiredParameter", f"one of {', '.join(sorted(MACHINE_CHANGES))} must be there"


def check_input(operation: str, request: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with the input of an execution."""
    if operation == "StartExecution" and (problem := problem_with_json(request.get("input", "{}"))):
        yield "InvalidExecutionInput", f"the input is no JSON: {problem}"


def check_tags(operation: str, request: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with tags."""
    if not all({"key", "value"} <= tag.keys() for tag in request.get("tags", [])):
        yield "ValidationException", "a tag has no key, or no value"


def check_tokens(operation: str, request: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with a request for a page."""
    token = request.get("nextToken")
    if operation == "ListExecutions" and "stateMachineArn" not in request:
        yield "ValidationException", "stateMachineArn must be there; map runs are not supported locally"
    if operation == "GetExecutionHistory" and token is not None and not is_number(token):
        yield "InvalidToken", f"the token {token!r:.80} was not given here"


CHECKS = (check_name, check_logged_name, check_machine, check_input, check_tags, check_tokens)
