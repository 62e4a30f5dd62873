"""What Step Functions refuses and takes, beside definitions."""

from __future__ import annotations

import json
from typing import Any

from tests.local.edge.rules.case import Case

SERVICE = "states"
GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/vendedlogs/g:*"


def _machine(**changes: Any) -> dict[str, Any]:
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
    return {"name": "m", "definition": definition, "roleArn": "arn:aws:iam::123456789012:role/r", **changes}


def _logging(*groups: str, level: str = "ALL") -> dict[str, Any]:
    destinations = [{"cloudWatchLogsLogGroup": {"logGroupArn": group}} for group in groups]
    return _machine(loggingConfiguration={"level": level, "destinations": destinations})


def _tags(count: int) -> dict[str, Any]:
    return _machine(tags=[{"key": f"k{number}", "value": "v"} for number in range(count)])


def _case(rule: str, refused: dict[str, Any], taken: dict[str, Any]) -> Case:
    return Case(rule, "CreateStateMachine", refused, taken)


CASES = [
    _case("role", _machine(roleArn="r"), _machine(roleArn="arn:aws:iam::123456789012:role/path/r")),
    _case("role", _machine(roleArn="arn:aws:iam::123456789012:user/r"), _machine()),
    _case("number_of_destinations", _logging(), _logging(level="OFF")),
    _case("number_of_destinations", _logging(GROUP, GROUP), _logging(GROUP)),
    _case("destination", _logging(GROUP.removesuffix(":*")), _logging(GROUP)),
    _case("destination", _logging("arn:aws:s3:::bucket:*"), _logging(GROUP, level="OFF")),
    _case("version", _machine(versionDescription="first"), _machine(versionDescription="first", publish=True)),
    _case("tags", _tags(51), _tags(50)),
]
