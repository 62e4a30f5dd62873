"""The SageMaker Python SDK trains with the XGBoost image on the endpoint."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from ml_a2.local.runtime import LocalRuntime
from tests.clients.conftest import Client, environment_with
from tests.local.conftest import TRUST, Account

pytestmark = pytest.mark.xdist_group("clients")

SDK = "sagemaker==2.254.1"
PROGRAM = """\
import sys
import sagemaker
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput

session = sagemaker.Session(default_bucket="data")
estimator = Estimator(
    sagemaker.image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1"),
    sys.argv[1],
    instance_count=1,
    instance_type="ml.m5.large",
    output_path="s3://data/models",
    sagemaker_session=session,
    hyperparameters={"num_round": 3, "objective": "binary:logistic", "eval_metric": "auc"},
    disable_profiler=True,
    debugger_hook_config=sys.argv[2:] == ["debugger"] and None,
)
estimator.fit({"train": TrainingInput("s3://data/train/", content_type="text/csv")}, job_name="from-the-sdk")
session.download_data(".", "data", estimator.model_data.removeprefix("s3://data/"))
"""
# Without it the SDK tells AWS, past the endpoint, of each call.
NO_TELEMETRY = 'SchemaVersion: "1.0"\nSageMaker:\n  PythonSDK:\n    Modules:\n      TelemetryOptOut: true\n'


@pytest.fixture
def sdk(account: Account, tmp_path: Path, pytestconfig: pytest.Config) -> Client:
    programs = environment_with(SDK, pytestconfig.cache.mkdir("clients"))
    (tmp_path / "config.yaml").write_text(NO_TELEMETRY)
    (tmp_path / "train.py").write_text(PROGRAM)
    variables = {"SAGEMAKER_USER_CONFIG_OVERRIDE": str(tmp_path / "config.yaml")}
    return Client(account.runtime, [str(programs / "python"), "train.py", account.role], tmp_path, variables)


@pytest.fixture
def account(runtime: LocalRuntime) -> Account:
    """A bucket with data, and a role that may use all of it."""
    clients = runtime.clients
    clients.s3.create_bucket(Bucket="data")
    role = clients.iam.create_role(RoleName="job", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    account = Account(runtime, role)
    actions = ["s3:*", "logs:*", "ecr:*", "cloudwatch:PutMetricData"]
    account.allow({"Effect": "Allow", "Action": actions, "Resource": "*"})
    account.put("train/t.csv", "".join(f"{i % 2},{i % 7},{i % 5}\n" for i in range(60)))
    return account


def test_trains_follows_the_log_and_downloads_the_model(sdk: Client) -> None:
    """`fit` waits for the job and prints what it logs."""
    told = sdk.text()
    assert "Training image download completed. Training in progress." in told
    assert "[2]#011train-auc:" in told or "[2]\ttrain-auc:" in told
    with tarfile.open(sdk.folder / "model.tar.gz") as archive:
        assert archive.getnames() == ["xgboost-model"]


def test_fails_for_the_debugger_by_name(sdk: Client) -> None:
    """What the SDK adds on its own is refused rather than left out."""
    answer = sdk.run("debugger")
    assert answer.returncode != 0
    assert "DebugHookConfig" in answer.stdout + answer.stderr  # the SDK draws its traceback there
    assert sdk.runtime.clients.sagemaker.list_training_jobs()["TrainingJobSummaries"] == []
