"""What `ml-a2 start` refuses before anything is started."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ml_a2 import contract
from ml_a2.finding import Finding
from ml_a2.local.execution_checks import ExecutionChecks

OUTPUTS = {
    contract.OUTPUT_STATE_MACHINE: "arn:machine",
    contract.OUTPUT_TRAINING_DATA_BUCKET: "data",
    contract.OUTPUT_MODEL_ARTIFACTS_BUCKET: "models",
}
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
MODEL = "s3://models/models/job/output/model.tar.gz"


class Services:
    """A deployed stack whose calls that read are answered, or denied; there are no others."""

    def __init__(self, *keys: str, image: str = XGBOOST, denied: bool = False) -> None:
        self.keys, self.image, self.denied = keys, image, denied

    @property
    def s3(self) -> Any:
        return self

    stepfunctions = logs = s3

    def describe_state_machine(self, **_: str) -> dict[str, Any]:
        self._allow("DescribeStateMachine")
        own = {"num_round": "100", "objective": "binary:logistic"}
        states = {
            contract.NAMING_STATE: {"Parameters": {"hyperparameters": own}},
            "CreateTrainingJob": {"Parameters": {"AlgorithmSpecification": {"TrainingImage": self.image}}},
        }
        return {"definition": json.dumps({"States": states})}

    def list_objects_v2(self, **request: Any) -> dict[str, Any]:
        self._allow("ListObjectsV2")
        return {
            "KeyCount": sum(
                f"{request['Bucket']}/{key}".startswith(f"{request['Bucket']}/{request['Prefix']}") for key in self.keys
            )
        }

    def _allow(self, operation: str) -> None:
        if self.denied:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not authorized"}}, operation)


USUAL = ("train/t.csv", "validation/v.csv", "validation/june/v.csv", "models/job/output/model.tar.gz")


def _found(given: dict[str, Any], services: Services | None = None) -> list[Finding]:
    told: list[str] = []
    return list(ExecutionChecks(services or Services(*USUAL), OUTPUTS, told.append).findings(given))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"hyperparameters": {"max_depth": "4", "eta": "0.1"}},
        {"hyperparameters": {"tree_method": "gpu_hist"}, "training_instance_type": "ml.g5.xlarge"},
        {"hyperparameters": {"eval_metric": "auc", "early_stopping_rounds": "3"}},
        {"validation_prefix": "validation/june/"},
        {"train_prefix": "validation/"},
        {"training_instance_type": "ml.m5.xlarge", "evaluation_instance_type": "ml.trn1n.32xlarge"},
        {"model_artifact": MODEL, "validation_prefix": "validation/june/"},
    ],
)
def test_what_would_work_is_not_refused(given: dict[str, Any]) -> None:
    """The stack's own hyperparameters count with those that are given."""
    assert _found(given) == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"hyperparameters": {"max_deep": "4"}}, "--set max_deep=4: the XGBoost image would refuse this: Extraneous"),
        ({"hyperparameters": {"max_depth": "deep"}}, "--set max_depth=deep: the XGBoost image would refuse this"),
        ({"hyperparameters": {"eta": "2"}}, "--set eta=2: the XGBoost image would refuse this"),
        ({"hyperparameters": {"objective": "multi:softmax"}}, "Require input for parameter 'num_class'"),
        ({"hyperparameters": {"updater": "shotgun"}}, "Tree updater should be selected"),
        ({"hyperparameters": {"_kfold": "3"}}, "_kfold=3 leaves a model for each fold"),
        (
            {"hyperparameters": {"tree_method": "gpu_hist"}, "training_instance_type": "ml.m5.large"},
            "tree_method=gpu_hist needs a GPU, and ml.m5.large has none",
        ),
        ({"train_prefix": "s3://data/train/"}, "--train-prefix s3://data/train/: is a URI"),
        ({"train_prefix": "/train/"}, "the jobs' roles may read below train/ or validation/ alone"),
        ({"train_prefix": "train//june/"}, "two slashes in a row"),
        ({"train_prefix": ""}, "the jobs' roles may read below"),
        ({"validation_prefix": "train/"}, "the jobs' roles may read below validation/ alone"),
        ({"validation_prefix": "validation/july/"}, "nothing lies under s3://data/validation/july/; upload data"),
        ({"training_instance_type": "m5.xlarge"}, "--training-instance-type m5.xlarge: is no instance type"),
        ({"evaluation_instance_type": "ml.m5"}, "--evaluation-instance-type ml.m5: is no instance type"),
        ({"model_artifact": "s3://other/model.tar.gz"}, "the evaluation may read below s3://models/models/ alone"),
        ({"model_artifact": "s3://models/models/job/output/m.tar.gz"}, "is no model.tar.gz"),
        ({"model_artifact": "s3://models/models/gone/output/model.tar.gz"}, "is not there"),
        ({"model_artifact": MODEL, "train_prefix": "train/"}, "nothing is trained with a model_artifact; leave it out"),
    ],
)
def test_fails_for_what_would_fail_later(given: dict[str, Any], words: str) -> None:
    """In one line each: the option as it was given, what is wrong, what to do."""
    found = _found(given)
    assert [finding.severity for finding in found] == ["error"]
    assert words in found[0].in_a_line()


def test_all_that_is_wrong_is_told_at_once() -> None:
    """Each hyperparameter that is wrong alone, and what is left together."""
    given = {
        "hyperparameters": {"max_depth": "deep", "eta": "2", "nothing": "1", "objective": "multi:softmax"},
        "train_prefix": "june/",
        "training_instance_type": "large",
    }
    assert len(_found(given)) == 6


def test_data_that_was_not_uploaded_is_told() -> None:
    """Also where no prefix is given; a model that is given needs no training rows."""
    nothing = Services("models/job/output/model.tar.gz")
    assert [finding.where for finding in _found({}, nothing)] == [
        "--train-prefix train/", "--validation-prefix validation/",
    ]  # fmt: skip
    assert [f.where for f in _found({"model_artifact": MODEL}, nothing)] == ["--validation-prefix validation/"]


def test_what_would_be_ignored_is_a_warning() -> None:
    """It is started all the same."""
    found = _found({"hyperparameters": {"early_stopping_rounds": "3"}})
    assert [finding.severity for finding in found] == ["warning"]


def test_another_image_has_hyperparameters_of_its_own() -> None:
    """Only the built-in algorithm's are known."""
    own = Services(*USUAL, image="111122223333.dkr.ecr.us-east-1.amazonaws.com/team/own:1")
    assert _found({"hyperparameters": {"layers": "3"}}, own) == []


def test_what_may_not_be_looked_at_is_told_and_refuses_nothing() -> None:
    """Who may start executions need not be allowed to list objects."""
    told: list[str] = []
    checks = ExecutionChecks(Services(denied=True), OUTPUTS, told.append)
    assert list(checks.findings({"hyperparameters": {"max_depth": "4"}})) == []
    assert [text.partition(" not looked at")[0] for text in told] == [
        "the stack's own hyperparameters are", "what lies under train/ is", "what lies under validation/ is",
    ]  # fmt: skip
    assert [finding.where for finding in checks.findings({"hyperparameters": {"eta": "x"}})] == ["--set eta=x"]
    for among_the_stacks in ({"eval_metric": "auc"}, {"objective": "multi:softmax"}):  # which may have what these need
        assert list(checks.findings({"hyperparameters": among_the_stacks})) == []
