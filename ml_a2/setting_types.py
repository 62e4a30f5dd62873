"""The values that settings take: names, addresses and expressions, as the services have them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ml_a2.contract import JOB_READ_PREFIXES, METRICS
from ml_a2.image_uri import parse_image_uri
from ml_a2.schedule_expression import check_schedule_expression
from ml_a2.suggestions import did_you_mean

InstanceType = Annotated[str, Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$", examples=["ml.m5.xlarge"])]
VolumeSize = Annotated[int, Field(ge=1, le=16_384)]
RunTime = Annotated[int, Field(ge=60, le=432_000)]
Bound = Annotated[float, Field(allow_inf_nan=False)]
# SageMaker's names of entities.
EntityName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", max_length=63, examples=["churn"])]
# One of a processing job's arguments, of 256 characters with the option's name.
Feature = Annotated[str, Field(pattern=r"^[^\n]+$", max_length=240, examples=["age"])]
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", examples=["someone@example.com"])]
# CloudFormation's names of stacks.
StackName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]*$", max_length=128, examples=["Churn"])]
SubnetId = Annotated[str, Field(pattern=r"^subnet-([0-9a-f]{8}|[0-9a-f]{17})$", examples=["subnet-0123456789abcdef0"])]
SecurityGroupId = Annotated[str, Field(pattern=r"^sg-([0-9a-f]{8}|[0-9a-f]{17})$", examples=["sg-0123456789abcdef0"])]
# By its ARN alone: an alias may come to mean another key, and policies do not take one.
KmsKey = Annotated[
    str,
    Field(
        pattern=r"^(create|arn:aws(-cn|-us-gov)?:kms:[a-z0-9-]+:\d{12}:key/(mrk-)?[0-9a-f-]{32,36})$",
        examples=["create", "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
    ),
]

# A resource has at most 50 tags; the CDK puts one of its own on the buckets of a development stack.
MOST_TAGS = 49
# The characters that every service takes. Source: IAM User Guide, "Rules for tagging in IAM and AWS STS".
TAG_CHARACTERS = re.compile(r"[\w .:/=+\-@]*")


def each_once(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Refuse a list that names something twice: the stack, or the service, would take it once only."""
    if twice := [value for number, value in enumerate(values) if value in values[:number]]:
        raise ValueError(f"{str(twice[0])!r} is named twice; leave one of them out")
    return values


def _is_metric(metric: str) -> str:
    known = sorted({name for names in METRICS.values() for name in names})
    if metric not in known:
        raise ValueError(f"it is not one of {', '.join(known)}{did_you_mean(metric, known)}")
    return metric


def _are_tags(tags: Mapping[str, str]) -> Mapping[str, str]:
    """Refuse what one of the services would refuse in the middle of a deployment."""
    if len(tags) > MOST_TAGS:
        raise ValueError(f"there are {len(tags)} tags; a resource takes at most {MOST_TAGS} beside the CDK's own")
    if len({key.lower() for key in tags}) < len(tags):
        raise ValueError("two keys differ only in upper and lower case, which IAM takes for the same key")
    for key, value in tags.items():
        if not 1 <= len(key) <= 128 or len(value) > 256:
            raise ValueError(f"{key!r}: a key has 1 to 128 characters, a value at most 256")
        if key.lower().startswith("aws:"):
            raise ValueError(f"{key!r}: keys that begin with aws: are AWS's own")
        if not (TAG_CHARACTERS.fullmatch(key) and TAG_CHARACTERS.fullmatch(value)):
            raise ValueError(f"{key!r} = {value!r}: allowed are letters, digits, spaces and _.:/=+-@")
    return tags


def _is_schedule(expression: str) -> str:
    """Refuse an expression that EventBridge would not take."""
    check_schedule_expression(expression)
    return expression


def _is_marker(key: str) -> str:
    """Refuse an object that a job would read among its data, or that no object can be."""
    for prefix in JOB_READ_PREFIXES:
        if key.startswith(prefix):
            raise ValueError(f"jobs read what lies under {prefix}; choose another place: start/new-data")
    return key


def _is_image(uri: str) -> str:
    """Refuse an image that SageMaker would not pull."""
    # Source: aws/sagemaker-python-sdk issue 2605, the service's answer and the maintainers' words.
    if uri.startswith("public.ecr.aws/"):
        raise ValueError(
            "SageMaker takes no images of public.ecr.aws; copy it into a repository of Amazon ECR in the stack's "
            "region and name that, or choose an image_version"
        )
    image = parse_image_uri(uri)
    if image is None:
        raise ValueError(f"it is not the URI of an image in Amazon ECR, {IMAGE_EXAMPLE} or with @sha256: and a digest")
    if image.tag is None and image.digest is None:
        raise ValueError("it names no image of the repository; add :TAG or @sha256:DIGEST")
    if image.domain != image.expected_domain:
        raise ValueError(f"registries in {image.region} end with {image.expected_domain!r}, not {image.domain!r}")
    return uri


IMAGE_EXAMPLE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/image:1.0"
# As long as SageMaker's AlgorithmImage and ImageUri. Source: the service model in botocore.
EcrImage = Annotated[str, Field(max_length=255, examples=[IMAGE_EXAMPLE]), AfterValidator(_is_image)]
Metric = Annotated[str, Field(examples=["auc"]), AfterValidator(_is_metric)]
Tags = Annotated[dict[str, str], AfterValidator(_are_tags)]
Schedule = Annotated[str, Field(examples=["cron(0 3 ? * MON *)"]), AfterValidator(_is_schedule)]
MarkerKey = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9!_.'()/-]+$", max_length=1024, examples=["start/new-data"]),
    AfterValidator(_is_marker),
]


def as_float(value: Any) -> Any:
    """Take a whole number for the fraction that it stands for."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def as_api_string(value: Any) -> Any:
    """Write a number or a truth value as the API has it, as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


class Table(BaseModel):
    """A table of the settings: no unknown keys, no conversions, no changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _lists_are_tuples(cls, table: Any) -> Any:
        """Take TOML's lists for what they are here: settings do not change."""
        if not isinstance(table, dict):
            return table
        return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


def refuse_two_images(job: Table, image_uri: str | None) -> None:
    """Refuse a version of AWS's own image and the URI of another for one job."""
    if image_uri is not None and "image_version" in job.model_fields_set:
        raise ValueError("image_version and image_uri are both given, and one job has one image; leave one of them out")


def keys_of(table: type[Table], place: Sequence[int | str]) -> list[str]:
    """Return the keys of the table at a place of the settings, none where there is no table."""
    found = _kind_at(table, place)
    return list(found.model_fields) if isinstance(found, type) and issubclass(found, Table) else []


def choices_of(table: type[Table], place: Sequence[int | str]) -> list[str]:
    """Return the words that a key at a place of the settings may have; none where it may have others."""
    found = _kind_at(table, place)
    return [word for word in get_args(found) if isinstance(word, str)] if get_origin(found) is Literal else []


def _kind_at(table: type[Table], place: Sequence[int | str]) -> Any:
    found: Any = table
    for part in place:
        if isinstance(part, int):
            found = next(iter(get_args(found)), None)  # an element of a tuple
        elif isinstance(found, type) and issubclass(found, Table) and part in found.model_fields:
            found = found.model_fields[part].annotation
        else:
            return None
    return found
