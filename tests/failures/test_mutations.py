"""Every single change that would break the pipeline, or silence a failure, on AWS is caught before it gets there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ml_a2.local.doctor import examine
from tests.failures import mutations
from tests.failures.mutation import WORKFLOW, Template, changed, resource, statements
from tests.failures.page import rows_of

ALL = list(mutations.mutations())


@pytest.mark.parametrize("mutation", ALL, ids=[f"{m.kind}: {m.name}" for m in ALL])
def test_a_change_is_caught(assembly: Path, mutation: mutations.Mutation) -> None:
    """Examining the changed assembly finds an error."""
    assert mutations.caught(assembly, mutation, mutations.quick_first()) is not None


def test_there_are_many_kinds_of_changes() -> None:
    """At least 40 changes, each of its own."""
    assert len(ALL) >= 40
    assert len({(mutation.kind, mutation.name) for mutation in ALL}) == len(ALL)


def test_the_page_has_every_change() -> None:
    """docs/mutations.md lists what is examined here, no more and no less, each with what caught it."""
    cells = rows_of(mutations.PAGE, mutations.TABLE_HEAD)
    assert [tuple(cell[:2]) for cell in cells] == [(mutation.kind, mutation.name) for mutation in ALL]
    assert "NOT CAUGHT" not in {cell[2] for cell in cells}


def _harmless(template: Template) -> None:
    resource(template, "AlertingExecutionsFailed", "CloudWatch::Alarm")["Properties"]["AlarmDescription"] = (
        "other words"
    )
    resource(template, "CleanUpRule", "Events::Rule")["Properties"]["Description"] = "other words"
    resource(template, "WorkflowLogGroup", "Logs::LogGroup")["Properties"]["RetentionInDays"] = 30
    resource(template, "AlertingTopic", "SNS::Topic")["Properties"]["DisplayName"] = "another name"
    template["Resources"]["Subscription"] = {
        "Type": "AWS::SNS::Subscription",
        "Properties": {
            "Protocol": "email",
            "Endpoint": "team@example.com",
            "TopicArn": next(iter(template["Outputs"].values()))
            and template["Outputs"]["NotificationTopicArn"]["Value"],
        },
    }
    statements(template, WORKFLOW).append({"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": "*"})
    text = json.dumps(template).replace("the {} stage failed", "something happened in stage {}")
    template.clear()
    template.update(json.loads(text))


def test_harmless_changes_are_no_findings_and_a_permission_too_many_is_a_warning(
    assembly: Path, tmp_path: Path
) -> None:
    """Other words, a subscription and another retention are fine; what one more permission allows was never used."""
    findings = list(examine(changed(assembly, _harmless, tmp_path), region="us-east-1", permissions=True))
    assert [finding for finding in findings if finding.severity == "error"] == []
    assert any("s3:DeleteObject on * was granted, and no scenario used it" in finding.problem for finding in findings)
    assert not any("nobody is subscribed" in finding.problem for finding in findings)


def _statements_of_the_workflow(template: dict[str, Any]) -> list[list[str]]:
    actions = (statement["Action"] for statement in statements(template, WORKFLOW))
    return [action if isinstance(action, list) else [action] for action in actions]


@pytest.mark.parametrize("number", range(8))
def test_without_any_one_statement_the_denied_action_is_named(assembly: Path, tmp_path: Path, number: int) -> None:
    """Each statement of the state machine's policy is needed: without it something is denied, in AWS's words."""
    removed: list[str] = []

    def change(template: Template) -> None:
        assert len(_statements_of_the_workflow(template)) == 8
        removed.extend(_statements_of_the_workflow(template)[number])
        del statements(template, WORKFLOW)[number]

    copy = changed(assembly, change, tmp_path)
    findings = examine(copy, region="us-east-1", scenarios=mutations.quick_first())
    found = next(finding for finding in findings if finding.severity == "error")
    words = [f"is not authorized to perform: {action} on resource" for action in removed]
    assert any(each in found.problem for each in words), found
