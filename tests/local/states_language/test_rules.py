"""Each rule of the language refuses what breaks it, and takes what lies beside it."""

from __future__ import annotations

from typing import Any

import pytest

from ml_a2.local.states_language.machine import check_machine
from ml_a2.local.states_language.rules import InvalidDefinitionError, Rule
from tests.local.states_language.machines import GONE, PASS, TASK, VALID, changed

RULE = "States/Choice/Choices/1"
NOT = {"Variable": "$.a", "IsNull": True}
NEXT = {"Next": "Wait"}
ROUND = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}}
LITERALS = {"String": [1, None, True, {}], "Numeric": ["1", True, None], "Boolean": [0, "true", None]}
TIMES = [
    "2016-12-05 21:29:29Z", "2016-12-05T21:29:29", "2016-13-05T21:29:29Z", "2016-12-05T25:29:29Z",
    "05-12-2016T21:29:29Z", "2016-12-05t21:29:29Z", "2016-12-05T21:29:29z", "2016-12-05", "2016-12-05T21:29Z",
]  # fmt: skip
NOT_REFERENCES = ["$.a[*]", "$.*", "$..a", "$.a[0:1]", "$.a[0,1]", "$.a[?(@.b == 1)]", "$.a.length()", "$.a,b", "$.a@"]
NO_PATHS = [
    "a", "", ".a", "$a.", "$.", "$..", "$.a.", "$.a b", "$[", "$['a]", "$[a]", "$.a]", "$.a[]", " $.a", "States.UUID()",
]  # fmt: skip
NO_CALLS = [
    "States.Uuid()", "States.Format", "States.Format('a'", "States.Format('a',)", "States.Format('a') b",
    "States.Format(a)", 'States.Format("a")', "States.Format('a\\n')", "States.StringToJson('\\\"')",
    "States.Array($.)", "States.Array(1 2)", "States.Array(States.None())",
]  # fmt: skip
NO_ARGUMENTS = [
    "States.Format()", "States.Format('{}')", "States.Format('{} {}', $.a)", "States.Format('a', $.a)",
    "States.Format(1)", "States.UUID(1)", "States.Hash($.a)", "States.MathAdd(1, '-1')", "States.MathAdd(1)",
    "States.MathAdd(1, 2, 3)", "States.MathRandom(1, 2, 3, 4)", "States.ArrayLength('a')", "States.StringSplit('a')",
    "States.ArrayGetItem($.a, '0')", "States.JsonMerge($.a, $.b)",
    "States.JsonMerge($.a, $.b, 1)",
    "States.ArrayRange(0, 1)", "States.Base64Encode(1)", "States.Array(States.UUID(1))",
]  # fmt: skip
PATHS = [
    "$", "$$", "$..book", "$.*", "$[*]", "$.a[-3:]", "$.a[0,1]", "$['a','b']", "$.a.length()", "$[(@.length-1)].bar",
    "$.[?(@.year < 1999)].name", "$.a[?(@.b == 'x)')]", "$.a[?(@.b in ['x', 'y'])]..c", "$['Test\\\"Name']",
]  # fmt: skip
CALLS = [
    "$", "$$.Task.Token", "States.UUID()", "States.Array()", "States.Array( 1.5 , -2e3 , null, true, 'a' )",
    "States.Format('Welcome to {} {}\\'s \\{\\} playlist\\\\.', $.a, $.b)", "States.Format($.template, $.a)",
    "States.StringToJson('{\"text\": 1}')", "States.StringSplit('a\nb', '\n')", "States.MathRandom($.a, 2)",
    "States.ArrayGetItem($.a[?(@.b == 'c, d')].e, 0)", "States.JsonMerge($.a, $.b, false)",
    "States.ArrayGetItem(States.StringSplit($$.StateMachine.Name, '-'), States.MathAdd(1, -1))",
]  # fmt: skip


def _template(value: Any) -> dict[str, Any]:
    return changed("States/Task/Parameters/Message.$", value)


