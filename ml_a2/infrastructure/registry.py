"""The model registry: an accepted model becomes a model package with its metrics, its data and its image.

The group is no resource of the stack: one with packages in it cannot be deleted, several pipelines may share one, and
what is registered outlives the stack that trained it. As the RegisterModel step of SageMaker Pipelines does, the
workflow itself creates a group that is missing.
"""

from __future__ import annotations

from typing import Any

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from ml_a2 import contract
from ml_a2.infrastructure.calls import service_call
from ml_a2.infrastructure.failure import FailurePath, Stage
from ml_a2.infrastructure.storage import Storage

# What the container takes for an inference, and what it answers with. Source: aws/sagemaker-xgboost-container, serving.
CONTENT_TYPES = ("text/csv", "text/libsvm", "application/x-recordio-protobuf")
RESPONSE_TYPES = ("text/csv", "application/json")
# A group that is missing is a ValidationException, which no name tells from any other error of the call.
ANY_OTHER_ERROR = "SageMaker.SageMakerException"
NAME = "$$.Execution.Name"
FAILED_ADVICE = (
    "the model is kept and was accepted. Not authorized: add that permission to the role that is named. A group that "
    "does not exist: let that role create it, or create it by hand. Then start an execution whose input names the "
    "model as model_artifact"
)


class Registry(Construct):
    """From an accepted model on to the next state, with the package under `$.model_package`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        group: str,
        approval_status: str,
        image_uri: str,
        storage: Storage,
        client_token: str,
        stage: Stage,
        failure: FailurePath,
        then: sfn.IChainable,
    ) -> None:
        """Create the states; `start` is the first one.

        Args:
            scope: the construct that this one belongs to.
            construct_id: its name there.
            group: the model package group's name.
            approval_status: what a new package has.
            image_uri: the image that a package's model is served with.
            storage: where data and evaluations lie.
            client_token: the function that names an execution's package, the same for a repeated call.
            stage: the stage that a notification names.
            failure: where failures go.
            then: what follows.
        """
        super().__init__(scope, construct_id)
        self._group = group
        self._approval_status = approval_status
        self._image_uri = image_uri
        self._storage = storage
        self._client_token = client_token
        self._stage = stage
        self._failure = failure
        self.start = self._origin(then=self._register(then))

    def _origin(self, *, then: sfn.IChainable) -> sfn.IChainable:
        """Gather what is known of the model: of one that was given, neither its training nor its training data."""
        known = {
            "EvaluationJob.$": f"$.{contract.PROCESSING_JOB_FIELD}",
            "ValidationData.$": self._data("$.request.validation_prefix"),
        }
        training = {
            "TrainingJob.$": f"$.{contract.TRAINING_JOB_FIELD}",
            "TrainingData.$": self._data("$.request.train_prefix"),
        }
        trained = sfn.Choice(self, "TrainedHere?", state_name="TrainedHere?")
        trained.when(sfn.Condition.is_present("$.training"), self._note("TrainedModel", {**training, **known}, then))
        trained.otherwise(self._note("GivenModel", known, then))
        return trained

    def _register(self, then: sfn.IChainable) -> sfn.IChainable:
        """Register; when that fails, perhaps for want of the group, create it and register again.

        Whatever comes of the creation, the second attempt decides: a group that exists already says nothing about why
        the first one failed.
        """
        again = self._create_package("RegisterModelInNewGroup")
        again.add_catch(self._failed_again(), errors=["States.ALL"], result_path="$.caught")
        create_group = self._create_group()
        create_group.add_catch(again, errors=["States.TaskFailed", "States.Timeout"], result_path="$.group")
        self._failure.protect(create_group, self._stage)
        first = self._create_package("RegisterModel")
        first.add_catch(create_group, errors=[ANY_OTHER_ERROR], result_path="$.caught")
        self._failure.protect(first, self._stage)
        create_group.next(again)
        again.next(then)
        first.next(then)
        return first

    def _create_package(self, name: str) -> tasks.CallAwsService:
        return service_call(
            self,
            name,
            service="sagemaker",
            parameters=self._request(),
            iam_action="sagemaker:CreateModelPackage",
            resources=[self._arn("model-package", f"{self._group}/*"), self._arn("model-package-group", self._group)],
            result_path=f"$.{contract.MODEL_PACKAGE_FIELD}",
        )

    def _create_group(self) -> tasks.CallAwsService:
        return service_call(
            self,
            "CreateModelPackageGroup",
            service="sagemaker",
            parameters={"ModelPackageGroupName": self._group},
            iam_action="sagemaker:CreateModelPackageGroup",
            resources=[self._arn("model-package-group", self._group)],
            result_selector={"Cause": "it was created"},
            result_path="$.group",
        )

    def _failed_again(self) -> sfn.State:
        """Return the state that reports why the model is not registered, and what came of the group before."""
        cause = "States.Format('{} The model package group, before that: {}', $.caught.Cause, $.group.Cause)"
        reason = {"error.$": "$.caught.Error", "cause.$": cause}
        return self._failure.state(self._stage, "ModelNotRegistered", reason, FAILED_ADVICE)

    def _request(self) -> dict[str, Any]:
        """Render the CreateModelPackage request; a package in a group may have no tags."""
        pipeline = Stack.of(self).stack_name
        return {
            "ModelPackageGroupName": self._group,
            "ModelPackageDescription.$": f"States.Format('Accepted by execution {{}} of {pipeline}', {NAME})",
            "ModelApprovalStatus": self._approval_status,
            "InferenceSpecification": self._inference(),
            "ModelMetrics": {"ModelQuality": {"Statistics": self._statistics()}},
            # As SageMaker Pipelines writes it. An execution's name may have characters that the customer's own
            # properties may not.
            "MetadataProperties": {"GeneratedBy.$": "$$.Execution.Id"},
            "CustomerMetadataProperties.$": "$.origin",
            "ClientToken.$": self._client_token,
        }

    def _inference(self) -> dict[str, Any]:
        return {
            "Containers": [{"Image": self._image_uri, "ModelDataUrl.$": "$.model_artifact"}],
            "SupportedContentTypes": list(CONTENT_TYPES),
            "SupportedResponseMIMETypes": list(RESPONSE_TYPES),
        }

    def _statistics(self) -> dict[str, str]:
        results = self._storage.evaluation_results.bucket_name
        uri = f"s3://{results}/{contract.EVALUATIONS_PREFIX}{{}}/{contract.EVALUATION_FILE}"
        return {"ContentType": "application/json", "S3Uri.$": f"States.Format('{uri}', {NAME})"}

    def _data(self, prefix_path: str) -> str:
        return f"States.Format('s3://{self._storage.training_data.bucket_name}/{{}}', {prefix_path})"

    def _note(self, name: str, properties: dict[str, str], then: sfn.IChainable) -> sfn.Pass:
        state = sfn.Pass(self, name, state_name=name, parameters=properties, result_path="$.origin")
        state.next(then)
        return state

    def _arn(self, resource: str, name: str) -> str:
        return Stack.of(self).format_arn(
            service="sagemaker", resource=resource, resource_name=name, arn_format=ArnFormat.SLASH_RESOURCE_NAME
        )
