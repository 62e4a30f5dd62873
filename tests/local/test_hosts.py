"""Several hosts of one training job: one model, one network of their own, and one end."""

from __future__ import annotations

import io
import tarfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb
from sklearn import metrics

from ml_a2.local.sagemaker.cluster import Cluster
from ml_a2.local.sagemaker.container import Container
from ml_a2.local.sagemaker.jobs import Jobs
from tests.local.conftest import Account
from tests.processes import below

HIST = {"num_round": "20", "objective": "binary:logistic", "eval_metric": "auc", "tree_method": "hist"}


def _rows(seed: int, count: int) -> list[str]:
    random = np.random.default_rng(seed)
    features = random.normal(size=(count, 6))
    labels = features[:, 0] + features[:, 1] * features[:, 2] + random.normal(size=count) * 0.7 > 0
    return [
        f"{int(label)}," + ",".join(f"{value:.6f}" for value in row) + "\n"
        for label, row in zip(labels, features, strict=True)
    ]


def _channel(name: str, distribution: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://data/{name}/", "S3DataDistributionType": distribution}
    return {"ChannelName": name, "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}


def _request(count: int, distribution: str = "ShardedByS3Key", **hyperparameters: str) -> dict[str, Any]:
    return {
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": count, "VolumeSizeInGB": 1},
        "HyperParameters": {**HIST, **hyperparameters},
        "InputDataConfig": [_channel("train", distribution), _channel("validation", "FullyReplicated")],
    }


def _upload(account: Account, parts: int) -> None:
    account.runtime.clients.s3.delete_object(Bucket="data", Key="train/t.csv")
    train = _rows(1, 4000)
    for number in range(parts):
        account.put(f"train/part-{number}.csv", "".join(train[number::parts]))
    account.put("validation/v.csv", "".join(_rows(2, 1000)))


def _auc(account: Account, name: str) -> float:
    with tarfile.open(fileobj=io.BytesIO(account.get(f"models/{name}/output/model.tar.gz"))) as archive:
        member = archive.extractfile("xgboost-model")
        assert member is not None
        model = xgb.Booster(model_file=bytearray(member.read()))
    cells = np.array([line.split(",") for line in _rows(2, 1000)], dtype=np.float32)
    return float(metrics.roc_auc_score(cells[:, 0], model.predict(xgb.DMatrix(cells[:, 1:]))))


def _train(account: Account, name: str, **request: Any) -> None:
    job = account.train(name, **request)
    logs, group = account.runtime.clients.logs, "/aws/sagemaker/TrainingJobs"
    found = logs.filter_log_events(logGroupName=group, logStreamNamePrefix=f"{name}/")["events"]
    said = "\n".join(f"{event['logStreamName']}: {event['message']}" for event in found)
    assert job["TrainingJobStatus"] == "Completed", f"{job.get('FailureReason')}\n{said}"


def test_several_hosts_train_the_model_of_one(account: Account) -> None:
    """Two and four hosts, each with a share of the rows: within 0.005 AUC of one host with all of them."""
    _upload(account, 4)
    scores = {}
    for count in (1, 2, 4):
        _train(account, f"hosts-{count}", **_request(count))
        scores[count] = _auc(account, f"hosts-{count}")
    assert scores[1] > 0.85
    assert scores[2] == pytest.approx(scores[1], abs=0.005)
    assert scores[4] == pytest.approx(scores[1], abs=0.005)


def test_each_host_has_its_log_and_the_first_one_the_metrics(account: Account) -> None:
    """Streams algo-1 and algo-2; the metric lines stand in the first one only."""
    _upload(account, 2)
    _train(account, "two", **_request(2))
    logs = account.runtime.clients.logs
    group = "/aws/sagemaker/TrainingJobs"
    streams = [s["logStreamName"] for s in logs.describe_log_streams(logGroupName=group)["logStreams"]]
    assert [stream.rpartition("/")[2].rpartition("-")[0] for stream in sorted(streams)] == ["algo-1", "algo-2"]
    rounds = []
    for stream in sorted(streams):
        events = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)["events"]
        rounds.append(sum(event["message"].startswith("[") and "train-auc" in event["message"] for event in events))
    assert rounds == [20, 0]


def test_hosts_without_rows_do_not_take_part(account: Account) -> None:
    """One object for two hosts: the other one says so and ends, and the model is that of one host."""
    _upload(account, 1)
    _train(account, "one", **_request(1))
    _train(account, "idle", **_request(2))
    assert _auc(account, "idle") == _auc(account, "one")


def test_replicated_rows_count_on_every_host(account: Account) -> None:
    """FullyReplicated gives every host all rows."""
    _upload(account, 2)
    _train(account, "replicated", **_request(2, "FullyReplicated"))
    assert _auc(account, "replicated") > 0.85


def test_a_host_that_dies_fails_the_job_and_stops_the_others(account: Account) -> None:
    """The second host is killed in the middle: the job ends Failed, and no process is left."""
    _upload(account, 2)
    sagemaker = account.runtime.clients.sagemaker
    sagemaker.create_training_job(**{**account.training_request("dies"), **_request(2, num_round="1000000")})
    jobs: Jobs = account.runtime._jobs
    (job,) = jobs._jobs.values()
    deadline = time.monotonic() + 60
    while not (job._cluster and len(below("ml_a2.local.images.xgboost")) >= 2) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(3)  # so that they train together
    assert job._cluster is not None
    job._cluster._containers[1].kill()
    description = account.wait(lambda: sagemaker.describe_training_job(TrainingJobName="dies"), "Training")
    assert description["TrainingJobStatus"] == "Failed"
    assert "exit code: 137" in description["FailureReason"]
    assert below("ml_a2.local.images.xgboost") == []


def test_the_first_failure_decides(tmp_path: Path) -> None:
    """Its exit code is the job's, and its host is remembered; the others do not go on for a minute."""
    began = time.monotonic()
    containers = []
    for number, command in enumerate((["sleep", "60"], ["sh", "-c", "exit 3"])):
        base = tmp_path / str(number) / "ml"
        base.mkdir(parents=True)
        neighbour = containers[0] if containers else None
        containers.append(Container(base, command, {}, isolated=True, log=lambda _: None, neighbour=neighbour))
    cluster = Cluster(containers)
    assert (cluster.run(), cluster.failed) == (3, 1)
    assert time.monotonic() - began < 50
