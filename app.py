"""The CDK's entry: `npx aws-cdk@2.160.0 synth` and `ml-a2 run` both run this file."""

import sys

from ml_a2.errors import PipelineError
from ml_a2.infrastructure.node import use_supported_node

use_supported_node()
from ml_a2.stack import synthesize  # noqa: E402  # aws_cdk starts Node when it is imported

try:
    synthesize()
except PipelineError as error:
    sys.exit(f"error: {error}")
