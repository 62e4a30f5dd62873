"""What `cdk bootstrap` leaves in an account, as far as deployments use it."""

from __future__ import annotations

from typing import Any

from ml_a2.local.deployer import SSM_PARAMETERS, VERSION_PARAMETER
from ml_a2.local.sagemaker.protocol import ApiError, SageMakerApi
from ml_a2.local.template import Environment

QUALIFIER = "hnb659fds"
TOOLKIT_STACK = "CDKToolkit"
ROLES = ("deploy-role", "file-publishing-role", "lookup-role")


def assets_bucket(environment: Environment) -> str:
    """Return the name of the bucket that templates and assets are uploaded to."""
    return f"cdk-{QUALIFIER}-assets-{environment.account}-{environment.region}"


def execution_role(environment: Environment) -> str:
    """Return the role that CloudFormation deploys with."""
    return _role(environment, "cfn-exec-role")


def assumable_roles(environment: Environment) -> set[str]:
    """Return the roles that the CDK CLI takes on."""
    return {_role(environment, name) for name in ROLES}


def toolkit_template(environment: Environment) -> dict[str, Any]:
    """Return the template of the stack that a bootstrap leaves: of its resources the bucket, which is all that is used.

    The CDK's CLI looks at the outputs, and does nothing where the version is newer than its own.
    """
    properties = {
        "BucketName": assets_bucket(environment),
        "VersioningConfiguration": {"Status": "Enabled"},
    }
    bucket = {"Type": "AWS::S3::Bucket", "Properties": properties, "DeletionPolicy": "Retain"}
    outputs = {
        "BucketName": {"Value": {"Ref": "StagingBucket"}},
        "BootstrapVersion": {"Value": SSM_PARAMETERS[VERSION_PARAMETER]},
    }
    return {"Resources": {"StagingBucket": bucket}, "Outputs": outputs}


class ParameterStore(SageMakerApi):
    """Systems Manager's API, of which only the bootstrap version is there."""

    service = "ssm"

    def __init__(self, environment: Environment) -> None:
        """Offer the one operation."""
        super().__init__({"GetParameter": self._get_parameter})
        self._environment = environment

    def _get_parameter(self, request: dict[str, Any]) -> dict[str, Any]:
        name, where = request["Name"], self._environment
        if name not in SSM_PARAMETERS:
            raise ApiError("ParameterNotFound", f"parameter {name!r} is not there; see docs/fidelity.md")
        arn = f"arn:{where.partition}:ssm:{where.region}:{where.account}:parameter{name}"
        return {"Parameter": {"Name": name, "Type": "String", "Value": SSM_PARAMETERS[name], "Version": 1, "ARN": arn}}


def _role(environment: Environment, name: str) -> str:
    suffix = f"{environment.account}-{environment.region}"
    return f"arn:{environment.partition}:iam::{environment.account}:role/cdk-{QUALIFIER}-{name}-{suffix}"
