"""The mission document's sections on deployment, step by step, with the programs that it names.

CDK CLI 2.160.0, which it names, does not know AWS_ENDPOINT_URL; the newer one does the same.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from ml_a2 import contract
from ml_a2.evaluation_code import evaluation_files
from ml_a2.jobs import evaluate
from tests.clients.conftest import Client
from tests.local.conftest import ROWS

pytestmark = pytest.mark.xdist_group("clients")

SCRIPT = f"{contract.CODE_PREFIX}{contract.EVALUATION_SCRIPT}"


def _deployed(cdk: Client, aws: Client, assembly: Path) -> dict[str, str]:
    """Bootstrap, once per account and region, and deploy; return the outputs."""
    assert "bootstrapped (no changes)" in _told(cdk, "bootstrap", "--app", str(assembly), "--no-notices")
    _told(cdk, "deploy", "--app", str(assembly), "--no-notices", "--require-approval", "never")
    stacks = json.loads(aws.text("cloudformation", "describe-stacks", "--stack-name", contract.STACK_NAME))["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}


def _told(cdk: Client, *arguments: str) -> str:
    answer = cdk.run(*arguments)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout + answer.stderr


def _upload(aws: Client, bucket: str, files: dict[str, Path]) -> None:
    for key, path in files.items():
        aws.text("s3", "cp", str(path), f"s3://{bucket}/{key}")


def _executed(aws: Client, machine: str) -> dict[str, Any]:
    arn = json.loads(aws.text("stepfunctions", "start-execution", "--state-machine-arn", machine))["executionArn"]
    while True:
        execution: dict[str, Any] = json.loads(aws.text("stepfunctions", "describe-execution", "--execution-arn", arn))
        if execution["status"] != "RUNNING":
            return execution
        time.sleep(0.5)


def _data(folder: Path) -> dict[str, Path]:
    """1. Upload training data to train/. 2. Upload a validation dataset to validation/."""
    (folder / "data.csv").write_text(ROWS)
    return {"train/train.csv": folder / "data.csv", "validation/validation.csv": folder / "data.csv"}


def test_followed_step_by_step_the_pipeline_runs(cdk: Client, aws: Client, assembly: Path) -> None:
    """Bootstrap, deploy, upload data and the evaluation's code, start: an evaluation lies in the bucket of results."""
    outputs = _deployed(cdk, aws, assembly)
    # 3. Upload the evaluation script to evaluation/evaluate.py: with what lies beside it.
    _upload(aws, outputs[contract.OUTPUT_TRAINING_DATA_BUCKET], {**_data(aws.folder), **evaluation_files()})
    # 4. Images: those of the region, by themselves.
    execution = _executed(aws, outputs[contract.OUTPUT_STATE_MACHINE])
    assert execution["status"] == "SUCCEEDED", execution
    results = outputs[contract.OUTPUT_EVALUATION_RESULTS_BUCKET]
    key = f"{contract.EVALUATIONS_PREFIX}{execution['name']}/{contract.EVALUATION_FILE}"
    aws.text("s3", "cp", f"s3://{results}/{key}", "evaluation.json")
    evaluation = json.loads((aws.folder / "evaluation.json").read_text())
    assert evaluation["binary_classification_metrics"]["auc"]["value"] > 0.5


def test_fails_in_words_without_what_lies_beside_the_script(cdk: Client, aws: Client, assembly: Path) -> None:
    """The script alone needs modules and a wheel: each failure names what to upload, and the topic is told."""
    outputs = _deployed(cdk, aws, assembly)
    bucket, machine = outputs[contract.OUTPUT_TRAINING_DATA_BUCKET], outputs[contract.OUTPUT_STATE_MACHINE]
    cdk.runtime.collect_notifications(outputs[contract.OUTPUT_TOPIC])
    _upload(aws, bucket, {**_data(aws.folder), SCRIPT: Path(evaluate.__file__)})
    execution = _executed(aws, machine)
    assert (execution["status"], execution["error"]) == ("FAILED", "EvaluationJobFailed")
    modules = {key: path for key, path in evaluation_files().items() if path.suffix == ".py"}
    _upload(aws, bucket, modules)
    execution = _executed(aws, machine)
    assert execution["status"] == "FAILED"
    assert "no xgboost wheel lies beside evaluate.py" in execution["cause"]
    told = [message["Message"] for message in cdk.runtime.notifications()]
    for words in ("evaluate.py needs the folder 'quality' beside it: upload both", "no xgboost wheel lies beside"):
        assert any(words in message for message in told), words
