"""Values of a template as text in which a reference stands as the logical id in braces."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ml_a2.errors import AssemblyError

HASH = re.compile(r"[0-9A-F]{8}$")


def text_of(value: Any) -> str:
    """Return the text that a value becomes, with `{LogicalId}` for what is only known once it is deployed.

    Raises:
        AssemblyError: the value is no text and no call of a function that makes one.
    """
    if isinstance(value, str | int | float):
        return str(value)
    if not isinstance(value, dict) or len(value) != 1:
        raise AssemblyError(f"{value!r} in the template is no text and no call of a function")
    name, argument = next(iter(value.items()))
    try:
        return _call(name, argument)
    except (TypeError, ValueError, IndexError, KeyError, AttributeError) as error:
        raise AssemblyError(f"{name} cannot be read with {argument!r}: {error}") from error


def _call(name: str, argument: Any) -> str:
    match name:
        case "Ref":
            return f"{{{argument}}}"
        case "Fn::GetAtt":
            return f"{{{argument[0] if isinstance(argument, list) else argument.split('.')[0]}}}"
        case "Fn::Join":
            return str(argument[0]).join(map(text_of, argument[1]))
        case "Fn::Sub":
            text = argument if isinstance(argument, str) else argument[0]
            return re.sub(r"\$\{([^}!.]+)[^}]*\}", r"{\1}", text)
        case "Fn::If":
            return text_of(argument[1])
        case _:
            return f"{{{name}}}"  # what a mapping or a list holds makes no difference to a picture


def listed(value: Any) -> list[Any]:
    """Return a value that may stand alone or in a list as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def properties(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties of a resource, which may have none."""
    found: Mapping[str, Any] = resource.get("Properties", {})
    return found


def words(logical_id: str, generic: str = "") -> str:
    """Return a logical id as a person writes it: without its hash and the word for its type, as words."""
    name = HASH.sub("", logical_id)
    name = name.removesuffix(generic) or name
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)
    return " ".join([*parts[:1], *(part if part.isupper() else part.lower() for part in parts[1:])]) or logical_id


def without_common_words(names: Mapping[str, str]) -> dict[str, str]:
    """Leave out the words with which all of several names begin, such as the construct that they are part of."""
    split = {key: name.split() for key, name in names.items()}
    while len(split) > 1 and len({parts[0] for parts in split.values()}) == 1 and all(p[1:] for p in split.values()):
        split = {key: parts[1:] for key, parts in split.items()}
    return {key: " ".join(parts)[:1].upper() + " ".join(parts)[1:] for key, parts in split.items()}
