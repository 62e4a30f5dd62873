"""The deployed pipeline through its client: what an execution does with good, odd and bad input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml_a2 import contract
from ml_a2.client import Outcome, Pipeline, job_name, metric_values
from ml_a2.evaluation_code import evaluation_files
from ml_a2.execution_events import StateEntered, TrainingPlanned, TrainingRound
from ml_a2.local.runtime import LocalRuntime

FEW_ROUNDS = {"hyperparameters": {"num_round": "3"}}


@dataclass
class Deployed:
    """The stack with data in place."""

    runtime: LocalRuntime
    outputs: dict[str, str]
    pipeline: Pipeline

    def put(self, key: str, text: str) -> None:
        bucket = self.outputs[contract.OUTPUT_TRAINING_DATA_BUCKET]
        self.runtime.clients.s3.put_object(Bucket=bucket, Key=key, Body=text.encode())

    def execute(self, name: str, execution_input: dict[str, Any] | None = None) -> tuple[Outcome, list[Any]]:
        arn = self.pipeline.start(name, FEW_ROUNDS if execution_input is None else execution_input)
        events = list(self.pipeline.watch(arn, poll_seconds=0.1))
        self.runtime.settle()
        return self.pipeline.outcome(arn), events


def _rows(seed: int) -> str:
    random = np.random.default_rng(seed)
    features = random.normal(size=(100, 3))
    labels = (features[:, 0] + random.normal(size=100) / 3 > 0).astype(int)
    return "".join(f"{label},{a:.5f},{b:.5f},{c:.5f}\n" for label, (a, b, c) in zip(labels, features, strict=True))


@pytest.fixture
def deployed(assembly: Path) -> Iterator[Deployed]:
    with LocalRuntime(speed=200) as runtime:
        yield _deploy(runtime, assembly)


def _deploy(runtime: LocalRuntime, assembly: Path) -> Deployed:
    outputs = runtime.deploy(assembly)
    runtime.collect_notifications(outputs[contract.OUTPUT_TOPIC])
    pipeline = Pipeline(runtime.clients, outputs)
    deployed = Deployed(runtime, outputs, pipeline)
    pipeline.upload(evaluation_files())
    deployed.put("train/t.csv", _rows(1))
    deployed.put("validation/v.csv", _rows(2))
    return deployed


def _states(events: list[Any]) -> list[str]:
    return [event.name for event in events if isinstance(event, StateEntered)]


def test_an_execution_reports_states_plan_and_rounds(deployed: Deployed) -> None:
    """A client sees each state once, the settled hyperparameters, and every round with its metrics."""
    arn = deployed.pipeline.start("one", FEW_ROUNDS)
    events = list(deployed.pipeline.watch(arn, poll_seconds=0.1))
    outcome = deployed.pipeline.outcome(arn)
    assert outcome.status == "SUCCEEDED", outcome
    assert metric_values(outcome.output["result"]["evaluation"])["auc"] > 0.8
    planned = [event for event in events if isinstance(event, TrainingPlanned)]
    assert [plan.hyperparameters["num_round"] for plan in planned] == ["3"]
    assert planned[0].hyperparameters["objective"] == "binary:logistic"  # the stack's own default
    rounds = [event for event in events if isinstance(event, TrainingRound)]
    assert [done.number for done in rounds] == [0, 1, 2]
    assert set(rounds[0].metrics) == {"train-auc", "validation-auc"}
    assert _states(events)[-1] == "PipelineSucceeded"
    history = deployed.pipeline.history(arn)
    assert history[-1]["type"] == "ExecutionSucceeded"
    assert job_name(history, "training_job_name") == outcome.output["training_job_name"]
    assert deployed.runtime.notifications() == []


def test_a_given_model_is_evaluated_without_training(deployed: Deployed) -> None:
    """`model_artifact` skips training; the same model and rows have the same metrics."""
    first, _ = deployed.execute("first")
    second, events = deployed.execute("second", {"model_artifact": first.output["model_artifact"]})
    assert second.status == "SUCCEEDED", second
    assert "CreateTrainingJob" not in _states(events)
    assert first.output["processing_job_name"] != second.output["processing_job_name"]
    one, two = (metric_values(outcome.output["result"]["evaluation"]) for outcome in (first, second))
    assert one == two


def test_any_legal_execution_name_gives_legal_job_names(deployed: Deployed) -> None:
    """80 characters, dots, underscores and a leading digit: SageMaker takes the jobs' names all the same."""
    name = "1st.try_of-" + "x" * 69
    outcome, _ = deployed.execute(name)
    assert len(name) == 80
    assert outcome.status == "SUCCEEDED", outcome
    key = f"evaluations/{name}/evaluation.json"
    bucket = deployed.outputs[contract.OUTPUT_EVALUATION_RESULTS_BUCKET]
    assert deployed.runtime.clients.s3.head_object(Bucket=bucket, Key=key)["ContentLength"] > 100


