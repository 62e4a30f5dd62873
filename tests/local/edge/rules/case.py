"""A rule's test: a request that breaks it, and its nearest neighbour that does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Case:
    """One break of one rule."""

    # The rule's name within its service.
    rule: str
    operation: str
    refused: dict[str, Any]
    taken: dict[str, Any]
