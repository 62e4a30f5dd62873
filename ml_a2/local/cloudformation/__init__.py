"""The part of CloudFormation's API that the CDK CLI, the AWS CLI and boto3 need to deploy the stack."""
