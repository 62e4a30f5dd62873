r"""Texts of a definition and intrinsic functions, as the language has them.

moto takes texts as JSON writes them: `\u00fc` stays what it is in the name of a state. Its grammar of functions loses
`null`, breaks on decimals, and leaves backslashes where they were.
"""

from __future__ import annotations

import json
import re
from typing import Any

from moto.stepfunctions.parser.asl.component.common.query_language import QueryLanguageMode
from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringVariableSample
from moto.stepfunctions.parser.asl.component.intrinsic.argument.argument import (
    ArgumentContextPath,
    ArgumentFunction,
    ArgumentJsonPath,
    ArgumentList,
    ArgumentLiteral,
    ArgumentVar,
)
from moto.stepfunctions.parser.asl.component.intrinsic.function.statesfunction.factory import StatesFunctionFactory
from moto.stepfunctions.parser.asl.component.intrinsic.function.statesfunction.generic.string_format import StringFormat
from moto.stepfunctions.parser.asl.component.intrinsic.functionname.state_function_name_types import (
    StatesFunctionNameType,
)
from moto.stepfunctions.parser.asl.component.intrinsic.functionname.states_function_name import StatesFunctionName
from moto.stepfunctions.parser.asl.parse.intrinsic.intrinsic_parser import IntrinsicParser
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor

from ml_a2.local.patches.active import expect
from ml_a2.local.states_language.functions import PLACEHOLDER, Argument, Call, read_call

ESCAPED = re.compile(r"\\(['{}\\])")
FORMAT = "States.Format"


class Template(str):
    r"""The text of States.Format as it is written, in which `\{}` is no place for a value."""

    __slots__ = ()


def _read_texts() -> None:
    """Undo the escapes of JSON in names, words and texts."""
    expect(Preprocessor, "_inner_string_of")
    original = Preprocessor._inner_string_of

    def inner_string_of(parser_rule_context: Any) -> Any:
        inner = original(parser_rule_context)
        quoted = inner is not None and inner != parser_rule_context.getText()
        return json.loads(f'"{inner}"', strict=False) if quoted else inner

    Preprocessor._inner_string_of = staticmethod(inner_string_of)


def _read_functions() -> None:
    """Read functions with the reader that checks them."""
    expect(IntrinsicParser, "parse")
    expect(StatesFunctionFactory, "from_name")

    def parse(source: str) -> tuple[Any, None]:
        return _function(read_call(json.loads(f'"{source}"', strict=False), "")), None

    IntrinsicParser.parse = staticmethod(parse)


def _function(call: Call) -> Any:
    arguments = [_argument(argument) for argument in call.arguments]
    if call.name == FORMAT and call.arguments[0].kind == "text":
        arguments[0] = ArgumentLiteral(Template(call.arguments[0].text[1:-1]))
    kind = StatesFunctionNameType[call.name.removeprefix("States.")]
    return StatesFunctionFactory.from_name(StatesFunctionName(kind), ArgumentList(arguments))


def _argument(argument: Argument) -> Any:
    if argument.call is not None:
        return ArgumentFunction(_function(argument.call))
    if argument.kind == "path":
        return _path(argument.text)
    if argument.kind == "text":
        return ArgumentLiteral(ESCAPED.sub(r"\1", argument.text[1:-1]))
    return ArgumentLiteral(json.loads(argument.text))


def _path(path: str) -> Any:
    if path.startswith("$$"):
        return ArgumentContextPath(path)
    if path == "$" or path[1] in ".[":
        return ArgumentJsonPath(path)
    return ArgumentVar(StringVariableSample(query_language_mode=QueryLanguageMode.JSONPath, expression=path))


def _format_texts() -> None:
    """Put the values of States.Format into the places `{}`, and nothing else: moto formats as Python does."""
    expect(StringFormat, "_eval_body", "_to_str_repr")

    def eval_body(self: Any, env: Any) -> None:
        self.argument_list.eval(env=env)
        template, *values = env.stack.pop()
        env.stack.append(fill(template, [StringFormat._to_str_repr(value) for value in values]))

    StringFormat._eval_body = eval_body


def fill(template: str, values: list[str]) -> str:
    """Return a template with values in its places.

    Raises:
        ValueError: it has more places than values, or less.
    """
    escapes = isinstance(template, Template)
    given = iter(values)

    def replaced(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0][1:] if escapes else found[0]
        return next(given, "")

    pattern = PLACEHOLDER if escapes else PLAIN_PLACEHOLDER
    places = sum(found[1] is not None for found in pattern.finditer(template))
    if places != len(values):
        raise ValueError(f"States.Format has {places} places {{}} and {len(values)} values for them")
    return pattern.sub(replaced, template)


PLAIN_PLACEHOLDER = re.compile(r"(\{\})")
PATCHES = (_read_texts, _read_functions, _format_texts)
