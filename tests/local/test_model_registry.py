"""The executed state machine registers what was accepted, and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ml_a2.contract import STACK_NAME
from ml_a2.local.audit import audit
from ml_a2.local.rehearsal import Result, Scenario, Stage
from ml_a2.local.runtime import LocalRuntime, read_template
from ml_a2.local.scenarios import FAILED_ALARM, FOR_GOOD, evaluate, train
from ml_a2.settings import GateCondition, GateSettings, RegistrySettings, Settings
from tests.local.conftest import XGBOOST

pytestmark = pytest.mark.xdist_group("model registry")

GROUP = "churn"
REGISTRY = RegistrySettings(model_package_group=GROUP, approval_status="Approved")
FAILED = "the Registry stage failed"


def _assembly(folder: Path, **settings: Any) -> Path:
    from aws_cdk import App

    from ml_a2.stack import MlA2Stack

    app = App(outdir=str(folder / "cdk.out"), analytics_reporting=False)
    MlA2Stack(app, STACK_NAME, settings=Settings(**{"registry": REGISTRY, **settings}))
    app.synth()
    return folder / "cdk.out"


@pytest.fixture(scope="module")
def registering(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Registers every model that was evaluated."""
    return _assembly(tmp_path_factory.mktemp("registering"))


def _without(action: str, original: Path, folder: Path) -> Path:
    """Return an assembly whose state machine may not do one thing."""
    assembly = Path(shutil.copytree(original, folder / "cdk.out"))
    template = read_template(assembly)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::IAM::Policy":
            statements = resource["Properties"]["PolicyDocument"]["Statement"]
            statements[:] = [statement for statement in statements if statement["Action"] != action]
    (assembly / f"{STACK_NAME}.template.json").write_text(json.dumps(template))
    return assembly


def _packages(stage: Stage) -> list[dict[str, Any]]:
    """Return every package of the account, described."""
    api = stage.runtime.clients.sagemaker
    summaries = api.list_model_packages(ModelPackageType="Versioned")["ModelPackageSummaryList"]
    return [dict(api.describe_model_package(ModelPackageName=each["ModelPackageArn"])) for each in summaries]


def _groups(stage: Stage) -> list[str]:
    summaries = stage.runtime.clients.sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    return [summary["ModelPackageGroupName"] for summary in summaries]


def _registered(name: str = "a model is registered", *faults: str) -> Scenario:
    return Scenario(name, train(*faults), status="SUCCEEDED")


def _failure(name: str, act: Callable[[Stage], str], **expected: Any) -> Scenario:
    return Scenario(name, act, messages=[FAILED], alarms=FAILED_ALARM, error="SageMaker.SageMakerException", **expected)


