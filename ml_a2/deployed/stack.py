"""The stack itself: its status, its template, its buckets, and who is subscribed to its topic."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from ml_a2 import contract
from ml_a2.account import Account
from ml_a2.finding import Finding
from ml_a2.service_errors import code_of

WHOLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
TAKEN_BACK = ("UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE")
BUCKETS = tuple(name for name in contract.OUTPUTS if name.endswith("BucketName"))
DEPLOY = "deploy the stack again"
NAMES_TOLD = 5


def check_status(account: Account, stack: str) -> Iterator[Finding]:
    """Yield what CloudFormation says of the last deployment, unless all went well."""
    found = account.describe(stack)
    status, where = found["StackStatus"], f"stack {stack}"
    reason = f": {found['StackStatusReason']}" if found.get("StackStatusReason") else ""
    if status in TAKEN_BACK:
        yield Finding("warning", where, f"the last deployment was taken back ({status}){reason}", DEPLOY)
    elif status.endswith("_IN_PROGRESS"):
        yield Finding("warning", where, f"is being changed ({status}){reason}", "wait for the deployment, look again")
    elif status not in WHOLE:
        yield Finding("error", where, f"is not whole ({status}){reason}", DEPLOY)


def check_template(account: Account, stack: str, template: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield where the deployed template differs from one."""
    body = account.cloudformation.get_template(StackName=stack)["TemplateBody"]
    where = f"stack {stack}"
    if not isinstance(body, dict):  # the SDK reads JSON and leaves YAML as text
        yield Finding("warning", where, "its template is no JSON: somebody else's program deployed it", DEPLOY)
        return
    there, here = _as_told(body), _as_told(template)
    resources = there.pop("Resources", {}), here.pop("Resources", {})
    differences = [*_differences(*resources), *(f"section {name}" for name in _different(there, here))]
    if differences:
        more = f" and {len(differences) - NAMES_TOLD} more" if len(differences) > NAMES_TOLD else ""
        problem = f"is not what the assembly would deploy: {', '.join(differences[:NAMES_TOLD])}{more}"
        yield Finding("warning", where, problem, f"{DEPLOY}, or compare with the settings that it was deployed with")


def _as_told(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return a template as GetTemplate tells it: with a question mark for each character outside of ASCII."""
    told: dict[str, Any] = json.loads(re.sub(r"[^\x00-\x7f]", "?", json.dumps(template, ensure_ascii=False)))
    return told


def _differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    for name in _different(there, here):
        yield f"{name} {'differs' if name in there and name in here else 'is new' if name in here else 'is gone'}"


def _different(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    return [name for name in sorted({*there, *here}) if there.get(name) != here.get(name)]


def check_buckets(account: Account, outputs: Mapping[str, str]) -> Iterator[Finding]:
    """Yield which buckets are not there, or may not be looked at."""
    for bucket in (outputs[name] for name in BUCKETS):
        try:
            account.s3.head_bucket(Bucket=bucket)
        except ClientError as error:
            if code_of(error) not in ("404", "403", "NoSuchBucket"):
                raise
            problem = "is not there" if code_of(error) != "403" else "may not be looked at"
            yield Finding("error", f"s3://{bucket}", problem, "deploy the stack again, or ask for s3:ListBucket on it")


def check_topic(account: Account, topic: str) -> Iterator[Finding]:
    """Yield why a failure might reach nobody."""
    try:
        pages = list(account.sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic))
    except ClientError as error:
        if code_of(error) not in ("NotFound", "NotFoundException"):
            raise
        yield Finding("error", "the topic", f"{topic} is not there: no failure can be told", DEPLOY)
        return
    subscriptions = [each for page in pages for each in page["Subscriptions"]]
    confirmed = [each for each in subscriptions if each["SubscriptionArn"].startswith("arn:")]
    if not confirmed:
        remedy = "name addresses in the settings, [alerts] emails, or subscribe, and confirm"
        yield Finding(
            "warning", "the topic", "nobody is subscribed and has confirmed: a failure reaches nobody", remedy
        )
    for each in subscriptions:
        if each not in confirmed:
            problem = f"{each['Endpoint']} has not confirmed its subscription, and hears nothing"
            yield Finding("warning", "the topic", problem, "follow the link in the message that AWS sent there")
