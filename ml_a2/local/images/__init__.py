"""Container images by URI: what stands in for them here."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ml_a2 import contract
from ml_a2.image_uri import parse_image_uri
from ml_a2.local.images.xgboost.interface import VERSION_VARIABLE
from ml_a2.local.images.xgboost.metric_definitions import METRIC_DEFINITIONS
from ml_a2.local.template import Environment


class UnknownImageError(Exception):
    """An image that has no stand-in here, or that the region's registry does not hold."""


@dataclass(frozen=True)
class Image:
    """An image's own command; None where the request brings entry point and arguments."""

    account: str
    repository: str
    tag: str
    command: Sequence[str] | None
    variables: Mapping[str, str] = field(default_factory=dict)
    # Of a built-in algorithm: regular expressions by the names of its metrics.
    metric_definitions: Mapping[str, str] = field(default_factory=dict)


# This Python takes the place of the images' own.
TRAIN = (sys.executable, "-m", "ml_a2.local.images.xgboost", "train")
# The XGBoost images, each with its own version of XGBoost.
XGBOOST_VERSIONS = {"1.7-1": "1.7.4", "3.0-5": "3.0.5", "3.2-0": "3.2.0"}
IMAGES: dict[tuple[str, str], tuple[Sequence[str] | None, Mapping[str, str]]] = {
    **{(contract.TRAINING_REPOSITORY, tag): (TRAIN, {VERSION_VARIABLE: tag}) for tag in XGBOOST_VERSIONS},
    (contract.EVALUATION_REPOSITORY, "1.2-1-cpu-py3"): (None, {}),
}


def find_image(uri: str, environment: Environment) -> Image:
    """Return what stands in for an image.

    Raises:
        UnknownImageError: names the part of the URI that does not fit the region's registry or is not known.
    """
    image = parse_image_uri(uri)
    if not image:
        raise UnknownImageError(f"image {uri!r} is not the URI of an image in Amazon ECR")
    expected = {
        "account": contract.REGISTRY_ACCOUNTS.get(environment.region),
        "region": environment.region,
        "domain": environment.pseudo_parameters()["AWS::URLSuffix"],
    }
    for part, value in expected.items():
        if getattr(image, part) != value:
            raise UnknownImageError(
                f"image {uri!r}: {part} {getattr(image, part)!r} is not that of SageMaker's images in "
                f"{environment.region}, {value!r}; only those can be run locally, see docs/fidelity.md"
            )
    if image.tag is None or (image.repository, image.tag) not in IMAGES:
        known = ", ".join(f"{repository}:{tag}" for repository, tag in IMAGES)
        raise UnknownImageError(f"image {uri!r} cannot be run locally, only {known}; see docs/fidelity.md")
    command, variables = IMAGES[image.repository, image.tag]
    definitions = METRIC_DEFINITIONS if image.repository == contract.TRAINING_REPOSITORY else {}
    return Image(image.account, image.repository, image.tag, command, variables, definitions)
