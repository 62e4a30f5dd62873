"""The resource types that the deployer creates, each through its service's public API.

Every type lists the properties that it understands; the deployer refuses all others before it creates anything.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ml_a2.errors import AssemblyError
from ml_a2.local.alarms import COMPARISONS, MISSING, STATISTICS
from ml_a2.local.authorization import AccessDeniedError, Authorization
from ml_a2.local.clients import Clients
from ml_a2.local.definition import check_definition
from ml_a2.local.execution_log import require_delivery
from ml_a2.local.policy import check_policy
from ml_a2.local.template import Environment

Properties = Mapping[str, Any]


@dataclass(frozen=True)
class Created:
    """What Ref and Fn::GetAtt give for a resource."""

    ref: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Creation:
    """One resource about to be created: its logical id, and where."""

    logical_id: str
    clients: Clients
    environment: Environment
    authorization: Authorization
    tags: Mapping[str, str] = field(default_factory=dict)

    def name(self, longest: int = 64, lower: bool = False) -> str:
        """Return a physical name as CloudFormation makes them: stack, logical id, suffix; here always the same."""
        stack = self.environment.stack_name
        suffix = hashlib.sha256(f"{stack}/{self.logical_id}".encode()).hexdigest()[:12]
        name = f"{stack}-{self.logical_id}"[: longest - 13] + f"-{suffix}"
        return name.lower() if lower else name

    def arn(self, service: str, resource: str, *, region: bool = True, account: bool = True) -> str:
        """Return an ARN in the deployment's partition, account and region."""
        where = self.environment
        parts = (where.region if region else "", where.account if account else "")
        return f"arn:{where.partition}:{service}:{parts[0]}:{parts[1]}:{resource}"


@contextmanager
def _undone_by(undo: Callable[[], Any]) -> Iterator[None]:
    """Leave nothing of a resource that could only be created in part."""
    try:
        yield
    except BaseException:
        undo()
        raise


def _bucket(creation: Creation, properties: Properties) -> Created:
    name = properties.get("BucketName") or creation.name(63, lower=True)
    s3 = creation.clients.s3
    region = creation.environment.region
    # S3 takes every region as a location but us-east-1.
    where: Any = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, **where)
    with _undone_by(lambda: s3.delete_bucket(Bucket=name)):
        _configure_bucket(s3, name, properties)
    return Created(name, {"Arn": creation.arn("s3", name, region=False, account=False)})


def _configure_bucket(s3: Any, name: str, properties: Properties) -> None:
    if encryption := properties.get("BucketEncryption"):
        rules: Any = [
            {_ENCRYPTION_KEYS.get(key, key): value for key, value in rule.items()}
            for rule in encryption["ServerSideEncryptionConfiguration"]
        ]
        for rule in rules:
            algorithm = rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
            if algorithm != "AES256":  # KMS keys have policies of their own, which are not evaluated here
                raise AssemblyError(f"SSEAlgorithm {algorithm!r} is not supported locally, only 'AES256'")
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})
    if access := properties.get("PublicAccessBlockConfiguration"):
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=access)
    if versioning := properties.get("VersioningConfiguration"):
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)
    if tags := properties.get("Tags"):
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})


_ENCRYPTION_KEYS = {"ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"}


def _bucket_policy(creation: Creation, properties: Properties) -> Created:
    check_policy(properties["PolicyDocument"], creation.logical_id)
    bucket = properties["Bucket"]
    creation.clients.s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(properties["PolicyDocument"]))
    return Created(bucket)


def _role(creation: Creation, properties: Properties) -> Created:
    check_policy(properties["AssumeRolePolicyDocument"], creation.logical_id)
    for arn in properties.get("ManagedPolicyArns", []):
        if not arn.endswith(":iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"):
            raise AssemblyError(f"{creation.logical_id}: managed policy {arn!r} is not supported locally")
    name = properties.get("RoleName") or creation.name()
    role = creation.clients.iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"]),
        Tags=properties.get("Tags", []),
    )["Role"]
    return Created(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]})


def _role_policy(creation: Creation, properties: Properties) -> Created:
    check_policy(properties["PolicyDocument"], creation.logical_id)
    for role in properties["Roles"]:
        creation.clients.iam.put_role_policy(
            RoleName=role,
            PolicyName=properties["PolicyName"],
            PolicyDocument=json.dumps(properties["PolicyDocument"]),
        )
    return Created(properties["PolicyName"])


