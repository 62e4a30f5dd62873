"""What the interpreter of state machines compares otherwise than the language has it.

Source: Amazon States Language, "Choice State": values of another type than the operator's compare as false, a timestamp
may have fractions and an offset, and in a pattern `*` alone has a meaning.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from moto.stepfunctions.parser.asl.component.common.flow.end import End
from moto.stepfunctions.parser.asl.component.state.choice.comparison.operator.implementations import (
    numeric,
    string_operators,
    timestamp_operators,
)
from moto.stepfunctions.parser.asl.component.state.choice.comparison.operator.implementations.is_operator import (
    IsTimestamp,
)
from moto.stepfunctions.parser.asl.component.state.choice.comparison.operator.implementations.string_operators import (
    StringMatches,
)
from moto.stepfunctions.parser.asl.component.state.state_props import StateProps

from ml_a2.local.patches.active import expect
from ml_a2.local.states_language.values import read_timestamp

PATTERN = re.compile(r"\\(?P<escaped>[*\\])|(?P<any>\*)|(?P<open>\\)|(?P<plain>[^*\\]+)", re.DOTALL)


def _compare_types_first() -> None:
    """Let values of other types than the operator's compare as false: moto breaks on them, or takes true for 1."""
    expect(IsTimestamp, "string_to_timestamp")
    IsTimestamp.string_to_timestamp = staticmethod(read_timestamp)
    kinds: dict[Any, Callable[[Any], bool]] = {
        string_operators: lambda value: isinstance(value, str),
        numeric: lambda value: isinstance(value, int | float) and not isinstance(value, bool),
        timestamp_operators: lambda value: read_timestamp(value) is not None,
    }
    for module, is_of_kind in kinds.items():
        operators: list[Any] = [
            each for each in vars(module).values() if isinstance(each, type) and "_compare" in vars(each)
        ]
        if not operators:
            raise RuntimeError(f"{module.__name__} has no operators, which a patch replaces")
        for operator in operators:
            operator._compare = staticmethod(_guarded(operator._compare, is_of_kind))


def _guarded(compare: Callable[[Any, Any], bool], is_of_kind: Callable[[Any], bool]) -> Callable[[Any, Any], bool]:
    def guarded(variable: Any, comparison_value: Any) -> bool:
        return is_of_kind(variable) and is_of_kind(comparison_value) and compare(variable, comparison_value)

    return guarded


def _match_stars_alone() -> None:
    """Match texts by `*`, which a backslash takes its meaning: moto takes `?` and brackets for patterns, too."""
    expect(StringMatches, "_compare")

    def compare(variable: Any, comparison_value: Any) -> bool:
        return isinstance(variable, str) and pattern_of(comparison_value).fullmatch(variable) is not None

    StringMatches._compare = staticmethod(compare)


def pattern_of(text: str) -> re.Pattern[str]:
    """Return the pattern that a text of StringMatches is.

    Raises:
        ValueError: a backslash stands before something other than a star or a backslash.
    """

    def part(found: re.Match[str]) -> str:
        if found["open"]:
            raise ValueError(f"open escape sequence found in StringMatches pattern {text!r:.80}")
        return ".*" if found["any"] else re.escape(found["escaped"] or found["plain"])

    return re.compile("".join(map(part, PATTERN.finditer(text))), re.DOTALL)


def _go_on_without_an_end() -> None:
    """Take `End: false` beside Next, which says the same: moto refuses it."""
    expect(StateProps, "add")
    expect(End(is_end=False), "is_end")
    original = StateProps.add

    def add(self: Any, instance: Any) -> None:
        if not (isinstance(instance, End) and not instance.is_end):
            original(self, instance)

    StateProps.add = add


PATCHES = (_compare_types_first, _match_stars_alone, _go_on_without_an_end)
