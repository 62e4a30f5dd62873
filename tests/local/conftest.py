"""An account with a bucket and a role, for tests of jobs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from ml_a2.local.runtime import LocalRuntime

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
SCIKIT_LEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
ROWS = "".join(f"{i % 2},{i % 7},{i % 5}\n" for i in range(60))
TRUST = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"},
}


@dataclass
class Account:
    """A bucket with data, and a role that may use it."""

    runtime: LocalRuntime
    role: str

    def put(self, key: str, body: str) -> None:
        self.runtime.clients.s3.put_object(Bucket="data", Key=key, Body=body.encode())

    def get(self, key: str) -> bytes:
        body: bytes = self.runtime.clients.s3.get_object(Bucket="data", Key=key)["Body"].read()
        return body

    def allow(self, *statements: dict[str, Any]) -> None:
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        self.runtime.clients.iam.put_role_policy(RoleName="job", PolicyName="p", PolicyDocument=document)

    def train(self, name: str = "job", **changes: Any) -> dict[str, Any]:
        self.runtime.clients.sagemaker.create_training_job(**{**self.training_request(name), **changes})
        return self.wait(lambda: self.runtime.clients.sagemaker.describe_training_job(TrainingJobName=name), "Training")

    def process(self, script: str, name: str = "job", **changes: Any) -> dict[str, Any]:
        self.put("code/script.py", script)
        self.runtime.clients.sagemaker.create_processing_job(**{**self.processing_request(name), **changes})
        describe = self.runtime.clients.sagemaker.describe_processing_job
        return self.wait(lambda: describe(ProcessingJobName=name), "Processing")

    def training_request(self, name: str) -> dict[str, Any]:
        source = {"S3DataType": "S3Prefix", "S3Uri": "s3://data/train/", "S3DataDistributionType": "FullyReplicated"}
        return {
            "TrainingJobName": name,
            "RoleArn": self.role,
            "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
            "HyperParameters": {"num_round": "3", "objective": "binary:logistic", "eval_metric": "auc"},
            "InputDataConfig": [
                {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}
            ],
            "OutputDataConfig": {"S3OutputPath": "s3://data/models"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            "EnableNetworkIsolation": True,
        }

    def processing_request(self, name: str) -> dict[str, Any]:
        code = {
            "S3Uri": "s3://data/code/",
            "LocalPath": "/opt/ml/processing/code",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
        }
        output = {"S3Uri": "s3://data/out", "LocalPath": "/opt/ml/processing/output", "S3UploadMode": "EndOfJob"}
        entry = ["python3", "/opt/ml/processing/code/script.py", "/opt/ml/processing/output"]
        return {
            "ProcessingJobName": name,
            "RoleArn": self.role,
            "AppSpecification": {
                "ImageUri": SCIKIT_LEARN,
                "ContainerEntrypoint": entry[:2],
                "ContainerArguments": entry[2:],
            },
            "ProcessingInputs": [{"InputName": "code", "S3Input": code}],
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": output}]},
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
            },
            "NetworkConfig": {"EnableNetworkIsolation": True},
        }

    def wait(self, describe: Callable[[], dict[str, Any]], kind: str) -> dict[str, Any]:
        while (job := describe())[f"{kind}JobStatus"] in ("InProgress", "Stopping"):
            time.sleep(0.1)
        return job

    def log(self, group: str) -> list[str]:
        logs = self.runtime.clients.logs
        stream = logs.describe_log_streams(logGroupName=group)["logStreams"][0]["logStreamName"]
        events = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)["events"]
        return [event["message"] for event in events]


@pytest.fixture
def account(runtime: LocalRuntime) -> Account:
    runtime.clients.s3.create_bucket(Bucket="data")
    role = runtime.clients.iam.create_role(RoleName="job", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    account = Account(runtime, role)
    basics = {"Effect": "Allow", "Action": ["logs:*", "ecr:*", "cloudwatch:PutMetricData"], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [basics]})
    runtime.clients.iam.put_role_policy(RoleName="job", PolicyName="basics", PolicyDocument=document)
    account.allow({"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::data", "arn:aws:s3:::data/*"]})
    account.put("train/t.csv", ROWS)
    return account
