"""What EventBridge refuses and takes."""

from __future__ import annotations

import json
from typing import Any

from tests.local.edge.rules.case import Case

SERVICE = "events"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:m"
ROLE = "arn:aws:iam::123456789012:role/r"
TARGET = {"Id": "a", "Arn": MACHINE, "RoleArn": ROLE}
QUEUE = {"Id": "a", "Arn": "arn:aws:sqs:us-east-1:123456789012:q"}


def _rule(pattern: Any) -> dict[str, Any]:
    return {"Name": "r", "EventPattern": pattern if isinstance(pattern, str) else json.dumps(pattern)}


def _targets(*changes: dict[str, Any], without: str = "") -> dict[str, Any]:
    targets = [{**TARGET, **change} for change in changes]
    return {"Rule": "r", "Targets": [{k: v for k, v in target.items() if k != without} for target in targets]}


def _operator(refused: dict[str, Any], taken: dict[str, Any]) -> Case:
    return Case("pattern", "PutRule", _rule({"source": [refused]}), _rule({"source": [taken]}))


def _template(template: str) -> dict[str, Any]:
    return {"InputTransformer": {"InputPathsMap": {"status": "$.detail.status"}, "InputTemplate": template}}


CASES = [
    Case("pattern", "PutRule", _rule("{"), _rule({"source": ["a"]})),
    Case("pattern", "PutRule", _rule("[]"), _rule({"source": [1, True, None]})),
    Case("pattern", "PutRule", _rule({}), _rule({"source": [""]})),
    Case("pattern", "PutRule", _rule({"source": "a"}), _rule({"source": ["a"]})),
    Case("pattern", "PutRule", _rule({"source": []}), _rule({"source": [None]})),
    Case("pattern", "PutRule", _rule({"detail": {}}), _rule({"detail": {"status": ["a"]}})),
    Case("pattern", "PutRule", _rule({"source": [["a"]]}), _rule({"source": ["a"]})),
    Case(
        "pattern", "PutRule", _rule({"$or": [{"source": "a"}, {"a": ["b"]}]}), _rule({"$or": [{"source": ["a"]}] * 2})
    ),
    _operator({"PREFIX": "a"}, {"prefix": "a"}),
    _operator({"prefix": 1}, {"prefix": ""}),
    _operator({"prefix": "a", "suffix": "b"}, {"suffix": "b"}),
    _operator({"prefix": {"exactly": "a"}}, {"prefix": {"equals-ignore-case": "a"}}),
    _operator({"exists": "true"}, {"exists": True}),
    _operator({"equals-ignore-case": ["a"]}, {"equals-ignore-case": "a"}),
    _operator({"wildcard": "a**"}, {"wildcard": "a*b*"}),
    _operator({"wildcard": "a\\b"}, {"wildcard": "a\\*"}),
    _operator({"cidr": "10.0.0.0"}, {"cidr": "10.0.0.0/8"}),
    _operator({"cidr": "10.0.0.300/8"}, {"cidr": "2001:db8::/32"}),
    _operator({"numeric": ">"}, {"numeric": [">", 1]}),
    _operator({"numeric": [">", "1"]}, {"numeric": ["=", 1.5]}),
    _operator({"numeric": [">", 0, ">", 1]}, {"numeric": [">", 0, "<=", 1]}),
    _operator({"numeric": ["!=", 0]}, {"numeric": ["<", 0]}),
    _operator({"anything-but": None}, {"anything-but": "a"}),
    _operator({"anything-but": ["a", 1]}, {"anything-but": ["a", "b"]}),
    _operator({"anything-but": {"prefix": ""}}, {"anything-but": {"prefix": "a"}}),
    _operator({"anything-but": {"exists": True}}, {"anything-but": {"wildcard": "a*"}}),
    Case(
        "schedule",
        "PutRule",
        {"Name": "r", "ScheduleExpression": "rate(1 minutes)"},
        {"Name": "r", "ScheduleExpression": "rate(1 minute)"},
    ),
    Case(
        "schedule",
        "PutRule",
        {"Name": "r", "ScheduleExpression": "cron(0 3 * * MON *)"},
        {"Name": "r", "ScheduleExpression": "cron(0 3 ? * MON *)"},
    ),
    Case(
        "number_of_targets",
        "PutTargets",
        _targets(*[{"Id": str(number)} for number in range(6)]),
        _targets(*[{"Id": str(number)} for number in range(5)]),
    ),
    Case("target_arn", "PutTargets", _targets({"Arn": "machine"}), _targets({})),
    Case("target_role", "PutTargets", _targets({}, without="RoleArn"), {"Rule": "r", "Targets": [QUEUE]}),
    Case("target_role", "PutTargets", _targets({"RoleArn": "r"}), _targets({"RoleArn": f"{ROLE}/path"})),
    Case("one_input", "PutTargets", _targets({"Input": "{}", "InputPath": "$.detail"}), _targets({"Input": "{}"})),
    Case("target_input", "PutTargets", _targets({"Input": "text"}), _targets({"Input": '"text"'})),
    Case("target_input", "PutTargets", _targets({"InputPath": "detail"}), _targets({"InputPath": "$.detail"})),
    Case("template", "PutTargets", _targets(_template('"<state>"')), _targets(_template('"<status>"'))),
    Case("template", "PutTargets", _targets(_template("<aws.events.rule>")), _targets(_template("<aws.events.event>"))),
]
