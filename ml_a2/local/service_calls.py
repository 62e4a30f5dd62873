"""The calls that a state machine makes: authorized by its role, made against the endpoint, told in AWS's words."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError
from botocore.model import ListShape, Shape, StructureShape
from botocore.response import StreamingBody

from ml_a2.local import faults
from ml_a2.local.authorization import AccessDeniedError, Authorization
from ml_a2.local.clients import Clients
from ml_a2.local.faults import LOST_ANSWER, Faults
from ml_a2.local.integration import pascal_case
from ml_a2.local.template import Environment

# What the state of an execution may hold.
LARGEST_BODY_BYTES = 262_144


class UnknownCallError(Exception):
    """An integration whose permissions are not known here, so that it cannot be decided."""


class ServiceCalls:
    """Carries out the AWS SDK integrations of the endpoint's state machines."""

    def __init__(
        self,
        clients: Clients,
        authorization: Authorization,
        environment: Environment,
        faults_to_come: Faults,
    ) -> None:
        """Call the endpoint that the clients address; calls meet the faults to come."""
        self._faults = faults_to_come
        self._clients = clients
        self._authorization = authorization
        self._where = environment
        self._services: dict[str, Any] = {}

    def call(self, service: str, operation: str, parameters: dict[str, Any], role_arn: str, machine_arn: str) -> Any:
        """Make one call.

        Args:
            service: the service as botocore names it.
            operation: the operation as its service model names it, in snake case.
            parameters: the request.
            role_arn: the state machine's role.
            machine_arn: the state machine itself.

        Returns:
            The answer as JSON values: times in ISO 8601, a body as text.

        Raises:
            ClientError: the service's error, or its denial.
            UnknownCallError: the integration is not known.
        """
        if (service, operation) not in PERMISSIONS:
            raise UnknownCallError(
                f"{service}:{operation} is not supported in a state machine here; see docs/fidelity.md"
            )
        try:
            session = self._authorization.assume(role_arn, "states.amazonaws.com", "StepFunctions", machine_arn)
            for action, resource, context in PERMISSIONS[service, operation](parameters, self._where):
                self._authorization.require(session, action, resource, context)
        except AccessDeniedError as error:
            raise _denied(str(error), operation) from error
        if service not in self._services:
            self._services[service] = self._clients.client(service)
        client = self._services[service]
        shapes = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation])
        fault = self._faults.call(service, operation)
        if fault and fault != LOST_ANSWER:
            raise _injected(client, fault, operation)
        answer = getattr(client, operation)(**_renamed(parameters, shapes.input_shape, to_api=True))
        answer.pop("ResponseMetadata", None)
        if fault:
            raise _injected(client, "ThrottlingException", operation)
        return _as_json(_renamed(answer, shapes.output_shape, to_api=False))


def _injected(client: Any, code: str, operation: str) -> ClientError:
    """Return the error of a fault, of the class that the service's model has for it."""
    error: ClientError = client.exceptions.from_code(code)(faults.error_answer(code), operation)
    return error


def _renamed(value: Any, shape: Shape | None, *, to_api: bool) -> Any:
    """Write members as SDK integrations do, in Pascal case, or as the service's own model has them.

    A body is written as the JSON that it is in the request.
    """
    if to_api and shape is not None and shape.type_name == "blob":
        return _as_body(value)
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_renamed(item, shape.member, to_api=to_api) for item in value]
    if not isinstance(shape, StructureShape) or not isinstance(value, dict):
        return value
    own: dict[str, str] = {pascal_case(name): name for name in shape.members}
    renamed: dict[str, Any] = {}
    item: Any
    name: str
    for name, item in value.items():
        member = own.get(name, name) if to_api else name
        inner = _renamed(item, shape.members.get(member), to_api=to_api)
        renamed[member if to_api else pascal_case(name)] = inner
    return renamed


def _as_body(value: Any) -> bytes:
    if isinstance(value, str):
        # Whether the service would put it into quotes is not documented.
        raise UnknownCallError("a body that is text is not supported in a state machine here, only a JSON object")
    return json.dumps(value, separators=(",", ":")).encode()


Permission = tuple[str, str, dict[str, str]]


def _on_job(action: str, kind: str, member: str) -> Callable[[Mapping[str, Any], Environment], Iterator[Permission]]:
    def permissions(request: Mapping[str, Any], where: Environment) -> Iterator[Permission]:
        job = f"arn:{where.partition}:sagemaker:{where.region}:{where.account}:{kind}/{request.get(member, '')}"
        yield f"sagemaker:{action}", job, {}
        if request.get("Tags"):
            yield "sagemaker:AddTags", job, {}
        if "RoleArn" in request:
            yield "iam:PassRole", request["RoleArn"], {"iam:PassedToService": "sagemaker.amazonaws.com"}

    return permissions


