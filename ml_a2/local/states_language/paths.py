"""JSONPath and reference paths, as fields of a definition hold them.

Source: Amazon States Language, "Paths" and "Reference Paths"; Step Functions Developer Guide, "Using JSONPath paths".
"""

from __future__ import annotations

import re
from typing import Any

from ml_a2.local.states_language.rules import InvalidDefinitionError, Rule

# The input, the context object, or a variable.
ROOT = re.compile(r"\$\$|\$[A-Za-z][A-Za-z0-9_]*|\$")
QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
# After a backslash any character is one of a name.
NAME = re.compile(r"(?:\\.|[^\s\\.\[\]()'\"])+")
REFERENCE_NAME = re.compile(r"(?:\\.|[^\s\\.\[\]()'\"@,:?*])+")
REFERENCE_INDEX = re.compile(rf"\s*(?:-?\d+|{QUOTED})\s*")
INDICES = re.compile(rf"\s*(?:\*|-?\d*:-?\d*(?::-?\d+)?|(?:-?\d+|{QUOTED})(?:\s*,\s*(?:-?\d+|{QUOTED}))*)\s*")
# A filter, or an index that is computed: `[?(@.a == 1)]`, `[(@.length-1)]`.
EXPRESSION = re.compile(r"\s*\??\s*\(.*\S.*\)\s*", re.DOTALL)
CLOSING = {"[": "]", "(": ")"}


def check_path(value: Any, where: str) -> None:
    """Refuse what is no JSONPath."""
    _check(value, where, Rule.PATH, "JSONPath", is_path)


def check_reference_path(value: Any, where: str) -> None:
    """Refuse what is no reference path."""
    _check(value, where, Rule.REFERENCE_PATH, "Reference Path", is_reference_path)


def check_result_path(value: Any, where: str) -> None:
    """Refuse where no result can be put: ResultPath is a reference path into the input."""
    if value is None:
        return
    check_reference_path(value, where)
    if ROOT.match(value).group() != "$":  # type: ignore[union-attr]  # it is a reference path
        raise InvalidDefinitionError(Rule.RESULT_PATH, f"{value!r:.80} does not begin in the state's input", where)


def is_path(text: str) -> bool:
    """Tell whether a text is a JSONPath."""
    return _is_path(text, reference=False)


def is_reference_path(text: str) -> bool:
    """Tell whether a text is a path that can name one value only."""
    return _is_path(text, reference=True)


def _check(value: Any, where: str, rule: Rule, kind: str, is_one: Any) -> None:
    if not isinstance(value, str):
        raise InvalidDefinitionError(Rule.TYPE, f"{value!r:.80} is not text", where)
    if not is_one(value):
        raise InvalidDefinitionError(rule, f"Value must be a valid {kind}, and {value!r:.80} is none", where)


def _is_path(text: str, *, reference: bool) -> bool:
    root = ROOT.match(text)
    position = root.end() if root else None
    while position is not None and position < len(text):
        position = _after_step(text, position, reference=reference)
    return position is not None


def _after_step(text: str, position: int, *, reference: bool) -> int | None:
    """Return where a step of a path ends: a member, an index, a filter or a function; None where it is none."""
    if text.startswith("..", position):
        position = len(text) if reference else position + 2
    elif text.startswith(".", position):
        position += 1
    elif not text.startswith("[", position):
        return None
    if text.startswith("[", position):  # `$.[0]` is `$[0]`
        return _after_brackets(text, position, reference=reference)
    name = (REFERENCE_NAME if reference else NAME).match(text, position)
    if name and text.startswith("(", name.end()):  # a function, as `length()`
        return None if reference else end_of_brackets(text, name.end())
    return name.end() if name else None


def _after_brackets(text: str, position: int, *, reference: bool) -> int | None:
    end = end_of_brackets(text, position)
    if end is None:
        return None
    inside = text[position + 1 : end - 1]
    if reference:
        return end if REFERENCE_INDEX.fullmatch(inside) else None
    return end if INDICES.fullmatch(inside) or EXPRESSION.fullmatch(inside) else None


def end_of_brackets(text: str, position: int) -> int | None:
    """Return the position behind the bracket that closes the one at a position, past quotes; None without it."""
    open_brackets: list[str] = []
    quote = ""
    while position < len(text):
        character = text[position]
        if character == "\\":
            position += 1
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in CLOSING:
            open_brackets.append(CLOSING[character])
        elif character in "])" and (not open_brackets or open_brackets.pop() != character):
            return None
        position += 1
        if not open_brackets:
            return position
    return None
