"""AWS SDK integrations: the names by which a state machine calls a service, and what its service model says of them.

Source: AWS Step Functions Developer Guide, "Integrating with AWS services" (AWS SDK integrations).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore import xform_name
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from ml_a2.local.service_models import service_model

RESOURCE = re.compile(r"arn:[a-z-]+:states:::aws-sdk:(?P<service>[a-z0-9]+):(?P<operation>[a-zA-Z0-9]+)")
# Services whose name in a Resource differs from botocore's.
BOTO_NAMES = {"sfn": "stepfunctions", "cloudwatchlogs": "logs"}
# Errors are named after the service's class in the AWS SDK for Java (contract, section 4).
ERROR_PREFIXES = {
    "sagemaker": "SageMaker", "s3": "S3", "sns": "Sns", "sfn": "Sfn", "cloudwatchlogs": "CloudWatchLogs",
}  # fmt: skip


class UnknownIntegrationError(Exception):
    """A Resource that names no operation of a service."""


@dataclass(frozen=True)
class Integration:
    """One operation of one service, as a Resource names it."""

    service: str
    model: OperationModel

    @property
    def call(self) -> tuple[str, str]:
        """Return service and operation as boto3 has them: `("stepfunctions", "describe_execution")`."""
        return BOTO_NAMES.get(self.service, self.service), xform_name(self.model.name)

    def errors(self) -> set[str]:
        """Return every name under which an error of this call can come."""
        prefix = ERROR_PREFIXES[self.service]
        shapes = (shape.name for shape in self.model.service_model.error_shapes)
        listed = {f"{prefix}.{name if name.endswith('Exception') else f'{name}Exception'}" for name in shapes}
        return {*listed, f"{prefix}.{prefix}Exception"}

    def problems(self, parameters: Mapping[str, Any]) -> Iterator[str]:
        """Yield what Step Functions refuses about a request when the state machine is created."""
        if self.model.input_shape:
            yield from _problems(parameters, self.model.input_shape, "")


def find_integration(resource: str) -> Integration:
    """Return the operation that a task's Resource names.

    Raises:
        UnknownIntegrationError: there is no such service or operation.
    """
    match = RESOURCE.fullmatch(resource)
    if not match:
        raise UnknownIntegrationError("only AWS SDK integrations (arn:<partition>:states:::aws-sdk:<service>:<action>)")
    if match["service"] not in ERROR_PREFIXES:
        raise UnknownIntegrationError(f"only the services {', '.join(ERROR_PREFIXES)}")
    model = service_model(BOTO_NAMES.get(match["service"], match["service"]))
    operations = {name[0].lower() + name[1:]: name for name in model.operation_names}
    if match["operation"] not in operations:
        raise UnknownIntegrationError(f"{match['service']} has no operation {match['operation']!r}")
    return Integration(match["service"], model.operation_model(operations[match["operation"]]))


def pascal_case(member: str) -> str:
    """Return a member of a request as SDK integrations write it, whatever the service's own model does."""
    return member[:1].upper() + member[1:]


def _problems(value: Any, shape: Shape, path: str) -> Iterator[str]:
    if isinstance(shape, ListShape) and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _problems(item, shape.member, f"{path}[{index}]")
    elif isinstance(shape, MapShape) and isinstance(value, Mapping):
        for key, item in value.items():
            yield from _problems(item, shape.value, f"{path}.{key}")
    elif isinstance(shape, StructureShape) and isinstance(value, Mapping):
        yield from _problems_of_members(value, shape, f"{path}." if path else "")


def _problems_of_members(value: Mapping[str, Any], shape: StructureShape, prefix: str) -> Iterator[str]:
    members = {pascal_case(name): inner for name, inner in shape.members.items()}
    given = {name.removesuffix(".$"): item for name, item in value.items()}
    for name, item in given.items():
        if name not in members:
            yield f"the field {prefix + name!r} is not supported by Step Functions"
        elif f"{name}.$" not in value:
            yield from _problems(item, members[name], prefix + name)
    for name in shape.required_members:
        if pascal_case(name) not in given:
            yield f"the field {prefix + pascal_case(name)!r} is required but was missing"
