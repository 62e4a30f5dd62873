"""URIs of images in Amazon ECR."""

from __future__ import annotations

import pytest

from ml_a2.image_uri import ImageUri, parse_image_uri

DIGEST = f"sha256:{'0123abcd' * 8}"


@pytest.mark.parametrize(
    ("uri", "parts"),
    [
        (
            "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
            ("683313688378", "us-east-1", "amazonaws.com", "sagemaker-xgboost", "1.7-1", None),
        ),
        (
            f"111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/team/ml__x.y@{DIGEST}",
            ("111122223333", "cn-north-1", "amazonaws.com.cn", "team/ml__x.y", None, DIGEST),
        ),
        (
            "111122223333.dkr.ecr.us-iso-east-1.c2s.ic.gov/x",
            ("111122223333", "us-iso-east-1", "c2s.ic.gov", "x", None, None),
        ),
    ],
)
def test_a_uri_is_taken_apart(uri: str, parts: tuple[str | None, ...]) -> None:
    """Into registry, repository, and tag or digest; its domain is that of the region."""
    image = parse_image_uri(uri)
    assert image == ImageUri(*parts)  # type: ignore[arg-type]
    assert image.domain == image.expected_domain


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "sagemaker-xgboost:1.7-1",
        "public.ecr.aws/sagemaker/sagemaker-xgboost:1.7-1",
        "docker.io/library/python:3.11",
        "https://111122223333.dkr.ecr.eu-west-1.amazonaws.com/x:1",
        "11112222333.dkr.ecr.eu-west-1.amazonaws.com/x:1",
        "١١١١٢٢٢٢٣٣٣٣.dkr.ecr.eu-west-1.amazonaws.com/x:1",
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com/",
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com/X:1",
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com/a//b:1",
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com/x:",
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com/x:.1",
        f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/x:{'1' * 129}",
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com/x@sha256:0123",
        # The service takes a tag or a digest: `registry/repository[:tag]` and `registry/repository[@digest]`.
        f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/x:1@{DIGEST}",
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com/x:1\n",
    ],
)
def test_what_is_no_uri_of_an_image_in_ecr(uri: str) -> None:
    """Other registries, and repositories, tags and digests that cannot be."""
    assert parse_image_uri(uri) is None