def _topic(creation: Creation, properties: Properties) -> Created:
    name = properties.get("TopicName") or creation.name(256)
    attributes = {key: properties[key] for key in ("DisplayName",) if key in properties}
    arn = creation.clients.sns.create_topic(Name=name, Attributes=attributes, Tags=properties.get("Tags", []))[
        "TopicArn"
    ]
    return Created(arn, {"TopicName": name, "TopicArn": arn})


def _topic_policy(creation: Creation, properties: Properties) -> Created:
    check_policy(properties["PolicyDocument"], creation.logical_id)
    for topic in properties["Topics"]:
        creation.clients.sns.set_topic_attributes(
            TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(properties["PolicyDocument"])
        )
    return Created(creation.name())


def _subscription(creation: Creation, properties: Properties) -> Created:
    answer = creation.clients.sns.subscribe(
        TopicArn=properties["TopicArn"], Protocol=properties["Protocol"], Endpoint=properties["Endpoint"]
    )
    return Created(answer["SubscriptionArn"])


def _alarm(creation: Creation, properties: Properties) -> Created:
    _check_alarm(properties)
    name = properties.get("AlarmName") or creation.name(255)
    creation.clients.cloudwatch.put_metric_alarm(**{**properties, "AlarmName": name})
    return Created(name, {"Arn": creation.arn("cloudwatch", f"alarm:{name}")})


def _check_alarm(properties: Properties) -> None:
    """Refuse an alarm that the evaluation here could not decide; one on a metric that nobody sends never fires."""
    allowed = {
        "ComparisonOperator": COMPARISONS,
        "Statistic": STATISTICS,
        "TreatMissingData": MISSING,
        "Namespace": ("AWS/States", "AWS/Events"),
    }
    for name, values in allowed.items():
        if name in properties and properties[name] not in values:
            raise AssemblyError(f"{name} {properties[name]!r} is not supported locally, only {', '.join(values)}")


def _dashboard(creation: Creation, properties: Properties) -> Created:
    try:
        json.loads(properties["DashboardBody"])
    except json.JSONDecodeError as error:
        raise AssemblyError(f"DashboardBody is no JSON: {error}") from error
    name = properties.get("DashboardName") or creation.name(255)
    creation.clients.cloudwatch.put_dashboard(DashboardName=name, DashboardBody=properties["DashboardBody"])
    return Created(name)


def _rule(creation: Creation, properties: Properties) -> Created:
    for target in properties.get("Targets", []):
        if unknown := set(target) - {"Arn", "Id", "RoleArn"}:
            raise AssemblyError(f"target property {min(unknown)!r} is not supported locally; see docs/fidelity.md")
        if ":states:" not in target["Arn"] or "RoleArn" not in target:
            raise AssemblyError(
                f"target {target['Arn']!r} is not supported locally, only a state machine with its role"
            )
    name = properties.get("Name") or creation.name()
    events = creation.clients.events
    arn = events.put_rule(
        Name=name,
        EventPattern=json.dumps(properties["EventPattern"]),
        State=properties.get("State", "ENABLED"),
        Description=properties.get("Description", ""),
    )["RuleArn"]
    if targets := properties.get("Targets"):
        with _undone_by(lambda: events.delete_rule(Name=name)):
            events.put_targets(Rule=name, Targets=targets)
    return Created(name, {"Arn": arn})


def _log_group(creation: Creation, properties: Properties) -> Created:
    name = properties.get("LogGroupName") or creation.name(512)
    logs = creation.clients.logs
    tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
    given: Any = {"tags": tags} if tags else {}
    logs.create_log_group(logGroupName=name, **given)
    if days := properties.get("RetentionInDays"):
        with _undone_by(lambda: logs.delete_log_group(logGroupName=name)):
            logs.put_retention_policy(logGroupName=name, retentionInDays=days)
    return Created(name, {"Arn": creation.arn("logs", f"log-group:{name}:*")})


def _state_machine(creation: Creation, properties: Properties) -> Created:
    options = state_machine_options(creation, properties)
    name = properties.get("StateMachineName") or creation.name(80)
    answer = creation.clients.stepfunctions.create_state_machine(
        name=name,
        definition=properties["DefinitionString"],
        roleArn=properties["RoleArn"],
        type=properties.get("StateMachineType", "STANDARD"),
        tags=_camel_case(properties.get("Tags", [])),
        **options,
    )
    return Created(answer["stateMachineArn"], {"Arn": answer["stateMachineArn"], "Name": name})


