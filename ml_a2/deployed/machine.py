"""The state machine as it is deployed: that it is there, and which images its jobs take."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from ml_a2 import contract
from ml_a2.account import Account
from ml_a2.finding import Finding
from ml_a2.image_patches import unpatched
from ml_a2.image_uri import parse_image_uri
from ml_a2.service_errors import code_of

# Those of which AWS has an account for each region; any other image is the person's own.
OF_AWS = (contract.TRAINING_REPOSITORY, contract.EVALUATION_REPOSITORY)


def check_machine(account: Account, arn: str, today: dt.date | None = None) -> Iterator[Finding]:
    """Yield what is wrong with a deployed state machine.

    Args:
        account: where it is deployed.
        arn: its ARN.
        today: the day by which patches are judged, without it this one.
    """
    try:
        answer = account.stepfunctions.describe_state_machine(stateMachineArn=arn)
    except ClientError as error:
        if code_of(error) != "StateMachineDoesNotExist":
            raise
        yield Finding("error", arn, "is not there: no execution can be started", "deploy the stack again")
        return
    region = arn.split(":")[3]
    for state, image in _images(json.loads(answer["definition"])):
        where = f"state {state}"
        yield from _of_the_region(image, where, region)
        if warning := unpatched(image, where, today or dt.datetime.now(dt.UTC).date()):
            yield warning


def _images(definition: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the states that create a job, with its image."""
    for name, state in definition["States"].items():
        parameters = state.get("Parameters", {})
        for block, member in (("AlgorithmSpecification", "TrainingImage"), ("AppSpecification", "ImageUri")):
            if image := parameters.get(block, {}).get(member):
                yield name, image


def _of_the_region(image: str, where: str, region: str) -> Iterator[Finding]:
    uri = parse_image_uri(image)
    if uri is None:
        yield Finding("error", where, f"image {image!r} is none of Amazon ECR: no job can pull it", "name one that is")
        return
    expected = contract.REGISTRY_ACCOUNTS.get(region)
    if uri.region != region or (uri.repository in OF_AWS and uri.account != expected):
        problem = f"image {image} is not the one of {region}" + (f", account {expected}" if expected else "")
        yield Finding("error", where, problem, "deploy a template that was synthesized for this region")
