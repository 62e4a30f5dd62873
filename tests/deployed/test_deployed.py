"""What would go wrong with a deployed stack: each defect is put into one, found, and taken out again."""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ml_a2 import contract
from ml_a2.account import Account
from ml_a2.deployed import examine_deployed
from ml_a2.deployed.machine import check_machine
from ml_a2.deployed.objects import FIRST_BYTES
from ml_a2.deployed.stack import check_status, check_template, check_topic
from ml_a2.evaluation_code import evaluation_files
from ml_a2.finding import Finding
from ml_a2.local.runtime import LocalRuntime

pytestmark = pytest.mark.xdist_group("deployed")
ROWS = b"1,2.5,3\n0,1.5,2\n"
NOBODY = "nobody is subscribed and has confirmed: a failure reaches nobody"


@dataclass
class Deployed:
    """A stack with code and data, and what reads it."""

    account: Account
    outputs: dict[str, str]
    template: dict[str, Any]
    code: dict[str, Path]

    @property
    def bucket(self) -> str:
        return self.outputs[contract.OUTPUT_TRAINING_DATA_BUCKET]

    def put(self, key: str, content: bytes) -> None:
        self.account.s3.put_object(Bucket=self.bucket, Key=key, Body=content)

    def delete(self, key: str) -> None:
        self.account.s3.delete_object(Bucket=self.bucket, Key=key)

    def findings(self, data: dict[str, Path] | None = None) -> list[Finding]:
        found = examine_deployed(
            self.account, contract.STACK_NAME, template=self.template, code=self.code, data=data, tell=lambda _: None
        )
        return [finding for finding in found if finding.problem != NOBODY]


@pytest.fixture(scope="module")
def stage(assembly: Path, template: dict[str, Any]) -> Iterator[Deployed]:
    with pytest.MonkeyPatch.context() as patch, LocalRuntime(speed=1000) as runtime:
        for name, value in {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "us-east-1"}.items():
            patch.setenv(name, value)
        outputs = runtime.deploy(assembly)
        account = Account(region="us-east-1", endpoint_url=runtime.url)
        code = evaluation_files()
        for key, path in code.items():
            account.s3.upload_file(str(path), outputs[contract.OUTPUT_TRAINING_DATA_BUCKET], key)
        yield Deployed(account, outputs, template, code)


@pytest.fixture
def deployed(stage: Deployed) -> Deployed:
    """One in which nothing is wrong: the rows are as they should be."""
    for prefix in ("train/", "validation/"):
        for entry in stage.account.s3.list_objects_v2(Bucket=stage.bucket, Prefix=prefix).get("Contents", []):
            stage.delete(entry["Key"])
        stage.put(f"{prefix}rows.csv", ROWS)
    return stage


def test_finds_nothing_where_nothing_is_wrong(deployed: Deployed) -> None:
    """Code that another program uploaded is recognised by its content, a folder's marker is no data."""
    deployed.put("train/", b"")
    assert deployed.findings() == []


def test_finds_that_nobody_hears_of_a_failure(deployed: Deployed) -> None:
    """Until somebody is subscribed."""
    topic = deployed.outputs[contract.OUTPUT_TOPIC]
    assert [finding.problem for finding in check_topic(deployed.account, topic)] == [NOBODY]
    arn = deployed.account.sns.subscribe(
        TopicArn=topic, Protocol="email", Endpoint="a@example.com", ReturnSubscriptionArn=True
    )["SubscriptionArn"]
    assert list(check_topic(deployed.account, topic)) == []
    deployed.account.sns.unsubscribe(SubscriptionArn=arn)


class Pending:
    """A topic to which somebody is subscribed who has not confirmed."""

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_subscriptions_by_topic"
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"Subscriptions": [{"SubscriptionArn": "PendingConfirmation", "Endpoint": "a@example.com"}]}]


