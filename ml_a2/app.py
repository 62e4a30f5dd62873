"""The CDK's entry: writes the cloud assembly where the CDK asks for it.

In a clone app.py calls it, an installed package is asked with `python -m ml_a2.app`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ml_a2.errors import PipelineError, PlatformError
from ml_a2.infrastructure.node import use_supported_node
from ml_a2.unforeseen import describe_unforeseen

# What the CDK does otherwise than in its first versions; part of the stack, whichever cdk.json lies beside it.
FEATURE_FLAGS = {
    "@aws-cdk/aws-iam:minimizePolicies": True,
    "@aws-cdk/core:target-partitions": ["aws", "aws-cn", "aws-us-gov"],
}
# Of jsii: "enabled", unless it is set.
PACKAGE_CACHE = "JSII_RUNTIME_PACKAGE_CACHE"


def main() -> None:
    """Synthesize, and end with one line when the settings or the region cannot be used."""
    use_supported_node()  # before aws_cdk is imported, which starts it
    try:
        _start_the_cdk()
        synthesize()
    except PipelineError as error:
        sys.exit(f"error: {error}")
    except Exception as error:  # noqa: BLE001  # nobody else would tell it in one line
        sys.exit(describe_unforeseen(error))


def _start_the_cdk() -> None:
    """Import the construct library; where that fails, once more in a process without its cache.

    It keeps unpacked packages below the home folder, which may not be there, not be writable, or be open to others.
    """
    try:
        import aws_cdk  # noqa: F401
    except Exception as error:
        if os.environ.get(PACKAGE_CACHE):  # the person decides, or we have already
            reason = str(error).strip().splitlines()[0]
            raise PlatformError(f"the CDK's construct library cannot be started: {reason}") from error
        environment = {**os.environ, PACKAGE_CACHE: "disabled"}
        again = subprocess.run([sys.executable, *sys.orig_argv[1:]], env=environment, check=False)
        sys.exit(again.returncode)


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
