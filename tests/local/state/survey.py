"""Everything that the endpoint's clients can ask for, to be compared before and after."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from ml_a2.local.clients import Clients


def survey(clients: Clients) -> dict[str, Any]:
    """Return the answers of every service, by what was asked."""
    parts = (_stacks, _objects, _executions, _jobs, _packages, _logs, _alarms, _topics, _queues, _rules, _roles)
    return {name: _plain(answer) for part in parts for name, answer in part(clients)}


def _plain(answer: Any) -> Any:
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


Answers = Iterator[tuple[str, Any]]


def _stacks(clients: Clients) -> Answers:
    api = clients.client("cloudformation")
    for stack in api.describe_stacks()["Stacks"]:
        name = stack["StackName"]
        yield f"stack {name}", stack
        yield f"events of {name}", api.describe_stack_events(StackName=name)
        yield f"resources of {name}", api.list_stack_resources(StackName=name)
        yield f"template of {name}", api.get_template(StackName=name)


def _objects(clients: Clients) -> Answers:
    s3 = clients.s3
    for bucket in s3.list_buckets()["Buckets"]:
        name = bucket["Name"]
        yield f"bucket {name}", bucket
        yield f"versioning of {name}", s3.get_bucket_versioning(Bucket=name)
        yield f"uploads to {name}", s3.list_multipart_uploads(Bucket=name)
        listed = s3.list_object_versions(Bucket=name)
        yield f"versions in {name}", {key: listed.get(key, []) for key in ("Versions", "DeleteMarkers")}
        for version in listed.get("Versions", []):
            which: Any = {"Bucket": name, "Key": version["Key"], "VersionId": version["VersionId"]}
            answer = s3.get_object(**which)
            yield f"object {which}", {**answer, "Body": answer["Body"].read()}
            yield f"tags of {which}", s3.get_object_tagging(**which)


def _executions(clients: Clients) -> Answers:
    api = clients.stepfunctions
    for machine in api.list_state_machines()["stateMachines"]:
        arn = machine["stateMachineArn"]
        yield arn, api.describe_state_machine(stateMachineArn=arn)
        yield f"tags of {arn}", api.list_tags_for_resource(resourceArn=arn)
        for execution in api.list_executions(stateMachineArn=arn)["executions"]:
            which = execution["executionArn"]
            yield which, api.describe_execution(executionArn=which)
            yield f"listed {which}", execution
            yield f"history of {which}", api.get_execution_history(executionArn=which)


def _jobs(clients: Clients) -> Answers:
    api = clients.sagemaker
    training = api.list_training_jobs()["TrainingJobSummaries"]
    processing = api.list_processing_jobs()["ProcessingJobSummaries"]
    yield "jobs", {"training": training, "processing": processing}
    for job in training:
        yield job["TrainingJobArn"], api.describe_training_job(TrainingJobName=job["TrainingJobName"])
    for other in processing:
        yield other["ProcessingJobArn"], api.describe_processing_job(ProcessingJobName=other["ProcessingJobName"])


def _packages(clients: Clients) -> Answers:
    api = clients.sagemaker
    for group in api.list_model_package_groups()["ModelPackageGroupSummaryList"]:
        name = group["ModelPackageGroupName"]
        yield f"group {name}", api.describe_model_package_group(ModelPackageGroupName=name)
        for package in api.list_model_packages(ModelPackageGroupName=name)["ModelPackageSummaryList"]:
            arn = package["ModelPackageArn"]
            yield arn, api.describe_model_package(ModelPackageName=arn)


def _logs(clients: Clients) -> Answers:
    api = clients.logs
    for group in api.describe_log_groups()["logGroups"]:
        name = group["logGroupName"]
        yield f"group {name}", group
        for stream in api.describe_log_streams(logGroupName=name)["logStreams"]:
            which = stream["logStreamName"]
            events = api.get_log_events(logGroupName=name, logStreamName=which, startFromHead=True)["events"]
            yield f"stream {name} {which}", {"stream": stream, "events": events}


def _alarms(clients: Clients) -> Answers:
    api = clients.cloudwatch
    for alarm in api.describe_alarms()["MetricAlarms"]:
        yield f"alarm {alarm['AlarmName']}", alarm
    # Those of S3 are made up when they are asked for.
    metrics = [metric for metric in api.list_metrics()["Metrics"] if metric["Namespace"] != "AWS/S3"]
    yield "metrics", {"metrics": metrics}
    today = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for metric in metrics:
        answer = api.get_metric_statistics(
            Namespace=metric["Namespace"],
            MetricName=metric["MetricName"],
            Dimensions=metric["Dimensions"],
            StartTime=today - dt.timedelta(days=1),
            EndTime=today + dt.timedelta(days=1),
            Period=86_400,
            Statistics=["Sum", "SampleCount"],
        )
        yield f"metric {metric}", answer
    for board in api.list_dashboards()["DashboardEntries"]:
        yield f"dashboard {board['DashboardName']}", api.get_dashboard(DashboardName=board["DashboardName"])


def _topics(clients: Clients) -> Answers:
    sns = clients.sns
    for topic in sns.list_topics()["Topics"]:
        arn = topic["TopicArn"]
        yield arn, sns.get_topic_attributes(TopicArn=arn)
        yield f"tags of {arn}", sns.list_tags_for_resource(ResourceArn=arn)
        yield f"subscriptions of {arn}", sns.list_subscriptions_by_topic(TopicArn=arn)


def _queues(clients: Clients) -> Answers:
    sqs = clients.sqs
    for url in sqs.list_queues().get("QueueUrls", []):
        name = url.rpartition("/")[2]
        attributes: dict[str, Any] = dict(sqs.get_queue_attributes(QueueUrl=name, AttributeNames=["All"]))
        yield f"queue {name}", attributes


def _rules(clients: Clients) -> Answers:
    events = clients.events
    for rule in events.list_rules()["Rules"]:
        yield f"rule {rule['Name']}", rule
        yield f"targets of {rule['Name']}", events.list_targets_by_rule(Rule=rule["Name"])


def _roles(clients: Clients) -> Answers:
    iam = clients.iam
    for role in iam.list_roles()["Roles"]:
        name = role["RoleName"]
        yield f"role {name}", iam.get_role(RoleName=name)
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            yield f"policy {policy} of {name}", iam.get_role_policy(RoleName=name, PolicyName=policy)
