"""Single changes to the synthesized template that would break the pipeline, or silence a failure, on AWS.

`make mutations` examines each changed assembly as `ml-a2 doctor --assembly` does, prints what caught it and writes
docs/mutations.md; tests/failures/test_mutations.py does the same as tests.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ml_a2.contract import STACK_NAME
from ml_a2.finding import Finding
from ml_a2.local.assembly import find_assembly
from ml_a2.local.doctor import examine
from ml_a2.local.rehearsal import Scenario
from ml_a2.local.scenarios import rehearsed
from tests.failures.mutation import (
    CLEAN_UP,
    CLEANER,
    EVALUATION,
    EVENTS,
    PIPELINE,
    TRAINING,
    WORKFLOW,
    Mutation,
    Template,
    changed,
    in_definition,
    in_json,
    in_policy,
    in_properties,
    in_state,
    in_text,
    replaced,
    resource,
    statements,
    without,
    without_action,
)  # fmt: skip
from tests.failures.page import renew_table

PAGE = Path(__file__).parents[2] / "docs" / "mutations.md"
ONE_EXECUTION = "States.Format('{} {}', $$.Execution.Id, $$.Execution.StartTime)"
# So many scenarios after the first one have no real job.
QUICK = 5
SHOWN, SHOWN_OF_A_TRACEBACK = 200, 120
TABLE_HEAD = "| kind | change | caught | in these words |\n|---|---|---|---|\n"


def mutations() -> Iterator[Mutation]:
    """Yield every change."""
    yield from _permissions()
    yield from _principals()
    yield from _requests()
    yield from _handlers()
    yield from _states()
    yield from _alerts()
    yield from _names()


def _permissions() -> Iterator[Mutation]:
    for role, action in (
        (WORKFLOW, "iam:PassRole"), (WORKFLOW, "sagemaker:CreateTrainingJob"), (WORKFLOW, "sns:Publish"),
        (WORKFLOW, "logs:DescribeLogStreams"), (WORKFLOW, "logs:CreateLogDelivery"),
        (WORKFLOW, "xray:PutTraceSegments"),
        (CLEAN_UP, "sagemaker:StopTrainingJob"), (CLEAN_UP, "sagemaker:StopProcessingJob"),
        (CLEAN_UP, "states:GetExecutionHistory"), (CLEAN_UP, "states:DescribeExecution"), (CLEAN_UP, "sns:Publish"),
        (EVENTS, "states:StartExecution"), (TRAINING, "ecr:BatchGetImage"), (TRAINING, "logs:PutLogEvents"),
        (EVALUATION, "s3:PutObject"),
    ):  # fmt: skip
        yield Mutation("permission", f"{role} without {action}", without_action(role, action))
    for name, old, new, role in (
        ("reads evaluations/ under another prefix", "/evaluations/*", "/evaluation/*", WORKFLOW),
        ("may create training jobs of other names only", "training-job/ml-a2-", "training-job/other-", WORKFLOW),
        ("reads logs of other jobs only", "log-stream:ml-a2-training-", "log-stream:other-", WORKFLOW),
        ("writes models under another prefix", "/models/*", "/model/*", TRAINING),
        ("does not read validation data", "/validation/*", "/valid/*", TRAINING),
        ("lists another prefix", "train/*", "training/*", TRAINING),
        ("reads models under another prefix", "/models/*", "/artifacts/*", EVALUATION),
        ("stops processing jobs of other names only", "processing-job/ml-a2-", "processing-job/other-", CLEAN_UP),
    ):
        yield Mutation("prefix", f"{role} {name}", replaced(old, new, role, "IAM::Policy"))
    for name, old, new, role in (
        ("passes roles to another service",
         '"iam:PassedToService": "sagemaker', '"iam:PassedToService": "lambda', WORKFLOW),
        ("publishes metrics to another namespace", '"/aws/sagemaker/TrainingJobs"}', '"/aws/Training"}', TRAINING),
    ):  # fmt: skip
        yield Mutation("policy condition", f"{role} {name}", in_json(old, new, role))

    def deny(template: Template) -> None:
        statements(template, WORKFLOW)[0]["Effect"] = "Deny"

    yield Mutation("permission", f"{WORKFLOW}: a statement denies instead of allowing", deny)
    yield Mutation(
        "policy condition", "bucket policy: TLS is denied instead of demanded",
        in_json('SecureTransport": "false"', 'SecureTransport": "true"', "StorageTrainingData", "S3::BucketPolicy"),
    )  # fmt: skip
    yield Mutation(
        "policy condition", "topic policy: alarms of another account only",
        in_policy("AlertingTopic", lambda s: s[0]["Condition"]["StringEquals"].update({"aws:SourceAccount": "0"})),
    )  # fmt: skip


def _principals() -> Iterator[Mutation]:
    for role, old in (
        (WORKFLOW, "states"), (CLEAN_UP, "states"), (EVENTS, "events"), (TRAINING, "sagemaker"),
        (EVALUATION, "sagemaker"), ("CustomS3AutoDelete", "lambda"),
    ):  # fmt: skip
        new = "ecs-tasks.amazonaws.com"
        yield Mutation("principal", f"{role} trusts {new}", replaced(f"{old}.amazonaws.com", new, role, "IAM::Role"))
    yield Mutation(
        "principal", "topic policy: EventBridge may publish, alarms may not",
        replaced("cloudwatch.amazonaws.com", "events.amazonaws.com", "AlertingTopic", "SNS::TopicPolicy"),
    )  # fmt: skip
    yield Mutation("principal", "no topic policy at all", without("AlertingTopic", "SNS::TopicPolicy"))


def _requests() -> Iterator[Mutation]:
    create, process = "CreateTrainingJob", "CreateProcessingJob"
    for kind, name, state, old, new in (
        ("image", "tag of the training image", create, "sagemaker-xgboost:1.7-1", "sagemaker-xgboost:1.7-9"),
        ("image", "repository of the evaluation image", process, "sagemaker-scikit-learn", "scikit-learn"),
        ("content type", "text/csv;label_size=1", create, "text/csv", "text/csv;label_size=1"),
        ("content type", "another format than the data's", create, "text/csv", "application/x-parquet"),
        ("name", "channel train is called training", create, '"ChannelName": "train"', '"ChannelName": "training"'),
        ("enumeration", "S3DataType S3Prefixes", create, '"S3Prefix"', '"S3Prefixes"'),
        ("enumeration", "TrainingInputMode file", create, '"TrainingInputMode": "File"', '"TrainingInputMode": "file"'),
        ("enumeration", "S3UploadMode AtEnd", process, "EndOfJob", "AtEnd"),
        ("prefix", "models are written elsewhere", create, '/models"', '/trained"'),
        ("prefix", "evaluations are written elsewhere", process, "/evaluations/", "/results/"),
        ("name", "another script is started", process, "evaluate.py", "evaluation.py"),
        (
            "name",
            "the model is looked for elsewhere",
            process,
            '"--model", "/opt/ml/processing/input',
            '"--model", "/opt/ml/in',
        ),
        ("name", "a member of the request is misspelled", create, "VolumeSizeInGB", "VolumeSizeInGiB"),
        ("JSONPath", "the role's request field", create, "$.request.training_instance_type", "$.request.instance"),
    ):
        yield Mutation(kind, f"{state}: {name}", in_text(PIPELINE, state, old, new))
    for state, field in ((create, "ResourceConfig"), (create, "OutputDataConfig"), (process, "ProcessingResources")):
        yield Mutation(
            "required field", f"{state} without {field}",
            in_state(PIPELINE, state, lambda s, field=field: s["Parameters"].pop(field)),
        )  # fmt: skip
    yield Mutation(
        "required field", "no default for num_round",
        in_state(PIPELINE, "NameJobs", lambda s: s["Parameters"]["hyperparameters"].pop("num_round")),
    )  # fmt: skip
    yield Mutation(
        "image", "registry account of the region",
        lambda template: _mapping(template)["us-east-1"].update(registry="111122223333"),
    )  # fmt: skip


def _mapping(template: Template) -> dict[str, Any]:
    mapping: dict[str, Any] = next(m for name, m in template["Mappings"].items() if name.startswith("Images"))
    return mapping


def _handlers() -> Iterator[Mutation]:
    def all_catcher(state: dict[str, Any]) -> dict[str, Any]:
        catcher: dict[str, Any] = state["Catch"][-1]
        return catcher

    describe, create, process = "DescribeTrainingJob", "CreateTrainingJob", "CreateProcessingJob"
    for kind, name, machine, state, edit in (
        ("Retry", "no Retry", PIPELINE, describe, lambda s: s.pop("Retry")),
        ("Retry", "MaxAttempts 0", PIPELINE, process, lambda s: s["Retry"][-1].update(MaxAttempts=0)),
        ("Retry", "pauses do not grow", PIPELINE, "ReadEvaluation", lambda s: s["Retry"][-1].update(BackoffRate=1)),
        ("Retry", "no patience with quotas", PIPELINE, create, lambda s: s["Retry"].pop(1)),
        ("Retry", "an error that does not exist", PIPELINE, process,
         lambda s: s["Retry"][1].update(ErrorEquals=["SageMaker.LimitExceeded"])),
        ("Retry", "no Retry", CLEANER, "StopTrainingJob", lambda s: s.pop("Retry")),
        ("Catch", "no Catch", PIPELINE, process, lambda s: s.pop("Catch")),
        ("Catch", "time-outs only", PIPELINE, describe,
         lambda s: all_catcher(s).update(ErrorEquals=["States.Timeout"])),
        ("Catch", "leads to success", PIPELINE, create, lambda s: all_catcher(s).update(Next="PipelineSucceeded")),
        ("Catch", "its own job is not adopted", PIPELINE, create, lambda s: s["Catch"].pop(0)),
        ("Catch", "of the message leads to success", PIPELINE, "NotifyFailure",
         lambda s: all_catcher(s).update(Next="PipelineSucceeded")),
        ("Catch", "the reason is thrown away", PIPELINE, "ReadEvaluation",
         lambda s: all_catcher(s).update(ResultPath=None)),
        ("Catch", "no Catch", CLEANER, "StopProcessingJob", lambda s: s.pop("Catch")),
        ("Catch", "a failure to stop counts as done", CLEANER, "StopTrainingJob",
         lambda s: all_catcher(s).update(Next="CleanedUp")),
    ):  # fmt: skip
        yield Mutation(kind, f"{state}: {name}", in_state(machine, state, edit))


def _states() -> Iterator[Mutation]:
    def fail_state_succeeds(definition: dict[str, Any]) -> None:
        definition["States"]["PipelineFailed"] = {"Type": "Succeed"}

    def rule_for(state: dict[str, Any], status: str) -> dict[str, Any]:
        rule: dict[str, Any] = next(r for r in state["Choices"] if status in json.dumps(r) and "Or" not in r)
        return rule

    yield Mutation("Fail state", "PipelineFailed succeeds", in_definition(PIPELINE, fail_state_succeeds))
    for kind, name, machine, state, edit in (
        ("Fail state", "error from a path that is not there", PIPELINE, "PipelineFailed",
         lambda s: s.update(ErrorPath="$.failure.name")),
        ("enumeration", "Completed is misspelled", PIPELINE, "TrainingStatus?",
         lambda s: rule_for(s, "Completed").update(StringEquals="Complete")),
        ("transition", "Stopped counts as completed", PIPELINE, "EvaluationStatus?",
         lambda s: rule_for(s, "Stopped").update(Next=rule_for(s, "Completed")["Next"])),
        ("transition", "Failed counts as completed", PIPELINE, "TrainingStatus?",
         lambda s: s["Choices"].insert(0, {**rule_for(s, "Completed"), "StringEquals": "Failed"})),
        ("transition", "Stopping is no reason to wait", PIPELINE, "TrainingStatus?",
         lambda s: [r["Or"].pop() for r in s["Choices"] if "Or" in r]),
        ("transition", "to a state that does not exist", PIPELINE, "UseTrainedModel",
         lambda s: s.update(Next="Evaluate")),
        ("field", "a field is misspelled", PIPELINE, "WaitForTraining",
         lambda s: s.update(SecondsPth=s.pop("Seconds"))),
        ("JSONPath", "the status is read from elsewhere", PIPELINE, "TrainingStatus?",
         lambda s: s["Choices"][0].update(Variable="$.training.Status")),
        ("JSONPath", "the model is read from elsewhere", PIPELINE, "UseTrainedModel",
         lambda s: s.update(InputPath="$.training.ModelArtifacts.S3")),
        ("JSONPath", "the answer is kept elsewhere", PIPELINE, "DescribeProcessingJob",
         lambda s: s.update(ResultPath="$.described")),
        ("JSONPath", "the names are read from elsewhere", CLEANER, "ReadNames",
         lambda s: s.update(ResultPath="$.names")),
        ("time-out", "the history fills up", PIPELINE, "WaitForTraining", lambda s: s.update(Seconds=1)),
        ("enumeration", "only Running jobs are stopped", CLEANER, "TrainingJobRuns?",
         lambda s: s["Choices"][0].update(StringEquals="Running")),
        ("transition", "aborted executions are not told", CLEANER, "ToldAlready?",
         lambda s: s["Choices"].append({**s["Choices"][0], "StringEquals": "ABORTED"})),
        ("transition", "failures are told twice", CLEANER, "ToldAlready?",
         lambda s: s["Choices"][0].update(StringEquals="NEVER")),
    ):  # fmt: skip
        yield Mutation(kind, f"{state}: {name}", in_state(machine, state, edit))
    for name, state, old, new in (
        ("subject of the message beyond 100 characters", "NotifyFailure", "MlA2TrainingEvaluationStack: ", "x" * 90),
        ("message from a path that is not there", "NotifyFailure", "$.failure.cause", "$.failure.reason"),
        ("evaluation.json of another execution", "ReadEvaluation", "$$.Execution.Name", "$.training_job_name"),
        ("a service that does not exist", "ReadEvaluation", "aws-sdk:s3:", "aws-sdk:s4:"),
        ("job names with a prefix that the role may not use", "NameJobs", "'ml-a2-training-", "'training-"),
        ("job names that are the same for every execution", "NameJobs", ONE_EXECUTION, "'one'"),
    ):
        kind = "name" if state == "NameJobs" else "JSONPath"
        yield Mutation(kind, f"{state}: {name}", in_text(PIPELINE, state, old, new))
    yield Mutation(
        "time-out", "shorter than the jobs", in_definition(PIPELINE, lambda d: d.update(TimeoutSeconds=3600))
    )
    yield Mutation("time-out", "none", in_definition(PIPELINE, lambda d: d.pop("TimeoutSeconds") and None))
    yield Mutation(
        "time-out", "a training without MaxRuntimeInSeconds",
        in_state(PIPELINE, "CreateProcessingJob", lambda s: s["Parameters"].pop("StoppingCondition")),
    )  # fmt: skip


def _alerts() -> Iterator[Mutation]:
    failed, alarm = "AlertingExecutionsFailed", "CloudWatch::Alarm"
    machine = {"Name": "StateMachineArn", "Value": "arn:aws:states:us-east-1:123456789012:stateMachine:other"}
    for name, prefix, changes in (
        ("threshold 100", failed, {"Threshold": 100}),
        ("above 1, not from 1 on", failed, {"ComparisonOperator": "GreaterThanThreshold"}),
        ("five minutes in a row", "AlertingExecutionsAborted", {"EvaluationPeriods": 5}),
        ("another metric", "AlertingExecutionsTimedOut", {"MetricName": "ExecutionsFailed"}),
        ("another state machine", failed, {"Dimensions": [machine]}),
        ("no action", "AlertingCleanUpFailed", {"AlarmActions": None}),
        ("actions are disabled", "AlertingCleanUpNotStarted", {"ActionsEnabled": False}),
        ("namespace AWS/State", "AlertingCleanUpTimedOut", {"Namespace": "AWS/State"}),
    ):
        yield Mutation("alarm", f"{prefix}: {name}", in_properties(prefix, alarm, **changes))
    yield Mutation("alarm", "AlertingExecutionsTimedOut is missing", without("AlertingExecutionsTimedOut", alarm))
    pattern = "CleanUpRule"
    yield Mutation("rule", "disabled", in_properties(pattern, "Events::Rule", State="DISABLED"))
    yield Mutation("rule", "without a target", in_properties(pattern, "Events::Rule", Targets=None))
    for name, old, new in (
        ("not for aborted executions", ', "ABORTED"', ""),
        ("not for failed executions", '"FAILED", ', ""),
        ("another source", "aws.states", "aws.stepfunctions"),
        ("another type of event", "Execution Status Change", "Execution State Change"),
        ("another state machine", "WorkflowStateMachine8F1B1C15", "CleanUpStateMachine46DD113D"),
    ):
        yield Mutation("rule", name, in_json(old, new, pattern, "Events::Rule"))


def _names() -> Iterator[Mutation]:
    def output(template: Template) -> None:
        del template["Outputs"]["StateMachineArn"]

    def order(template: Template) -> None:
        del resource(template, PIPELINE, "StepFunctions::StateMachine")["DependsOn"]

    def log_level(template: Template) -> None:
        machine = resource(template, PIPELINE, "StepFunctions::StateMachine")
        machine["Properties"]["LoggingConfiguration"]["Level"] = "OFF"

    yield Mutation("name", "an output is missing", output)
    yield Mutation("name", "an asset that nobody uploads", replaced("faa95a81", "faa95a82"))
    yield Mutation("dependency", "the state machine does not wait for its policy", order)
    yield Mutation("logging", "executions are not logged", log_level)
    yield Mutation(
        "enumeration", "a runtime that Lambda creates no more",
        replaced("nodejs22.x", "nodejs20.x", "CustomS3AutoDelete", "Lambda::Function"),
    )  # fmt: skip
    yield Mutation(
        "name", "the role belongs to another machine",
        replaced("WorkflowStateMachineRoleAB27BF0D", "TrainingRole4C1607BC", PIPELINE, "StepFunctions::StateMachine"),
    )  # fmt: skip


def caught(assembly: Path, mutation: Mutation, scenarios: Iterable[Scenario] | None = None) -> Finding | None:
    """Return the first error that examining the changed assembly finds."""
    with tempfile.TemporaryDirectory(prefix="ml-a2-mutation-") as folder:
        copy = changed(assembly, mutation.change, Path(folder))
        findings = examine(copy, region="us-east-1", scenarios=scenarios)
        return next((finding for finding in findings if finding.severity == "error"), None)


def quick_first() -> list[Scenario]:
    """Return all scenarios, the one with two real jobs only after those that take a second: most changes show there."""
    success, *others = rehearsed()
    return [*others[:QUICK], success, *others[QUICK:]]


def main() -> int:
    """Examine every change, print the table, write the page."""
    assembly, _ = find_assembly(None)
    lines, missed = [], 0
    for mutation in mutations():
        finding = caught(assembly, mutation)
        missed += finding is None
        lines.append(_row(mutation, finding))
        print(lines[-1], flush=True)
    print(f"{len(lines)} changes, {missed} not caught")
    if not missed:
        renew_table(PAGE, TABLE_HEAD, lines)
    return 1 if missed else 0


def _row(mutation: Mutation, finding: Finding | None) -> str:
    where, words = ("NOT CAUGHT", "") if finding is None else (finding.where, finding.problem)
    where = "at the deployment" if where.endswith("cdk.out") else where
    where = "by the audit" if f"{STACK_NAME}-" in where or where.endswith(".json") else where
    words = re.sub(r"arn:aws:[^\s']*[/:]", "", " ".join(words.split())).replace("|", "\\|")
    words = words.replace(f"{STACK_NAME}-", "").replace(f"{PAGE.parents[1]}/", "")
    if "Traceback" in words:  # the reason stands at its end
        words = words.partition("; the topic was told")[0]
        words = f"{words[: words.index('Traceback')]}... {words[-SHOWN_OF_A_TRACEBACK:]}"
    return f"| {mutation.kind} | {mutation.name} | {where} | {words[:SHOWN]} |"


if __name__ == "__main__":
    sys.exit(main())
