"""What a deployed stack's executions have left in Step Functions and S3, read by anybody with boto3."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ml_a2 import contract
from ml_a2.client import Pipeline
from ml_a2.errors import UserError
from ml_a2.evaluation_code import evaluation_files
from ml_a2.local.run import RunRequest, RunResult, deploy, run
from ml_a2.local.runtime import LocalRuntime
from ml_a2.records.fetching import fetch_run
from ml_a2.records.record import UNREADABLE, RunDirectories
from ml_a2.records.remote import RemoteRecords
from ml_a2.records.request import Request


class Silence:
    """Hears of a run and says nothing."""

    def say(self, text: str) -> None:
        """Hear a step."""

    state = plan = round = line = pause = say


@dataclass
class Ran:
    """A runtime on which a run has been executed, and its result."""

    runtime: LocalRuntime
    result: RunResult
    runs: Path
    outputs: dict[str, str]

    @property
    def records(self) -> RemoteRecords:
        return RemoteRecords(self.runtime.clients, self.outputs)

    @property
    def name(self) -> str:
        return self.result.execution

    def start(self, name: str, **execution_input: object) -> None:
        """Start an execution as somebody would in the console, and wait for its end."""
        pipeline = Pipeline(self.runtime.clients, self.outputs)
        for _ in pipeline.watch(pipeline.start(name, execution_input), poll_seconds=0.1):
            pass

    def put(self, name: str, file: str, text: str) -> None:
        bucket = self.outputs[contract.OUTPUT_EVALUATION_RESULTS_BUCKET]
        key = f"evaluations/{name}/{file}"
        self.runtime.clients.s3.put_object(Bucket=bucket, Key=key, Body=text.encode())


@pytest.fixture(scope="module")
def ran(assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    runs = tmp_path_factory.mktemp("runs")
    rounds = {"num_round": "3", "objective": "binary:logistic", "eval_metric": "auc"}
    asked = Request(directory="/", sample="breast-cancer", hyperparameters=rounds)
    outputs: dict[str, str] = {}

    class Runtime(LocalRuntime):
        """Remembers the outputs of what was deployed."""

        def deploy(self, assembly: Path) -> dict[str, str]:
            outputs.update(super().deploy(assembly))
            return outputs

    with Runtime(speed=1000) as runtime:
        result = run(deploy(assembly, runtime), RunRequest(asked, asked.prepare(), runs), Silence())
        assert (result.status, result.incidents) == ("SUCCEEDED", ())
        yield Ran(runtime, result, runs, outputs)


@pytest.mark.xdist_group("remote-records")
def test_a_run_is_the_same_record_in_s3_and_on_disk(ran: Ran) -> None:
    """Its manifest lies beside its evaluation."""
    remote, here = ran.records.get(ran.name), RunDirectories(ran.runs).get(ran.name)
    assert (remote.document, remote.evaluation) == (here.document, here.evaluation)
    assert remote.metrics == ran.result.metrics


@pytest.mark.xdist_group("remote-records")
def test_versions_and_hashes_are_those_of_the_objects(ran: Ran) -> None:
    """Each object that the manifest names has that content in that version."""
    document, s3 = ran.records.get(ran.name).document, ran.runtime.clients.s3
    bucket = ran.outputs[contract.OUTPUT_TRAINING_DATA_BUCKET]
    objects = [*document["data"]["files"], *document["code"]]
    assert {entry["key"] for entry in objects} == {
        "train/train.csv", "validation/validation.csv", "evaluation/columns.json", *evaluation_files(),
    }  # fmt: skip
    model_bucket, _, model_key = document["model"]["uri"].removeprefix("s3://").partition("/")
    for where, entry in [(bucket, entry) for entry in objects] + [
        (model_bucket, {**document["model"], "key": model_key})
    ]:
        answer = s3.get_object(Bucket=where, Key=entry["key"], VersionId=entry["version_id"])
        content = answer["Body"].read()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]
        assert answer["ETag"] == f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


@pytest.mark.xdist_group("remote-records")
def test_an_execution_that_somebody_else_started_is_known_by_the_services(ran: Ran) -> None:
    """Without a manifest: status, times, hyperparameters, images, where the data lay, metrics."""
    ran.start("by-hand", hyperparameters={"num_round": "2"})
    record = ran.records.get("by-hand")
    assert record.status == "SUCCEEDED"
    assert record.hyperparameters["num_round"] == "2"
    assert record.data["train"].endswith("/train/")
    assert record.metrics["auc"] == record.evaluation["binary_classification_metrics"]["auc"]["value"]
    assert record.document["training_image"].endswith("sagemaker-xgboost:1.7-1")
    newest, more = ran.records.newest(1)
    assert ([found.name for found in newest], more) == (["by-hand"], True)
    assert newest[0].summary() == record.summary()


@pytest.mark.xdist_group("remote-records")
def test_a_part_of_a_name_and_last_are_understood(ran: Ran) -> None:
    """Among what Step Functions lists, the newest first."""
    ran.start("in-july", hyperparameters={"num_round": "none"})
    assert ran.records.get("last").name == "in-july"
    assert ran.records.get("n-jul").name == "in-july"
    assert ran.records.get(ran.name[-4:]).name == ran.name


@pytest.mark.xdist_group("remote-records")
def test_a_failed_and_a_running_execution_are_listed(ran: Ran) -> None:
    """With the failure and what was known until then, or without an end."""
    ran.start("failed", hyperparameters={"num_round": "none"})
    record = ran.records.get("failed")
    assert (record.status, record.document["failure"]["error"]) == ("FAILED", "TrainingJobFailed")
    assert record.hyperparameters["num_round"] == "none"
    pipeline = Pipeline(ran.runtime.clients, ran.outputs)
    arn = pipeline.start("running", {"hyperparameters": {"num_round": "1000000"}})
    running = ran.records.get("running")
    assert (running.status, running.document["failure"], running.execution["ended"]) == ("RUNNING", None, None)
    pipeline.stop(arn, "Stopped", "seen enough")
    while ran.records.get("running").status == "RUNNING":
        time.sleep(0.05)


@pytest.mark.xdist_group("remote-records")
def test_a_broken_manifest_is_told_and_hides_no_other(ran: Ran) -> None:
    """Nobody takes the services' word where a manifest was meant to be."""
    ran.start("broken", hyperparameters={"num_round": "2"})
    ran.put("broken", "manifest.json", "{}")
    with pytest.raises(UserError, match=r"s3://.*/evaluations/broken/manifest\.json is no manifest of a run"):
        ran.records.get("broken")
    listed = {record.name: record.status for record in ran.records.newest(20)[0]}
    assert (listed["broken"], listed[ran.name]) == (UNREADABLE, "SUCCEEDED")


