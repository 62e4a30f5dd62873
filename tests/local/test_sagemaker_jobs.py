"""Training and processing jobs through SageMaker's API: what is asked for, what is answered, what is refused."""

from __future__ import annotations

import io
import tarfile
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import ROWS, SCIKIT_LEARN, XGBOOST, Account


def test_a_training_job_trains_and_leaves_its_model(account: Account) -> None:
    """The model lies where SageMaker puts it, in the 1.7-1 format; the rounds stand in the log."""
    job = account.train()
    assert job["TrainingJobStatus"] == "Completed", job
    assert job["ModelArtifacts"] == {"S3ModelArtifacts": "s3://data/models/job/output/model.tar.gz"}
    with tarfile.open(fileobj=io.BytesIO(account.get("models/job/output/model.tar.gz"))) as tar:
        assert tar.getnames() == ["xgboost-model"]
        member = tar.extractfile("xgboost-model")
        assert member is not None
        assert member.read(4) == b"binf"
    lines = account.log("/aws/sagemaker/TrainingJobs")
    assert [line.partition("\t")[0] for line in lines] == ["[0]", "[1]", "[2]"]
    statuses = [transition["Status"] for transition in job["SecondaryStatusTransitions"]]
    assert statuses == ["Starting", "Downloading", "Training", "Uploading", "Completed"]


def test_log_stream_has_sagemakers_name(account: Account) -> None:
    """The stream is called <job>/algo-1-<epoch seconds>."""
    account.train()
    streams = account.runtime.clients.logs.describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs")
    name = streams["logStreams"][0]["logStreamName"]
    assert name.startswith("job/algo-1-")
    assert abs(int(name.rpartition("-")[2]) - time.time()) < 600


def test_a_failing_training_job_tells_its_reason(account: Account) -> None:
    """The failure file becomes the reason, cut at 1,024 characters; the whole of it stands in the log."""
    job = account.train(HyperParameters={"num_round": "3", "max_depth": "deep"})
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: framework error: \nTraceback")
    assert len(job["FailureReason"]) <= 1024
    assert "ModelArtifacts" not in job
    last = account.log("/aws/sagemaker/TrainingJobs")[-1]
    assert last == "Hyperparameter max_depth: could not parse value (caused by ValueError)"


def test_missing_training_data_fails_the_job_not_the_call(account: Account) -> None:
    """A prefix without objects: created, then Failed with a ClientError that names the URL."""
    account.runtime.clients.s3.delete_object(Bucket="data", Key="train/t.csv")
    job = account.train()
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: ")
    assert "No S3 objects found under S3 URL" in job["FailureReason"]
    assert "s3://data/train/" in job["FailureReason"]


@pytest.mark.parametrize("action", ["s3:ListBucket", "s3:GetObject", "s3:PutObject"])
def test_a_job_may_only_what_its_role_may(account: Account, action: str) -> None:
    """Each access to S3 is decided by the role's policies; a denial has AWS's wording."""
    account.allow(
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, {"Effect": "Deny", "Action": action, "Resource": "*"}
    )
    job = account.train()
    assert job["TrainingJobStatus"] == "Failed"
    assert (
        f"assumed-role/job/SageMaker is not authorized to perform: {action} on resource: arn:aws:s3:::data"
        in job["FailureReason"]
    )
    assert "with an explicit deny in an identity-based policy" in job["FailureReason"]


def test_a_processing_job_runs_its_entry_point(account: Account) -> None:
    """Inputs lie at their paths, outputs are uploaded, symbolic links are not."""
    script = """
import json, os, sys
out = sys.argv[1]
assert os.listdir(out) == []
name = json.load(open("/opt/ml/config/processingjobconfig.json"))["ProcessingJobName"]
open(out + "/deep.txt", "w").write(name + " " + __file__)
os.symlink("/etc/hostname", out + "/link")
os.makedirs(out + "/a/b"); open(out + "/a/b/c", "w").write("c")
"""
    job = account.process(script)
    assert job["ProcessingJobStatus"] == "Completed", account.log("/aws/sagemaker/ProcessingJobs")
    assert account.get("out/deep.txt") == b"job /opt/ml/processing/code/script.py"
    contents = account.runtime.clients.s3.list_objects_v2(Bucket="data", Prefix="out/")["Contents"]
    assert {item["Key"] for item in contents} == {"out/deep.txt", "out/a/b/c"}


def test_a_failing_processing_job_tells_its_exit_message(account: Account) -> None:
    """The exit code decides, and what the script left in output/message is told."""
    job = account.process("open('/opt/ml/output/message', 'w').write('no good: ' + 'x' * 2000)\nraise SystemExit(3)")
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].endswith("exit code: 3")
    assert job["ExitMessage"].startswith("no good: x")
    assert len(job["ExitMessage"]) == 1024


def test_names_are_unique(account: Account) -> None:
    """A second job of the same name is ResourceInUse, also when the first has ended."""
    account.train()
    with pytest.raises(ClientError) as caught:
        account.train()
    assert caught.value.response["Error"]["Code"] == "ResourceInUse"


