"""What roles may do, read from the policies of a template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ml_a2.diagrams.expressions import listed, properties, text_of


@dataclass(frozen=True)
class Grant:
    """A statement of a policy, its references as text."""

    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditional: bool

    def covers(self, action: str, target: str) -> bool:
        """Tell whether the statement is about an action on what `target`, a part of its ARN, names."""
        return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in self.actions) and any(
            resource == "*" or target in resource for resource in self.resources
        )


@dataclass(frozen=True)
class Grants:
    """The statements of one role."""

    statements: tuple[Grant, ...]

    def allow(self, action: str, target: str = "") -> bool:
        """Tell whether the role may do something; a denial under conditions leaves it possible."""
        covering = [statement for statement in self.statements if statement.covers(action, target)]
        denied = any(statement.effect == "Deny" and not statement.conditional for statement in covering)
        return not denied and any(statement.effect == "Allow" for statement in covering)

    def prefixes(self, action: str, bucket: str) -> tuple[str, ...]:
        """Return the prefixes of a bucket on which the role may do something; none when it may on all objects."""
        mark = f"{{{bucket}}}/"
        found = [
            resource.partition(mark)[2].rstrip("*")
            for statement in self.statements
            if statement.effect == "Allow" and statement.covers(action, mark)
            for resource in statement.resources
            if mark in resource
        ]
        return () if "" in found else tuple(dict.fromkeys(found))

    def resources(self, action: str) -> Iterator[str]:
        """Yield the resources on which an action is allowed, as they are written."""
        for statement in self.statements:
            if statement.effect == "Allow" and statement.covers(action, ""):
                yield from statement.resources


def grants_of(resources: Mapping[str, Any], role: str) -> Grants:
    """Return what a role of the template may do."""
    mark = f"{{{role}}}"
    documents = [
        properties(resource).get("PolicyDocument", {})
        for resource in resources.values()
        if resource.get("Type") == "AWS::IAM::Policy"
        and mark in [text_of(name) for name in listed(properties(resource).get("Roles"))]
    ]
    return Grants(
        tuple(
            Grant(
                str(statement.get("Effect")),
                tuple(map(str, listed(statement.get("Action")))),
                tuple(text_of(resource) for resource in listed(statement.get("Resource"))),
                "Condition" in statement,
            )
            for document in documents
            for statement in listed(document.get("Statement"))
        )
    )
