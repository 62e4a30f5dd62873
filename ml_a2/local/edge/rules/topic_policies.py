"""SNS: what a topic's policy may say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ml_a2.local.edge.rules.rule import Rulebook
from ml_a2.local.edge.rules.sns import API, INVALID, RECORDED
from ml_a2.local.policy import matches
from ml_a2.local.policy_grammar import problems_of_policy, read_policy, statements_of, values_of

BOOK = Rulebook("sns")
# What a topic's own policy may be about.
TOPIC_ACTIONS = (
    "addpermission", "deletetopic", "getdataprotectionpolicy", "gettopicattributes", "listsubscriptionsbytopic",
    "listtagsforresource", "publish", "putdataprotectionpolicy", "receive", "removepermission", "settopicattributes",
    "subscribe", "tagresource", "untagresource",
)  # fmt: skip


def _topic_policies(request: Mapping[str, Any]) -> list[str]:
    given = request.get("Attributes", {}).get("Policy")
    if request.get("AttributeName") == "Policy":
        given = request.get("AttributeValue", "")
    return [] if given is None else [given]


@BOOK.rule(
    "CreateTopic SetTopicAttributes",
    INVALID,
    "a topic's policy has statements with Effect, Action, Resource and Principal; principals and operators of "
    "conditions are IAM's",
    "IAM User Guide, Grammar of the IAM JSON policy language",
)
def _topic_policy(request: Mapping[str, Any], region: str) -> Iterator[str]:
    for text in _topic_policies(request):
        try:
            problems = list(problems_of_policy(read_policy(text), principal=True, resource=True))
        except ValueError as error:
            problems = [str(error)]
        yield from (f"Invalid parameter: Policy Error: {problem}" for problem in problems)


@BOOK.rule(
    "CreateTopic SetTopicAttributes",
    INVALID,
    "its actions are those that are about a topic, or wildcards for some of them",
    f"{API}AddPermission; {RECORDED}; error in hashicorp/terraform#12740",
)
def _topic_policy_actions(request: Mapping[str, Any], region: str) -> Iterator[str]:
    for text in _topic_policies(request):
        try:
            statements = statements_of(read_policy(text))
        except ValueError:
            continue
        for statement in statements:
            for action in values_of(statement.get("Action", []) if isinstance(statement, dict) else []):
                service, _, name = str(action).lower().partition(":")
                if service not in ("sns", "*") or not any(matches(name or "*", each) for each in TOPIC_ACTIONS):
                    yield "Invalid parameter: Policy statement action out of service scope!"
