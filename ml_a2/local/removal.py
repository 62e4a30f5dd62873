"""How resources are deleted, each through its service's public API; what AWS would refuse is refused here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ml_a2.errors import AssemblyError
from ml_a2.local.authorization import AccessDeniedError, Authorization, Session
from ml_a2.local.clients import Clients
from ml_a2.local.deployer import Deployed

AUTO_DELETE_TAG = {"Key": "aws-cdk:auto-delete-objects", "Value": "true"}


@dataclass(frozen=True)
class Removal:
    """One resource about to be deleted, beside those of its stack that still exist."""

    logical_id: str
    deployed: Deployed
    others: Mapping[str, Deployed]
    clients: Clients
    authorization: Authorization
    partition: str

    @property
    def ref(self) -> str:
        """Return the physical id."""
        return self.deployed.created.ref


def is_retained(resource: Mapping[str, Any], *, on_rollback: bool = False) -> bool:
    """Tell whether a resource outlives its stack, or the rollback of its creation, by its DeletionPolicy."""
    policy = resource.get("DeletionPolicy", "Delete")
    return policy == "Retain" or (policy == "RetainExceptOnCreate" and not on_rollback)


def remove(removal: Removal) -> None:
    """Delete a resource.

    Raises:
        AssemblyError: its service, or its type, refuses.
    """
    try:
        _REMOVALS[removal.deployed.resource["Type"]](removal)
    except (ClientError, BotoCoreError, AccessDeniedError) as error:
        raise AssemblyError(str(error)) from error


def removable_types() -> set[str]:
    """Return the types that can be deleted."""
    return set(_REMOVALS)


def _bucket(removal: Removal) -> None:
    removal.clients.s3.delete_bucket(Bucket=removal.ref)


def _bucket_policy(removal: Removal) -> None:
    removal.clients.s3.delete_bucket_policy(Bucket=removal.deployed.properties["Bucket"])


def _role(removal: Removal) -> None:
    removal.clients.iam.delete_role(RoleName=removal.ref)


def _role_policy(removal: Removal) -> None:
    properties = removal.deployed.properties
    for role in properties["Roles"]:
        removal.clients.iam.delete_role_policy(RoleName=role, PolicyName=properties["PolicyName"])


def _topic(removal: Removal) -> None:
    removal.clients.sns.delete_topic(TopicArn=removal.ref)


def _subscription(removal: Removal) -> None:
    removal.clients.sns.unsubscribe(SubscriptionArn=removal.ref)


def _alarm(removal: Removal) -> None:
    removal.clients.cloudwatch.delete_alarms(AlarmNames=[removal.ref])


def _dashboard(removal: Removal) -> None:
    removal.clients.cloudwatch.delete_dashboards(DashboardNames=[removal.ref])


def _rule(removal: Removal) -> None:
    if targets := [target["Id"] for target in removal.deployed.properties.get("Targets", [])]:
        removal.clients.events.remove_targets(Rule=removal.ref, Ids=targets)
    removal.clients.events.delete_rule(Name=removal.ref)


def _log_group(removal: Removal) -> None:
    removal.clients.logs.delete_log_group(logGroupName=removal.ref)


def _state_machine(removal: Removal) -> None:
    stepfunctions = removal.clients.stepfunctions
    running = stepfunctions.list_executions(stateMachineArn=removal.ref, statusFilter="RUNNING")["executions"]
    if running:  # AWS ends them at their next transition; with which status and events is not known
        raise AssemblyError(
            f"execution {running[0]['name']!r} is running, which is not supported locally; stop it first"
        )
    stepfunctions.delete_state_machine(stateMachineArn=removal.ref)


def _nothing(removal: Removal) -> None:
    """Leave with the stack: it is nothing but its part in it."""


def _clean_up(removal: Removal) -> None:
    """Empty a bucket as the CDK's function does, with what its role may do."""
    function = _function(removal)
    bucket = removal.deployed.properties["BucketName"]
    session = removal.authorization.assume(function.properties["Role"], "lambda.amazonaws.com", removal.logical_id)
    s3, arn = removal.clients.s3, f"arn:{removal.partition}:s3:::{bucket}"
    removal.authorization.require(session, "s3:GetBucketTagging", arn)
    if AUTO_DELETE_TAG not in s3.get_bucket_tagging(Bucket=bucket)["TagSet"]:
        return  # as the function has it
    removal.authorization.require(session, "s3:ListBucketVersions", arn)
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        _delete_versions(removal, session, bucket, [*page.get("Versions", []), *page.get("DeleteMarkers", [])])


def _delete_versions(removal: Removal, session: Session, bucket: str, versions: list[Any]) -> None:
    objects: Any = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]
    for item in objects:
        arn = f"arn:{removal.partition}:s3:::{bucket}/{item['Key']}"
        removal.authorization.require(session, "s3:DeleteObjectVersion", arn)
    if objects:
        answer = removal.clients.s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
        if errors := answer.get("Errors"):
            raise AssemblyError(f"{bucket}/{errors[0].get('Key')}: {errors[0].get('Message')}")


def _function(removal: Removal) -> Deployed:
    token = removal.deployed.properties["ServiceToken"]
    for other in removal.others.values():
        if other.resource["Type"] == "AWS::Lambda::Function" and other.created.attributes["Arn"] == token:
            return other
    raise AssemblyError(f"ServiceToken {token!r} is no function of this stack")


_REMOVALS: dict[str, Callable[[Removal], None]] = {
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::IAM::Role": _role,
    "AWS::IAM::Policy": _role_policy,
    "AWS::SNS::Topic": _topic,
    "AWS::SNS::TopicPolicy": _nothing,
    "AWS::SNS::Subscription": _subscription,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::Dashboard": _dashboard,
    "AWS::Events::Rule": _rule,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::StepFunctions::StateMachine": _state_machine,
    "AWS::Lambda::Function": _nothing,
    "Custom::S3AutoDeleteObjects": _clean_up,
}
