"""Policies for the cases, each with one statement that may be changed."""

from __future__ import annotations

import json
from typing import Any

# Of another account, where nobody can look.
ROLE = "arn:aws:iam::111122223333:role/r"
MISSING = "arn:aws:iam::123456789012:role/path/missing"


def document(statement: dict[str, Any], document_changes: dict[str, Any] | None = None, **changes: Any) -> str:
    """Return a policy; what is changed to None is left out."""
    changed = {name: value for name, value in {**statement, **changes}.items() if value is not None}
    whole = {"Version": "2012-10-17", "Statement": [changed], **(document_changes or {})}
    return json.dumps({name: value for name, value in whole.items() if value is not None})
