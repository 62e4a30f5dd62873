"""The table of emulated operations in docs/fidelity.md, made of the endpoint: `make operations` writes it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import moto.backends
from botocore import xform_name
from moto.core import DEFAULT_ACCOUNT_ID

from ml_a2.local.edge.endpoint import MOTOS, WITHOUT_REGION
from ml_a2.local.edge.engine_checks import is_offered
from ml_a2.local.edge.validation import MODELS
from ml_a2.local.runtime import LocalRuntime
from ml_a2.local.service_models import service_model

PAGE = Path(__file__).parents[1] / "docs" / "fidelity.md"
BEGIN, END = "<!-- operations -->\n", "<!-- end of operations -->\n"
HEAD = "| service | answered by | operations |\n|---|---|---|\n"
TITLES = {
    "cloudformation": "CloudFormation",
    "cloudwatch": "CloudWatch",
    "events": "EventBridge",
    "iam": "IAM",
    "logs": "CloudWatch Logs",
    "s3": "S3",
    "sagemaker": "SageMaker",
    "sns": "SNS",
    "sqs": "SQS",
    "ssm": "Systems Manager",
    "stepfunctions": "Step Functions",
    "sts": "STS",
}
# Of moto's operations those that the template, its jobs and their clients in the tests make use of.
USED = {
    "stepfunctions": "CreateStateMachine DeleteStateMachine DescribeStateMachine UpdateStateMachine ListStateMachines "
    "StartExecution StopExecution DescribeExecution ListExecutions GetExecutionHistory ListTagsForResource TagResource",
    "logs": "CreateLogGroup DeleteLogGroup DescribeLogGroups CreateLogStream DeleteLogStream DescribeLogStreams "
    "PutLogEvents GetLogEvents FilterLogEvents PutRetentionPolicy DeleteRetentionPolicy",
    "events": "PutRule DeleteRule DescribeRule ListRules PutTargets RemoveTargets ListTargetsByRule PutEvents",
    "cloudwatch": "PutMetricAlarm DescribeAlarms DeleteAlarms SetAlarmState PutMetricData GetMetricData ListMetrics "
    "GetMetricStatistics PutDashboard GetDashboard ListDashboards DeleteDashboards",
    "sqs": "CreateQueue DeleteQueue GetQueueUrl GetQueueAttributes ListQueues SendMessage ReceiveMessage DeleteMessage",
    "sns": "CreateTopic DeleteTopic ListTopics GetTopicAttributes SetTopicAttributes Subscribe Unsubscribe Publish "
    "ListSubscriptions ListSubscriptionsByTopic",
    "iam": "CreateRole DeleteRole GetRole ListRoles UpdateAssumeRolePolicy PutRolePolicy GetRolePolicy "
    "DeleteRolePolicy ListRolePolicies",
    "s3": "CreateBucket DeleteBucket ListBuckets HeadBucket ListObjectsV2 ListObjectVersions GetObject HeadObject "
    "PutObject DeleteObject DeleteObjects CopyObject PutBucketPolicy GetBucketPolicy PutBucketVersioning "
    "PutBucketEncryption PutPublicAccessBlock PutBucketTagging",
}
# Used, too; their requests are no members to be drawn by chance.
PARTS = "CreateMultipartUpload UploadPart CompleteMultipartUpload AbortMultipartUpload ListParts"


def table() -> str:
    """Return the table: two rows for a service of moto's, what is used and what is there besides."""
    return HEAD + "".join(_rows())


def written(page: str, rows: str) -> str:
    """Return a page with the rows between its marks."""
    above, _, rest = page.partition(BEGIN)
    _, _, below = rest.partition(END)
    return above + BEGIN + rows + END + below


def _rows() -> Iterator[str]:
    with LocalRuntime() as runtime:
        own = {name: service._operations for name, service in runtime._own.items()}
    own["sts"] = ("GetCallerIdentity", "AssumeRole")
    for service in sorted(own):
        yield f"| {TITLES[service]} | ours, every other one is refused | {', '.join(sorted(own[service]))} |\n"
    for service in sorted({MODELS.get(name, name) for name in MOTOS} - own.keys()):
        used, there = set(f"{USED[service]} {PARTS if service == 's3' else ''}".split()), set(_implemented(service))
        assert used <= there, f"{service}: {used - there} are not there"
        yield f"| {TITLES[service]} | moto, patched; used and tested here | {', '.join(sorted(used))} |\n"
        yield f"| {TITLES[service]} | moto, as it is | {', '.join(sorted(there - used))} |\n"


def _implemented(service: str) -> Iterator[str]:
    """Yield the operations that the engine has a method for and that are offered."""
    signed_as = {model: name for name, model in MODELS.items()}.get(service, service)
    backends = moto.backends.get_backend(service)[DEFAULT_ACCOUNT_ID]
    backend = backends["aws" if signed_as in WITHOUT_REGION else "us-east-1"]
    module = importlib.import_module(f"moto.{service}.responses")
    responses = [each for name, each in vars(module).items() if name.lower().endswith(("response", "handler"))]
    for operation in service_model(service).operation_names:
        method = xform_name(operation)
        if is_offered(signed_as, operation) and any(hasattr(owner, method) for owner in (backend, *responses)):
            yield operation


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), table()), encoding="utf-8")