def test_bad_validation_data_fails_with_the_scripts_own_words(deployed: Deployed) -> None:
    """The exit message of evaluate.py is the cause, in the execution and in the notification."""
    deployed.put("validation/v.csv", "1,2,3\n0,4,5\n")
    outcome, events = deployed.execute("bad")
    assert outcome.status == "FAILED"
    assert outcome.failure is not None
    assert (outcome.failure.stage, outcome.failure.error) == ("Evaluation", "EvaluationJobFailed")
    assert outcome.failure.cause == "EvaluationError: v.csv has 2 feature columns, but the model was trained on 3"
    assert _states(events)[-2:] == ["NotifyFailure", "PipelineFailed"]
    message, alarm = deployed.runtime.notifications()
    assert message["Subject"] == "MlA2TrainingEvaluationStack: the Evaluation stage failed"
    assert json.loads(alarm["Message"])["Trigger"]["MetricName"] == "ExecutionsFailed"
    assert outcome.failure.cause in message["Message"]
    assert "/aws/sagemaker/ProcessingJobs" in message["Message"]


def test_missing_training_data_fails_with_its_url(deployed: Deployed) -> None:
    """An empty prefix is told with its S3 URL, once."""
    outcome, _ = deployed.execute("empty", {**FEW_ROUNDS, "train_prefix": "train/elsewhere/"})
    assert outcome.failure is not None
    assert (outcome.status, outcome.failure.error) == ("FAILED", "TrainingJobFailed")
    assert "/train/elsewhere/" in outcome.failure.cause
    message, alarm = deployed.runtime.notifications()
    assert "none: the Training job wrote nothing" in message["Message"]
    assert alarm["Subject"].startswith("ALARM: ")


def test_prefixes_outside_the_roles_are_denied(deployed: Deployed) -> None:
    """An execution cannot train on what its role may not read."""
    deployed.put("secret/t.csv", _rows(3))
    outcome, _ = deployed.execute("outside", {**FEW_ROUNDS, "train_prefix": "secret/"})
    assert outcome.failure is not None
    assert "not authorized to perform: s3:ListBucket" in outcome.failure.cause


def test_a_job_that_exists_already_is_adopted(deployed: Deployed) -> None:
    """A create call whose answer was lost is repeated, meets ResourceInUse, and the execution goes on with the job."""
    deployed.runtime.inject(["sagemaker:CreateTrainingJob=lost-answer", "sagemaker:CreateProcessingJob=lost-answer"])
    outcome, _ = deployed.execute("lost")
    assert outcome.status == "SUCCEEDED", outcome
    assert "caught" in outcome.output
    sagemaker = deployed.runtime.clients.sagemaker
    assert len(sagemaker.list_training_jobs()["TrainingJobSummaries"]) == 1
    assert len(sagemaker.list_processing_jobs()["ProcessingJobSummaries"]) == 1
