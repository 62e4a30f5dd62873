"""What other services do otherwise when state machines and people call them."""

from __future__ import annotations

import json
from typing import Any

from moto.s3.models import FakeBucket
from moto.sns.models import Subscription, Topic
from moto.sqs.models import Queue
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_aws_sdk

from ml_a2.local.integration import BOTO_NAMES, ERROR_PREFIXES
from ml_a2.local.patches.active import current, expect
from ml_a2.local.policy import Request, decide
from ml_a2.local.state.gate import outside


def _call_services() -> None:
    """Make SDK integrations under the state machine's role, with JSON answers and AWS's error names.

    moto ignores the role, leaves datetime and body objects in the state, and names errors in lower case.
    """
    owner = state_task_service_aws_sdk.StateTaskServiceAwsSdk
    expect(owner, "_eval_service_task", "_get_boto_service_name", "_get_boto_service_action")
    expect(state_task_service_aws_sdk, "_SERVICE_ERROR_NAMES")
    state_task_service_aws_sdk._SERVICE_ERROR_NAMES.update(ERROR_PREFIXES)

    def eval_service_task(
        self: Any, env: Any, resource_runtime_part: Any, normalised_parameters: dict[str, Any], state_credentials: Any
    ) -> None:
        service, operation = self._get_boto_service_name(), self._get_boto_service_action()
        service = BOTO_NAMES.get(service, service)
        role = env.aws_execution_details.role_arn
        machine = env.states.context_object.context_object_data["StateMachine"]["Id"]
        answer = current().call(service, operation, normalised_parameters, role, machine)
        current().waits.called(env.lane.owner, normalised_parameters, answer)
        env.stack.append(answer)

    owner._eval_service_task = eval_service_task


_ALLOW_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def _evaluate_bucket_policies() -> None:
    """Decide requests over HTTP by the whole bucket policy: moto ignores conditions, so a TLS-only one denies all.

    The loopback connection counts as TLS: the endpoint stands where AWS has its HTTPS endpoints. What a role may do is
    decided where its calls are made; here only the person's own requests arrive, and those an explicit deny stops.
    """
    expect(FakeBucket, "get_permission")

    def get_permission(self: Any, action: str, resource: str) -> Any:
        from moto.iam.access_control import PermissionResult

        if not self.policy:
            return PermissionResult.NEUTRAL
        account = f"arn:{self.partition}:iam::{self.account_id}:root"
        request = Request(account, action, resource, {"aws:SecureTransport": "true"})
        decision = decide(request, [_ALLOW_ALL], [json.loads(self.policy)])
        return PermissionResult.NEUTRAL if decision.allowed else PermissionResult.DENIED

    FakeBucket.get_permission = get_permission


def _deliver_over_http() -> None:
    """Bring messages to HTTP endpoints beside the call that publishes, as SNS does: moto keeps that call waiting."""
    expect(Subscription, "publish", "get_post_data")
    original = Subscription.publish

    def publish(self: Any, message: str, message_id: str, subject: str | None = None, **more: Any) -> None:
        if self.protocol in ("http", "https"):
            current().post(self.endpoint, self.get_post_data(message, message_id, subject))
        else:
            original(self, message, message_id, subject=subject, **more)

    Subscription.publish = publish


def _tell_of_messages() -> None:
    """Let who watches the endpoint hear what a topic sends, and who gets it: moto brings emails to nobody."""
    expect(Topic, "publish")
    original = Topic.publish

    def publish(self: Any, message: str, subject: str | None = None, *positional: Any, **more: Any) -> Any:
        message_id = original(self, message, subject, *positional, **more)
        subscriptions, _ = self.sns_backend.list_subscriptions_by_topic(topic_arn=self.arn)
        emails = [each.endpoint for each in subscriptions if each.protocol in ("email", "email-json")]
        current().published(self.arn, subject or "", message, emails, len(subscriptions) - len(emails))
        return message_id

    Topic.publish = publish


def _poll_outside_the_gate() -> None:
    """Let a request that waits for messages not count as under way: no snapshot could be taken while somebody polls."""
    expect(Queue, "wait_for_messages")
    original = Queue.wait_for_messages

    def wait_for_messages(self: Any, timeout: int) -> None:
        outside(lambda: original(self, timeout))

    Queue.wait_for_messages = wait_for_messages


PATCHES = (_call_services, _evaluate_bucket_policies, _deliver_over_http, _tell_of_messages, _poll_outside_the_gate)
