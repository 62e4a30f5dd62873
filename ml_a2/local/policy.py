"""Decide a request by IAM policies.

Source: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements reference". What is not understood
is refused by name when a policy is stored, never skipped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ml_a2.errors import AssemblyError

Policy = Mapping[str, Any]
Values = tuple[str, ...]

STATEMENT_KEYS = {
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
}  # fmt: skip

# The keys that requests carry here; one that AWS would fill in and we would not must not be taken for absent.
CONDITION_KEYS = {
    "aws:principalaccount", "aws:principalarn", "aws:requestedregion", "aws:resourceaccount", "aws:securetransport",
    "aws:sourceaccount", "aws:sourcearn", "cloudwatch:namespace", "iam:passedtoservice", "s3:prefix",
}  # fmt: skip


@dataclass(frozen=True)
class Request:
    """One call that somebody makes: who, what, on which resource, under which circumstances."""

    principal: str
    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)
    service: str | None = None


@dataclass(frozen=True)
class Decision:
    """Whether the request may proceed, and why not."""

    allowed: bool
    reason: str = ""


def decide(request: Request, identity: Iterable[Policy], resource: Iterable[Policy] = ()) -> Decision:
    """Evaluate within one account: an explicit deny wins, otherwise one allow on either side suffices."""
    matching = [
        *((statement, "identity-based") for policy in identity for statement in statements(policy)),
        *((s, "resource-based") for policy in resource for s in statements(policy) if _matches_principal(s, request)),
    ]
    effects = [(s["Effect"], kind) for s, kind in matching if _applies(s, request)]
    for effect, kind in effects:
        if effect == "Deny":
            article = "an" if kind == "identity-based" else "a"
            return Decision(False, f"with an explicit deny in {article} {kind} policy")
    if effects:
        return Decision(True)
    return Decision(False, f"because no identity-based policy allows the {request.action} action")


def statements(policy: Policy) -> list[dict[str, Any]]:
    """Return a policy's statements as a list, however they are written."""
    return list(_listed(policy.get("Statement", [])))


def grants(policy: Policy) -> Iterator[tuple[str, str, Callable[[str, str], bool]]]:
    """Yield each action and resource that a policy allows, as written, with what tells whether a request used it."""
    for statement in statements(policy):
        if statement["Effect"] != "Allow":
            continue
        action_element = "NotAction" if "NotAction" in statement else "Action"
        resource_element = "NotResource" if "NotResource" in statement else "Resource"
        for action in _listed(statement[action_element]):
            for resource in _listed(statement.get(resource_element, "*")):
                one = {**statement, action_element: action, resource_element: resource}

                def used(did: str, on: str, one: Mapping[str, Any] = one) -> bool:
                    return _matches_element(one, "Action", did.lower(), str.lower) and _matches_element(
                        one, "Resource", on, str
                    )

                yield action, resource, used


def check_policy(policy: Policy, subject: str) -> None:
    """Refuse a policy that this evaluation could not decide faithfully.

    Raises:
        AssemblyError: names the subject and the element, operator or variable.
    """
    check_policy_shape(policy, subject)
    if unknown := set(policy) - {"Version", "Id", "Statement"}:
        raise AssemblyError(f"{subject}: policy element {min(unknown)!r} is not supported locally")
    if policy.get("Version") != "2012-10-17":
        raise AssemblyError(f"{subject}: policy version {policy.get('Version')!r} is not supported, only '2012-10-17'")
    for statement in statements(policy):
        if unknown := set(statement) - STATEMENT_KEYS:
            raise AssemblyError(f"{subject}: statement element {min(unknown)!r} is not supported locally")
        _check_condition(statement.get("Condition", {}), subject)
        if "${" in str(statement):
            raise AssemblyError(f"{subject}: policy variables are not supported locally: {statement}")


def check_policy_shape(policy: Any, subject: str) -> None:
    """Refuse what is no policy document, whatever it says.

    Raises:
        AssemblyError: names the subject and the element.
    """
    if not isinstance(policy, dict):
        raise AssemblyError(f"{subject}: the policy is no JSON object")
    for statement in statements(policy):
        if not isinstance(statement, dict):
            raise AssemblyError(f"{subject}: a statement is no JSON object")
        if statement.get("Effect") not in ("Allow", "Deny"):
            raise AssemblyError(f"{subject}: Effect {statement.get('Effect')!r} is not one of Allow, Deny")
        for element in ("Action", "NotAction", "Resource", "NotResource"):
            if not _are_texts(statement.get(element, [])):
                raise AssemblyError(
                    f"{subject}: {element} {statement[element]!r:.80} is neither a text nor a list of texts"
                )
        for element in ("Principal", "NotPrincipal"):
            if not _is_principal(statement.get(element, "*")):
                raise AssemblyError(f"{subject}: {element} {statement[element]!r:.80} is no principal")
        condition = statement.get("Condition", {})
        if not isinstance(condition, dict) or not all(isinstance(block, dict) for block in condition.values()):
            raise AssemblyError(
                f"{subject}: Condition {condition!r:.80} is no JSON object of operators with their keys"
            )