def test_finds_a_subscription_that_is_not_confirmed() -> None:
    """Whoever has not confirmed hears nothing, which AWS does not say elsewhere."""
    account: Any = type("Account", (), {"sns": Pending()})()
    problems = [finding.problem for finding in check_topic(account, "arn")]
    assert problems == [NOBODY, "a@example.com has not confirmed its subscription, and hears nothing"]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("UPDATE_COMPLETE", None),
        ("UPDATE_ROLLBACK_COMPLETE", ("warning", "the last deployment was taken back (UPDATE_ROLLBACK_COMPLETE): why")),
        ("UPDATE_IN_PROGRESS", ("warning", "is being changed (UPDATE_IN_PROGRESS): why")),
        ("ROLLBACK_COMPLETE", ("error", "is not whole (ROLLBACK_COMPLETE): why")),
        ("DELETE_FAILED", ("error", "is not whole (DELETE_FAILED): why")),
    ],
)
def test_finds_a_deployment_that_did_not_go_well(status: str, expected: tuple[str, str] | None) -> None:
    """With CloudFormation's reason."""
    description = {"StackStatus": status, "StackStatusReason": "why"}
    account: Any = type("Account", (), {"describe": lambda self, stack: description})()
    found = [(finding.severity, finding.problem) for finding in check_status(account, "s")]
    assert found == ([expected] if expected else [])


def test_finds_another_template(deployed: Deployed) -> None:
    """Each resource that differs, is new or is gone; characters that CloudFormation does not tell count for nothing."""
    other = copy.deepcopy(deployed.template)
    names = sorted(other["Resources"])
    other["Resources"][names[0]]["Properties"] = {"Other": True}
    other["Resources"]["Zero"] = other["Resources"].pop(names[1])
    other["Description"] = "another"
    (found,) = check_template(deployed.account, contract.STACK_NAME, other)
    for words in (f"{names[0]} differs", f"{names[1]} is gone", "Zero is new", "section Description"):
        assert words in found.problem
    described = {"Description": "für alle"}

    class Told:
        def get_template(self, **_: Any) -> dict[str, Any]:
            return {"TemplateBody": {"Description": "f?r alle"}}

    account: Any = type("Account", (), {"cloudformation": Told()})()
    assert list(check_template(account, "s", described)) == []


MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:x"
REGISTRY = "dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost"


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (f"683313688378.{REGISTRY}:1.7-1", None),
        (f"683313688378.{REGISTRY}:3.0-5", "has not patched since 2026-11-17"),
        (f"111122223333.{REGISTRY}:1.7-1", "is not the one of us-east-1, account 683313688378"),
        ("257758044811.dkr.ecr.us-east-2.amazonaws.com/sagemaker-xgboost:1.7-1", "is not the one of us-east-1"),
        ("111122223333.dkr.ecr.us-east-1.amazonaws.com/mine:1", None),
        ("public.ecr.aws/xgboost:1", "is none of Amazon ECR"),
    ],
)
def test_finds_images_that_cannot_be_pulled_or_are_old(image: str, words: str | None) -> None:
    """By region, account and tag; a person's own image is the person's."""
    state = {"Type": "Task", "Parameters": {"AlgorithmSpecification": {"TrainingImage": image}}}

    class Machines:
        def describe_state_machine(self, **_: Any) -> dict[str, Any]:
            return {"definition": json.dumps({"States": {"CreateTrainingJob": state, "Wait": {"Type": "Wait"}}})}

    account: Any = type("Account", (), {"stepfunctions": Machines()})()
    found = [finding.problem for finding in check_machine(account, MACHINE, dt.date(2026, 11, 25))]
    assert len(found) == (0 if words is None else 1)
    assert all(words in problem for problem in found if words)


def test_finds_a_state_machine_and_a_topic_that_are_not_there(deployed: Deployed) -> None:
    """Somebody deleted them by hand."""
    gone = deployed.outputs[contract.OUTPUT_STATE_MACHINE] + "-gone"
    assert [finding.severity for finding in check_machine(deployed.account, gone)] == ["error"]
    (found,) = check_topic(deployed.account, deployed.outputs[contract.OUTPUT_TOPIC] + "-gone")
    assert found.severity == "error"