def state_machine_options(creation: Creation, properties: Properties) -> dict[str, Any]:
    """Check a state machine as CreateStateMachine and UpdateStateMachine do; return its logging and tracing.

    Raises:
        AssemblyError: the definition is invalid, or the role may not deliver logs or traces.
    """
    check_definition(properties["DefinitionString"])
    name = properties.get("StateMachineName") or creation.name(80)
    try:
        require_delivery(
            creation.authorization,
            properties["RoleArn"],
            creation.arn("states", f"stateMachine:{name}"),
            logging=properties.get("LoggingConfiguration", {}).get("Level", "OFF") != "OFF",
            tracing=bool(properties.get("TracingConfiguration", {}).get("Enabled")),
        )
    except AccessDeniedError as error:
        raise AssemblyError(f"AccessDenied: {error}") from error
    return {
        api: _camel_case(properties[key])
        for key, api in (
            ("LoggingConfiguration", "loggingConfiguration"),
            ("TracingConfiguration", "tracingConfiguration"),
        )
        if key in properties
    }


# Of Node.js; older ones are refused by Lambda since their deprecation (decision 0001).
LAMBDA_RUNTIMES = ("nodejs22.x",)


def _clean_up_function(creation: Creation, properties: Properties) -> Created:
    """Stand in for the function behind Custom::S3AutoDeleteObjects: the endpoint's buckets end with it anyway."""
    description = properties.get("Description", "")
    if not description.startswith("Lambda function for auto-deleting objects in "):
        raise AssemblyError(
            f"{creation.logical_id}: Lambda functions are not supported locally, only the CDK's own that empties "
            "buckets; see docs/fidelity.md"
        )
    if properties["Runtime"] not in LAMBDA_RUNTIMES:
        raise AssemblyError(f"Runtime {properties['Runtime']!r} is not one that Lambda still creates functions with")
    try:
        creation.authorization.assume(properties["Role"], "lambda.amazonaws.com", "lambda")
    except AccessDeniedError as error:
        raise AssemblyError(f"The role defined for the function cannot be assumed by Lambda: {error}") from error
    name = creation.name()
    return Created(name, {"Arn": creation.arn("lambda", f"function:{name}")})


def _clean_up(creation: Creation, properties: Properties) -> Created:
    return Created(creation.name())


def _camel_case(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: _camel_case(item) for key, item in value.items()}
    return [_camel_case(item) for item in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class ResourceType:
    """How a type is created, which properties it must have and which it may have."""

    create: Callable[[Creation, Properties], Created]
    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()


def _type(create: Callable[[Creation, Properties], Created], required: str, optional: str = "") -> ResourceType:
    return ResourceType(create, frozenset(required.split()), frozenset(optional.split()))


RESOURCE_TYPES: dict[str, ResourceType] = {
    "AWS::S3::Bucket": _type(
        _bucket, "", "BucketName BucketEncryption PublicAccessBlockConfiguration Tags VersioningConfiguration"
    ),
    "AWS::S3::BucketPolicy": _type(_bucket_policy, "Bucket PolicyDocument"),
    "AWS::IAM::Role": _type(_role, "AssumeRolePolicyDocument", "RoleName ManagedPolicyArns Tags"),
    "AWS::IAM::Policy": _type(_role_policy, "PolicyDocument PolicyName Roles"),
    "AWS::SNS::Topic": _type(_topic, "", "TopicName DisplayName Tags"),
    "AWS::SNS::TopicPolicy": _type(_topic_policy, "PolicyDocument Topics"),
    "AWS::SNS::Subscription": _type(_subscription, "TopicArn Protocol Endpoint"),
    "AWS::CloudWatch::Alarm": _type(
        _alarm,
        "ComparisonOperator EvaluationPeriods",
        "ActionsEnabled AlarmName AlarmActions AlarmDescription DatapointsToAlarm Dimensions MetricName Namespace "
        "Period Statistic Tags Threshold TreatMissingData",
    ),
    "AWS::CloudWatch::Dashboard": _type(_dashboard, "DashboardBody", "DashboardName"),
    "AWS::Events::Rule": _type(_rule, "EventPattern", "Name Description State Targets"),
    "AWS::Logs::LogGroup": _type(_log_group, "", "LogGroupName RetentionInDays Tags"),
    "AWS::StepFunctions::StateMachine": _type(
        _state_machine,
        "DefinitionString RoleArn",
        "StateMachineName StateMachineType LoggingConfiguration Tags TracingConfiguration",
    ),
    "AWS::Lambda::Function": _type(
        _clean_up_function, "Code Handler Role Runtime", "Timeout MemorySize Description Environment Tags"
    ),
    "Custom::S3AutoDeleteObjects": _type(_clean_up, "ServiceToken BucketName"),
}
