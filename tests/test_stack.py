"""The template as a whole: what is deployed, not how many of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ml_a2 import contract
from tests.conftest import definition_of

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.xdist_group("cdk")


@pytest.fixture(scope="module")
def assertions(template: dict[str, Any]) -> Any:
    from aws_cdk.assertions import Template

    return Template.from_json(template)


@pytest.fixture(scope="module")
def states(template: dict[str, Any]) -> dict[str, Any]:
    states: dict[str, Any] = definition_of(template)["States"]
    return states


def test_buckets_are_versioned_encrypted_and_private(assertions: Any) -> None:
    """All three buckets have every protection, and leave with a development stack."""
    from aws_cdk.assertions import Match

    assertions.all_resources(
        "AWS::S3::Bucket",
        {
            "DeletionPolicy": "Delete",
            "Properties": Match.object_like(
                {
                    "VersioningConfiguration": {"Status": "Enabled"},
                    "PublicAccessBlockConfiguration": {
                        "BlockPublicAcls": True,
                        "BlockPublicPolicy": True,
                        "IgnorePublicAcls": True,
                        "RestrictPublicBuckets": True,
                    },
                    "BucketEncryption": Match.any_value(),
                }
            ),
        },
    )
    assertions.resource_count_is("AWS::S3::Bucket", 3)


def test_every_bucket_denies_plain_http(template: dict[str, Any]) -> None:
    """Each bucket policy denies whatever does not come over TLS."""
    policies = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::S3::BucketPolicy"]
    assert len(policies) == 3
    for policy in policies:
        denials = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Deny"]
        assert [s["Condition"] for s in denials] == [{"Bool": {"aws:SecureTransport": "false"}}]


def test_clean_up_function_uses_a_runtime_that_lambda_creates(assertions: Any) -> None:
    """Functions on nodejs20.x cannot be created any more; the CDK of this version asks for it."""
    assertions.all_resources_properties("AWS::Lambda::Function", {"Runtime": "nodejs22.x"})


def test_every_task_repeats_and_catches(states: dict[str, Any]) -> None:
    """No call of the workflow fails without being repeated and caught."""
    tasks = {name: state for name, state in states.items() if state["Type"] == "Task"}
    assert set(tasks) == {
        "CreateTrainingJob", "DescribeTrainingJob", "CreateProcessingJob", "DescribeProcessingJob", "ReadEvaluation",
        "FindLogStream", "ReadLastLines", "NotifyFailure",
    }  # fmt: skip
    for name, task in tasks.items():
        assert task["Retry"], name
        assert task["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name
        assert task["TimeoutSeconds"] == 60, name


def test_create_calls_are_repeated_three_times_and_patient_with_quotas(states: dict[str, Any]) -> None:
    """Service errors: 3 attempts with backoff; account quotas: hours; a job that exists: none, it is adopted."""
    for name, poll in (("CreateTrainingJob", "WaitForTraining"), ("CreateProcessingJob", "WaitForEvaluation")):
        in_use, quota, service = states[name]["Retry"]
        hopeless = ["SageMaker.ResourceInUseException", "SageMaker.ResourceNotFoundException"]
        assert (in_use["ErrorEquals"], in_use["MaxAttempts"]) == (hopeless, 0)
        assert quota["ErrorEquals"] == ["SageMaker.ResourceLimitExceededException"]
        assert quota["MaxAttempts"] * quota["MaxDelaySeconds"] > 4 * 3600
        assert service["MaxAttempts"] == 3
        assert service["BackoffRate"] > 1
        assert states[name]["Catch"][0] == {
            "ErrorEquals": ["SageMaker.ResourceInUseException"],
            "ResultPath": "$.caught",
            "Next": poll,
        }


def test_every_failing_path_notifies_and_fails(states: dict[str, Any]) -> None:
    """From each catcher and each bad status the way leads over NotifyFailure to a Fail state with error and cause."""
    assert states["NotifyFailure"]["Next"] == "PipelineFailed"
    assert {catcher["Next"] for catcher in states["NotifyFailure"]["Catch"]} == {"PipelineFailed"}
    assert states["PipelineFailed"] == {
        "Type": "Fail",
        "ErrorPath": "$.failure.error",
        "CausePath": "$.failure.cause",
    }
    last_words = {"FindLogStream", "ReadLastLines"}
    assert {c["Next"] for name in last_words for c in states[name]["Catch"]} == {"NoLog", "LogUnread"}
    for name in ("NoLog", "LogUnread"):
        assert states[name]["Next"] == "NotifyFailure"
    assert (states["MoreLines?"]["Default"], states["AppendLine"]["Next"]) == ("NotifyFailure", "MoreLines?")
    reporting = {name for name, state in states.items() if state.get("Next") == "FindLogStream"}
    for name in reporting:
        assert set(states[name]["Parameters"]) & {"error", "error.$"}, name
        assert set(states[name]["Parameters"]) & {"cause", "cause.$"}, name
    for name, state in states.items():
        if name not in {"NotifyFailure", *last_words}:
            caught = {c["Next"] for c in state.get("Catch", []) if c["ErrorEquals"] == ["States.ALL"]}
            assert caught <= reporting, name
    for choice in ("TrainingStatus?", "EvaluationStatus?"):
        good = {"UseTrainedModel", "ReadEvaluation", "WaitForTraining", "WaitForEvaluation"}
        targets = {rule["Next"] for rule in states[choice]["Choices"]} | {states[choice]["Default"]}
        assert targets - good <= reporting
        assert len(targets - good) >= 3


def test_success_is_reached_only_after_the_evaluation_was_read(states: dict[str, Any]) -> None:
    """PipelineSucceeded follows ReadEvaluation and nothing else."""
    before = [name for name, state in states.items() if "PipelineSucceeded" in str(state.get("Next"))]
    assert before == ["ReadEvaluation"]


def test_evaluation_reads_the_model_of_this_execution(states: dict[str, Any]) -> None:
    """The model input is the artifact that DescribeTrainingJob named, the output lies under the execution's name."""
    assert states["UseTrainedModel"]["InputPath"] == "$.training.ModelArtifacts.S3ModelArtifacts"
    request = states["CreateProcessingJob"]["Parameters"]
    inputs = {item["InputName"]: item["S3Input"] for item in request["ProcessingInputs"]}
    assert inputs["model"]["S3Uri.$"] == "$.model_artifact"
    output = request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri.$"]
    assert output.endswith("/evaluations/{}', $$.Execution.Name)")


