"""How resources that exist take other properties, each through its service's public API.

Only properties that CloudFormation changes without another resource in the old one's place ("Update requires: No
interruption") are on the list; any other change is refused before anything is touched.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ml_a2.errors import AssemblyError
from ml_a2.local.policy import check_policy
from ml_a2.local.resources import RESOURCE_TYPES, Created, Creation, Properties, state_machine_options

Update = Callable[[Creation, Properties, Properties, Created], None]


def check_update(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Refuse a change of a resource that could not be carried out.

    Raises:
        AssemblyError: names the resource and its property.
    """
    if before["Type"] != after["Type"]:
        raise AssemblyError(
            f"resource {name!r}: the type cannot change from {before['Type']!r} to {after['Type']!r}; "
            "give the new resource another logical id"
        )
    check_properties(name, after["Type"], before.get("Properties", {}), after.get("Properties", {}))


def check_properties(name: str, kind: str, before: Properties, after: Properties) -> None:
    """Refuse a change of properties that could not be carried out.

    Raises:
        AssemblyError: names the resource and the property.
    """
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    updatable = UPDATES[kind][1] if kind in UPDATES else frozenset()
    if refused := changed - updatable:
        raise AssemblyError(
            f"resource {name!r} ({kind}): a change of {min(refused)!r} is not supported locally; "
            "delete the stack and deploy it anew, or see docs/fidelity.md"
        )


def update(creation: Creation, kind: str, before: Properties, after: Properties, created: Created) -> None:
    """Give a resource that exists other properties, which `check_properties` found to be possible."""
    UPDATES[kind][0](creation, before, after, created)


def _put_again(kind: str) -> Update:
    """Return the update of a type whose creation overwrites what is there."""

    def put(creation: Creation, before: Properties, after: Properties, created: Created) -> None:
        RESOURCE_TYPES[kind].create(creation, after)

    return put


def _role(creation: Creation, before: Properties, after: Properties, created: Created) -> None:
    check_policy(after["AssumeRolePolicyDocument"], creation.logical_id)
    creation.clients.iam.update_assume_role_policy(
        RoleName=created.ref, PolicyDocument=json.dumps(after["AssumeRolePolicyDocument"])
    )


def _rule(creation: Creation, before: Properties, after: Properties, created: Created) -> None:
    RESOURCE_TYPES["AWS::Events::Rule"].create(creation, after)
    kept = {target["Id"] for target in after.get("Targets", [])}
    if gone := [target["Id"] for target in before.get("Targets", []) if target["Id"] not in kept]:
        creation.clients.events.remove_targets(Rule=created.ref, Ids=gone)


def _log_group(creation: Creation, before: Properties, after: Properties, created: Created) -> None:
    if days := after.get("RetentionInDays"):
        creation.clients.logs.put_retention_policy(logGroupName=created.ref, retentionInDays=days)
    else:
        creation.clients.logs.delete_retention_policy(logGroupName=created.ref)


def _state_machine(creation: Creation, before: Properties, after: Properties, created: Created) -> None:
    # What a template no longer says is switched off; the API would leave it as it was.
    options: dict[str, Any] = {"loggingConfiguration": {"level": "OFF"}, "tracingConfiguration": {"enabled": False}}
    options |= state_machine_options(creation, after)
    creation.clients.stepfunctions.update_state_machine(
        stateMachineArn=created.ref, definition=after["DefinitionString"], roleArn=after["RoleArn"], **options
    )


def _updates(update: Update, properties: str) -> tuple[Update, frozenset[str]]:
    return update, frozenset(properties.split())


UPDATES: dict[str, tuple[Update, frozenset[str]]] = {
    kind: _updates(_put_again(kind), properties)
    for kind, properties in {
        "AWS::S3::BucketPolicy": "PolicyDocument",
        "AWS::IAM::Policy": "PolicyDocument",
        "AWS::SNS::TopicPolicy": "PolicyDocument",
        "AWS::CloudWatch::Dashboard": "DashboardBody",
        "AWS::CloudWatch::Alarm": "ActionsEnabled AlarmActions AlarmDescription ComparisonOperator DatapointsToAlarm "
        "Dimensions EvaluationPeriods MetricName Namespace Period Statistic Threshold TreatMissingData",
    }.items()
} | {
    "AWS::IAM::Role": _updates(_role, "AssumeRolePolicyDocument"),
    "AWS::Events::Rule": _updates(_rule, "EventPattern Description State Targets"),
    "AWS::Logs::LogGroup": _updates(_log_group, "RetentionInDays"),
    "AWS::StepFunctions::StateMachine": _updates(
        _state_machine, "DefinitionString RoleArn LoggingConfiguration TracingConfiguration"
    ),
}
