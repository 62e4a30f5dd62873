"""The shape of a JSON document: of which kind each value is that is read from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

NUMBER = (int, float)
# Of a kind, or null.
TEXT = (str, type(None))
COUNT = (int, float, type(None))
WORDS = {str: "text", int: "a number", dict: "an object", list: "a list", type(None): "null"}


def misfit(value: Any, shape: Any, name: str = "") -> str | None:
    """Return what does not fit, in words; None where everything does.

    Args:
        value: a JSON value.
        shape: a type or a tuple of them; `{key: shape}` for an object, whose keys may be missing, and where the key
            "*" stands for all others; `[shape]` for a list; `(None, shape)` for what may be null.
        name: how the value is called.
    """
    if isinstance(shape, tuple) and shape[0] is None:
        return None if value is None else misfit(value, shape[1], name)
    if isinstance(shape, Mapping | list):
        kind = list if isinstance(shape, list) else dict
        return _first(_members(value, shape, name)) if isinstance(value, kind) else _words(name, value, (kind,))
    kinds = shape if isinstance(shape, tuple) else (shape,)
    return None if isinstance(value, kinds) else _words(name, value, kinds)


def _members(value: Any, shape: Any, name: str) -> Iterator[str | None]:
    if isinstance(shape, list):
        yield from (misfit(inner, shape[0], f"{name}[{number}]") for number, inner in enumerate(value))
    else:
        for key, inner in value.items():
            yield misfit(inner, shape.get(key, shape.get("*", object)), f"{name}.{key}".lstrip("."))


def _first(found: Iterable[str | None]) -> str | None:
    return next((words for words in found if words), None)


def _words(name: str, value: Any, kinds: Iterable[type]) -> str:
    expected = " or ".join(WORDS[kind] for kind in kinds if kind in WORDS)
    return f"{name!r} must be {expected}, not {value!r:.80}"
