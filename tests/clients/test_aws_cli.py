"""The AWS CLI drives the deployed pipeline: upload, start, look, fetch."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from ml_a2 import contract
from ml_a2.evaluation_code import evaluation_files
from tests.clients.conftest import Client
from tests.local.conftest import ROWS

pytestmark = pytest.mark.xdist_group("clients")


def _outputs(aws: Client) -> dict[str, str]:
    answer = aws.text("cloudformation", "describe-stacks", "--stack-name", contract.STACK_NAME)
    return {output["OutputKey"]: output["OutputValue"] for output in json.loads(answer)["Stacks"][0]["Outputs"]}


def test_runs_the_pipeline(aws: Client, assembly: Path) -> None:
    """With the commands of the README, from the upload to the model."""
    deployed = aws.runtime.deploy(assembly)
    outputs = _outputs(aws)
    assert outputs == deployed
    data, machine = outputs[contract.OUTPUT_TRAINING_DATA_BUCKET], outputs[contract.OUTPUT_STATE_MACHINE]
    (aws.folder / "data.csv").write_text(ROWS)
    for key, path in {"train/t.csv": "data.csv", "validation/v.csv": "data.csv", **evaluation_files()}.items():
        aws.text("s3", "cp", str(path), f"s3://{data}/{key}")

    given = json.dumps({"hyperparameters": {"num_round": "3"}})
    start = ("--state-machine-arn", machine, "--name", "first", "--input", given)
    arn = json.loads(aws.text("stepfunctions", "start-execution", *start))["executionArn"]
    execution = {"status": "RUNNING"}
    while execution["status"] == "RUNNING":
        time.sleep(0.5)
        execution = json.loads(aws.text("stepfunctions", "describe-execution", "--execution-arn", arn))
    assert execution["status"] == "SUCCEEDED", execution

    jobs = json.loads(aws.text("sagemaker", "list-training-jobs"))["TrainingJobSummaries"]
    assert [job["TrainingJobStatus"] for job in jobs] == ["Completed"]
    log = json.loads(aws.text("logs", "filter-log-events", "--log-group-name", contract.TRAINING_LOG_GROUP))
    assert any(event["message"].startswith("[2]\ttrain-auc:") for event in log["events"])
    models = outputs[contract.OUTPUT_MODEL_ARTIFACTS_BUCKET]
    model = f"s3://{models}/models/{jobs[0]['TrainingJobName']}/output/model.tar.gz"
    aws.text("s3", "cp", model, "model.tar.gz")
    assert (aws.folder / "model.tar.gz").read_bytes()[:2] == b"\x1f\x8b"


def test_deploys_a_template_and_waits_for_it(aws: Client, assembly: Path) -> None:
    """By change sets, through the assets bucket, as the template is larger than a request may be."""
    template = str(assembly / f"{contract.STACK_NAME}.template.json")
    bucket = "cdk-hnb659fds-assets-123456789012-us-east-1"
    stack = ("--stack-name", contract.STACK_NAME)
    deploy = ("cloudformation", "deploy", "--template-file", template, *stack, "--s3-bucket", bucket)
    refused = aws.run(*deploy)
    assert "InsufficientCapabilitiesException" in refused.stderr
    assert "Requires capabilities : [CAPABILITY_IAM]" in refused.stderr
    aws.text(*deploy, "--capabilities", "CAPABILITY_IAM")
    assert "No changes to deploy" in aws.text(
        *deploy, "--capabilities", "CAPABILITY_IAM", "--no-fail-on-empty-changeset"
    )
    aws.text("cloudformation", "delete-stack", *stack)
    while (gone := aws.run("cloudformation", "describe-stacks", *stack)).returncode == 0:
        time.sleep(0.5)
    assert f"Stack with id {contract.STACK_NAME} does not exist" in gone.stderr


def test_fails_on_a_service_that_is_not_there(aws: Client) -> None:
    """The CLI prints the endpoint's own words."""
    answer = aws.run("dynamodb", "list-tables")
    assert answer.returncode != 0
    assert "service 'dynamodb' is not part of the embedded endpoint" in answer.stderr
