"""Payload templates: JSON whose members ending in `.$` are paths and intrinsic functions.

Source: Amazon States Language, "Payload Template".
"""

from __future__ import annotations

from typing import Any

from ml_a2.local.states_language.functions import check_string_call, read_call
from ml_a2.local.states_language.paths import check_reference_path, is_path
from ml_a2.local.states_language.rules import InvalidDefinitionError, Rule


def check_template(value: Any, where: str) -> None:
    """Refuse members whose name says that they are a path or a function, and whose value is neither."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            check_template(item, f"{where}[{index}]")
    elif isinstance(value, dict):
        for name, item in value.items():
            if name.endswith(".$"):
                _check_dynamic(name, item, where)
                _check_once(name, value, where)
            else:
                check_template(item, f"{where}/{name}")


def check_text_or_call(value: Any, where: str) -> None:
    """Refuse what is neither a reference path nor a call of a function that returns a text."""
    if isinstance(value, str) and value.startswith("States."):
        check_string_call(value, where)
    else:
        check_reference_path(value, where)


def _check_dynamic(name: str, value: Any, where: str) -> None:
    if isinstance(value, str) and value.startswith("States."):
        read_call(value, where)
    elif not isinstance(value, str) or not is_path(value):
        problem = f"The value for the field {name!r} must be a valid JSONPath or a valid intrinsic function call"
        raise InvalidDefinitionError(Rule.TEMPLATE, f"{problem}, not {value!r:.80},", where)


def _check_once(name: str, members: dict[str, Any], where: str) -> None:
    plain = name.removesuffix(".$")
    if plain in members:
        raise InvalidDefinitionError(Rule.TEMPLATE_NAMES, f"{plain!r} stands there with and without '.$'", where)
