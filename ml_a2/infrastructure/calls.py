"""Calls of AWS services from a state machine, each with its retries by family of errors.

Source: AWS Step Functions Developer Guide, "Handling errors"; an SDK integration names an error that the service's
model lists `<Service>.<Error>Exception`, and every other one, as throttling, validation and denied access,
`<Service>.<Service>Exception`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from aws_cdk import ArnFormat, CfnResource, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from ml_a2.contract import job_prefixes
from ml_a2.infrastructure.acknowledged import acknowledge

# Errors of one call: 3 repetitions within about half a minute, for throttling and faults of a service.
CALL_ATTEMPTS = 3
CALL_TIMEOUT = Duration.seconds(60)
# Account quotas: half a day, since a quota is free again only when another job ends, and others wait for it too. 150
# pauses of up to ten minutes, drawn at random: 11 hours for 99 of 100 executions, 25 where each is the longest.
QUOTA_ATTEMPTS = 150
QUOTA_PATIENCE_SECONDS = 25 * 3600

RESOURCE_IN_USE = "SageMaker.ResourceInUseException"
RESOURCE_LIMIT_EXCEEDED = "SageMaker.ResourceLimitExceededException"
# What no repetition mends, as far as the names tell: by service as the SDK integrations write it.
HOPELESS = {
    "sagemaker": ("SageMaker.ResourceNotFoundException",),
    "s3": ("S3.NoSuchKeyException", "S3.NoSuchBucketException"),
    "sns": ("Sns.NotFoundException", "Sns.InvalidParameterException"),
    "sfn": ("Sfn.ExecutionDoesNotExistException", "Sfn.InvalidArnException"),
    "cloudwatchlogs": ("CloudWatchLogs.ResourceNotFoundException",),
}


def service_call(
    scope: Construct,
    name: str,
    *,
    service: str,
    parameters: Mapping[str, Any],
    iam_action: str,
    resources: Sequence[str],
    operation: str = "",
    more: Sequence[iam.PolicyStatement] = (),
    quota: bool = False,
    **properties: Any,
) -> tasks.CallAwsService:
    """Return the task of one call, repeated where that can help.

    Args:
        scope: where the state belongs.
        name: the state's name, and the construct's.
        service: the service as SDK integrations write it.
        parameters: the request.
        iam_action: the permission that the state machine's role needs.
        resources: the ARNs on which it needs it.
        operation: the operation, where the permission does not name it.
        more: further statements for the role.
        quota: whether the call may meet an account quota, for which it then waits for hours.
        properties: as `CallAwsService` takes them: result_path, result_selector.
    """
    operation = operation or iam_action.partition(":")[2]
    task = tasks.CallAwsService(
        scope,
        name,
        state_name=name,
        service=service,
        action=camel_case(operation),
        parameters=dict(parameters),
        iam_resources=list(resources),
        iam_action=iam_action,
        additional_iam_statements=list(more) or None,
        task_timeout=sfn.Timeout.duration(CALL_TIMEOUT),
        **properties,
    )
    adoptable = (RESOURCE_IN_USE,) if quota else ()
    task.add_retry(errors=[*adoptable, *HOPELESS[service]], max_attempts=0)
    if quota:
        task.add_retry(
            errors=[RESOURCE_LIMIT_EXCEEDED],
            interval=Duration.seconds(60),
            backoff_rate=1.5,
            max_delay=Duration.minutes(10),
            max_attempts=QUOTA_ATTEMPTS,
            jitter_strategy=sfn.JitterType.FULL,
        )
    # Throttling, validation and denied access share one error name, so the one retrier for them is short enough for
    # those that no repetition mends.
    task.add_retry(
        errors=["States.TaskFailed", "States.Timeout"],
        interval=Duration.seconds(2),
        backoff_rate=2,
        max_delay=Duration.seconds(20),
        max_attempts=CALL_ATTEMPTS,
        jitter_strategy=sfn.JitterType.FULL,
    )
    return task


def confine(state_machine: sfn.StateMachine) -> None:
    """Let Step Functions use a state machine's role for this account alone, and note why the role has wildcards."""
    stack = Stack.of(state_machine)
    machines = stack.format_arn(
        service="states", resource="stateMachine", resource_name="*", arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
    # As newer versions of the CDK write it. Source: Step Functions Developer Guide, "Cross-service confused deputy
    # prevention".
    condition = {"StringEquals": {"aws:SourceAccount": stack.account}, "ArnLike": {"aws:SourceArn": machines}}
    role = cast(CfnResource, state_machine.role.node.default_child)
    role.add_property_override("AssumeRolePolicyDocument.Statement.0.Condition", condition)
    reason = (
        "jobs, executions, objects and log streams are named by this pipeline's prefixes; delivering logs and "
        "traces knows no resources"
    )
    acknowledge(state_machine, "AwsSolutions-IAM5", reason)


def camel_case(operation: str) -> str:
    """Return an operation's name as SDK integrations write it."""
    return operation[0].lower() + operation[1:]


def job_call(
    scope: Construct, name: str, operation: str, resource: str, parameters: Mapping[str, Any], **options: Any
) -> tasks.CallAwsService:
    """Return the call of a SageMaker operation on this pipeline's own jobs: `training-job` or `processing-job`."""
    return service_call(
        scope,
        name,
        service="sagemaker",
        parameters=parameters,
        iam_action=f"sagemaker:{operation}",
        resources=[jobs_arn(scope, resource)],
        **options,
    )


def jobs_arn(scope: Construct, resource: str) -> str:
    """Return the ARN of this pipeline's own jobs of a kind."""
    stack = Stack.of(scope)
    prefix = job_prefixes(stack.stack_name)[resource]
    return stack.format_arn(
        service="sagemaker", resource=resource, resource_name=f"{prefix}*", arn_format=ArnFormat.SLASH_RESOURCE_NAME
    )
