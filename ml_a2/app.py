"""The CDK's entry: writes the cloud assembly where the CDK asks for it.

In a clone app.py calls it, an installed package is asked with `python -m ml_a2.app`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ml_a2.errors import PipelineError
from ml_a2.infrastructure.node import use_supported_node

# What the CDK does otherwise than in its first versions; part of the stack, whichever cdk.json lies beside it.
FEATURE_FLAGS = {
    "@aws-cdk/aws-iam:minimizePolicies": True,
    "@aws-cdk/core:target-partitions": ["aws", "aws-cn", "aws-us-gov"],
}


def main() -> None:
    """Synthesize, and end with one line when the settings or the region cannot be used."""
    use_supported_node()  # before aws_cdk is imported, which starts it
    try:
        synthesize()
    except PipelineError as error:
        sys.exit(f"error: {error}")


def synthesize() -> None:
    """Write the cloud assembly.

    The template names no account and no region, so that the one that ran on the laptop is, byte by byte, the one
    that is deployed; a region that the caller's AWS configuration names is checked all the same.

    Raises:
        SettingsError: the settings file (context `settings`) or the region cannot be used.
    """
    from aws_cdk import App

    from ml_a2.infrastructure.images import check_region
    from ml_a2.settings import load_settings
    from ml_a2.stack import MlA2Stack

    app = App(context=FEATURE_FLAGS, analytics_reporting=False)
    path = app.node.try_get_context("settings")
    settings = load_settings(Path(path) if path else None)
    if region := os.environ.get("CDK_DEFAULT_REGION"):
        check_region(region, settings.image_uris)
    MlA2Stack(app, settings.name, settings=settings)
    app.synth()


if __name__ == "__main__":
    main()
