"""SageMaker: what members of a job's request must be to one another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ml_a2.local.edge.rules.rule import Rulebook

BOOK = Rulebook("sagemaker")
API = "SageMaker API reference, "
INVALID = "ValidationException"
LONGEST_TRAINING_SECONDS = 28 * 86_400
# Families whose instances have no storage of their own.
WITHOUT_STORAGE = {"m4", "m5", "m6i", "m7i", "c4", "c5", "c5n", "c6i", "c7i", "r5", "t3", "p2", "p3"}
TAGGING = "CreateTrainingJob CreateProcessingJob CreateModelPackageGroup"


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


@BOOK.rule("CreateTrainingJob", INVALID, "each channel has a name of its own", f"{API}Channel; code **unverified**")
def _channels(request: Mapping[str, Any], region: str) -> Iterator[str]:
    for name in _twice(channel["ChannelName"] for channel in request.get("InputDataConfig", [])):
        yield f"InputDataConfig has more than one channel {name!r}"


@BOOK.rule(
    "CreateTrainingJob",
    INVALID,
    "with spot instances MaxWaitTimeInSeconds is there, and at least MaxRuntimeInSeconds",
    f"{API}StoppingCondition",
)
def _spot(request: Mapping[str, Any], region: str) -> Iterator[str]:
    condition = request.get("StoppingCondition", {})
    if request.get("EnableManagedSpotTraining") and condition.get("MaxWaitTimeInSeconds", 0) < condition.get(
        "MaxRuntimeInSeconds", 86_400
    ):
        yield ("Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds")


@BOOK.rule("CreateTrainingJob", INVALID, "MaxRuntimeInSeconds is at most 28 days", f"{API}StoppingCondition")
def _runtime(request: Mapping[str, Any], region: str) -> Iterator[str]:
    seconds = request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", 1)
    if seconds > LONGEST_TRAINING_SECONDS:
        yield f"MaxRuntimeInSeconds {seconds} is more than {LONGEST_TRAINING_SECONDS}, 28 days"


@BOOK.rule(
    "CreateTrainingJob",
    INVALID,
    "an instance type without storage of its own has a VolumeSizeInGB",
    f"{API}ResourceConfig",
)
def _volume(request: Mapping[str, Any], region: str) -> Iterator[str]:
    resources = request.get("ResourceConfig", {})
    family = resources.get("InstanceType", "ml.unknown.none").split(".")[1]
    if family in WITHOUT_STORAGE and not resources.get("VolumeSizeInGB"):
        yield f"VolumeSizeInGB must be at least 1 for {resources['InstanceType']}"


@BOOK.rule(TAGGING, INVALID, "a key stands once among the tags, and does not begin with `aws:`", f"{API}AddTags")
def _tags(request: Mapping[str, Any], region: str) -> Iterator[str]:
    keys = [tag["Key"] for tag in request.get("Tags", [])]
    for key in _twice(keys):
        yield f"Duplicate tag key: {key}"
    for key in keys:
        if key.lower().startswith("aws:"):
            yield f"Tag keys starting with aws: are reserved: {key}"
