"""The endpoint under requests, templates and state machines that no client would write.

Whatever comes, the answer is one of the service's, without a stack trace, below 500, and afterwards the endpoint is as
good as before. The same examples each time; `ML_A2_FUZZ=N` draws N times as many others.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ml_a2.local.runtime import LocalRuntime
from tests.local.conftest import TRUST
from tests.local.edge import fuzzing
from tests.operations_table import USED

pytestmark = pytest.mark.xdist_group("fuzz")  # the last test is about what the others left

TIMES = int(os.environ.get("ML_A2_FUZZ", "0"))
# Of each test; what is not done by then is left out, so that a slow machine takes no longer.
SECONDS = 6.0 * max(1, TIMES)
RUNNING_SECONDS = 0.5
ENDING_SECONDS = 30

# What goes wrong in the engine alone, in operations that neither the pipeline nor its clients use, is told as a bug.
# Of the engine's services those in USED must not; of ours every operation.
WHOLE = ("sagemaker", "cloudformation", "ssm", "sts")


@dataclass(frozen=True)
class Target:
    """A running endpoint with something of everything, and the names of that."""

    runtime: LocalRuntime
    names: Mapping[str, list[str]]
    role: str
    threads: frozenset[threading.Thread]


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    """One endpoint for all."""
    with LocalRuntime(speed=1000) as runtime:
        runtime.bootstrap()
        clients = runtime.clients
        trust = json.dumps({**TRUST, "Statement": {**TRUST["Statement"], "Principal": {"Service": SERVICES}}})
        role = clients.iam.create_role(RoleName="role", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        policy = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
        clients.iam.put_role_policy(RoleName="role", PolicyName="p", PolicyDocument=json.dumps(policy))
        clients.s3.create_bucket(Bucket="data")
        clients.s3.put_object(Bucket="data", Key="key", Body=b"content")
        topic = clients.sns.create_topic(Name="topic")["TopicArn"]
        queue = clients.sqs.create_queue(QueueName="queue")["QueueUrl"]
        clients.logs.create_log_group(logGroupName="group")
        clients.logs.create_log_stream(logGroupName="group", logStreamName="stream")
        machine = _create_machine(runtime, "machine", role, MACHINES[0])
        execution = clients.stepfunctions.start_execution(stateMachineArn=machine, name="one")["executionArn"]
        found = {"names": [*NAMES, role, topic, queue, machine, execution, json.dumps(policy)]}
        yield Target(runtime, found, role, frozenset(threading.enumerate()))


NAMES = ["data", "key", "role", "topic", "queue", "group", "stream", "machine", "1", "true", "{}", "s3://data/key"]
SERVICES = ["sagemaker.amazonaws.com", "states.amazonaws.com"]


def _examples(count: int) -> Callable[..., Any]:
    return settings(
        max_examples=count * max(1, TIMES),
        derandomize=not TIMES,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
        phases=[Phase.generate],  # to shrink what does harm takes long
    )


class Budget:
    """Tells whether there is time for one more example; the first ones are always done, and one that failed again."""

    def __init__(self, at_least: int = 3) -> None:
        self._end = time.monotonic() + SECONDS
        self._left = at_least
        self._failed = False

    def spent(self) -> bool:
        self._left -= 1
        return not self._failed and self._left < 0 and time.monotonic() > self._end

    def __enter__(self) -> None:
        """Begin an example."""

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Remember an example that failed."""
        self._failed = self._failed or kind is not None


def _offered(service: str) -> list[str]:
    return USED[service].split() if service in USED else fuzzing.operations(service)


@pytest.mark.parametrize("service", [*USED, *WHOLE])
def test_every_service_answers_whatever_it_is_asked(target: Target, service: str) -> None:
    """Members that are missing, of another type, unknown, enormous or odd, in each operation that is used."""
    budget = Budget()

    @_examples(60)
    @given(st.data())
    def bombard(data: st.DataObject) -> None:
        operation = fuzzing.service_model(service).operation_model(data.draw(st.sampled_from(_offered(service))))
        members = data.draw(fuzzing.value_of(operation.input_shape, target.names)) if operation.input_shape else {}
        if data.draw(st.booleans()):
            members = data.draw(fuzzing.mutated(members))
        request = fuzzing.write(service, operation, members)
        if request is None or budget.spent():
            return
        with budget:
            fuzzing.send(target.runtime.url, request, operation.output_shape)

    bombard()


@pytest.mark.parametrize("service", sorted(USED))
def test_operations_that_nobody_uses_answer_too(target: Target, service: str) -> None:
    """The engine may fail there; it is told as that, without a stack trace, in the service's form."""
    budget = Budget()

    @_examples(20)
    @given(st.data())
    def bombard(data: st.DataObject) -> None:
        operation = fuzzing.service_model(service).operation_model(
            data.draw(st.sampled_from(fuzzing.operations(service)))
        )
        members = data.draw(fuzzing.value_of(operation.input_shape, target.names)) if operation.input_shape else {}
        request = fuzzing.write(service, operation, members)
        if request is None or budget.spent():
            return
        with budget:
            fuzzing.send(target.runtime.url, request, None, failures=("InternalFailure",))

    bombard()


