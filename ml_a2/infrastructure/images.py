"""Image URIs in the stack's own region."""

from __future__ import annotations

from aws_cdk import Aws, CfnMapping, Stack, Token
from constructs import Construct

from ml_a2.contract import REGISTRY_ACCOUNTS
from ml_a2.errors import SettingsError


class ImageRegistry(Construct):
    """Gives image URIs in the stack's own region, also when that is known only at deployment."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        """Look the region up now when the stack names one, otherwise through a mapping in the template."""
        super().__init__(scope, construct_id)
        region = Stack.of(self).region
        if Token.is_unresolved(region):
            mapping = CfnMapping(
                self,
                "Accounts",
                mapping={name: {"registry": account} for name, account in REGISTRY_ACCOUNTS.items()},
            )
            self.account = mapping.find_in_map(Aws.REGION, "registry")
        else:
            self.account = registry_account(region)

    def uri(self, repository: str, tag: str) -> str:
        """Return the URI of an image; the domain is that of the region's partition."""
        stack = Stack.of(self)
        return f"{self.account}.dkr.ecr.{stack.region}.{stack.url_suffix}/{repository}:{tag}"

    def repository_arn(self, repository: str) -> str:
        """Return the ARN of an image's repository, for the role that pulls it."""
        stack = Stack.of(self)
        return f"arn:{stack.partition}:ecr:{stack.region}:{self.account}:repository/{repository}"


def registry_account(region: str) -> str:
    """Return the account that holds the images in a region.

    Raises:
        SettingsError: the images are not published in that region.
    """
    if region not in REGISTRY_ACCOUNTS:
        raise SettingsError(
            f"region {region!r} has no SageMaker XGBoost and scikit-learn images; "
            f"deploy to one of {', '.join(sorted(REGISTRY_ACCOUNTS))}"
        )
    return REGISTRY_ACCOUNTS[region]
