"""Each construct alone in an empty stack."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk.assertions import Match, Template

from ml_a2.infrastructure.alerting import Alerting
from ml_a2.infrastructure.calls import service_call
from ml_a2.infrastructure.evaluation import Evaluation
from ml_a2.infrastructure.execution_log import ExecutionLog
from ml_a2.infrastructure.failure import FailurePath, Stage
from ml_a2.infrastructure.images import ImageRegistry
from ml_a2.infrastructure.job_role import JobRole
from ml_a2.infrastructure.storage import Storage
from ml_a2.infrastructure.training import Training
from ml_a2.infrastructure.workflow import Workflow
from ml_a2.settings import EvaluationSettings, Settings, TrainingSettings
from tests.conftest import definition_of

pytestmark = pytest.mark.xdist_group("cdk")


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Empty")


def _in_region(region: str) -> Stack:
    return Stack(App(), "Regional", env=Environment(account="123456789012", region=region))


def test_storage_retains_when_asked(stack: Stack) -> None:
    """A retaining storage keeps its buckets and needs no clean-up function."""
    Storage(stack, "Storage", retain=True)
    template = Template.from_stack(stack)
    template.all_resources("AWS::S3::Bucket", {"DeletionPolicy": "Retain"})
    template.resource_count_is("Custom::S3AutoDeleteObjects", 0)


def test_storage_empties_its_buckets_in_development(stack: Stack) -> None:
    """A development storage empties each bucket before it is deleted."""
    Storage(stack, "Storage", retain=False)
    Template.from_stack(stack).resource_count_is("Custom::S3AutoDeleteObjects", 3)


def test_job_role_starts_without_access_to_objects(stack: Stack) -> None:
    """A fresh role logs, publishes metrics and pulls its image, and cannot reach S3."""
    JobRole(stack, "Role", log_group="/group", metric_namespace="Name", repository_arn="arn:aws:ecr:::repository/x")
    document = _only(stack, "AWS::IAM::Policy")["PolicyDocument"]
    actions = [
        a for s in document["Statement"] for a in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])
    ]
    assert {action.partition(":")[0] for action in actions} == {"logs", "cloudwatch", "ecr"}


def test_training_request_names_what_the_settings_say(stack: Stack) -> None:
    """Run time, volume and defaults come from the settings; the job has no network."""
    settings = TrainingSettings(max_runtime_seconds=600, volume_size_gb=7, instance_type="ml.c5.large")
    training = Training(
        stack, "Training", storage=Storage(stack, "S", retain=True), images=ImageRegistry(stack, "I"), settings=settings
    )
    request = stack.resolve(training.request())
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": 600}
    assert request["ResourceConfig"]["VolumeSizeInGB"] == 7
    assert request["EnableNetworkIsolation"] is True
    assert [channel["ContentType"] for channel in request["InputDataConfig"]] == ["text/csv", "text/csv"]
    assert training.defaults["training_instance_type"] == "ml.c5.large"


def test_evaluation_request_keeps_within_the_service_limits(stack: Stack) -> None:
    """At most 100 arguments of 256 characters; no network; one instance."""
    evaluation = Evaluation(
        stack,
        "Evaluation",
        storage=Storage(stack, "S", retain=True),
        images=ImageRegistry(stack, "I"),
        settings=EvaluationSettings(),
    )
    request = stack.resolve(evaluation.request())
    arguments = request["AppSpecification"]["ContainerArguments"]
    assert len(arguments) <= 100
    assert max(map(len, arguments)) <= 256
    assert request["NetworkConfig"] == {"EnableNetworkIsolation": True}
    assert {item["InputName"] for item in request["ProcessingInputs"]} == {"code", "model", "validation"}


def test_alerting_subscribes_each_address(stack: Stack) -> None:
    """Emails of the settings are subscribed to the topic."""
    Alerting(stack, "Alerting", emails=["a@example.com", "b@example.com"])
    found = Template.from_stack(stack).find_resources("AWS::SNS::Subscription")
    assert {r["Properties"]["Endpoint"] for r in found.values()} == {"a@example.com", "b@example.com"}


def test_alarms_fire_on_the_first_failure_and_stay_quiet_without_data(stack: Stack) -> None:
    """One failed execution within a minute is enough; no executions are no alarm."""
    machine = sfn.StateMachine(
        stack, "Machine", definition_body=sfn.DefinitionBody.from_chainable(sfn.Succeed(stack, "Done"))
    )
    Alerting(stack, "Alerting", emails=()).watch(machine)
    Template.from_stack(stack).all_resources_properties(
        "AWS::CloudWatch::Alarm",
        {"Threshold": 1, "Period": 60, "EvaluationPeriods": 1, "TreatMissingData": "notBreaching"},
    )


def test_execution_log_lies_under_vended_logs(stack: Stack) -> None:
    """The group's name keeps the account's log resource policy short."""
    ExecutionLog(stack, "Log", retain=False)
    Template.from_stack(stack).has_resource(
        "AWS::Logs::LogGroup",
        Match.object_like({"DeletionPolicy": "Delete", "Properties": {"LogGroupName": "/aws/vendedlogs/states/Empty"}}),
    )


def test_failure_path_protects_any_call(stack: Stack) -> None:
    """A protected call is repeated, caught, reported with its stage, notified, and the execution fails."""
    path = FailurePath(stack, "Failure", topic=sns.Topic(stack, "Topic"))
    call = service_call(
        stack,
        "Call",
        service="s3",
        parameters={"Bucket": "b", "Key": "k"},
        iam_action="s3:GetObject",
        resources=["arn:aws:s3:::b/k"],
    )
    path.protect(call, Stage("Reading", "$.job", "/group"))
    sfn.StateMachine(stack, "Machine", definition_body=sfn.DefinitionBody.from_chainable(call))
    states = definition_of(Template.from_stack(stack).to_json())["States"]
    assert [retrier["MaxAttempts"] for retrier in states["Call"]["Retry"]] == [0, 3]
    assert [catcher["Next"] for catcher in states["Call"]["Catch"]] == ["ReadingCallFailed"]
    reported = states["ReadingCallFailed"]
    assert (reported["Parameters"]["stage"], reported["Next"]) == ("Reading", "FindLogStream")
    assert states["NotifyFailure"]["Next"] == "PipelineFailed"
    assert states["PipelineFailed"]["Type"] == "Fail"


def test_several_hosts_share_the_training_rows(stack: Stack) -> None:
    """Each gets its part of the train channel's objects, and all of the validation channel."""
    storage, images = Storage(stack, "S", retain=True), ImageRegistry(stack, "I")
    settings = TrainingSettings(instance_count=2, image_version="3.0-5")
    request = Training(stack, "T", storage=storage, images=images, settings=settings).request()
    sources = [channel["DataSource"]["S3DataSource"] for channel in request["InputDataConfig"]]
    assert [source["S3DataDistributionType"] for source in sources] == ["ShardedByS3Key", "FullyReplicated"]
    assert request["ResourceConfig"]["InstanceCount"] == 2
    assert request["AlgorithmSpecification"]["TrainingImage"].endswith("sagemaker-xgboost:3.0-5")


