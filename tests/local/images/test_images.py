"""Which images can be run here, by URI."""

from __future__ import annotations

import pytest

from ml_a2.local.images import UnknownImageError, find_image
from ml_a2.local.template import Environment

IRELAND = Environment("123456789012", "eu-west-1", "Stack")
REGISTRY = "141502667606.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.mark.parametrize("tag", ["1.7-1", "3.0-5", "3.2-0"])
def test_awss_own_images_of_the_region_are_known(tag: str) -> None:
    """Whoever names them: the template's mapping, or a person by URI."""
    image = find_image(f"{REGISTRY}/sagemaker-xgboost:{tag}", IRELAND)
    assert (image.account, image.repository, image.tag) == ("141502667606", "sagemaker-xgboost", tag)
    assert image.command


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("public.ecr.aws/sagemaker/sagemaker-xgboost:1.7-1", "is not the URI of an image in Amazon ECR"),
        (f"111122223333{REGISTRY[12:]}/sagemaker-xgboost:1.7-1", "account '111122223333' is not that of SageMaker's"),
        (f"{REGISTRY.replace('eu-west-1', 'us-east-1')}/sagemaker-xgboost:1.7-1", "region 'us-east-1' is not that of"),
        (f"{REGISTRY}.cn/sagemaker-xgboost:1.7-1", "domain 'amazonaws.com.cn' is not that of"),
        (f"{REGISTRY}/sagemaker-xgboost:0.90", "cannot be run locally, only sagemaker-xgboost:1.7-1, "),
        (f"{REGISTRY}/sagemaker-xgboost", "cannot be run locally, only"),
        # What a digest stands for is not known here, in AWS's registry either.
        (f"{REGISTRY}/sagemaker-xgboost@sha256:{'0' * 64}", "cannot be run locally, only"),
    ],
)
def test_fails_for_any_other_image_by_name(uri: str, words: str) -> None:
    """Nothing is run in the place of an image that is not known."""
    with pytest.raises(UnknownImageError, match=r"^image '") as caught:
        find_image(uri, IRELAND)
    assert words in str(caught.value)
    assert uri in str(caught.value)
    assert "docs/fidelity.md" in str(caught.value) or "Amazon ECR" in str(caught.value)
