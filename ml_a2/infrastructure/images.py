"""Images of the jobs: AWS's own in the stack's region, or those that the settings name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from aws_cdk import Aws, CfnMapping, Stack, Token
from constructs import Construct

from ml_a2.contract import REGISTRY_ACCOUNTS
from ml_a2.errors import SettingsError
from ml_a2.image_uri import ImageUri, parse_image_uri


@dataclass(frozen=True)
class JobImage:
    """An image, and the repository that a role may pull it from."""

    uri: str
    repository_arn: str


class ImageRegistry(Construct):
    """Finds the images in the stack's own region, also when that is known only at deployment."""

    def find(self, repository: str, version: str, given: str | None) -> JobImage:
        """Return the image that a person gave by its URI, or else AWS's own.

        Raises:
            SettingsError: the image is not to be had in the stack's region.
        """
        region = Stack.of(self).region
        if not Token.is_unresolved(region):
            check_region(region, [given])
        if given:
            image = _parsed(given)
            return JobImage(given, self._arn(image.region, image.account, image.repository))
        stack = Stack.of(self)
        uri = f"{self._account}.dkr.ecr.{region}.{stack.url_suffix}/{repository}:{version}"
        return JobImage(uri, self._arn(region, self._account, repository))

    @cached_property
    def _account(self) -> str:
        """Look the account up now when the stack names a region, otherwise through a mapping in the template."""
        region = Stack.of(self).region
        if not Token.is_unresolved(region):
            return registry_account(region)
        accounts = {name: {"registry": account} for name, account in REGISTRY_ACCOUNTS.items()}
        return CfnMapping(self, "Accounts", mapping=accounts).find_in_map(Aws.REGION, "registry")

    def _arn(self, region: str, account: str, repository: str) -> str:
        return f"arn:{Stack.of(self).partition}:ecr:{region}:{account}:repository/{repository}"


def check_region(region: str, given: Iterable[str | None]) -> None:
    """Refuse a region in which one of the images, None for AWS's own, is not to be had.

    Raises:
        SettingsError: the image lies in another region, or is not published in this one.
    """
    for uri in given:
        if uri is None:
            registry_account(region)
        # Source: SageMaker's own refusals, as aws/amazon-sagemaker-examples issue 2422 quotes one for a processing job
        # and aws-samples/mlops-amazon-sagemaker issue 9 one for a training job.
        elif (image := _parsed(uri)).region != region:
            raise SettingsError(
                f"image_uri {uri!r} is in {image.region}, and SageMaker takes no image of another region than its own, "
                f"{region!r}; copy the image there, or deploy to {image.region}"
            )


def registry_account(region: str) -> str:
    """Return the account that holds AWS's images in a region.

    Raises:
        SettingsError: the images are not published in that region.
    """
    if region not in REGISTRY_ACCOUNTS:
        raise SettingsError(
            f"region {region!r} has no SageMaker XGBoost and scikit-learn images; "
            f"deploy to one of {', '.join(sorted(REGISTRY_ACCOUNTS))}"
        )
    return REGISTRY_ACCOUNTS[region]


def _parsed(uri: str) -> ImageUri:
    image = parse_image_uri(uri)
    if image is None:
        raise SettingsError(f"image_uri {uri!r} is not the URI of an image in Amazon ECR")
    return image