def _are_texts(value: Any) -> bool:
    return all(isinstance(item, str) for item in _listed(value))


def _is_principal(value: Any) -> bool:
    return value == "*" or (isinstance(value, dict) and all(map(_are_texts, value.values())))


def _check_condition(condition: Mapping[str, Any], subject: str) -> None:
    for operator, block in condition.items():
        if operator.removesuffix("IfExists") not in OPERATORS:
            raise AssemblyError(f"{subject}: condition operator {operator!r} is not supported locally")
        for key in block:
            if key.lower() not in CONDITION_KEYS:
                raise AssemblyError(f"{subject}: condition key {key!r} is not supported locally")


def matches(pattern: str, value: str) -> bool:
    """Match with IAM's wildcards: `*` any characters, `?` exactly one."""
    return _wildcard(pattern).fullmatch(value) is not None


@lru_cache(maxsize=4096)
def _wildcard(pattern: str) -> re.Pattern[str]:
    translated = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.compile("".join(translated), re.DOTALL)


def _applies(statement: Mapping[str, Any], request: Request) -> bool:
    return (
        _matches_element(statement, "Action", request.action.lower(), str.lower)
        and _matches_element(statement, "Resource", request.resource, str)
        and all(
            _holds(operator, key, _listed(expected), request.context)
            for operator, block in statement.get("Condition", {}).items()
            for key, expected in block.items()
        )
    )


def _matches_element(statement: Mapping[str, Any], element: str, value: str, normalise: Callable[[str], str]) -> bool:
    if f"Not{element}" in statement:
        return not any(matches(normalise(p), value) for p in _listed(statement[f"Not{element}"]))
    if element == "Resource" and element not in statement:
        return True  # a trust policy names no resource: it is the role itself
    return any(matches(normalise(p), value) for p in _listed(statement.get(element, [])))


def _matches_principal(statement: Mapping[str, Any], request: Request) -> bool:
    if "NotPrincipal" in statement:
        return not _names_principal(statement["NotPrincipal"], request, "Deny")
    return _names_principal(statement.get("Principal", {}), request, statement["Effect"])


def _names_principal(principal: Any, request: Request, effect: str) -> bool:
    if principal == "*":
        return True
    if request.service and request.service in _listed(principal.get("Service", [])):
        return True
    named = _listed(principal.get("AWS", []))
    if "*" in named or request.principal in named:
        return True
    # To name the account is to leave the decision to its identity policies: it denies a role, and allows it nothing.
    account = request.principal.split(":")[4] if request.principal.count(":") >= 5 else ""
    root = request.principal.rpartition(":")[0] + ":root"
    return effect == "Deny" and bool({account, root} & set(named))


def _holds(operator: str, key: str, expected: list[Any], context: Mapping[str, str]) -> bool:
    folded = {name.lower(): value for name, value in context.items()}
    base = operator.removesuffix("IfExists")
    wanted = [str(value).lower() if isinstance(value, bool) else str(value) for value in expected]
    if key.lower() not in folded:
        return operator.endswith("IfExists") or base in NEGATED
    return OPERATORS[base](folded[key.lower()], wanted)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _equals(value: str, wanted: list[str]) -> bool:
    return value in wanted


def _equals_ignoring_case(value: str, wanted: list[str]) -> bool:
    return value.lower() in (w.lower() for w in wanted)


def _like(value: str, wanted: list[str]) -> bool:
    return any(matches(w, value) for w in wanted)


def _not(operator: Callable[[str, list[str]], bool]) -> Callable[[str, list[str]], bool]:
    return lambda value, wanted: not operator(value, wanted)


OPERATORS: dict[str, Callable[[str, list[str]], bool]] = {
    "StringEquals": _equals,
    "StringNotEquals": _not(_equals),
    "StringEqualsIgnoreCase": _equals_ignoring_case,
    "StringLike": _like,
    "StringNotLike": _not(_like),
    "ArnEquals": _like,
    "ArnLike": _like,
    "ArnNotEquals": _not(_like),
    "ArnNotLike": _not(_like),
    "Bool": _equals_ignoring_case,
}
# A negated operator is true of a key that the request does not carry.
NEGATED = {"StringNotEquals", "StringNotLike", "ArnNotEquals", "ArnNotLike"}