def test_workflow_follows_the_run_times_of_its_settings(stack: Stack) -> None:
    """The state machine outlives both jobs, and a stopped job's cause names its own limit."""
    settings = Settings(
        training=TrainingSettings(max_runtime_seconds=7200), evaluation=EvaluationSettings(max_runtime_seconds=600)
    )
    storage, images = Storage(stack, "S", retain=True), ImageRegistry(stack, "I")
    Workflow(
        stack,
        "Workflow",
        storage=storage,
        training=Training(stack, "T", storage=storage, images=images, settings=settings.training),
        evaluation=Evaluation(stack, "E", storage=storage, images=images, settings=settings.evaluation),
        topic=sns.Topic(stack, "Topic"),
        settings=settings,
    )
    definition = definition_of(Template.from_stack(stack).to_json())
    assert definition["TimeoutSeconds"] > 7200 + 600
    assert "MaxRuntimeInSeconds (7200)" in definition["States"]["TrainingJobStopped"]["Parameters"]["cause"]
    assert "MaxRuntimeInSeconds (600)" in definition["States"]["EvaluationJobStopped"]["Parameters"]["cause"]
    assert definition["States"]["WaitForTraining"]["Seconds"] == 30


def _only(stack: Stack, kind: str) -> dict[str, Any]:
    found = Template.from_stack(stack).find_resources(kind)
    assert len(found) == 1
    properties: dict[str, Any] = next(iter(found.values()))["Properties"]
    return properties
