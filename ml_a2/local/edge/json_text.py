"""JSON as AWS takes it: no NaN, no halves of characters, and no deeper than what reads it here can follow."""

from __future__ import annotations

import json
from typing import Any, NoReturn

# The interpreter of state machines needs some ten calls a level, of the 1,000 that Python allows.
DEEPEST = 40


def read_json(text: str | bytes) -> Any:
    """Return the value that a text holds.

    Raises:
        ValueError: says what is wrong with it.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise ValueError(f"it is nested deeper than {DEEPEST} levels") from None
    except UnicodeEncodeError:
        raise ValueError("it holds one half of a surrogate pair") from None
    if _is_deeper(value, DEEPEST):
        raise ValueError(f"it is nested deeper than {DEEPEST} levels")
    return value


def problem_with_json(text: str) -> str | None:
    """Return why a text is no JSON, None where it is."""
    try:
        read_json(text)
    except ValueError as error:
        return str(error)
    return None


def is_number(text: str) -> bool:
    """Tell whether a text is a natural number that is not absurdly long."""
    return text.isascii() and text.isdigit() and len(text) < 10


def _is_deeper(value: Any, levels: int) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return False
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in value)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
