"""The table of all settings in docs/settings.md, made of the model: `make settings` writes it, a test compares."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ml_a2.settings import Settings

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"
HEAD = "| key | default | allowed | what it is |\n|---|---|---|---|\n"
TYPES = {"boolean": "`true`, `false`", "integer": "a whole number", "number": "a number", "string": "a text"}


def table() -> str:
    """Return the table: a row a key, in the order of the model."""
    schema = Settings.model_json_schema()
    return HEAD + "".join(_rows(Settings, schema, schema, ""))


def written(page: str, rows: str) -> str:
    """Return a page with the rows in the place of its table of all keys."""
    head, _, rest = page.partition(HEAD.splitlines(keepends=True)[0])
    _, gap, below = rest.partition("\n\n")
    return head + rows + gap[1:] + below


def _rows(model: type[BaseModel], schema: Mapping[str, Any], root: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner: Any = field.annotation
        member = schema["properties"][name]
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _rows(inner, root["$defs"][inner.__name__], root, f"{prefix}{name}.")
            continue
        assert field.description, f"{prefix}{name} has no description"
        default = _default(field.get_default(call_default_factory=True))
        yield f"| `{prefix}{name}` | {default} | {_allowed(member)} | {field.description} |\n"


def _default(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, dict) and value:
        return ", ".join(f"`{key} = {json.dumps(item)}`" for key, item in value.items())
    return f"`{json.dumps(value)}`"


def _allowed(member: Mapping[str, Any]) -> str:
    """Say what a value may be, as far as the schema knows."""
    for other in member.get("anyOf", []):
        if other.get("type") != "null":
            return _allowed(other)
    if "enum" in member or "const" in member:
        return ", ".join(f"`{json.dumps(value)}`" for value in member.get("enum", [member.get("const")]))
    if "minimum" in member:
        return (
            f"{member['minimum']:g} to {member['maximum']}" if "maximum" in member else f"{member['minimum']:g} or more"
        )
    if member.get("type") == "array":
        most = f", {member['maxItems']} at most" if "maxItems" in member else ""
        items = member["items"]
        return f"a list{most}" + (f", of texts {_allowed(items)}" if "examples" in items else "")
    if "examples" in member:
        longest = f", {member['maxLength']} characters at most" if "maxLength" in member else ""
        return "like " + " or ".join(f"`{json.dumps(example)}`" for example in member["examples"]) + longest
    return "a table of texts" if member["type"] == "object" else TYPES[member["type"]]


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), table()), encoding="utf-8")
