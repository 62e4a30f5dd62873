"""AWS's architecture icons, as the package `diagrams` carries them."""

from __future__ import annotations

import base64
import io
from functools import lru_cache
from importlib.metadata import distribution
from pathlib import Path

from PIL import Image

FILES = {
    "bucket": "storage/simple-storage-service-s3-bucket",
    "job": "ml/sagemaker-training-job",
    "machine": "integration/step-functions",
    "rule": "integration/eventbridge-rule",
    "dashboard": "management/cloudwatch",
    "topic": "integration/simple-notification-service-sns-topic",
    "subscriber": "integration/simple-notification-service-sns-email-notification",
    "logs": "management/cloudwatch-logs",
    "alarm": "management/cloudwatch-alarm",
    "Amazon S3": "storage/simple-storage-service-s3",
    "Amazon SageMaker": "ml/sagemaker",
    "AWS Step Functions": "integration/step-functions",
    "Amazon SNS": "integration/simple-notification-service-sns",
    "Amazon CloudWatch": "management/cloudwatch",
    "Amazon EventBridge": "integration/eventbridge",
    "AWS IAM": "security/identity-and-access-management-iam",
    "Amazon ECR": "compute/ec2-container-registry",
    "AWS X-Ray": "devtools/x-ray",
    "AWS KMS": "security/key-management-service",
    "AWS Lambda": "compute/lambda",
}


@lru_cache(maxsize=64)
def icon(name: str, pixels: int) -> Image.Image:
    """Return the icon of a kind of part, or of a service, as a square of so many pixels."""
    path = Path(str(distribution("diagrams").locate_file(f"resources/aws/{FILES[name]}.png")))
    with Image.open(path) as image:
        found = image.convert("RGBA")
    found.thumbnail((pixels, pixels), Image.Resampling.LANCZOS)
    square = Image.new("RGBA", (pixels, pixels), (0, 0, 0, 0))
    square.paste(found, ((pixels - found.width) // 2, (pixels - found.height) // 2))
    return square


def as_data(name: str, pixels: int) -> str:
    """Return an icon's PNG in Base64."""
    buffer = io.BytesIO()
    icon(name, pixels).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()