@pytest.mark.parametrize(
    ("key", "content", "severity", "words"),
    [
        ("evaluation/evaluate.py", None, "error", "is not there"),
        ("evaluation/quality/model.py", b"x", "warning", "is not the same as model.py here"),
        ("train/rows.csv", None, "error", "has no objects: the job fails"),
        ("train/rows.csv", b"target,a,b\n1,2,3\n", "error", "is a header"),
        ("train/rows.csv", b"1,two,3\n", "error", "is 'two', no number"),
        ("validation/rows.csv", b"1,2\n", "error", "has 2 columns, train/rows.csv has 3"),
        ("train/more.csv", b"1,2,3,4\n", "error", "has 3 columns, train/more.csv has 4"),
        ("train/.hidden", ROWS, "error", "is a hidden file"),
        ("train/empty.csv", b"", "error", "has no bytes"),
        ("train//day1/t.csv", ROWS, "error", "has '//' in its key: SageMaker fails the job"),
        ("validation/day1//t.csv", ROWS, "error", "has '//' in its key: SageMaker fails the job"),
        ("evaluation//quality/more.py", b"x", "error", "has '//' in its key: SageMaker fails the job"),
        ("train/rows.csv/more.csv", ROWS, "error", "is a file and the folder of other objects"),
        ("train/day1/", ROWS, "error", f"has {len(ROWS)} bytes and the name of a folder"),
        ("train/wide.csv", b"1," * FIRST_BYTES, "warning", "its first line has more than"),
    ],
)
def test_finds_what_is_wrong_in_the_bucket(
    deployed: Deployed, key: str, content: bytes | None, severity: str, words: str
) -> None:
    """At the object where it is, in words that say what would happen."""
    if content is None:
        deployed.delete(key)
    else:
        deployed.put(key, content)
    found = deployed.findings()
    if key in deployed.code:
        deployed.put(key, deployed.code[key].read_bytes())
    elif key.startswith("evaluation/"):
        deployed.delete(key)
    assert (severity, True) in [(finding.severity, words in finding.problem) for finding in found], found
    assert all(finding.where.startswith(f"s3://{deployed.bucket}/") for finding in found)


def test_long_objects_are_judged_by_their_whole_first_lines(deployed: Deployed) -> None:
    """A row that the reading cuts in two is no row."""
    deployed.put("train/rows.csv", b"1,2.5,3\n" * (FIRST_BYTES // 8) + b"0," + b"1" * 100 + b",2\n")
    assert deployed.findings() == []


def test_finds_data_that_is_not_what_was_meant(deployed: Deployed, tmp_path: Path) -> None:
    """Other rows, and objects of an earlier upload, which are trained on too."""
    mine = tmp_path / "rows.csv"
    mine.write_bytes(ROWS)
    data = {"train/rows.csv": mine, "validation/rows.csv": mine}
    assert deployed.findings(data) == []
    deployed.put("train/old.csv", ROWS)
    deployed.put("validation/rows.csv", b"1,1,1\n")
    assert {finding.where.rpartition("/")[2]: finding.problem for finding in deployed.findings(data)} == {
        "rows.csv": "is not the same as rows.csv here",
        "old.csv": "lies beside your data, and the image reads it too",
    }


def test_finds_a_bucket_that_is_not_there(deployed: Deployed) -> None:
    """Nothing is looked for in it then."""
    account = deployed.account
    name = deployed.outputs[contract.OUTPUT_EVALUATION_RESULTS_BUCKET]
    account.s3.delete_bucket(Bucket=name)
    assert [(finding.where, finding.problem) for finding in deployed.findings()] == [(f"s3://{name}", "is not there")]
    account.s3.create_bucket(Bucket=name)