def _on_model_package(request: Mapping[str, Any], where: Environment) -> Iterator[Permission]:
    """Ask about the package, whose number is not known before, and about its group."""
    sagemaker = f"arn:{where.partition}:sagemaker:{where.region}:{where.account}"
    group = str(request.get("ModelPackageGroupName", "")).rpartition("/")[2]
    yield "sagemaker:CreateModelPackage", f"{sagemaker}:model-package/{group}/*", {}
    yield "sagemaker:CreateModelPackage", f"{sagemaker}:model-package-group/{group}", {}


def _on_model_package_group(request: Mapping[str, Any], where: Environment) -> Iterator[Permission]:
    name = request.get("ModelPackageGroupName", "")
    group = f"arn:{where.partition}:sagemaker:{where.region}:{where.account}:model-package-group/{name}"
    yield "sagemaker:CreateModelPackageGroup", group, {}
    if request.get("Tags"):
        yield "sagemaker:AddTags", group, {}


def _on_object(action: str) -> Callable[[Mapping[str, Any], Environment], Iterator[Permission]]:
    def permissions(request: Mapping[str, Any], where: Environment) -> Iterator[Permission]:
        yield f"s3:{action}", f"arn:{where.partition}:s3:::{request.get('Bucket', '')}/{request.get('Key', '')}", {}

    return permissions


def _on_bucket(request: Mapping[str, Any], where: Environment) -> Iterator[Permission]:
    context = {"s3:prefix": request["Prefix"]} if "Prefix" in request else {}
    yield "s3:ListBucket", f"arn:{where.partition}:s3:::{request.get('Bucket', '')}", context


def _on_topic(request: Mapping[str, Any], where: Environment) -> Iterator[Permission]:
    yield "sns:Publish", request.get("TopicArn", ""), {}


def _on_execution(action: str) -> Callable[[Mapping[str, Any], Environment], Iterator[Permission]]:
    def permissions(request: Mapping[str, Any], where: Environment) -> Iterator[Permission]:
        yield f"states:{action}", request.get("ExecutionArn", ""), {}

    return permissions


def _on_log(action: str) -> Callable[[Mapping[str, Any], Environment], Iterator[Permission]]:
    def permissions(request: Mapping[str, Any], where: Environment) -> Iterator[Permission]:
        group = f"arn:{where.partition}:logs:{where.region}:{where.account}:log-group:{request.get('LogGroupName', '')}"
        yield f"logs:{action}", f"{group}:log-stream:{request.get('LogStreamName', '')}", {}

    return permissions


# What a call needs, by service and operation. Source: Service Authorization Reference.
PERMISSIONS: dict[tuple[str, str], Callable[[Mapping[str, Any], Environment], Iterator[Permission]]] = {
    ("sagemaker", "create_training_job"): _on_job("CreateTrainingJob", "training-job", "TrainingJobName"),
    ("sagemaker", "describe_training_job"): _on_job("DescribeTrainingJob", "training-job", "TrainingJobName"),
    ("sagemaker", "stop_training_job"): _on_job("StopTrainingJob", "training-job", "TrainingJobName"),
    ("sagemaker", "create_processing_job"): _on_job("CreateProcessingJob", "processing-job", "ProcessingJobName"),
    ("sagemaker", "describe_processing_job"): _on_job("DescribeProcessingJob", "processing-job", "ProcessingJobName"),
    ("sagemaker", "stop_processing_job"): _on_job("StopProcessingJob", "processing-job", "ProcessingJobName"),
    ("sagemaker", "create_model_package"): _on_model_package,
    ("sagemaker", "create_model_package_group"): _on_model_package_group,
    ("s3", "get_object"): _on_object("GetObject"),
    ("s3", "list_objects_v2"): _on_bucket,
    ("s3", "put_object"): _on_object("PutObject"),
    ("sns", "publish"): _on_topic,
    ("stepfunctions", "describe_execution"): _on_execution("DescribeExecution"),
    ("stepfunctions", "get_execution_history"): _on_execution("GetExecutionHistory"),
    ("logs", "describe_log_streams"): _on_log("DescribeLogStreams"),
    ("logs", "get_log_events"): _on_log("GetLogEvents"),
}


def _denied(message: str, operation: str) -> ClientError:
    answer: Any = {
        "Error": {"Code": "AccessDeniedException", "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": 400, "RequestId": "00000000-0000-0000-0000-000000000000"},
    }
    return ClientError(answer, operation)


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, StreamingBody):
        # One byte more than fits lets the interpreter's own check of the size speak.
        return value.read(LARGEST_BODY_BYTES + 1).decode("utf-8")
    return value
