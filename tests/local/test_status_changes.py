"""What follows the end of an execution: logs at their level, messages over HTTP and by email, a rule without rights."""

from __future__ import annotations

import datetime as dt
import json
import mailbox
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from ml_a2.local.permissions import never_used
from ml_a2.local.rehearsal import FEW_ROUNDS, Stage
from ml_a2.local.runtime import LocalRuntime
from ml_a2.local.subscribers import write_outbox
from tests.failures.matrix import without


@pytest.fixture
def stage(assembly: Path) -> Iterator[Stage]:
    with LocalRuntime(speed=1000) as runtime:
        yield Stage(runtime, assembly)


def _crash(stage: Stage) -> str:
    stage.runtime.inject(["training=crash"])
    arn = stage.execute()
    stage.runtime.settle()
    return arn


def _records(stage: Stage, group: str) -> list[dict[str, Any]]:
    logs = stage.runtime.clients.logs
    (stream,) = logs.describe_log_streams(logGroupName=group)["logStreams"]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)
    return [json.loads(event["message"]) for event in events["events"]]


def test_the_execution_log_has_every_event_with_its_data(stage: Stage) -> None:
    """Level ALL with execution data: the history's events in its order, ids as strings."""
    arn = _crash(stage)
    records = _records(stage, "/aws/vendedlogs/states/MlA2TrainingEvaluationStack")
    history = stage.pipeline.history(arn)
    assert [record["type"] for record in records] == [event["type"] for event in history]
    assert [record["id"] for record in records] == [str(event["id"]) for event in history]
    assert json.loads(records[0]["details"]["input"]) == FEW_ROUNDS
    assert records[-1]["details"]["error"] == "TrainingJobFailed"


@pytest.mark.parametrize(
    ("level", "types"),
    [("ERROR", ["FailStateEntered", "ExecutionFailed"]), ("FATAL", ["ExecutionFailed"])],
)
def test_lower_levels_log_less(stage: Stage, level: str, types: list[str]) -> None:
    """ERROR has the Fail state and the end, FATAL the end; without execution data input and output are left out."""
    stepfunctions = stage.runtime.clients.stepfunctions
    arn = stage.outputs["StateMachineArn"]
    configuration: Any = stepfunctions.describe_state_machine(stateMachineArn=arn)["loggingConfiguration"]
    stepfunctions.update_state_machine(
        stateMachineArn=arn, loggingConfiguration={**configuration, "level": level, "includeExecutionData": False}
    )
    _crash(stage)
    records = _records(stage, "/aws/vendedlogs/states/MlA2TrainingEvaluationStack")
    assert [record["type"] for record in records] == types
    assert not any("input" in record["details"] for record in records)
    assert records[-1]["details"]["error"] == "TrainingJobFailed"


def test_messages_reach_an_http_endpoint_and_the_outbox(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SNS's own document is posted to HTTP, past a proxy of the network; by email the subject and the text arrive."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    posted: list[dict[str, Any]] = []
    arrived = threading.Semaphore(0)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()
            arrived.release()

        def log_message(self, *arguments: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    topic = stage.outputs["NotificationTopicArn"]
    sns = stage.runtime.clients.sns
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"http://127.0.0.1:{server.server_port}/")
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")
    _crash(stage)
    assert arrived.acquire(timeout=30)
    assert arrived.acquire(timeout=30)
    server.shutdown()
    server.server_close()
    assert {message["Subject"].split()[0] for message in posted} == {"MlA2TrainingEvaluationStack:", "ALARM:"}
    path = tmp_path / "outbox.mbox"
    write_outbox(path, stage.runtime.notifications(), stage.runtime.email_addresses(topic))
    box = mailbox.mbox(path)
    mails = list(box)
    box.close()
    assert [mail["To"] for mail in mails] == ["a@example.com", "a@example.com"]
    assert "could not convert string to float" in str(mails[0])


def test_a_rule_that_may_not_start_its_target_alarms(stage: Stage) -> None:
    """Without states:StartExecution jobs would run on: an alarm says so, and so does the run."""
    restore = without(stage, "states:StartExecution", "CleanUpStateMachineEven")
    _crash(stage)
    restore()
    found = [json.loads(n["Message"])["Trigger"]["MetricName"] for n in stage.runtime.notifications()[1:]]
    assert sorted(found) == ["ExecutionsFailed", "FailedInvocations"]
    assert "is not authorized to perform: states:StartExecution" in stage.runtime.incidents.all()[0]


def test_a_clean_up_that_cannot_stop_a_job_tells_a_person(stage: Stage) -> None:
    """A job that may not be stopped may cost: a message, and an alarm on the clean-up itself."""
    restore = without(stage, "sagemaker:StopTrainingJob", "CleanUpStateMachineRole")
    stage.runtime.inject(["training=hang"])
    arn = stage.start()
    stage.wait_for_job("training", arn)
    stage.runtime.clients.stepfunctions.stop_execution(executionArn=arn)
    stage.runtime.settle()
    restore()
    found = {n["Subject"]: n["Message"] for n in stage.runtime.notifications()}
    told = found["MlA2TrainingEvaluationStack: jobs of an execution that ended ABORTED may still run"]
    assert "is not authorized to perform: sagemaker:StopTrainingJob" in told
    assert sum(subject.startswith("ALARM") for subject in found) == 2
    assert len(stage.jobs("training", "InProgress")) == 1


def test_a_permission_that_is_granted_and_not_needed_shows_up(stage: Stage) -> None:
    """What no call needed is listed, what was needed is not."""
    iam = stage.runtime.clients.iam
    role = next(r["RoleName"] for r in iam.list_roles()["Roles"] if "WorkflowStateMachine" in r["RoleName"])
    more = {"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": "*"}
    iam.put_role_policy(
        RoleName=role, PolicyName="more", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [more]})
    )
    stage.execute()
    stage.runtime.settle()
    unused = {(permission.role, permission.action) for permission in never_used(stage.runtime.authorization)}
    assert (role, "s3:DeleteObject") in unused
    assert (role, "sagemaker:CreateTrainingJob") not in unused
    assert (role, "xray:PutTraceSegments") not in unused


def test_calls_are_counted_by_their_operation(stage: Stage) -> None:
    """What the dashboard's graphs of jobs show: how often a job was created, and what came of the call."""
    stage.runtime.quieten_alarms()
    stage.runtime.inject(["sagemaker:CreateTrainingJob=ThrottlingException", "training=crash"])
    stage.execute()
    stage.runtime.settle()
    counted = {}
    for metric in ("ServiceIntegrationsScheduled", "ServiceIntegrationsFailed", "ServiceIntegrationsSucceeded"):
        arn = "arn:aws:states:::aws-sdk:sagemaker:createTrainingJob"
        end = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)
        points = stage.runtime.clients.cloudwatch.get_metric_statistics(
            Namespace="AWS/States", MetricName=metric, Period=60, Statistics=["Sum"],
            Dimensions=[{"Name": "ServiceIntegrationResourceArn", "Value": arn}],
            StartTime=end - dt.timedelta(minutes=10), EndTime=end,
        )["Datapoints"]  # fmt: skip
        counted[metric] = sum(point["Sum"] for point in points)
    assert list(counted.values()) == [2, 1, 1]
