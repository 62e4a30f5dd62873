"""Images: AWS's own in the stack's region, or a person's own, which the role may pull and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk.assertions import Template

from ml_a2.errors import SettingsError
from ml_a2.infrastructure.images import ImageRegistry, check_region
from ml_a2.settings import EvaluationSettings, RegistrySettings, Settings, TrainingSettings
from ml_a2.stack import MlA2Stack
from tests.conftest import definition_of

pytestmark = pytest.mark.xdist_group("cdk")

TRAINING = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/xgboost:1.7-1"
EVALUATION = f"444455556666.dkr.ecr.eu-west-1.amazonaws.com/sklearn@sha256:{'0' * 64}"


def _in_region(region: str) -> Stack:
    return Stack(App(), "Regional", env=Environment(account="123456789012", region=region))


def _template(**settings: Any) -> dict[str, Any]:
    return dict(Template.from_stack(MlA2Stack(App(), "Churn", settings=Settings(**settings))).to_json())


def _accounts(template: dict[str, Any]) -> list[str]:
    return [name for name in template["Mappings"] if name.startswith("ImagesAccounts")]


def _pulled(template: dict[str, Any], role: str) -> list[str]:
    """Return the repositories that a role may pull from, pseudo parameters by their names."""
    found = []
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::IAM::Policy" and name.startswith(role):
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                if "ecr:BatchGetImage" in statement["Action"]:
                    parts = statement["Resource"]["Fn::Join"][1]
                    found.append("".join(part if isinstance(part, str) else str(part.get("Ref")) for part in parts))
    return found


@pytest.mark.parametrize(
    ("region", "uri"),
    [
        ("eu-west-1", "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1"),
        ("cn-north-1", "450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn/sagemaker-xgboost:1.7-1"),
        ("us-gov-west-1", "414596584902.dkr.ecr.us-gov-west-1.amazonaws.com/sagemaker-xgboost:1.7-1"),
    ],
)
def test_image_uri_is_that_of_the_region(region: str, uri: str) -> None:
    """With a known region the account is looked up at synth; the domain is the partition's."""
    stack = _in_region(region)
    found = stack.resolve(ImageRegistry(stack, "Images").find("sagemaker-xgboost", "1.7-1", None).uri)
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    text = (
        found if isinstance(found, str) else "".join(p if isinstance(p, str) else suffix for p in found["Fn::Join"][1])
    )
    assert text == uri


def test_fails_for_a_region_without_images() -> None:
    """A region outside the table is refused by name, with those that are in it."""
    with pytest.raises(SettingsError, match=r"region 'mx-central-1' has no .* deploy to one of af-south-1, "):
        ImageRegistry(_in_region("mx-central-1"), "Images").find("sagemaker-xgboost", "1.7-1", None)


def test_an_image_that_is_given_is_the_jobs_and_the_packages() -> None:
    """Its URI stands in the requests, its repository in the role; no table of AWS's registries is needed."""
    template = _template(
        training=TrainingSettings(image_uri=TRAINING),
        evaluation=EvaluationSettings(image_uri=EVALUATION),
        registry=RegistrySettings(model_package_group="churn"),
    )
    states = definition_of(template)["States"]
    assert states["CreateTrainingJob"]["Parameters"]["AlgorithmSpecification"]["TrainingImage"] == TRAINING
    assert states["CreateProcessingJob"]["Parameters"]["AppSpecification"]["ImageUri"] == EVALUATION
    containers = states["RegisterModel"]["Parameters"]["InferenceSpecification"]["Containers"]
    assert [container["Image"] for container in containers] == [TRAINING]
    prefix = "arn:AWS::Partition:ecr:eu-west-1"
    assert _pulled(template, "TrainingRole") == [f"{prefix}:111122223333:repository/team/xgboost"]
    assert _pulled(template, "EvaluationRole") == [f"{prefix}:444455556666:repository/sklearn"]
    assert not _accounts(template)


def test_the_other_job_keeps_awss_own_image() -> None:
    """One of the two may be given."""
    template = _template(training=TrainingSettings(image_uri=TRAINING))
    (pulled,) = _pulled(template, "EvaluationRole")
    assert pulled.endswith(":repository/sagemaker-scikit-learn")
    assert pulled.startswith("arn:AWS::Partition:ecr:AWS::Region:")
    assert _accounts(template)


def test_given_images_make_other_regions_possible() -> None:
    """AWS's table is asked for AWS's own images alone."""
    there = TRAINING.replace("eu-west-1", "mx-central-1")
    check_region("mx-central-1", [there])
    with pytest.raises(SettingsError, match="region 'mx-central-1' has no SageMaker XGBoost"):
        check_region("mx-central-1", [there, None])


def test_fails_for_an_image_of_another_region() -> None:
    """SageMaker would refuse each job; the synth does when it knows the region."""
    words = "is in eu-west-1, and SageMaker takes no image of another region than its own, 'us-east-1'; copy the image"
    with pytest.raises(SettingsError, match=words):
        ImageRegistry(_in_region("us-east-1"), "Images").find("sagemaker-xgboost", "1.7-1", TRAINING)
    assert ImageRegistry(_in_region("eu-west-1"), "Images").find("sagemaker-xgboost", "1.7-1", TRAINING).uri == TRAINING