def test_an_accepted_model_becomes_a_package(tmp_path: Path) -> None:
    """With its metrics, data and image, in a group that is created; the next one becomes version 2."""
    gate = GateSettings(conditions=(GateCondition(metric="auc", minimum=0.7),))
    with LocalRuntime(speed=1000) as runtime:
        stage = Stage(runtime, _assembly(tmp_path, gate=gate))
        pipeline = stage.pipeline
        first = Result.of(stage, _registered())
        assert first.problems() == []
        assert first.outcome.gate == "passed"
        (package,) = _packages(stage)
        assert first.outcome.output["model_package"] == {"ModelPackageArn": package["ModelPackageArn"]}
        assert package["ModelPackageArn"].endswith(f":model-package/{GROUP}/1")
        assert package["ModelApprovalStatus"] == "Approved"
        assert package["ModelPackageDescription"] == f"Accepted by execution rehearsal-1 of {STACK_NAME}"
        assert package["MetadataProperties"]["GeneratedBy"].endswith(":rehearsal-1")
        container = package["InferenceSpecification"]["Containers"][0]
        assert container == {"Image": XGBOOST, "ModelDataUrl": first.outcome.output["model_artifact"]}
        assert package["InferenceSpecification"]["SupportedContentTypes"][0] == "text/csv"
        statistics = package["ModelMetrics"]["ModelQuality"]["Statistics"]
        assert statistics["ContentType"] == "application/json"
        bucket, _, key = statistics["S3Uri"].removeprefix("s3://").partition("/")
        written = json.loads(runtime.clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        assert written == first.outcome.output["result"]["evaluation"]
        assert "binary_classification_metrics" in written
        origin = package["CustomerMetadataProperties"]
        assert origin == {
            "TrainingJob": first.outcome.output["training_job_name"],
            "EvaluationJob": first.outcome.output["processing_job_name"],
            "TrainingData": f"s3://{stage.bucket}/train/",
            "ValidationData": f"s3://{stage.bucket}/validation/",
        }
        jobs = runtime.clients.sagemaker
        assert jobs.describe_training_job(TrainingJobName=origin["TrainingJob"])["TrainingJobStatus"] == "Completed"

        given = Result.of(stage, Scenario("a model is given", evaluate(), status="SUCCEEDED"))
        assert given.problems() == []
        assert _groups(stage) == [GROUP]
        second = _packages(stage)[1]
        assert second["ModelPackageVersion"] == 2
        assert second["InferenceSpecification"] == package["InferenceSpecification"]
        assert set(second["CustomerMetadataProperties"]) == {"EvaluationJob", "ValidationData"}
        assert second["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"] != statistics["S3Uri"]
        assert pipeline.outcome(_arn_of(stage, "rehearsal-2")).output["model_package"]["ModelPackageArn"].endswith("/2")


def test_the_audit_finds_nothing(registering: Path) -> None:
    """Each call of the registry is repeated and caught, and no caught error ends in success by itself."""
    with LocalRuntime(speed=1000) as runtime:
        stage = Stage(runtime, registering)
        assert list(audit(runtime.clients, stage.outputs["StateMachineArn"])) == []


def test_the_audit_tells_of_a_model_registered_twice(registering: Path, tmp_path: Path) -> None:
    """Without a client token of its own a repeated call is another one."""
    assembly = Path(shutil.copytree(registering, tmp_path / "cdk.out"))
    file = assembly / f"{STACK_NAME}.template.json"
    text = file.read_text()
    assert text.count("ClientToken.$") == 2
    file.write_text(text.replace("ClientToken.$", "Domain.$"))
    with LocalRuntime(speed=1000) as runtime:
        stage = Stage(runtime, assembly)
        findings = list(audit(runtime.clients, stage.outputs["StateMachineArn"]))
    assert [finding.where.rpartition(" ")[2] for finding in findings] == ["RegisterModel", "RegisterModelInNewGroup"]
    assert {finding.problem for finding in findings} == {
        "a repeated call registers the model twice, when the first answer was lost"
    }


def test_calls_that_go_wrong_for_a_while_register_once(registering: Path) -> None:
    """An answer that was lost, throttling, and a name as legal as it is odd make one package each."""

    def with_an_odd_name(stage: Stage) -> str:
        few = {"hyperparameters": {"num_round": "3"}}
        arn = stage.pipeline.start("it's (1) é!".replace(" ", "_"), {**few, "model_artifact": stage.model()})
        stage.wait(arn)
        return arn

    with LocalRuntime(speed=1000) as runtime:
        stage = Stage(runtime, registering)
        lost = "sagemaker:CreateModelPackage=lost-answer"
        for scenario in (
            _registered("throttled", "sagemaker:CreateModelPackageGroup=ThrottlingException*3"),
            Scenario("the answers are lost", evaluate(f"{lost}*5"), status="SUCCEEDED"),
            Scenario("an odd name", with_an_odd_name, status="SUCCEEDED"),
        ):
            assert Result.of(stage, scenario).problems() == [], scenario.name
        assert [package["ModelPackageVersion"] for package in _packages(stage)] == [1, 2, 3]


def test_a_model_that_was_turned_down_is_not_registered(tmp_path: Path) -> None:
    """Not even the group is there."""
    gate = GateSettings(conditions=(GateCondition(metric="auc", minimum=1.5),))
    scenario = Scenario(
        "turned down", train(), error="QualityGateFailed", messages=["the QualityGate stage failed"],
        alarms=FAILED_ALARM,
    )  # fmt: skip
    with LocalRuntime(speed=1000) as runtime:
        stage = Stage(runtime, _assembly(tmp_path, gate=gate))
        assert Result.of(stage, scenario).problems() == []
        assert (_packages(stage), _groups(stage)) == ([], [])


def test_without_a_group_nothing_is_registered(assembly: Path) -> None:
    """The project's own stack has no registry."""
    with LocalRuntime(speed=1000) as runtime:
        stage = Stage(runtime, assembly)
        result = Result.of(stage, _registered("no registry"))
        assert result.problems() == []
        assert "model_package" not in result.outcome.output
        assert (_packages(stage), _groups(stage)) == ([], [])


@pytest.mark.parametrize(
    ("action", "cause", "told"),
    [
        (
            "sagemaker:CreateModelPackage",
            "is not authorized to perform: sagemaker:CreateModelPackage on resource",
            "The model package group, before that: it was created",
        ),
        (
            "sagemaker:CreateModelPackageGroup",
            f"model-package-group/{GROUP} does not exist.",
            "is not authorized to perform: sagemaker:CreateModelPackageGroup on resource",
        ),
    ],
)
def test_fails_for_want_of_a_permission(registering: Path, tmp_path: Path, action: str, cause: str, told: str) -> None:
    """A person reads which one is missing, and what came of the group."""
    scenario = _failure("not allowed", train(), cause=cause, told=told, denied=action)
    with LocalRuntime(speed=1000) as runtime:
        stage = Stage(runtime, _without(action, registering, tmp_path))
        assert Result.of(stage, scenario).problems() == []
        assert _packages(stage) == []


def test_fails_with_the_reason_of_the_call_itself(registering: Path) -> None:
    """A group that exists already is never what stands first."""
    always = f"sagemaker:CreateModelPackage={FOR_GOOD}"
    with LocalRuntime(speed=1000) as runtime:
        stage = Stage(runtime, registering)
        stage.model()  # whose package makes the group
        scenario = _failure("throttled for good", evaluate(always), told="Next step:  the model is kept")
        result = Result.of(stage, scenario)
        assert result.problems() == []
        assert result.outcome.failure is not None
        assert result.outcome.failure.stage == "Registry"
        assert result.outcome.failure.cause.startswith("Rate exceeded (Service: SageMaker")
        assert "before that: Model Package Group already exists" in result.outcome.failure.cause
        assert len(_packages(stage)) == 1


def test_fails_at_once_where_no_group_is_to_blame(registering: Path) -> None:
    """An account's limit is told as it is, without another attempt."""
    scenario = Scenario(
        "too many packages", train("sagemaker:CreateModelPackage=ResourceLimitExceeded*200"), messages=[FAILED],
        alarms=FAILED_ALARM, error="SageMaker.ResourceLimitExceededException", cause="service limit",
    )  # fmt: skip
    with LocalRuntime(speed=5000) as runtime:
        stage = Stage(runtime, registering)
        assert Result.of(stage, scenario).problems() == []
        assert _groups(stage) == []


def _arn_of(stage: Stage, name: str) -> str:
    machine = stage.outputs["StateMachineArn"]
    executions = stage.runtime.clients.stepfunctions.list_executions(stateMachineArn=machine)["executions"]
    return next(each["executionArn"] for each in executions if each["name"] == name)