def test_state_machine_passes_only_the_two_job_roles_to_sagemaker(template: dict[str, Any]) -> None:
    """PassRole is granted for each job role, conditioned on the service."""
    statements = [s for s in _statements(template, "WorkflowStateMachine") if s["Action"] == "iam:PassRole"]
    assert [s["Condition"] for s in statements] == [
        {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    ] * len(statements)
    resources = [r for s in statements for r in (s["Resource"] if isinstance(s["Resource"], list) else [s["Resource"]])]
    passed = {resource["Fn::GetAtt"][0] for resource in resources}
    assert {name.rstrip("0123456789ABCDEF") for name in passed} == {"TrainingRole", "EvaluationRole"}


def test_job_roles_touch_only_their_own_prefixes(template: dict[str, Any]) -> None:
    """Training writes models and nothing else; evaluation cannot read training rows."""
    assert _object_paths(template, "TrainingRole", "s3:GetObject") == {"/train/*", "/validation/*"}
    assert _object_paths(template, "TrainingRole", "s3:PutObject") == {"/models/*"}
    assert _object_paths(template, "EvaluationRole", "s3:GetObject") == {"/evaluation/*", "/validation/*", "/models/*"}
    assert _object_paths(template, "EvaluationRole", "s3:PutObject") == {"/evaluations/*"}


def test_wildcard_resources_stand_only_where_actions_allow_nothing_else(template: dict[str, Any]) -> None:
    """The actions with Resource * are those that know no resources."""
    known = {
        "cloudwatch:PutMetricData", "ecr:GetAuthorizationToken",
        "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery",
        "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups",
        "xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets",
    }  # fmt: skip
    found = set()
    for role in ("TrainingRole", "EvaluationRole", "WorkflowStateMachine", "CleanUpStateMachineRole", "EventsRole"):
        for statement in _statements(template, role):
            if statement["Resource"] == "*":
                actions = statement["Action"]
                found |= set(actions if isinstance(actions, list) else [actions])
    assert found <= known


def test_images_come_from_the_region_of_the_deployment(template: dict[str, Any]) -> None:
    """The registry account is looked up by AWS::Region among all 37."""
    mapping = next(m for name, m in template["Mappings"].items() if "Accounts" in name)
    assert mapping == {region: {"registry": account} for region, account in contract.REGISTRY_ACCOUNTS.items()}
    assert len(mapping) == 37


def test_alarms_publish_to_the_topic(template: dict[str, Any]) -> None:
    """Executions and clean-ups that end badly alarm, and the topic's policy lets CloudWatch publish."""
    alarms = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::CloudWatch::Alarm"]
    assert sorted(a["MetricName"] for a in alarms) == [
        "ExecutionsAborted", "ExecutionsFailed", "ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsTimedOut",
        "FailedInvocations",
    ]  # fmt: skip
    topic = next(n for n, r in template["Resources"].items() if r["Type"] == "AWS::SNS::Topic")
    assert all(alarm["AlarmActions"] == [{"Ref": topic}] for alarm in alarms)
    policy = next(r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::SNS::TopicPolicy")
    allowed = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    assert [s["Principal"] for s in allowed] == [{"Service": "cloudwatch.amazonaws.com"}]


def test_state_machine_outlives_its_jobs_and_logs_everything(template: dict[str, Any]) -> None:
    """The timeout exceeds both run times; logs are at level ALL with data; tracing is on."""
    definition = definition_of(template)
    longest = sum(
        definition["States"][name]["Parameters"]["StoppingCondition"]["MaxRuntimeInSeconds"]
        for name in ("CreateTrainingJob", "CreateProcessingJob")
    )
    assert definition["TimeoutSeconds"] > longest
    machine = next(r for r in template["Resources"].values() if r["Type"] == "AWS::StepFunctions::StateMachine")
    assert machine["Properties"]["LoggingConfiguration"]["Level"] == "ALL"
    assert machine["Properties"]["LoggingConfiguration"]["IncludeExecutionData"] is True
    assert machine["Properties"]["TracingConfiguration"] == {"Enabled": True}


def test_app_synthesizes_silently_without_account_or_credentials(tmp_path: Path) -> None:
    """Nothing but the PATH is needed, and no deprecation or other warning is printed."""
    answer = _synthesize(tmp_path)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    assert (tmp_path / "cdk.out" / f"{contract.STACK_NAME}.template.json").is_file()


def test_fails_in_an_unsupported_region_by_name(tmp_path: Path) -> None:
    """A region without the images is an error at synth."""
    answer = _synthesize(tmp_path, CDK_DEFAULT_REGION="mx-central-1")
    assert answer.returncode == 1
    assert "region 'mx-central-1' has no SageMaker XGBoost and scikit-learn images" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_production_retains_data_and_logs() -> None:
    """In production nothing that was written leaves with the stack, and no clean-up function exists."""
    from aws_cdk import App
    from aws_cdk.assertions import Template

    from ml_a2.settings import Settings
    from ml_a2.stack import MlA2Stack

    stack = MlA2Stack(App(), "Production", settings=Settings(environment="production"))
    production = Template.from_stack(stack)
    for kind in ("AWS::S3::Bucket", "AWS::Logs::LogGroup"):
        production.all_resources(kind, {"DeletionPolicy": "Retain"})
    production.resource_count_is("AWS::Lambda::Function", 0)


def test_template_passes_the_nag_pack_but_for_acknowledged_findings() -> None:
    """cdk-nag's AwsSolutions finds nothing beyond what is listed here with its reason."""
    from aws_cdk import App, Aspects
    from aws_cdk.assertions import Annotations, Match
    from cdk_nag import AwsSolutionsChecks

    from ml_a2.stack import MlA2Stack

    stack = MlA2Stack(App(), "Nag")
    Aspects.of(stack).add(AwsSolutionsChecks())
    found = {
        str(entry.entry.data).partition(":")[0].partition("[")[0]
        for entry in Annotations.from_stack(stack).find_error("*", Match.string_like_regexp("AwsSolutions-.*"))
    }
    acknowledged = {
        "AwsSolutions-S1",  # access logs would need a fourth bucket; CloudTrail data events do the same
        "AwsSolutions-IAM5",  # prefixes of buckets and job names, and actions that know no resources
    }
    assert found == acknowledged


def _synthesize(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "CDK_OUTDIR": str(folder / "cdk.out"), **variables}
    command = [sys.executable, str(ROOT / "app.py")]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def _statements(template: dict[str, Any], role: str) -> list[dict[str, Any]]:
    policies = [
        resource["Properties"]["PolicyDocument"]["Statement"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::IAM::Policy" and role in name
    ]
    assert len(policies) == 1
    statements: list[dict[str, Any]] = policies[0]
    return statements


def _object_paths(template: dict[str, Any], role: str, action: str) -> set[str]:
    paths = set()
    for statement in _statements(template, role):
        if statement["Action"] == action:
            resources = statement["Resource"]
            for resource in resources if isinstance(resources, list) else [resources]:
                paths.add(resource["Fn::Join"][1][-1])
    return paths
