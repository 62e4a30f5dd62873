"""What both jobs have in common beside their work: network, key and tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from ml_a2.infrastructure.encryption import use_of
from ml_a2.settings import NetworkSettings

NETWORK_INTERFACES = "network-interface/*"


@dataclass(frozen=True)
class JobPlace:
    """Renders its parts of a create request, empty where the settings want nothing, and what a role needs for them."""

    network: NetworkSettings = field(default_factory=NetworkSettings)
    key: kms.IKey | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def isolation(self) -> dict[str, Any]:
        """Return whether the containers have a network."""
        return {"EnableNetworkIsolation": self.network.isolation}

    def vpc(self) -> dict[str, Any]:
        """Return the subnets and security groups of the job's hosts."""
        if not self.network.subnets:
            return {}
        security_groups, subnets = list(self.network.security_groups), list(self.network.subnets)
        return {"VpcConfig": {"SecurityGroupIds": security_groups, "Subnets": subnets}}

    def encrypted(self, member: str) -> dict[str, Any]:
        """Return the key as a member of a request."""
        return {member: self.key.key_arn} if self.key else {}

    def tagged(self) -> dict[str, Any]:
        """Return the tags as a create request has them."""
        return {"Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()]} if self.tags else {}

    def admit(self, role: iam.Role) -> None:
        """Allow a job's role what the place asks for."""
        if self.network.subnets:
            self._may_enter(role)
        if self.key:
            role.add_to_policy(use_of(self.key))
            # Volumes are encrypted under a grant; outputs are written with Encrypt. Source: SageMaker Developer Guide,
            # "How to use SageMaker execution roles", CreateTrainingJob and CreateProcessingJob.
            actions = ["kms:CreateGrant", "kms:DescribeKey", "kms:Encrypt"]
            role.add_to_policy(iam.PolicyStatement(actions=actions, resources=[self.key.key_arn]))

    def _may_enter(self, role: iam.Role) -> None:
        """Allow network interfaces in the VPC. Source: the same page, "provide your own VPC"."""
        interfaces = _ec2(role, NETWORK_INTERFACES)
        # A shared subnet is its owner's, of another account; ids are unique beyond accounts.
        subnets = [_ec2(role, f"subnet/{name}", account="*") for name in self.network.subnets]
        groups = [_ec2(role, f"security-group/{name}", account="*") for name in self.network.security_groups]
        create = iam.PolicyStatement(actions=["ec2:CreateNetworkInterface"], resources=[interfaces, *subnets, *groups])
        change = iam.PolicyStatement(
            actions=[
                "ec2:CreateNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface",
                "ec2:DeleteNetworkInterfacePermission",
            ],
            resources=[interfaces],
        )
        # These know no resources.
        look = iam.PolicyStatement(
            actions=[
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
            ],
            resources=["*"],
        )
        for statement in (create, change, look):
            role.add_to_policy(statement)


def _ec2(role: iam.Role, resource: str, account: str | None = None) -> str:
    stack = Stack.of(role)
    return f"arn:{stack.partition}:ec2:{stack.region}:{account or stack.account}:{resource}"