@pytest.mark.xdist_group("remote-records")
def test_a_manifest_outlives_its_execution(ran: Ran) -> None:
    """Step Functions forgets after 90 days, S3 does not."""
    document = {**RunDirectories(ran.runs).get(ran.name).document}
    ran.put("long-ago", "manifest.json", json.dumps(document))
    assert ran.records.get("long-ago").metrics == ran.result.metrics


@pytest.mark.xdist_group("remote-records")
def test_an_execution_is_fetched_as_far_as_it_is_known(ran: Ran, tmp_path: Path) -> None:
    """Of what Step Functions has forgotten there is no history, and so no log; what is there is copied again."""
    pipeline, clients = Pipeline(ran.runtime.clients, ran.outputs), ran.runtime.clients
    document = {**RunDirectories(ran.runs).get(ran.name).document}
    ran.put("forgotten", "manifest.json", json.dumps(document))
    folder = tmp_path / "forgotten"
    for _ in range(2):
        assert fetch_run(ran.records.get("forgotten"), clients, pipeline, folder) == [
            "evaluation.json", "curves.json", "history.json", "logs/training.log", "logs/evaluation.log",
        ]  # fmt: skip
    assert json.loads((folder / "manifest.json").read_text()) == document
    assert fetch_run(ran.records.get(ran.name), clients, pipeline, tmp_path / ran.name) == []
    for file in ("evaluation.json", "curves.json", "history.json", "logs/training.log", "logs/evaluation.log"):
        assert (tmp_path / ran.name / file).read_bytes() == (ran.runs / ran.name / file).read_bytes()


@pytest.mark.xdist_group("remote-records")
def test_fails_to_fetch_into_a_folder_of_something_else(ran: Ran, tmp_path: Path) -> None:
    """Neither another run's files nor a person's own are mixed with these."""
    pipeline, clients, record = (
        Pipeline(ran.runtime.clients, ran.outputs),
        ran.runtime.clients,
        ran.records.get(ran.name),
    )
    (tmp_path / "mine").write_text("x")
    with pytest.raises(UserError, match="is there and no run; name another folder with --output DIR"):
        fetch_run(record, clients, pipeline, tmp_path)
    other = {**record.document, "execution": {**record.execution, "arn": "arn:other"}}
    write_manifest(tmp_path / "other", other)
    with pytest.raises(UserError, match="other is of arn:other, not of arn:"):
        fetch_run(record, clients, pipeline, tmp_path / "other")


def write_manifest(folder: Path, document: dict[str, Any]) -> None:
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps(document))


@pytest.mark.xdist_group("remote-records")
def test_fails_on_an_unknown_execution_and_tells_which_there_are(ran: Ran) -> None:
    """By their names, the newest ones."""
    with pytest.raises(UserError, match=r"execution 'nobody' does not exist in arn:.*; there is "):
        ran.records.get("nobody")
