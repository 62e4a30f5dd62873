"""Links into the AWS console of the stack's own partition and region."""

from __future__ import annotations

from typing import Self, cast

from aws_cdk import Aws, CfnMapping, Stack
from constructs import Construct

DOMAINS = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}


class Console(Construct):
    """One mapping a stack from its partition to the console's domain."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        """Create the mapping."""
        super().__init__(scope, construct_id)
        mapping = CfnMapping(
            self, "Domains", mapping={partition: {"domain": domain} for partition, domain in DOMAINS.items()}
        )
        self._domain = mapping.find_in_map(Aws.PARTITION, "domain")

    @classmethod
    def of(cls, scope: Construct) -> Self:
        """Return the stack's one."""
        stack = Stack.of(scope)
        return cast(Self, stack.node.try_find_child("Console") or cls(stack, "Console"))

    def execution_url(self, execution_arn: str) -> str:
        """Return the page of an execution."""
        region = Stack.of(self).region
        return f"https://{self._domain}/states/home?region={region}#/v2/executions/details/{execution_arn}"
