"""FinalMetricDataList: the last value of each metric that a training job wrote, as DescribeTrainingJob tells it."""

from __future__ import annotations

import datetime as dt
import struct

import pytest
from botocore.exceptions import ClientError

from ml_a2.local.images.xgboost.metric_definitions import METRIC_DEFINITIONS
from ml_a2.local.sagemaker.final_metrics import FinalMetrics
from tests.local.conftest import ROWS, XGBOOST, Account

TIME = dt.datetime(2026, 6, 1, 12, 30, 15, 987_000, dt.UTC)


def test_the_last_value_of_each_metric_is_told(account: Account) -> None:
    """A job's answer has the numbers of the last log line, of the validation channel, in 32 bits and whole seconds."""
    account.put("validation/v.csv", ROWS.replace("1,3", "0,3"))
    request = account.training_request("job")
    source = {**request["InputDataConfig"][0]["DataSource"]["S3DataSource"], "S3Uri": "s3://data/validation/"}
    channel = {"ChannelName": "validation", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}
    hyperparameters = {**request["HyperParameters"], "eval_metric": "auc,logloss"}
    job = account.train(InputDataConfig=[*request["InputDataConfig"], channel], HyperParameters=hyperparameters)
    metrics = {metric["MetricName"]: metric for metric in job["FinalMetricDataList"]}
    assert set(metrics) == {"validation:auc", "validation:logloss"}
    last = dict(pair.rsplit(":", 1) for pair in account.log("/aws/sagemaker/TrainingJobs")[-1].split("\t")[1:])
    for name, metric in metrics.items():
        told = float(last[name.replace(":", "-")])
        assert metric["Value"] == struct.unpack("f", struct.pack("f", told))[0]
        assert job["TrainingStartTime"] <= metric["Timestamp"] + dt.timedelta(seconds=1)
        assert metric["Timestamp"] <= job["TrainingEndTime"]
        assert metric["Timestamp"].microsecond == 0


def test_a_job_without_metrics_has_no_list(account: Account) -> None:
    """Without a validation channel no definition finds anything, and the member is absent."""
    assert "FinalMetricDataList" not in account.train()


def test_fails_metric_definitions_for_a_built_in_algorithm(account: Account) -> None:
    """The image's own definitions cannot be overridden, as on AWS; none at all are none."""
    definitions = [{"Name": "mine", "Regex": "auc:(.*)"}]
    algorithm = {"TrainingImage": XGBOOST, "TrainingInputMode": "File"}
    with pytest.raises(ClientError, match="can't override the metric definitions for Amazon SageMaker algorithms"):
        account.train(AlgorithmSpecification={**algorithm, "MetricDefinitions": definitions})
    assert account.train(AlgorithmSpecification={**algorithm, "MetricDefinitions": []})["TrainingJobName"] == "job"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["[0]\ttrain-auc:0.5\tvalidation-auc:0.6", "[1]\ttrain-auc:0.7\tvalidation-auc:0.75"], {"auc": 0.75}),
        (["[1]#011validation-rmse:12345678.91"], {"rmse": 12345679.0}),
        (["[1]\tvalidation-auc:0.5", "[2]\tvalidation-auc:nan", "[3]\tvalidation-auc:inf"], {"auc": 0.5}),
        (["[1]\tvalidation-rmse:1e39"], {}),
        (["[1]\tvalidation-auc:many"], {}),
        (["[1]\tvalidation-error@0.7:0.5", "[1]\tvalidation-ndcg@5:0.5", "[1]\ttrain-auc:0.5"], {}),
        (["[1]\tvalidation-f1_macro:0.25"], {"f1_macro": 0.25}),
        (["validation-auc:0.5", "[1] validation-auc:0.5", "validation channel\tvalidation-auc:0.5"], {}),
        (["[5]\ttrain-rmse:1\tvalidation-rmse:2", "[6]\ttrain-mae:1\tvalidation-mae:3"], {"rmse": 2.0, "mae": 3.0}),
        (
            ["[1]\tvalidation-auc:0.5\tvalidation-map:1e-05\tx"],
            {"auc": 0.5, "map": struct.unpack("f", struct.pack("f", 1e-5))[0]},
        ),
        (["[1]" * 100_000 + "\tvalidation-auc:0.5"], {}),
    ],
)
def test_metrics_are_found_as_the_image_defines_them(lines: list[str], expected: dict[str, float]) -> None:
    """A metric needs a round, a tab and its exact name; what is no finite number of 32 bits is none."""
    metrics = FinalMetrics(METRIC_DEFINITIONS)
    for line in lines:
        metrics.read(line, TIME)
    assert metrics.answer() == [
        {"MetricName": f"validation:{name}", "Value": value, "Timestamp": TIME.replace(microsecond=0)}
        for name, value in expected.items()
    ]
