"""What of a stack cannot be tried on this machine, by the key of the settings that asks for it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ml_a2 import contract
from ml_a2.costs.jobs import find_pipeline
from ml_a2.errors import AssemblyError
from ml_a2.finding import Finding
from ml_a2.image_uri import parse_image_uri
from ml_a2.local.hardware import check_instances, instances_of, needs_gpu, own_hyperparameters
from ml_a2.local.request_checks import check_request

# Why each cannot be tried here, and which keys mean nothing without it.
KEYS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "training.image_uri": ("an image of your own is not here, and nothing may stand in for what is not known", ()),
    "training.hyperparameters": ("a GPU is not here", ()),
    "training.spot": ("no instance is taken back here", ("training.max_wait_seconds",)),
    "evaluation.image_uri": ("an image of your own is not here, and nothing may stand in for what is not known", ()),
    "start.schedule": ("time does not start executions here", ()),
    "start.marker": ("buckets send no events here", ()),
    "network.subnets": ("there is no VPC here", ("network.security_groups",)),
    "encryption.kms_key": ("keys and their policies are not evaluated here", ()),
}
REMEDY = "no defect of the stack: try it in an account, for example with `ml-a2 start` on a small sample"
OF_AWS = {contract.TRAINING_REPOSITORY, contract.EVALUATION_REPOSITORY}


def untried(template: Mapping[str, Any]) -> list[Finding]:
    """Return what a template asks for that cannot be tried here, all of it."""
    return [Finding("untried", key, f"cannot be tried here: {KEYS[key][0]}", REMEDY) for key in _keys(template)]


def refused(template: Mapping[str, Any]) -> list[Finding]:
    """Return what of a stack's own hyperparameters every training would be refused for, whatever its data is."""
    try:
        states = find_pipeline(template).states
    except AssemblyError:
        return []
    own, instances = own_hyperparameters(states), instances_of(states)
    if not own or not instances.kind or "training.image_uri" in _of_jobs(template):
        return []
    checks = (*check_request({"num_round": "1", **own}, has_validation=True), *check_instances(own, instances))
    return [finding for finding in checks if finding.severity == "error"]


def settings_without(settings: Path, keys: list[str]) -> str:
    """Return a settings file, as TOML, without keys, and without those that mean nothing then."""
    table = tomllib.loads(settings.read_text(encoding="utf-8-sig"))
    for key in keys:
        for dropped in (key, *KEYS[key][1]):
            section, _, name = dropped.partition(".")
            table.get(section, {}).pop(name, None)
    return "".join(f"{_toml(name)} = {_toml(value)}\n" for name, value in table.items())


def _keys(template: Mapping[str, Any]) -> Iterator[str]:
    found = {*_of_resources(template), *_of_jobs(template)}
    yield from (key for key in KEYS if key in found)


def _of_resources(template: Mapping[str, Any]) -> Iterator[str]:
    for resource in template.get("Resources", {}).values():
        kind, properties = resource.get("Type"), resource.get("Properties") or {}
        if kind == "AWS::KMS::Key" or "aws:kms" in json.dumps(properties) or "KmsMasterKeyId" in properties:
            yield "encryption.kms_key"
        if kind == "AWS::Events::Rule" and "ScheduleExpression" in properties:
            yield "start.schedule"
        if kind == "Custom::S3BucketNotifications" or "NotificationConfiguration" in properties:
            yield "start.marker"


def _of_jobs(template: Mapping[str, Any]) -> Iterator[str]:
    try:
        states = find_pipeline(template).states
    except AssemblyError:
        return  # what such a template lacks is told when it is deployed
    if needs_gpu(own_hyperparameters(states)) and instances_of(states).have_gpus:
        yield "training.hyperparameters"
    for state in states.values():
        request = state.get("Parameters") or {}
        if request.get("EnableManagedSpotTraining"):
            yield "training.spot"
        if "VpcConfig" in request or "VpcConfig" in request.get("NetworkConfig", {}):
            yield "network.subnets"
        if _is_own(request.get("AlgorithmSpecification", {}).get("TrainingImage")):
            yield "training.image_uri"
        if _is_own(request.get("AppSpecification", {}).get("ImageUri")):
            yield "evaluation.image_uri"


def _is_own(image: Any) -> bool:
    """Tell whether an image is a person's own; AWS's have the account of the region where they are deployed."""
    uri = parse_image_uri(image) if isinstance(image, str) else None
    return uri is not None and (uri.repository not in OF_AWS or uri.account not in contract.REGISTRY_ACCOUNTS.values())


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(name)} = {_toml(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    # As in JSON, but that TOML has no pairs of surrogates, and escapes one character more.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
