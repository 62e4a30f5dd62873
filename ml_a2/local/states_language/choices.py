"""The rules of a Choice state.

Source: Amazon States Language, "Choice State"; Step Functions Developer Guide, "Choice workflow state".
"""

from __future__ import annotations

from typing import Any

from ml_a2.local.states_language import values
from ml_a2.local.states_language.paths import check_reference_path
from ml_a2.local.states_language.rules import InvalidDefinitionError, Rule

ORDERS = ("Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals")
ORDERED = {"String": values.text, "Numeric": values.number, "Timestamp": values.timestamp}
LITERALS: dict[str, values.Check] = {
    **{f"{kind}{order}": check for kind, check in ORDERED.items() for order in ORDERS},
    "BooleanEquals": values.boolean,
}
COMPARISONS: dict[str, values.Check] = {
    **LITERALS,
    **{f"{name}Path": check_reference_path for name in LITERALS},
    "StringMatches": values.text,
    **{f"Is{kind}": values.boolean for kind in ("Null", "Present", "Numeric", "String", "Boolean", "Timestamp")},
}
TESTS = ("And", "Or", "Not", "Variable")


def check_choices(rules: list[Any], where: str) -> None:
    """Refuse a list of rules that is empty, or holds one that is in no form."""
    values.check_filled(rules, where)
    for index, rule in enumerate(rules):
        _check_rule(rule, f"{where}[{index}]", top=True)


def _check_rule(rule: Any, where: str, *, top: bool) -> None:
    values.check_object(rule, where)
    _check_next(rule, where, top=top)
    tests = [name for name in TESTS if name in rule]
    if len(tests) != 1:
        problem = f"The object must have only one of the following fields, [{', '.join(TESTS)}], not {len(tests)},"
        raise InvalidDefinitionError(Rule.ONE_TEST, problem, where)
    extra = {"Comment", *({"Next", "Assign"} if top else ())}
    if tests == ["Variable"]:
        _check_comparison(rule, extra, where)
    else:
        if unknown := set(rule) - extra - set(tests):
            raise InvalidDefinitionError(Rule.FIELDS, f"Field {min(unknown)!r:.80} is not supported", where)
        _check_parts(rule[tests[0]], tests[0], f"{where}/{tests[0]}")
    for name in extra & rule.keys():
        values.VALUES[name](rule[name], f"{where}/{name}")


def _check_next(rule: dict[str, Any], where: str, *, top: bool) -> None:
    if ("Next" in rule) != top:
        problem = "These fields are required: [Next]" if top else "Field 'Next' is not supported"
        raise InvalidDefinitionError(Rule.RULE_NEXT, problem, where)


def _check_comparison(rule: dict[str, Any], extra: set[str], where: str) -> None:
    if unknown := set(rule) - extra - {"Variable"} - COMPARISONS.keys():
        raise InvalidDefinitionError(Rule.FIELDS, f"Field {min(unknown)!r:.80} is not supported", where)
    check_reference_path(rule["Variable"], f"{where}/Variable")
    comparisons = sorted(COMPARISONS.keys() & rule.keys())
    if len(comparisons) != 1:
        named = f"not {', '.join(comparisons)}" if comparisons else "and there is none"
        raise InvalidDefinitionError(Rule.ONE_TEST, f"There should be one comparison, {named},", where)
    COMPARISONS[comparisons[0]](rule[comparisons[0]], f"{where}/{comparisons[0]}")


def _check_parts(parts: Any, name: str, where: str) -> None:
    if name == "Not":
        _check_rule(parts, where, top=False)
        return
    values.array(parts, where)
    values.check_filled(parts, where)
    for index, part in enumerate(parts):
        _check_rule(part, f"{where}[{index}]", top=False)
