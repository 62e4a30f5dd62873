"""What a template would change about a stack, and what it needs to be allowed to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ml_a2.errors import AssemblyError
from ml_a2.local.cloudformation.stack import Stack, Submission
from ml_a2.local.deployer import active_resources, open_template
from ml_a2.local.updates import check_update

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


def changes(stack: Stack, submission: Submission) -> list[dict[str, Any]]:
    """Compare a template with what the stack consists of.

    Returns:
        Changes as DescribeChangeSet tells them; a property's change is not taken apart.

    Raises:
        AssemblyError: a section, a parameter or a condition of the template is not understood.
    """
    template = submission.template
    wanted = active_resources(template, open_template(template, stack.environment, submission.parameters))
    return [
        {"Type": "Resource", "ResourceChange": change}
        for change in (*_additions(stack, wanted), *_modifications(stack, wanted), *_removals(stack, wanted))
    ]


def is_unchanged(stack: Stack, submission: Submission) -> bool:
    """Tell whether a stack stands as it was submitted before."""
    before = stack.submission
    return before is not None and _asked(before) == _asked(submission)


def check_removals(stack: Stack, wanted: Mapping[str, Any]) -> None:
    """Refuse to take away what would leave something other than AWS does.

    Raises:
        AssemblyError: a topic's policy would go, and the topic stay with what AWS calls its default policy.
    """
    gone = {name: deployed for name, deployed in stack.resources.items() if name not in wanted}
    topics = {d.created.ref for d in gone.values() if d.resource["Type"] == "AWS::SNS::Topic"}
    for name, deployed in gone.items():
        if deployed.resource["Type"] == "AWS::SNS::TopicPolicy" and set(deployed.properties["Topics"]) - topics:
            raise AssemblyError(f"resource {name!r}: a topic policy cannot be removed locally without its topic")


def required_capabilities(template: Mapping[str, Any]) -> list[str]:
    """Return what CloudFormation must be told to be allowed: roles and policies, and those with names."""
    found = [
        r
        for r in template.get("Resources", {}).values()
        if isinstance(r, dict) and r.get("Type") in ("AWS::IAM::Role", "AWS::IAM::Policy")
    ]
    if any("RoleName" in resource.get("Properties", {}) for resource in found):
        return ["CAPABILITY_NAMED_IAM"]
    return ["CAPABILITY_IAM"] if found else []


def _additions(stack: Stack, wanted: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, resource in wanted.items():
        if name not in stack.resources:
            yield {
                "Action": "Add",
                "LogicalResourceId": name,
                "ResourceType": resource.get("Type"),
                "Scope": [],
                "Details": [],
            }


def _modifications(stack: Stack, wanted: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, resource in wanted.items():
        deployed = stack.resources.get(name)
        if deployed is None or _parts(deployed.resource) == _parts(resource):
            continue
        yield {
            "Action": "Modify",
            "LogicalResourceId": name,
            "PhysicalResourceId": deployed.created.ref,
            "ResourceType": resource.get("Type"),
            "Scope": ["Properties"],
            "Details": [],
            **_replacement(name, deployed.resource, resource),
        }


def _replacement(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    """Tell that a resource stays, where that is known; what will be refused is left open."""
    try:
        check_update(name, before, after)
    except AssemblyError:
        return {}
    return {"Replacement": "False"}


def _removals(stack: Stack, wanted: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, deployed in stack.resources.items():
        if name not in wanted:
            yield {
                "Action": "Remove",
                "LogicalResourceId": name,
                "PhysicalResourceId": deployed.created.ref,
                "ResourceType": deployed.resource["Type"],
                "Scope": [],
                "Details": [],
            }


def _asked(submission: Submission) -> tuple[Any, ...]:
    return submission.template, submission.parameters, submission.tags


def _parts(resource: Mapping[str, Any]) -> tuple[Any, Any]:
    return resource.get("Type"), resource.get("Properties", {})
