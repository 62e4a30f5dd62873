"""An endpoint that keeps its state is the same after it was ended and started again."""

from __future__ import annotations

import json
import re
import shutil
import threading
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT

from ml_a2.errors import AssemblyError, PlatformError, UserError
from ml_a2.local import status_changes
from ml_a2.local.clients import Clients
from ml_a2.local.rehearsal import Stage
from ml_a2.local.runtime import LocalRuntime
from ml_a2.local.state.folder import OBJECTS, UNFINISHED
from ml_a2.local.state.keeper import Keeper
from ml_a2.local.template import Environment
from tests.local.state.conftest import Serve, state_folder, wait_for_snapshot
from tests.local.state.survey import survey

# What a training job was created with, of what is told of it.
CREATING = ("RoleArn", "AlgorithmSpecification", "OutputDataConfig", "ResourceConfig", "StoppingCondition")


def _fill(runtime: LocalRuntime) -> None:
    """Leave something in every service beside the stack's own."""
    clients = runtime.clients
    s3, sqs, sns = clients.s3, clients.sqs, clients.sns
    s3.create_bucket(Bucket="data")
    s3.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    for text in (b"first", b"second", b"third"):
        s3.put_object(Bucket="data", Key="a/b", Body=text, Metadata={"text": "a"}, Tagging="one=1", ContentType="x/y")
    s3.delete_object(Bucket="data", Key="a/b")
    s3.put_object(Bucket="data", Key="../../x", Body=b"", ChecksumAlgorithm="SHA256")
    topic = sns.create_topic(Name="topic", Tags=[{"Key": "a", "Value": "b"}])["TopicArn"]
    queue = sqs.create_queue(QueueName="queue")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    sns.publish(TopicArn=topic, Message="told before")
    clients.sagemaker.create_model_package_group(ModelPackageGroupName="group", ModelPackageGroupDescription="mine")
    # The stack's own alarm comes back to OK with the next minute; one that ignores missing data stays.
    clients.cloudwatch.put_metric_alarm(
        AlarmName="stays",
        Namespace="mine",
        MetricName="failures",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="ignore",
    )
    clients.cloudwatch.set_alarm_state(AlarmName="stays", StateValue="ALARM", StateReason="for ever")


