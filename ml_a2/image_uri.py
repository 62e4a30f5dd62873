"""The URI of a container image in Amazon ECR, in its parts."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Repository and digest as ECR and SageMaker have them. Source: the service models of ecr (RepositoryName) and
# sagemaker (ImageDigest) in botocore; the whole is text without a pattern there.
_WORDS = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_URI = re.compile(
    r"(?P<account>[0-9]{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.(?P<domain>[a-z0-9.-]+)"
    rf"/(?P<repository>{_WORDS}(?:/{_WORDS})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127})|@(?P<digest>sha256:[0-9a-fA-F]{64}))?",
    re.ASCII,
)
# What a registry's domain ends with, by what a region begins with. Source: partitions.json of botocore.
_DOMAINS = {
    "cn-": "amazonaws.com.cn",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
    "eu-isoe-": "cloud.adc-e.uk",
}


@dataclass(frozen=True)
class ImageUri:
    """An image of a registry, by its tag or by its digest."""

    account: str
    region: str
    domain: str
    repository: str
    tag: str | None
    digest: str | None

    @property
    def expected_domain(self) -> str:
        """Return the domain that registries of the region have."""
        return next((domain for start, domain in _DOMAINS.items() if self.region.startswith(start)), "amazonaws.com")


def parse_image_uri(uri: str) -> ImageUri | None:
    """Take a URI apart; None when it is not that of an image in Amazon ECR."""
    match = _URI.fullmatch(uri)
    return ImageUri(**match.groupdict()) if match else None
