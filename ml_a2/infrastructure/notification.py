"""A message to the topic, written by the state machine itself."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from ml_a2.infrastructure.calls import service_call

# A subject has at most 100 characters: so many are left to the pipeline's name.
NAME_LENGTH = 60


Part = str | tuple[str, str]


def publish(
    scope: Construct, name: str, *, topic: sns.ITopic, subject: tuple[str, str], message: Sequence[Part]
) -> tasks.CallAwsService:
    """Return the task that publishes a message.

    Args:
        scope: where the state belongs.
        name: the state's name.
        topic: the topic that is told.
        subject: a text with one place `{}`, and the path that fills it.
        message: texts; one with a place `{}` comes with the path that fills it.
    """
    return service_call(
        scope,
        name,
        service="sns",
        parameters={
            "TopicArn": topic.topic_arn,
            "Subject.$": _format([subject]),
            "Message.$": _format(message),
        },
        iam_action="sns:Publish",
        resources=[topic.topic_arn],
        result_path="$.notification",
    )


def _format(parts: Sequence[Part]) -> str:
    text = "".join(part if isinstance(part, str) else part[0] for part in parts)
    paths = ", ".join(part[1] for part in parts if not isinstance(part, str))
    return f"States.Format('{text}', {paths})"
