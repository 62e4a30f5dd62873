"""A rule of a service's that its model does not state, with the source that does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Yields what is wrong with a request that fits its service's model, in a region.
Check = Callable[[Mapping[str, Any], str], Iterator[str]]


@dataclass(frozen=True)
class Rule:
    """What a service refuses: in which operations, with which code."""

    # As requests are signed.
    service: str
    operations: tuple[str, ...]
    code: str
    # The rule as docs/fidelity.md tells it.
    says: str
    # Where it is documented, or how it is known.
    source: str
    check: Check

    @property
    def name(self) -> str:
        """Return the rule's name within its service."""
        return self.check.__name__.strip("_")


class Rulebook:
    """The rules of one service, in the order in which they are written down."""

    def __init__(self, service: str) -> None:
        """Begin without any."""
        self._service = service
        self.rules: list[Rule] = []

    def rule(self, operations: str, code: str, says: str, source: str) -> Callable[[Check], Check]:
        """Return a decorator that makes a rule of a check.

        Args:
            operations: those that it is about, with blanks between.
            code: of the error that the service answers.
            says: the rule in words.
            source: where it is documented.
        """

        def add(check: Check) -> Check:
            self.rules.append(Rule(self._service, tuple(operations.split()), code, says, source, check))
            return check

        return add