def _nested(count: int) -> str:
    return "States.Array(" * count + ")" * count


def _branch(states: dict[str, Any], start: str = "Inner") -> dict[str, Any]:
    return changed("States/Parallel/Branches/0", {"StartAt": start, "States": states})


def _each(rule: Rule, value: Any, *paths: str) -> list[tuple[Rule, dict[str, Any]]]:
    return [(rule, changed(path, value)) for path in paths]


def _waits(time: str) -> dict[str, Any]:
    return changed("States/Wait", {"Type": "Wait", "Timestamp": time, "Next": "Pass"})


BROKEN: list[tuple[Rule, dict[str, Any]]] = [
    *_each(Rule.OBJECT, [], "States/Wait", RULE, "States/Task/Retry/0", "States/Parallel/Branches/0"),
    (Rule.OBJECT, changed(RULE, {"Not": [NOT], **NEXT})),
    *_each(Rule.FIELDS, 1, "TimeoutSecs", "ProcessorConfig", "States/Task/Arguments", f"{RULE}/End"),
    *(
        (Rule.FIELDS, changed(f"States/{kind}/TimeoutSeconds", 1))
        for kind in ("Pass", "Wait", "Choice", "Map", "Parallel")
    ),
    *((Rule.FIELDS, changed(f"States/{kind}/Catch", [])) for kind in ("Pass", "Wait", "Choice", "Succeed", "Fail")),
    *((Rule.FIELDS, changed(f"States/{kind}/ResultPath", None)) for kind in ("Wait", "Choice", "Succeed", "Fail")),
    *((Rule.FIELDS, changed(f"States/{kind}/End", True)) for kind in ("Choice", "Succeed", "Fail")),
    *((Rule.FIELDS, changed(f"States/{kind}/Next", "Pass")) for kind in ("Choice", "Succeed", "Fail")),
    (Rule.FIELDS, changed("States/Task/inputPath", "$")),
    (Rule.FIELDS, changed("States/Task/Retry/0/Next", "Fail")),
    (Rule.FIELDS, changed("States/Parallel/Branches/0/QueryLanguage", "JSONPath")),
    (Rule.FIELDS, changed("States/Map/ItemProcessor/TimeoutSeconds", 1)),
    (Rule.FIELDS, changed(RULE, {"And": [NOT], "IsNull": True, **NEXT})),
    *_each(
        Rule.REQUIRED, GONE, "StartAt", "States", "States/Wait/Type", "States/Task/Resource", "States/Choice/Choices"
    ),
    *_each(
        Rule.REQUIRED, GONE, "States/Parallel/Branches", "States/Parallel/Branches/0/States", "States/Task/Catch/0/Next"
    ),
    *_each(Rule.REQUIRED, GONE, "States/Map/ItemProcessor/StartAt", "States/Task/Retry/0/ErrorEquals"),
    (Rule.EMPTY, changed("States", {})),
    (Rule.EMPTY, changed(RULE, {"Or": [], **NEXT})),
    *_each(Rule.EMPTY, [], "States/Choice/Choices", "States/Parallel/Branches", "States/Task/Catch/0/ErrorEquals"),
    *_each(Rule.TYPE, 1, "Comment", "StartAt", "States/Choice/Default", "States/Task/InputPath"),
    *_each(Rule.TYPE, "1", "TimeoutSeconds", "States/Wait/Seconds", "States/Map/MaxConcurrency"),
    *_each(Rule.TYPE, 1.5, "States/Wait/Seconds", "States/Task/Retry/0/IntervalSeconds"),
    *_each(Rule.TYPE, True, "States/Wait/Seconds", "States/Task/Retry/0/BackoffRate"),
    *_each(Rule.TYPE, {}, "States/Task/Retry", "States/Choice/Choices", "States/Task/Catch/0/Next"),
    (Rule.TYPE, changed("States/Pass/End", "true")),
    (Rule.TYPE, changed("States/Map/ItemsPath", None)),
    (Rule.TYPE, changed("States/Task/ResultSelector", "$.a")),
    (Rule.TYPE, changed("States/Task/Retry/0/ErrorEquals", [1])),
    (Rule.TYPE, changed(RULE, {"And": NOT, **NEXT})),
    *(
        (Rule.TYPE, changed(RULE, {"Variable": "$.a", f"{kind}Equals": value, **NEXT}))
        for kind, wrong in LITERALS.items()
        for value in wrong
    ),
    *(
        (Rule.TYPE, changed(RULE, {"Variable": "$.a", f"Is{kind}": "true", **NEXT}))
        for kind in ("Null", "Present", "String")
    ),
    (Rule.TYPE, changed(RULE, {"Variable": "$.a", "StringMatches": 1, **NEXT})),
    (Rule.TYPE, changed(RULE, {"Variable": "$.a", "NumericEqualsPath": 1, **NEXT})),
    *_each(Rule.WORD, "x", "Version", "QueryLanguage", "States/Wait/Type", "States/Task/QueryLanguage"),
    (Rule.WORD, changed("States/Task/Retry/0/JitterStrategy", "PARTIAL")),
    (Rule.WORD, changed("States/Map/ItemProcessor/ProcessorConfig/Mode", "inline")),
    *_each(Rule.BOUNDS, -1, "TimeoutSeconds", "States/Wait/Seconds", "States/Map/MaxConcurrency"),
    *((Rule.BOUNDS, changed(f"States/Task/{name}", 0)) for name in ("TimeoutSeconds", "HeartbeatSeconds")),
    *_each(Rule.BOUNDS, 100_000_000, "TimeoutSeconds", "States/Wait/Seconds", "States/Task/TimeoutSeconds"),
    *((Rule.BOUNDS, changed(f"States/Task/Retry/0/{name}", -1)) for name in ("IntervalSeconds", "MaxAttempts")),
    *((Rule.BOUNDS, changed("States/Task/Retry/0/BackoffRate", value)) for value in (0.9, 0, -2)),
    *((Rule.BOUNDS, changed("States/Task/Retry/0/MaxDelaySeconds", value)) for value in (0, 31_622_401)),
    (Rule.BOUNDS, changed("States/Map/ToleratedFailurePercentage", 100.5)),
    (Rule.ONE_OF, changed("States/Wait/SecondsPath", "$.a")),
    (Rule.ONE_OF, changed("States/Wait/Seconds", GONE)),
    (Rule.ONE_OF, changed("States/Task/TimeoutSecondsPath", "$.a")),
    (Rule.ONE_OF, changed("States/Task/HeartbeatSecondsPath", "$.a")),
    (Rule.ONE_OF, changed("States/Map/MaxConcurrencyPath", "$.a")),
    (Rule.ONE_OF, changed("States/Map/Parameters", {})),
    (Rule.ONE_OF, changed("States/Map/Iterator", {"StartAt": "X", "States": {"X": PASS}})),
    (Rule.ONE_OF, changed("States/Map/ItemProcessor", GONE)),
    (Rule.ONE_OF, changed("States/Fail/Error", "a")),
    (Rule.ONE_OF, changed("States/Fail/Cause", "a")),
    *((Rule.HEARTBEAT, changed("States/Task/HeartbeatSeconds", value)) for value in (20, 21)),
    (Rule.NEXT_OR_END, changed("States/Wait/End", True)),
    (Rule.NEXT_OR_END, changed("States/Wait/Next", GONE)),
    (Rule.NEXT_OR_END, _branch({"Inner": {"Type": "Pass", "End": False}})),
    (Rule.STATE_NAME, _branch({"": PASS}, "")),
    (Rule.STATE_NAME, _branch({"x" * 81: PASS}, "x" * 81)),
    (Rule.UNIQUE_NAME, _branch({"Wait": PASS}, "Wait")),
    (Rule.UNIQUE_NAME, changed("States/Map/ItemProcessor", {"StartAt": "Inner", "States": {"Inner": PASS}})),
    *_each(Rule.TARGET, "Nowhere", "StartAt", "States/Wait/Next", "States/Choice/Default", f"{RULE}/Next"),
    (Rule.TARGET, changed("States/Task/Catch/0/Next", "Nowhere")),
    (Rule.TARGET, changed("States/Parallel/Branches/0/StartAt", "Pass")),
    (Rule.TARGET, changed("States/Wait/Next", "Inner")),
    (Rule.TARGET, _branch({"Inner": {"Type": "Pass", "Next": "Pass"}})),
    (Rule.REACHABLE, changed("States/Alone", {"Type": "Succeed"})),
    (Rule.REACHABLE, changed("States/Alone", {"Type": "Pass", "Next": "Alone"})),
    (Rule.TERMINAL, ROUND),
    (
        Rule.TERMINAL,
        changed("States/Parallel/Branches/0", {"StartAt": "I", "States": {"I": {"Type": "Pass", "Next": "I"}}}),
    ),
    *((Rule.TIMESTAMP, _waits(time)) for time in TIMES),
    *((Rule.TIMESTAMP, changed(RULE, {"Variable": "$.a", "TimestampEquals": time, **NEXT})) for time in TIMES),
    *(
        (Rule.RESOURCE, changed("States/Task/Resource", text))
        for text in ("sns:publish", "", "arn:aws:sns", "$.a", "${A}")
    ),
    *((Rule.PATH, changed("States/Task/InputPath", path)) for path in NO_PATHS),
    *((Rule.REFERENCE_PATH, changed("States/Task/ResultPath", path)) for path in (*NO_PATHS, *NOT_REFERENCES)),
    *((Rule.REFERENCE_PATH, changed("States/Map/ItemsPath", path)) for path in NOT_REFERENCES),
    *(
        (Rule.REFERENCE_PATH, changed(f"{RULE}/Variable", path))
        for path in (*NOT_REFERENCES, "States.ArrayLength($.a)")
    ),
    (Rule.REFERENCE_PATH, changed("States/Task/Catch/0/ResultPath", "$.a[*]")),
    (Rule.REFERENCE_PATH, changed(RULE, {"Variable": "$.a", "StringEqualsPath": "a", **NEXT})),
    (Rule.REFERENCE_PATH, changed("States/Wait", {"Type": "Wait", "SecondsPath": "$..a", "Next": "Pass"})),
    *((Rule.RESULT_PATH, changed("States/Task/ResultPath", path)) for path in ("$$.Execution", "$name")),
    *(
        (Rule.TEMPLATE, _template(value))
        for value in (1, None, True, {}, ["$.a"], "hello", "$.", "$.a b", "Format('a')")
    ),
    (Rule.TEMPLATE, changed("States/Task/Parameters/Deep", {"List": [{"a.$": "no"}]})),
    (Rule.TEMPLATE, changed("States/Task/ResultSelector/a.$", "no")),
    (Rule.TEMPLATE, changed("States/Map/ItemSelector/a.$", "no")),
    (Rule.TEMPLATE_NAMES, changed("States/Task/Parameters/Message", "a")),
    *((Rule.FUNCTION, _template(call)) for call in NO_CALLS),
    *((Rule.ARGUMENTS, _template(call)) for call in NO_ARGUMENTS),
    (Rule.NESTING, _template(_nested(11))),
    (Rule.STRING_FUNCTION, changed("States/Fail/CausePath", "States.ArrayLength($.a)")),
    *(
        (Rule.ONE_TEST, changed(RULE, {"Variable": "$.a", **NEXT, **more}))
        for more in ({}, {"IsNull": True, "IsPresent": True})
    ),
    *(
        (Rule.ONE_TEST, changed(RULE, {**NEXT, **more}))
        for more in ({}, {"StringEquals": "a"}, {"And": [NOT], "Or": [NOT]})
    ),
    (Rule.RULE_NEXT, changed(f"{RULE}/Next", GONE)),
    (Rule.RULE_NEXT, changed(RULE, {"And": [{**NOT, **NEXT}], **NEXT})),
    (Rule.RULE_NEXT, changed(RULE, {"Not": {"Or": [{**NOT, **NEXT}]}, **NEXT})),
    (Rule.STATES_ALL, changed("States/Task/Retry/0/ErrorEquals", ["States.ALL"])),
    (Rule.STATES_ALL, changed("States/Task/Catch/0/ErrorEquals", ["States.ALL", "A"])),
    (Rule.EXECUTION_TYPE, changed("States/Map/ItemProcessor/ProcessorConfig", {"Mode": "DISTRIBUTED"})),
    (Rule.EXECUTION_TYPE, changed("States/Map/ItemProcessor/ProcessorConfig/ExecutionType", "STANDARD")),
]
TAKEN = [
    VALID,
    changed("TimeoutSeconds", 0),
    changed("TimeoutSeconds", 99_999_999),
    changed("States/Wait/Seconds", 99_999_999),
    changed("States/Task/Retry/0/IntervalSeconds", 0),
    changed("States/Task/Retry/0/MaxAttempts", 0),
    changed("States/Task/Retry/0/BackoffRate", 1),
    changed("States/Task/Retry/0/MaxDelaySeconds", 31_622_400),
    changed("States/Task/Retry", []),
    changed("States/Map/ToleratedFailurePercentage", 0.5),
    changed("States/Map/ItemProcessor/ProcessorConfig", {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}),
    changed("States/Task/QueryLanguage", "JSONPath"),
    changed("States/Task/Parameters", ["a", {"b.$": "$"}]),
    changed("States/Task/OutputPath", None),
    changed("States/Fail/ErrorPath", "$$.State.Name"),
    changed("States/Choice/Comment", "x"),
    changed(f"{RULE}/Comment", "x"),
    _branch({"x" * 80: PASS}, "x" * 80),
    _branch({"größe 😀": TASK}, "größe 😀"),
    *(_waits(time) for time in ("2016-03-14T01:59:00Z", "2016-03-05T21:29:29.243167252Z", "2012-10-09T19:00:55+01:00")),
    *(
        changed(f"{RULE}/Variable", path)
        for path in ("$", "$$.Execution.Input.a", "$.a-b['c d'][0].e", "$.[0]", "$name.a")
    ),
    *(
        changed("States/Task/ResultPath", path)
        for path in ("$", "$.store\\.book", "$.a\\@b\\[\\?c", "$.&Ж中.x", "$['a,b']")
    ),
    *(changed("States/Task/InputPath", path) for path in PATHS),
    *(_template(call) for call in (*CALLS, _nested(10))),
]


def _name(value: object) -> str:
    return value.name if isinstance(value, Rule) else ""


@pytest.mark.parametrize(("rule", "definition"), BROKEN, ids=_name)
def test_fails_by_the_rule(rule: Rule, definition: dict[str, Any]) -> None:
    """What breaks a rule is refused by that rule, with its code and the place."""
    with pytest.raises(InvalidDefinitionError) as caught:
        check_machine(definition)
    assert caught.value.rule is rule, str(caught.value)
    assert f"InvalidDefinition: {rule.value.code}: " in str(caught.value)
    assert " at /" in str(caught.value)


@pytest.mark.parametrize("definition", TAKEN)
def test_takes_what_lies_beside_the_rules(definition: dict[str, Any]) -> None:
    """Bounds are within, and forms that look alike are told apart."""
    check_machine(definition)


def test_every_rule_is_tried() -> None:
    """Those of the whole text and of requests, with the definition's own tests."""
    assert {rule for rule, _ in BROKEN} == set(Rule) - {Rule.JSON, Rule.REQUEST}