LINES = st.sampled_from([
    b"POST / HTTP/1.1", b"GET / HTTP/1.1", b"PUT /data/key HTTP/1.1", b"Host: localhost", b"Content-Length: 5",
    b"Transfer-Encoding: chunked", b"Content-Length: -1", b"X-Amz-Target: AWSStepFunctions.ListStateMachines",
    b"Authorization: " + fuzzing.scope("sagemaker").encode(), b"Authorization: " + fuzzing.scope("sns").encode(),
    b"Content-Type: application/x-www-form-urlencoded", b"Expect: 100-continue", b"", b"", b"5", b"{}", b"0",
    b"Action=ListTopics", b"x-amz-copy-source: data/key", b"Range: bytes=-5,9-", b"If-Match: *", b"\xff\x00: \x00",
])  # fmt: skip


def test_what_is_no_http_gets_an_answer_or_a_closed_connection(target: Target) -> None:
    """Lines of requests in any order, with any bytes between them, by a client that then says no more."""
    address = urllib.parse.urlsplit(target.runtime.url)
    budget = Budget()

    @_examples(120)
    @given(st.lists(st.one_of(LINES, st.binary(max_size=40)), max_size=9))
    def bombard(lines: list[bytes]) -> None:
        if budget.spent():
            return
        with budget, socket.create_connection((address.hostname, address.port or 0), timeout=30) as connection:
            connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n")
            with suppress(OSError):  # it may have been closed already
                connection.shutdown(socket.SHUT_WR)
            received = b""
            with suppress(ConnectionResetError):  # with bytes that nobody read
                while piece := connection.recv(65536):
                    received += piece
        assert b"Traceback" not in received
        while received.startswith(b"HTTP/1.1 100 "):
            received = received.partition(b"\r\n\r\n")[2]
        assert not received or received.startswith(b"HTTP/1."), received
        status = int(received.split(maxsplit=2)[1]) if received else 400
        assert 200 <= status < 500 or status in (501, 505), received  # S3's NotImplemented, HTTP's own for its version

    bombard()


def test_templates_deploy_or_are_refused(target: Target, template: dict[str, Any]) -> None:
    """A stack of whatever was made of the template comes to an end, and can be deleted."""
    cloudformation = target.runtime.clients.client("cloudformation")
    target.runtime.clients.s3.create_bucket(Bucket="templates")
    budget = Budget()

    @_examples(30)
    @given(st.data())
    def bombard(data: st.DataObject) -> None:
        changed, unique = data.draw(fuzzing.mutated(template)), data.draw(st.uuids())
        if budget.spent():
            return
        target.runtime.clients.s3.put_object(Bucket="templates", Key="t", Body=json.dumps(changed).encode())
        where = {"TemplateURL": "https://s3.amazonaws.com/templates/t"}
        change_set = {"StackName": f"s-{unique}", "ChangeSetName": "c"}
        with budget, _refused_well():
            cloudformation.get_template_summary(**where)
            cloudformation.create_change_set(
                **change_set, **where, ChangeSetType="CREATE", Capabilities=["CAPABILITY_NAMED_IAM"]
            )
            stack = cloudformation.describe_change_set(**change_set)["StackId"]
            cloudformation.execute_change_set(**change_set)
            told = _await_stack(cloudformation, stack)
            events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
            failures = [event["ResourceStatusReason"] for event in events if "ResourceStatusReason" in event]
            # What a template forbids its own clean-up stays there, as on AWS.
            assert told["StackStatus"] in ("CREATE_COMPLETE", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"), failures
            assert not any("InternalFailure" in failure for failure in failures), failures
            cloudformation.delete_stack(StackName=stack)
            assert _await_stack(cloudformation, stack)["StackStatus"] in ("DELETE_COMPLETE", "DELETE_FAILED")

    bombard()


def _await_stack(cloudformation: Any, stack: str) -> dict[str, Any]:
    while True:
        told: dict[str, Any] = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        if not told["StackStatus"].endswith("_IN_PROGRESS"):
            return told
        time.sleep(0.02)


CALL = {"TopicArn": "arn:aws:sns:us-east-1:123456789012:topic", "Message.$": "States.Format('x {}', $.x)"}
ALWAYS = {"ErrorEquals": ["States.ALL"]}
MACHINES: list[dict[str, Any]] = [
    {
        "StartAt": "A",
        "States": {
            "A": {"Type": "Pass", "Result": {"a": [1, 2]}, "ResultPath": "$.r", "Next": "B"},
            "B": {
                "Type": "Choice",
                "Choices": [
                    {"Variable": "$.r.a[0]", "NumericEquals": 1, "Next": "W"},
                    {"And": [{"Variable": "$.x", "IsPresent": True}], "Next": "F"},
                ],
                "Default": "W",
            },
            "W": {"Type": "Wait", "Seconds": 30, "Next": "S"},
            "S": {"Type": "Succeed"},
            "F": {"Type": "Fail", "Error": "E", "Cause": "C"},
        },
    },
    {
        "StartAt": "T",
        "States": {
            "T": {
                "Type": "Task",
                "Resource": "arn:aws:states:::aws-sdk:sns:publish",
                "Parameters": CALL,
                "Retry": [{**ALWAYS, "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 2}],
                "Catch": [{**ALWAYS, "ResultPath": "$.e", "Next": "F"}],
                "ResultSelector": {"m.$": "$.MessageId"},
                "End": True,
            },
            "F": {"Type": "Fail", "ErrorPath": "$.e.Error", "CausePath": "$.e.Cause"},
        },
    },
    {
        "StartAt": "P",
        "States": {
            "P": {
                "Type": "Parallel",
                "Branches": [
                    {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}},
                    {"StartAt": "B", "States": {"B": {"Type": "Wait", "SecondsPath": "$.n", "End": True}}},
                ],
                "Next": "M",
            },
            "M": {
                "Type": "Map",
                "ItemProcessor": {
                    "StartAt": "I",
                    "States": {"I": {"Type": "Pass", "Parameters": {"v.$": "States.UUID()"}, "End": True}},
                },
                "End": True,
            },
        },
    },
    {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}},
    *(
        {"StartAt": "A", "States": {"A": {"Type": "Pass", "Parameters": {"v.$": function}, "Next": "A"}}}
        for function in (
            "States.Format('{}{}', $.x, $.x)", "States.ArrayRange(0, 100000000000, 1)", "States.StringToJson($.x)",
            "States.ArrayGetItem($.l, 9)", "States.Base64Decode($.x)", "$..a", "$[?(@.x)]", "$.l[0:99:0]",
        )
    ),
]  # fmt: skip


def _create_machine(runtime: LocalRuntime, name: str, role: str, definition: Any) -> str:
    stepfunctions = runtime.clients.stepfunctions
    return stepfunctions.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role)[
        "stateMachineArn"
    ]