def test_quotas_bound_what_runs_at_once(account: Account) -> None:
    """One job more than the account's quota is ResourceLimitExceeded, as a person meets it on AWS."""
    account.put("code/script.py", "import time\ntime.sleep(600)")
    sagemaker = account.runtime.clients.sagemaker
    account.runtime._jobs._at_once = 2
    for number in range(2):
        sagemaker.create_processing_job(**account.processing_request(f"job-{number}"))
    with pytest.raises(ClientError) as caught:
        sagemaker.create_processing_job(**account.processing_request("job-2"))
    assert caught.value.response["Error"]["Code"] == "ResourceLimitExceeded"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"TrainingJobName": "a_b"}, "at 'trainingJobName' failed to satisfy constraint"),
        ({"TrainingJobName": "a" * 64}, "trainingJobName"),
        ({"RoleArn": "arn:aws:iam::123456789012:role/nobody"}, "Could not assume role"),
        ({"HyperParameters": {"a": "x" * 2501}}, "less than or equal to 2500"),
        ({"ResourceConfig": {"InstanceType": "ml.none", "VolumeSizeInGB": 1}}, "enum value set"),
        (
            {"ResourceConfig": {"InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
            "ResourceConfig.InstanceCount is req",
        ),
        (
            {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 21, "VolumeSizeInGB": 1}},
            "InstanceCount 21",
        ),
        ({"OutputDataConfig": {"S3OutputPath": "s3://data/m", "KmsKeyId": "k"}}, "OutputDataConfig.KmsKeyId 'k'"),
        ({"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}}, "VpcConfig is not supported locally"),
        (
            {
                "AlgorithmSpecification": {
                    "TrainingImage": XGBOOST,
                    "TrainingInputMode": "File",
                    "ContainerEntrypoint": ["false"],
                }
            },
            "AlgorithmSpecification.ContainerEntrypoint is not supported locally",
        ),
        (
            {
                "EnableManagedSpotTraining": True,
                "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
            },
            "MaxWaitTimeInSeconds is not supported locally",
        ),
        (
            {"AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "Pipe"}},
            "TrainingInputMode 'Pipe'",
        ),
        (
            {
                "AlgorithmSpecification": {
                    "TrainingImage": "public.ecr.aws/sagemaker/xgboost:1.7-1",
                    "TrainingInputMode": "File",
                }
            },
            "is not the URI of an image in Amazon ECR",
        ),
        (
            {"AlgorithmSpecification": {"TrainingImage": XGBOOST.replace("6833", "1111"), "TrainingInputMode": "File"}},
            "account '111113688378' is not that of SageMaker's images in us-east-1",
        ),
        (
            {
                "AlgorithmSpecification": {
                    "TrainingImage": XGBOOST.replace("1.7-1", "0.90"),
                    "TrainingInputMode": "File",
                }
            },
            "cannot be run locally, only",
        ),
        ({"AlgorithmSpecification": {"TrainingImage": SCIKIT_LEARN, "TrainingInputMode": "File"}}, "cannot train"),
    ],
)
def test_fails_naming_the_member_of_a_bad_request(account: Account, change: dict[str, Any], words: str) -> None:
    """Requests are checked against the service model and against what can be carried out here."""
    sagemaker = account.runtime.clients.sagemaker
    with pytest.raises(ClientError) as caught:
        sagemaker.create_training_job(**{**account.training_request("job"), **change})
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert words in str(caught.value)
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []


def test_fails_for_a_job_that_is_not_there(account: Account) -> None:
    """Describing an unknown job has the service's own answer."""
    with pytest.raises(ClientError, match=r"ValidationException.*Requested resource not found\."):
        account.runtime.clients.sagemaker.describe_training_job(TrainingJobName="nobody")


def test_paths_outside_opt_ml_are_refused(account: Account) -> None:
    """A local path cannot lead out of the container."""
    request = account.processing_request("job")
    request["ProcessingInputs"][0]["S3Input"]["LocalPath"] = "/opt/ml/../../etc"
    with pytest.raises(ClientError, match="is not below /opt/ml"):
        account.runtime.clients.sagemaker.create_processing_job(**request)


def test_an_input_without_its_source_is_refused(account: Account) -> None:
    """The service model lets S3Input be left out; there is nothing to carry out then."""
    request = account.processing_request("job")
    del request["ProcessingInputs"][0]["S3Input"]
    with pytest.raises(ClientError, match="'code': LocalPath '' is not below /opt/ml"):
        account.runtime.clients.sagemaker.create_processing_job(**request)


def test_keys_cannot_lead_outside_their_channel(account: Account) -> None:
    """An object whose key climbs up fails the job and writes nothing."""
    account.put("train/../../../../escaped.csv", ROWS)
    job = account.train()
    assert job["TrainingJobStatus"] == "Failed"
    assert "leads outside its channel" in job["FailureReason"]


def test_checkpoints_come_and_go(account: Account) -> None:
    """What lies under the checkpoint URI is resumed from, and what the container writes is kept there."""
    config = {"S3Uri": "s3://data/checkpoints", "LocalPath": "/opt/ml/checkpoints"}
    first = account.train("first", CheckpointConfig=config)
    assert first["TrainingJobStatus"] == "Completed", first["FailureReason"]
    assert first["CheckpointConfig"] == config
    checkpoint = account.get("checkpoints/xgboost-checkpoint_0.json")
    # Under the name that the image itself looks for, it goes on from there.
    account.runtime.clients.s3.put_object(Bucket="data", Key="checkpoints/xgboost-checkpoint.0", Body=checkpoint)
    assert account.train("second", CheckpointConfig=config)["TrainingJobStatus"] == "Completed"
    logs = account.runtime.clients.logs
    group = "/aws/sagemaker/TrainingJobs"
    (stream,) = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="second/")["logStreams"]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    assert len([event for event in events if event["message"].startswith("[")]) == 2
