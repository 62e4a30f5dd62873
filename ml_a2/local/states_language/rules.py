"""The rules by which CreateStateMachine refuses a definition, each with its source; docs/fidelity.md lists them."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from ml_a2.errors import AssemblyError

SPEC = "Amazon States Language, "
GUIDE = "Step Functions Developer Guide, "
CODES = "API Reference, ValidateStateMachineDefinitionDiagnostic"
RECORDED = "answers recorded from AWS"
# What ValidateStateMachineDefinition answered to each field, type and bound, as published with cdk-preflight.
MEASURED = "answers measured in September 2026"
SCHEMA = "SCHEMA_VALIDATION_FAILED"
TRANSITION = "MISSING_TRANSITION_TARGET"


class Entry(NamedTuple):
    """A rule in a sentence, the code under which AWS refuses what breaks it, and where the rule is written."""

    sentence: str
    code: str
    source: str


class Rule(Enum):
    """One rule of the language."""

    JSON = Entry("A definition is JSON", "INVALID_JSON_DESCRIPTION", CODES)
    OBJECT = Entry("Machine, state, branch, rule, retrier and catcher are JSON objects", SCHEMA, SPEC + "States")
    FIELDS = Entry(
        "Machine, branch, item processor and each type of state have their own fields and no other", SCHEMA, MEASURED
    )
    REQUIRED = Entry(
        "A machine and a branch have StartAt and States, a state its Type, a Task its Resource, a Choice its Choices, "
        "a Parallel its Branches, a catcher its Next, a retrier and a catcher their ErrorEquals",
        SCHEMA,
        RECORDED,
    )
    EMPTY = Entry("States, Choices, Branches, ErrorEquals, And and Or are not empty", SCHEMA, RECORDED)
    TYPE = Entry("Each field has a value of its type", SCHEMA, SPEC + "State Types")
    WORD = Entry(
        "Type, Version (1.0), QueryLanguage, JitterStrategy (FULL, NONE), Mode and ExecutionType are of their words",
        SCHEMA,
        MEASURED,
    )
    BOUNDS = Entry(
        "Seconds is a whole number from 0 to 99999999, a task's TimeoutSeconds and HeartbeatSeconds from 1, the "
        "machine's TimeoutSeconds from 0, MaxConcurrency from 0; IntervalSeconds and MaxAttempts 0 to 99999999, "
        "MaxDelaySeconds 1 to 31622400, BackoffRate at least 1.0",
        SCHEMA,
        MEASURED,
    )
    ONE_OF = Entry(
        "Not both of a field and its Path, of Parameters and ItemSelector, of ItemProcessor and Iterator; exactly one "
        "of Seconds, SecondsPath, Timestamp and TimestampPath",
        SCHEMA,
        MEASURED,
    )
    HEARTBEAT = Entry("HeartbeatSeconds is smaller than TimeoutSeconds", SCHEMA, SPEC + "Task State")
    NEXT_OR_END = Entry("A state that is not terminal by its type has either Next or `End: true`", SCHEMA, MEASURED)
    STATE_NAME = Entry("A state's name has 1 to 80 characters", "INVALID_STATE_NAME", SPEC + "States")
    UNIQUE_NAME = Entry("A state's name is there once in the whole machine", "DUPLICATE_STATE_NAME", SPEC + "States")
    TARGET = Entry("StartAt, Next and Default name a state of the same machine or branch", TRANSITION, RECORDED)
    REACHABLE = Entry("Every state can be reached", TRANSITION, RECORDED)
    TERMINAL = Entry("A machine and a branch have a state that ends them", "MISSING_END_STATE", CODES)
    TIMESTAMP = Entry("A timestamp is RFC 3339, with `T` and with `Z` or an offset", SCHEMA, RECORDED)
    RESOURCE = Entry("A task's Resource is an ARN", SCHEMA, MEASURED)
    REQUEST = Entry(
        "A request has the members of its operation, and those that it must have",
        SCHEMA,
        RECORDED + "; botocore's models",
    )
    PATH = Entry(
        "InputPath and OutputPath are a JSONPath or null; with `$$` it begins at the context object",
        SCHEMA,
        SPEC + "Paths",
    )
    REFERENCE_PATH = Entry(
        "ResultPath, ItemsPath, every other field ending in Path, and Variable are reference paths: no `@ , : ? *`, no "
        "`..`, no function",
        SCHEMA,
        SPEC + "Reference Paths; " + GUIDE + "Choice state",
    )
    RESULT_PATH = Entry(
        "ResultPath begins with neither `$$` nor a variable, and may be null",
        SCHEMA,
        SPEC + "Input and Output Processing",
    )
    TEMPLATE = Entry(
        "In Parameters, ResultSelector and ItemSelector a member ending in `.$` is a path or an intrinsic function; a "
        "Pass state's Result is taken as it is",
        SCHEMA,
        RECORDED,
    )
    TEMPLATE_NAMES = Entry("A template has no member both with and without `.$`", SCHEMA, SPEC + "Payload Template")
    FUNCTION = Entry(
        "An intrinsic function is one that there is, with arguments in form, and only `\\' \\{ \\} \\\\` escaped",
        SCHEMA,
        RECORDED + "; " + SPEC + "Intrinsic Functions",
    )
    ARGUMENTS = Entry(
        "An intrinsic function has as many arguments as it takes, literals of their kind, States.Format one for each "
        "`{}`",
        SCHEMA,
        SPEC + "Appendix B; " + GUIDE + "Intrinsic functions",
    )
    NESTING = Entry("A field holds at most 10 nested intrinsic functions", SCHEMA, GUIDE + "Intrinsic functions")
    STRING_FUNCTION = Entry(
        "ErrorPath and CausePath are a reference path or a function that returns a text", SCHEMA, GUIDE + "Fail state"
    )
    ONE_TEST = Entry(
        "A choice rule has exactly one of And, Or, Not and Variable, and with Variable exactly one comparison",
        SCHEMA,
        MEASURED,
    )
    RULE_NEXT = Entry("A choice rule has Next at the top, and only there", SCHEMA, MEASURED)
    STATES_ALL = Entry("States.ALL stands alone and last", SCHEMA, MEASURED)
    EXECUTION_TYPE = Entry("ExecutionType is there with Mode DISTRIBUTED, and only with it", SCHEMA, MEASURED)


class InvalidDefinitionError(AssemblyError):
    """A definition that CreateStateMachine would refuse: the rule that it breaks, and where."""

    def __init__(self, rule: Rule, problem: str, where: str) -> None:
        """Write it as AWS does."""
        super().__init__(f"InvalidDefinition: {rule.value.code}: {problem} at {where or '/'}")
        self.rule = rule