def test_state_machines_are_refused_or_come_to_an_end(target: Target) -> None:
    """By themselves or by StopExecution, with a history that can be told; also those that would run for ever."""
    stepfunctions = target.runtime.clients.stepfunctions
    budget = Budget(at_least=len(MACHINES))
    definitions = st.sampled_from(MACHINES).flatmap(lambda one: st.one_of(st.just(one), fuzzing.mutated(one, 2)))

    @_examples(80)
    @given(definitions, st.one_of(st.just({"x": "y", "n": 1, "l": [1]}), fuzzing.ODD_VALUES), st.uuids())
    def bombard(definition: Any, given_input: Any, unique: Any) -> None:
        if budget.spent():
            return
        with budget, _refused_well():
            machine = _create_machine(target.runtime, f"m-{unique}", target.role, definition)
            started = stepfunctions.start_execution(stateMachineArn=machine, input=json.dumps(given_input))
            _await_execution(stepfunctions, started["executionArn"])
            assert stepfunctions.get_execution_history(executionArn=started["executionArn"])["events"]

    bombard()


def _await_execution(stepfunctions: Any, execution: str) -> None:
    began = time.monotonic()
    stopped = False
    while stepfunctions.describe_execution(executionArn=execution)["status"] == "RUNNING":
        if not stopped and time.monotonic() > began + RUNNING_SECONDS:
            stepfunctions.stop_execution(executionArn=execution)
            stopped = True
        assert time.monotonic() < began + ENDING_SECONDS, execution
        time.sleep(0.02)


@contextmanager
def _refused_well() -> Iterator[None]:
    """Take a refusal, which is below 500 and has a code."""
    refused: ClientError | None = None
    try:
        yield
    except ClientError as error:
        refused = error
    if refused:
        assert refused.response["ResponseMetadata"]["HTTPStatusCode"] < 500, refused
        assert refused.response["Error"]["Code"], refused


def test_afterwards_the_endpoint_is_as_good_as_before(target: Target, assembly: Path) -> None:
    """It deploys the project's own template, and no thread is left that waits for what never comes."""
    outputs = target.runtime.deploy(assembly)
    assert outputs["StateMachineArn"] in {
        machine["stateMachineArn"]
        for machine in target.runtime.clients.stepfunctions.list_state_machines()["stateMachines"]
    }
    end = time.monotonic() + ENDING_SECONDS
    while left := {thread for thread in threading.enumerate() if thread.is_alive()} - target.threads:
        assert time.monotonic() < end, left
        time.sleep(0.1)