def test_everything_is_told_as_before(serve: Serve, assembly: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every answer of every service, of a stack with an execution that failed and alarmed somebody."""
    monkeypatch.setattr(status_changes, "EVALUATION_SECONDS", 3600)  # no alarm changes between the two looks
    with serve() as runtime:
        stage = Stage(runtime, assembly)
        _fill(runtime)
        runtime.inject(["training=crash"])
        stage.execute()
        runtime.settle()
        assert runtime.notifications()
        before, used = survey(runtime.clients), set(runtime.authorization.used)
    with serve() as runtime:
        after = survey(runtime.clients)
        assert runtime.authorization.used == used
    assert {name for name in before | after if before.get(name) != after.get(name)} == set()
    kinds = {name.split()[0].split(":")[0] for name in before}
    assert {"alarm", "arn", "bucket", "events", "group", "object", "queue", "role", "rule", "stack", "stream"} <= kinds
    assert before["alarm stays"]["StateValue"] == "ALARM"


def test_what_was_begun_goes_on(serve: Serve) -> None:
    """An upload is completed, a message received, a topic published to, a registry counts on, names stay taken."""
    with serve() as runtime:
        _fill(runtime)
        s3 = runtime.clients.s3
        upload: Any = {"Bucket": "data", "Key": "large", "UploadId": None}
        upload["UploadId"] = s3.create_multipart_upload(Bucket="data", Key="large")["UploadId"]
        first = s3.upload_part(**upload, PartNumber=1, Body=b"1" * (5 << 20))["ETag"]
    with serve() as runtime:
        s3, sqs = runtime.clients.s3, runtime.clients.sqs
        second = s3.upload_part(**upload, PartNumber=2, Body=b"2")["ETag"]
        parts: Any = [{"PartNumber": 1, "ETag": first}, {"PartNumber": 2, "ETag": second}]
        s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        assert s3.get_object(Bucket="data", Key="large", Range="bytes=5242879-")["Body"].read() == b"12"
        runtime.clients.sns.publish(TopicArn=f"arn:aws:sns:us-east-1:{ACCOUNT}:topic", Message="told after")
        messages = [sqs.receive_message(QueueUrl="queue")["Messages"][0]["Body"] for _ in range(2)]
        assert messages == ["told before", "told after"]
        with pytest.raises(ClientError, match="already exists"):
            runtime.clients.sagemaker.create_model_package_group(ModelPackageGroupName="group")
        with pytest.raises(ClientError, match=r"BucketAlready(OwnedByYou|Exists)"):
            Clients(runtime.url, "eu-west-1").s3.create_bucket(
                Bucket="data", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
            )


def test_what_ran_is_found_ended(serve: Serve, assembly: Path) -> None:
    """An execution is ABORTED, with an end in its history, and its job Stopped; both keep their names."""
    with serve() as runtime:
        arn, job = _leave_running(runtime, assembly)
    with serve() as runtime:
        _check_ended(runtime, arn, job)
        request = runtime.clients.sagemaker.describe_training_job(TrainingJobName=job)
        again = {key: request[key] for key in CREATING if key in request}
        with pytest.raises(ClientError, match="ResourceInUse"):
            runtime.clients.sagemaker.create_training_job(TrainingJobName=job, **again)
        with pytest.raises(ClientError, match="is in status Stopped"):
            runtime.clients.sagemaker.stop_training_job(TrainingJobName=job)


def test_a_crash_leaves_the_last_snapshot(serve: Serve, assembly: Path, tmp_path: Path) -> None:
    """Written while the endpoint serves, while somebody waits for messages, too: what runs is found ended there."""
    crashed = tmp_path / "crashed"
    with serve() as runtime:
        queue = runtime.clients.sqs.create_queue(QueueName="queue")["QueueUrl"]
        receive = partial(runtime.clients.sqs.receive_message, QueueUrl=queue, WaitTimeSeconds=20)
        threading.Thread(target=receive, daemon=True).start()
        arn, job = _leave_running(runtime, assembly)
        wait_for_snapshot(runtime, tmp_path / "state")
        shutil.copytree(tmp_path / "state", crashed)
        runtime.clients.sqs.send_message(QueueUrl=queue, MessageBody="let go")
    with serve(crashed) as runtime:
        _check_ended(runtime, arn, job)


def test_a_stack_is_updated_where_its_template_changed(serve: Serve, assembly: Path, tmp_path: Path) -> None:
    """Deployed again, nothing happens to it, and the CDK would say so; a changed one is updated in place."""
    with serve() as runtime:
        outputs = runtime.deploy(assembly)
    with serve() as runtime:
        api = runtime.clients.client("cloudformation")
        stack = api.describe_stacks()["Stacks"][0]
        body = json.dumps(api.get_template(StackName=stack["StackName"])["TemplateBody"])
        runtime.clients.s3.create_bucket(Bucket="assets")
        runtime.clients.s3.put_object(Bucket="assets", Key="template.json", Body=body)
        change: Any = {"StackName": stack["StackName"], "ChangeSetName": "none", "Capabilities": stack["Capabilities"]}
        api.create_change_set(**change, TemplateURL=f"{runtime.url}/assets/template.json", Tags=stack["Tags"])
        told = api.describe_change_set(StackName=stack["StackName"], ChangeSetName="none")
        assert "didn't contain changes" in told["StatusReason"]
        assert runtime.deploy(assembly) == outputs
        assert "LastUpdatedTime" not in api.describe_stacks()["Stacks"][0]
        changed = _changed(assembly, tmp_path)
        assert runtime.deploy(changed) == outputs
    with serve() as runtime:
        stack = runtime.clients.client("cloudformation").describe_stacks()["Stacks"][0]
        assert (stack["StackStatus"], stack["Description"]) == ("UPDATE_COMPLETE", "changed")


def test_a_stack_that_was_rolled_back_is_created_anew(serve: Serve) -> None:
    """As the CDK does it; one whose deletion failed is left to a person."""
    bucket: dict[str, Any] = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "mine"}}
    broken = {
        "Resources": {
            "Bucket": bucket,
            "Other": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "A"}, "DependsOn": "Bucket"},
        }
    }
    whole = {"Resources": {"Bucket": bucket}}
    with serve() as runtime, pytest.raises(AssemblyError, match="Other"):
        runtime._stacks.deploy(broken, "mine", {})
    with serve() as runtime:
        api = runtime.clients.client("cloudformation")
        assert [stack["StackStatus"] for stack in api.describe_stacks()["Stacks"]] == ["ROLLBACK_COMPLETE"]
        runtime._stacks.deploy(whole, "mine", {})
        assert [stack["StackStatus"] for stack in api.describe_stacks()["Stacks"]] == ["CREATE_COMPLETE"]
        runtime.clients.s3.put_object(Bucket="mine", Key="x")
        api.delete_stack(StackName="mine")
    with serve() as runtime, pytest.raises(AssemblyError, match="is in DELETE_FAILED state and cannot be updated"):
        runtime._stacks.deploy(whole, "mine", {})


def test_a_deployment_that_was_broken_off_is_not_kept(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """What was there before it is found again, instead of a stack that can be neither updated nor deleted."""
    with serve() as runtime:
        runtime.clients.s3.create_bucket(Bucket="before")
    with serve() as runtime:
        runtime._stacks.stacks.add("half").become("CREATE_IN_PROGRESS")
        runtime.clients.s3.create_bucket(Bucket="during")
    assert "keeps what was there before the deployment that was broken off" in caplog.text
    with serve() as runtime:
        assert [bucket["Name"] for bucket in runtime.clients.s3.list_buckets()["Buckets"]] == ["before"]
        assert runtime.clients.client("cloudformation").describe_stacks()["Stacks"] == []


def test_bytes_go_only_after_the_snapshot_that_has_them(serve: Serve, tmp_path: Path) -> None:
    """A crash right after a deletion leaves a snapshot whose objects are all there."""
    path, crashed = tmp_path / "state", tmp_path / "crashed"
    with serve() as runtime:
        s3 = runtime.clients.s3
        s3.create_bucket(Bucket="data")
        s3.put_object(Bucket="data", Key="x", Body=b"kept")
        wait_for_snapshot(runtime, path)
        s3.delete_object(Bucket="data", Key="x")
        shutil.copytree(path, crashed)
        wait_for_snapshot(runtime, path)
        assert list((path / OBJECTS).iterdir()) == []
    with serve(crashed) as runtime:
        assert runtime.clients.s3.get_object(Bucket="data", Key="x")["Body"].read() == b"kept"
    (next((crashed / OBJECTS).iterdir())).unlink()
    with (
        pytest.raises(UserError, match=r"is missing, or has not 4 bytes any more.*nothing of it was used"),
        serve(crashed),
    ):
        pass


def test_a_snapshot_that_cannot_be_written_is_told_and_tried_again(
    serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """While the endpoint serves on; where the last one cannot be written, the end is a failure."""
    path = tmp_path / "state"
    with serve() as runtime:
        (path / UNFINISHED).mkdir()
        runtime.clients.s3.create_bucket(Bucket="data")
        while "cannot be written" not in caplog.text:
            time.sleep(0.05)
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        (path / UNFINISHED).rmdir()
    with ExitStack() as served:
        runtime = served.enter_context(serve())
        assert [bucket["Name"] for bucket in runtime.clients.s3.list_buckets()["Buckets"]] == ["data"]
        runtime.clients.s3.create_bucket(Bucket="more")
        (path / UNFINISHED).mkdir()
        with pytest.raises(PlatformError, match="what was kept before is still there"):
            served.close()
    (path / UNFINISHED).rmdir()
    with serve() as runtime:
        assert [bucket["Name"] for bucket in runtime.clients.s3.list_buckets()["Buckets"]] == ["data"]


def test_requests_after_the_end_are_refused(serve: Serve) -> None:
    """What would be lost is not answered as if it had been done."""
    with serve() as runtime:
        s3 = runtime.clients.s3
        s3.create_bucket(Bucket="data")
    with pytest.raises(ClientError, match="the endpoint is being ended"):
        s3.put_object(Bucket="data", Key="x")


def test_what_was_found_is_told(serve: Serve, tmp_path: Path) -> None:
    """Stacks, objects and executions, and when they were kept."""
    with serve() as runtime:
        assert runtime.keeper
        assert runtime.keeper.found == f"state: {tmp_path / 'state'}: new"
        runtime._stacks.deploy({"Resources": {"One": {"Type": "AWS::S3::Bucket"}}}, "mine", {})
        bucket = runtime.clients.s3.list_buckets()["Buckets"][0]["Name"]
        runtime.clients.s3.put_object(Bucket=bucket, Key="x")
    with serve() as runtime:
        assert runtime.keeper
        pattern = r"state: .*/state: stack mine, 1 object, 0 executions, from \d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
        assert re.fullmatch(pattern, runtime.keeper.found)


def _leave_running(runtime: LocalRuntime, assembly: Path) -> tuple[str, str]:
    """Start an execution whose training job hangs; return its ARN and the job's name."""
    stage = Stage(runtime, assembly)
    runtime.inject(["training=hang"])
    arn = stage.start()
    stage.wait_for_job("training", arn)
    return arn, stage.jobs("training", "InProgress")[0]


def _check_ended(runtime: LocalRuntime, arn: str, job: str) -> None:
    execution: Any = runtime.clients.stepfunctions.describe_execution(executionArn=arn)
    assert (execution["status"], execution["error"]) == ("ABORTED", "RuntimeEnded")
    assert execution["stopDate"] > execution["startDate"]
    events: Any = runtime.clients.stepfunctions.get_execution_history(executionArn=arn)["events"]
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["type"] == "ExecutionAborted"
    assert [event["type"].startswith("Execution") for event in events].count(True) == 2
    described = runtime.clients.sagemaker.describe_training_job(TrainingJobName=job)
    assert (described["TrainingJobStatus"], described["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert described["TrainingEndTime"] >= described["CreationTime"]
    assert [step["Status"] for step in described["SecondaryStatusTransitions"]][-1] == "Stopped"


def _changed(assembly: Path, tmp_path: Path) -> Path:
    """Return a copy of an assembly with another description of its stack and of an alarm."""
    copied = tmp_path / "changed"
    shutil.copytree(assembly, copied)
    file = next(copied.glob("*.template.json"))
    template = json.loads(file.read_text())
    template["Description"] = "changed"
    alarm = next(r for r in template["Resources"].values() if r["Type"] == "AWS::CloudWatch::Alarm")
    alarm["Properties"]["AlarmDescription"] = "changed"
    file.write_text(json.dumps(template))
    return copied


class _Counting(threading.Event):
    """Counts how often it was set."""

    times = 0

    def set(self) -> None:
        super().set()
        self.times += 1


def test_an_end_that_comes_as_a_snapshot_begins_is_heeded(serve: Serve, tmp_path: Path) -> None:
    """The snapshot clears the sign that something changed, which the end has just given."""
    with serve(tmp_path / "before"):
        pass  # the engine forgets what it had
    with state_folder(tmp_path / "state") as folder:
        keeper = Keeper(folder, Environment(ACCOUNT, "us-east-1", "stack"))
        keeper.restore()
        signs = keeper.gate.changed = _Counting()
        closing = threading.Thread(target=keeper.close)

        def possible() -> bool:
            """Begin the end in the last look before the snapshot, and go on when it has given its sign."""
            if threading.current_thread() is keeper._thread:
                before = signs.times
                closing.start()
                while signs.times == before:
                    time.sleep(0.001)
            return True

        keeper._delay = 0
        keeper.start(possible, lambda: True)
        signs.set()
        keeper._thread.join(60)
        is_alive = keeper._thread.is_alive()
        signs.set()  # where it is still waiting, nothing else would end it
        closing.join()
        assert not is_alive
