"""The grammar of policies: which elements a document may and must have, by what it is attached to.

Source: IAM User Guide, "Grammar of the IAM JSON policy language" and "IAM JSON policy elements reference". Which
actions, resources and principals mean something is each service's own rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ml_a2.local.edge.json_text import read_json

VERSIONS = ("2008-10-17", "2012-10-17")
ELEMENTS = {"Version", "Id", "Statement"}
STATEMENT_ELEMENTS = {
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
}  # fmt: skip
PRINCIPALS = {"AWS", "Service", "Federated", "CanonicalUser"}
OPERATOR = re.compile(
    r"(ForAnyValue:|ForAllValues:)?"
    r"(String(Not)?Equals(IgnoreCase)?|String(Not)?Like|(Numeric|Date)(Not)?Equals|(Numeric|Date)(Less|Greater)Than(Equals)?"
    r"|Bool|BinaryEquals|(Not)?IpAddress|Arn(Not)?(Equals|Like))(IfExists)?|Null"
)
# A principal of an AWS account: everybody, the account's number, or the ARN of somebody in it.
AWS_PRINCIPAL = re.compile(
    r"\*|[0-9]{12}|arn:[a-z-]+:iam::([0-9]{12}:(root|(user|role)/\S+)|cloudfront:user/.+)"
    r"|arn:[a-z-]+:sts::[0-9]{12}:(assumed-role|federated-user)/\S+|A[A-Z0-9]{15,}"
)
# Services are named by domains of AWS's.
SERVICE_PRINCIPAL = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.(amazonaws\.com(\.cn)?|amazon\.com|aws\.internal|aws\.dev)")


def read_policy(text: str | bytes) -> Mapping[str, Any]:
    """Return the document that a text holds.

    Raises:
        ValueError: it is no JSON object.
    """
    policy = read_json(text)
    if not isinstance(policy, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004  # like every other fault of the text
    return policy


def problems_of_policy(policy: Mapping[str, Any], *, principal: bool, resource: bool) -> Iterator[str]:
    """Yield what is wrong with a document by its grammar.

    Args:
        policy: the document.
        principal: whether its statements name principals, as policies of resources and roles' trust policies do.
        resource: whether they name resources, as all but trust policies do.
    """
    for name in policy.keys() - ELEMENTS:
        yield f"Unknown field {name}"
    if policy.get("Version", VERSIONS[0]) not in VERSIONS:
        yield "The policy must contain a valid version string"
    if not isinstance(policy.get("Id", ""), str):
        yield "Id must be a text"
    statements = statements_of(policy)
    if not statements:
        yield "Missing required field Statement"
    for statement in statements:
        if not isinstance(statement, dict):
            yield "A statement must be a JSON object"
        else:
            yield from _problems_of_statement(statement, principal=principal, resource=resource)


def statements_of(policy: Mapping[str, Any]) -> list[Any]:
    """Return a document's statements as a list, however they are written."""
    return values_of(policy.get("Statement", []))


def values_of(value: Any) -> list[Any]:
    """Return an element's values as a list, however they are written."""
    return value if isinstance(value, list) else [value]


def _problems_of_statement(statement: Mapping[str, Any], *, principal: bool, resource: bool) -> Iterator[str]:
    for name in statement.keys() - STATEMENT_ELEMENTS:
        yield f"Unknown field {name}"
    if statement.get("Effect") not in ("Allow", "Deny"):
        yield f"Invalid effect: {statement.get('Effect')!r:.40}"
    if not isinstance(statement.get("Sid", ""), str):
        yield "Sid must be a text"
    yield from _problems_of_texts(statement, "Action", wanted=True)
    yield from _problems_of_texts(statement, "Resource", wanted=resource)
    given = {"Principal", "NotPrincipal"} & statement.keys()
    if principal and len(given) != 1:
        yield "Missing required field Principal" if not given else "Principal and NotPrincipal exclude one another"
    elif given and not principal:
        yield "Policy document should not specify a principal."
    for name in given:
        yield from _problems_of_principal(statement[name])
    yield from _problems_of_condition(statement.get("Condition", {}))


def _problems_of_texts(statement: Mapping[str, Any], name: str, *, wanted: bool) -> Iterator[str]:
    """Yield what is wrong with an element that is a text or several, and its negation."""
    given = {name, f"Not{name}"} & statement.keys()
    if not wanted:
        yield from (f"Has prohibited field {each}" for each in given)
        return
    if len(given) != 1:
        yield f"Missing required field {name}" if not given else f"{name} and Not{name} exclude one another"
    for each in given:
        values = values_of(statement[each])
        if not values or not all(isinstance(value, str) and value for value in values):
            yield f"{each} must be a text or a list of texts, and not empty"


def _problems_of_principal(value: Any) -> Iterator[str]:
    if value == "*":
        return
    if not isinstance(value, dict) or not value or value.keys() - PRINCIPALS:
        yield f"Invalid principal in policy: {value!r:.200}"
        return
    for kind, names in value.items():
        for name in values_of(names) or [None]:
            if not isinstance(name, str) or not _is_principal(kind, name):
                yield f'Invalid principal in policy: "{kind}":{name!r:.200}'


def _is_principal(kind: str, name: str) -> bool:
    pattern = {"AWS": AWS_PRINCIPAL, "Service": SERVICE_PRINCIPAL}.get(kind)
    return bool(name) and (pattern is None or pattern.fullmatch(name) is not None)


def _problems_of_condition(condition: Any) -> Iterator[str]:
    if not isinstance(condition, dict):
        yield "Condition must be a JSON object"
        return
    for operator, block in condition.items():
        if block and not OPERATOR.fullmatch(operator):
            yield f"Invalid Condition type : {operator}"
        if not isinstance(block, dict):
            yield f"Condition {operator} must be a JSON object of keys"
            continue
        for key, values in block.items():
            if not all(isinstance(value, str | bool | int | float) for value in values_of(values)):
                yield f"The values of {key} in a condition must be texts, numbers or booleans"
