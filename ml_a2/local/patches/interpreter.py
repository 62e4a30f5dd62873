"""What the interpreter of state machines does otherwise than Step Functions."""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from typing import Any

from antlr4 import PredictionMode
from moto.core.config import default_user_config
from moto.core.exceptions import AWSError
from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.intrinsic.function.statesfunction.array import array_range
from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison_operator_type import (
    ComparisonOperatorType,
)
from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison_variable import ComparisonVariable
from moto.stepfunctions.parser.asl.component.state.choice.comparison.variable import NoSuchVariable
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.parse import asl_parser
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils import json_path

from ml_a2.local.patches.active import expect


def _execute_state_machines() -> None:
    """Run state machines: by default moto only stores them."""
    default_user_config["stepfunctions"]["execute_state_machine"] = True


def _parse_once() -> None:
    """Keep the tree that a definition is parsed to: moto parses anew when it is checked and at each execution's start.

    The grammar's parser takes longer than everything else of either. What is made of the tree has state, and is made
    anew each time, as moto does.
    """
    expect(AmazonStateLanguageParser, "parse")
    expect(asl_parser, "SyntaxErrorListener", "ASLParserException", "Preprocessor")

    def parse(definition: str) -> tuple[Any, Any]:
        tree = _tree(definition)
        return asl_parser.Preprocessor().visit(tree), tree

    AmazonStateLanguageParser.parse = staticmethod(parse)


@lru_cache(maxsize=32)
def _tree(definition: str) -> Any:
    """Return the tree of a definition, predicted from local context first.

    ANTLR promises the same tree then, or an error of syntax, which only the whole context tells for sure; it takes half
    the time.
    """
    tokens = asl_parser.CommonTokenStream(asl_parser.ASLLexer(asl_parser.InputStream(definition)))
    tree, errors = _parse(tokens, PredictionMode.SLL)
    if errors:
        tokens.seek(0)
        tree, errors = _parse(tokens, PredictionMode.LL)
    if errors:
        raise asl_parser.ASLParserException(errors=errors)
    return tree


def _parse(tokens: Any, mode: Any) -> tuple[Any, list[str]]:
    listener = asl_parser.SyntaxErrorListener()
    parser = asl_parser.ASLParser(tokens)
    parser.removeErrorListeners()
    parser.addErrorListener(listener)
    parser._interp.predictionMode = mode
    return parser.state_machine(), listener.errors


def _name_refusals() -> None:
    """Give the interpreter's errors their codes: moto keeps them where its answers do not look, and answers null."""
    expect(AWSError, "TYPE")
    for error in AWSError.__subclasses__():
        if error.TYPE is None:
            expect(error, "code")
            error.TYPE = error.code


def _bound_array_ranges() -> None:
    """Refuse States.ArrayRange of more than 1,000 items before they are made: moto counts them when memory is full."""
    expect(array_range, "ArrayRange")

    def bounded(first: int, last: int, step: int) -> range:
        if last - first > LONGEST_RANGE * step:
            raise ValueError(f"Arrays cannot contain more than {LONGEST_RANGE} items")
        return range(first, last, step)

    array_range.range = bounded


def _refuse_missing_choice_variables() -> None:
    """Fail a comparison whose Variable is not in the input, as Step Functions does; only IsPresent may ask for one.

    moto takes the comparison for false and goes on with the next rule: a false green.
    """
    expect(ComparisonVariable, "_eval_body")
    original = ComparisonVariable._eval_body

    def eval_body(self: Any, env: Any) -> None:
        function = self.comparison_function
        if function.operator_type is not ComparisonOperatorType.IsPresent:
            self.variable.eval(env)
            if isinstance(value := env.stack.pop(), NoSuchVariable):
                raise _runtime_failure(env, value.path.partition(",")[0])
        original(self, env)

    ComparisonVariable._eval_body = eval_body


def _runtime_failure(env: Any, path: str) -> FailureEventException:
    error = StatesErrorName(typ=StatesErrorNameType.StatesRuntime)
    cause = f"Invalid path '{path}': The choice state's condition path references an invalid value."
    details = TaskFailedEventDetails(error=error.error_name, cause=cause)
    return FailureEventException(
        FailureEvent(
            env=env,
            error_name=error,
            event_type=HistoryEventType.TaskFailed,
            event_details=EventDetails(taskFailedEventDetails=details),
        )
    )


TERMINAL_ERRORS = {"States.Runtime", "States.DataLimitExceeded"}


def _leave_terminal_errors_uncaught() -> None:
    """Let States.ALL match neither States.Runtime nor States.DataLimitExceeded, as documented; moto lets it.

    What this runtime itself refuses ends as States.Runtime, so that no catcher can turn it green.
    """
    expect(ErrorEqualsDecl, "_eval_body")
    original = ErrorEqualsDecl._eval_body

    def eval_body(self: Any, env: Any) -> None:
        name = env.stack[-1].error_name
        original(self, env)
        if name in TERMINAL_ERRORS and name not in {named.error_name for named in self.error_names}:
            env.stack[-1] = False

    ErrorEqualsDecl._eval_body = eval_body


# Wildcards, descendants, filters, slices and unions may match any number of values; a quoted name is one name.
INDEFINITE_PATH = re.compile(r"""\[(?:'[^']*'|"[^"]*")\]|(?P<many>\*|\.\.|\?\(|\[[^\]]*[:,])""")


# An index with one member after it, at the path's end: where moto wraps what it found.
INDEX_THEN_MEMBER = re.compile(r"\[\d+\]\.?[^.\[\]]+$")


def _count_matches_by_the_path() -> None:
    """Let a path that can name one value only give that value, and any other a list, whatever was found.

    Of `$.list[0].name` moto makes a list; of `$.list[?(@.a == 1)]` and `$..a` a value where there is one, and an error
    where there is none. Source: Jayway JsonPath, "What is Returned When?"; Step Functions Local answers so.
    """
    expect(json_path, "extract_json", "parse", "NoSuchJsonPathError")
    original = json_path.extract_json

    def extract_json(path: str, data: Any) -> Any:
        many = next((found for found in INDEFINITE_PATH.finditer(path) if found["many"]), None)
        if many:
            values = [match.value for match in json_path.parse(path).find(data)]
            return values or _none_of_many(path, many.start(), data)
        value = original(path, data)
        return value[0] if INDEX_THEN_MEMBER.search(path) else value

    def _none_of_many(path: str, start: int, data: Any) -> Any:
        """Return an empty list where there is something that can be searched; moto knows some cases where not."""
        try:
            return original(path, data)
        except json_path.NoSuchJsonPathError as error:
            try:
                original(path[:start].rstrip(".["), data)
            except json_path.NoSuchJsonPathError:
                raise error from None
            return []

    for module in list(sys.modules.values()):
        if module.__name__.startswith("moto.stepfunctions.") and getattr(module, "extract_json", None) is original:
            module.extract_json = extract_json  # type: ignore[attr-defined]  # each module has its own name for it


# Step Functions Developer Guide, "Intrinsic functions": "the newly generated array can't contain more than 1000 items".
LONGEST_RANGE = 1000


PATCHES = (
    _execute_state_machines,
    _parse_once,
    _name_refusals,
    _bound_array_ranges,
    _refuse_missing_choice_variables,
    _leave_terminal_errors_uncaught,
    _count_matches_by_the_path,
)
