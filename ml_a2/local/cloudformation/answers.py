"""Stacks, events, resources and change sets as the API tells them; what is not known is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml_a2.local.cloudformation.stack import ChangeSet, Event, Stack, Submission


def describe_stack(stack: Stack) -> dict[str, Any]:
    """Return a stack with its outputs."""
    submission = stack.submission
    role = submission.role_arn if submission else None
    outputs = submission.template.get("Outputs", {}) if submission else {}
    return _without_none(
        StackId=stack.id,
        StackName=stack.name,
        ChangeSetId=stack.change_set_id,
        Description=submission.template.get("Description") if submission else None,
        Parameters=_parameters(submission),
        CreationTime=stack.created,
        LastUpdatedTime=stack.updated,
        DeletionTime=stack.deleted,
        StackStatus=stack.status,
        StackStatusReason=stack.reason,
        DisableRollback=False,
        NotificationARNs=[],
        Capabilities=list(submission.capabilities) if submission else [],
        Outputs=[_output(name, value, outputs.get(name, {})) for name, value in stack.outputs.items()],
        RoleARN=role,
        Tags=_tags(submission),
        EnableTerminationProtection=stack.termination_protection,
    )


def summarize_stack(stack: Stack) -> dict[str, Any]:
    """Return a stack as ListStacks tells it."""
    names = (
        "StackId",
        "StackName",
        "CreationTime",
        "LastUpdatedTime",
        "DeletionTime",
        "StackStatus",
        "StackStatusReason",
    )
    described = describe_stack(stack)
    summary = {name: described[name] for name in names if name in described}
    if "Description" in described:
        summary["TemplateDescription"] = described["Description"]
    return summary


def describe_event(stack: Stack, event: Event) -> dict[str, Any]:
    """Return something that happened."""
    return _without_none(
        StackId=stack.id,
        EventId=event.id,
        StackName=stack.name,
        LogicalResourceId=event.logical_id,
        PhysicalResourceId=event.physical_id,
        ResourceType=event.kind,
        Timestamp=event.time,
        ResourceStatus=event.status,
        ResourceStatusReason=event.reason,
    )


def describe_resource(stack: Stack, event: Event, *, summary: bool) -> dict[str, Any]:
    """Return a resource by the last that happened to it."""
    where = {} if summary else {"StackName": stack.name, "StackId": stack.id}
    return _without_none(
        **where,
        LogicalResourceId=event.logical_id,
        PhysicalResourceId=event.physical_id or None,
        ResourceType=event.kind,
        ResourceStatus=event.status,
        ResourceStatusReason=event.reason,
        **{"LastUpdatedTimestamp" if summary else "Timestamp": event.time},
    )


def describe_change_set(stack: Stack, change_set: ChangeSet) -> dict[str, Any]:
    """Return a change set with its changes."""
    return _without_none(
        ChangeSetName=change_set.name,
        ChangeSetId=change_set.id,
        StackId=stack.id,
        StackName=stack.name,
        Description=change_set.description,
        Parameters=_parameters(change_set.submission),
        CreationTime=change_set.created,
        ExecutionStatus=change_set.execution_status,
        Status=change_set.status,
        StatusReason=change_set.reason,
        NotificationARNs=[],
        Capabilities=list(change_set.submission.capabilities),
        Tags=_tags(change_set.submission),
        Changes=change_set.changes,
        IncludeNestedStacks=False,
    )


def summarize_template(template: Mapping[str, Any], capabilities: list[str]) -> dict[str, Any]:
    """Return what a template consists of."""
    kinds = {str(resource.get("Type", "")) for resource in template.get("Resources", {}).values()}
    reason = "The following resource(s) require capabilities: [AWS::IAM::Role]" if capabilities else None
    return _without_none(
        Parameters=[_parameter(name, declared) for name, declared in template.get("Parameters", {}).items()],
        Description=template.get("Description"),
        Capabilities=capabilities,
        CapabilitiesReason=reason,
        ResourceTypes=sorted(filter(None, kinds)),
        Version=template.get("AWSTemplateFormatVersion"),
        DeclaredTransforms=[],
    )


def _parameters(submission: Submission | None) -> list[dict[str, Any]]:
    if submission is None:
        return []
    declared = submission.template.get("Parameters", {})
    values = {name: submission.parameters.get(name, entry.get("Default")) for name, entry in declared.items()}
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]


def _tags(submission: Submission | None) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in (submission.tags if submission else {}).items()]


def _parameter(name: str, declared: Mapping[str, Any]) -> dict[str, Any]:
    return _without_none(
        ParameterKey=name,
        DefaultValue=declared.get("Default"),
        ParameterType=declared.get("Type"),
        NoEcho=declared.get("NoEcho", False),
        Description=declared.get("Description"),
    )


def _output(name: str, value: str, declared: Mapping[str, Any]) -> dict[str, Any]:
    return _without_none(OutputKey=name, OutputValue=value, Description=declared.get("Description"))


def _without_none(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
