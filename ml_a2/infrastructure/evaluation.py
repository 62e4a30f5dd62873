"""The evaluation: its role and the CreateProcessingJob request."""

from __future__ import annotations

from typing import Any

from constructs import Construct

from ml_a2 import contract
from ml_a2.infrastructure.images import ImageRegistry
from ml_a2.infrastructure.job_place import JobPlace
from ml_a2.infrastructure.job_role import JobRole
from ml_a2.infrastructure.storage import Storage
from ml_a2.jobs.quality import trained
from ml_a2.settings import EvaluationSettings

# A path without a match gives an empty list where it can name several values, as these do: nothing was trained, or this
# metric was not printed. Variables hold 256 characters; a number, or the last word of a list, is shorter.
LAST_VALUE = "States.JsonToString($..FinalMetricDataList[?(@.MetricName=='validation:{}')].Value)"
ASKED = "States.StringSplit(States.JsonToString($..HyperParameters.eval_metric), ',')"
LAST_ASKED = f"States.ArrayGetItem({ASKED}, States.MathAdd(States.ArrayLength({ASKED}), -1))"
TUNED = "States.JsonToString($..HyperParameters._tuning_objective_metric)"


class Evaluation(Construct):
    """What the workflow needs to evaluate one model in the scikit-learn image."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        storage: Storage,
        images: ImageRegistry,
        settings: EvaluationSettings,
        weighted: bool = False,
        champion: bool = False,
        place: JobPlace | None = None,
    ) -> None:
        """Create the role; it reads code, validation data and models, and writes evaluations.

        Args:
            scope: where the construct belongs.
            construct_id: its name there.
            storage: the buckets.
            images: where the image is pulled from.
            settings: the settings of the job.
            weighted: whether the second column of the data is the weight of a row.
            champion: whether the model is compared with the one at `$.champion.model_artifact`.
            place: the job's network, key and tags.
        """
        super().__init__(scope, construct_id)
        self._place = place or JobPlace()
        self._storage = storage
        self._settings = settings
        self._weighted = weighted
        self._champion = champion
        image = images.find(contract.EVALUATION_REPOSITORY, settings.image_version, settings.image_uri)
        self._image_uri = image.uri
        self.role = JobRole(
            self,
            "Role",
            log_group=contract.PROCESSING_LOG_GROUP,
            metric_namespace=contract.PROCESSING_LOG_GROUP,
            repository_arn=image.repository_arn,
        )
        self.role.may_read(storage.training_data, [contract.CODE_PREFIX, contract.VALIDATION_PREFIX])
        self.role.may_read(storage.model_artifacts, [contract.MODELS_PREFIX])
        self.role.may_write(storage.evaluation_results, contract.EVALUATIONS_PREFIX)
        self._place.admit(self.role)

    @property
    def defaults(self) -> dict[str, Any]:
        """The part of the request that an execution's input may override."""
        return {"evaluation_instance_type": self._settings.instance_type}

    def request(self) -> dict[str, Any]:
        """Render the CreateProcessingJob request over the state that ApplyDefaults makes."""
        return {
            "ProcessingJobName.$": "$.processing_job_name",
            "RoleArn": self.role.role_arn,
            "AppSpecification": self._application(),
            "ProcessingInputs": self._inputs(),
            "ProcessingOutputConfig": {"Outputs": [self._output()], **self._place.encrypted("KmsKeyId")},
            "ProcessingResources": {"ClusterConfig": self._cluster()},
            "StoppingCondition": {"MaxRuntimeInSeconds": self._settings.max_runtime_seconds},
            "NetworkConfig": {**self._place.isolation(), **self._place.vpc()},
            "Environment": _trained(),
            **self._place.tagged(),
        }

    def _application(self) -> dict[str, Any]:
        script = f"{contract.PROCESSING_CODE_PATH}/{contract.EVALUATION_SCRIPT}"
        arguments = {
            "--model": contract.PROCESSING_MODEL_PATH,
            "--validation": contract.PROCESSING_VALIDATION_PATH,
            "--output": contract.PROCESSING_OUTPUT_PATH,
            "--message": contract.PROCESSING_MESSAGE_PATH,
        }
        if self._champion:
            arguments["--champion"] = contract.PROCESSING_CHAMPION_PATH
        return {
            "ImageUri": self._image_uri,
            "ContainerEntrypoint": ["python3", script],
            "ContainerArguments": [word for option in arguments.items() for word in option] + self._details(),
        }

    def _details(self) -> list[str]:
        """Return the arguments that say what else is measured; in one word, as a name may begin with a hyphen."""
        details = ["--weights"] if self._weighted else []
        details += [f"--slice={feature}" for feature in self._settings.slices]
        return details + ([f"--group={self._settings.group_column}"] if self._settings.group_column else [])

    def _inputs(self) -> list[dict[str, Any]]:
        data = self._storage.training_data.bucket_name
        inputs = [
            _input("code", contract.PROCESSING_CODE_PATH, {"S3Uri": f"s3://{data}/{contract.CODE_PREFIX}"}),
            _input("model", contract.PROCESSING_MODEL_PATH, {"S3Uri.$": "$.model_artifact"}),
            _input(
                "validation",
                contract.PROCESSING_VALIDATION_PATH,
                {"S3Uri.$": f"States.Format('s3://{data}/{{}}', $.request.validation_prefix)"},
            ),
        ]
        if self._champion:
            artifact = {"S3Uri.$": "$.champion.model_artifact"}
            inputs.append(_input("champion", contract.PROCESSING_CHAMPION_PATH, artifact))
        return inputs

    def _output(self) -> dict[str, Any]:
        results = self._storage.evaluation_results.bucket_name
        prefix = f"s3://{results}/{contract.EVALUATIONS_PREFIX}{{}}"
        return {
            "OutputName": "evaluation",
            "S3Output": {
                "S3Uri.$": f"States.Format('{prefix}', $$.Execution.Name)",
                "LocalPath": contract.PROCESSING_OUTPUT_PATH,
                "S3UploadMode": "EndOfJob",
            },
        }

    def _cluster(self) -> dict[str, Any]:
        return {
            "InstanceCount": 1,
            "InstanceType.$": "$.request.evaluation_instance_type",
            "VolumeSizeInGB": self._settings.volume_size_gb,
            **self._place.encrypted("VolumeKmsKeyId"),
        }


def _trained() -> dict[str, str]:
    """Render what the training said of the validation rows when it ended."""
    last = {trained.variable(metric): LAST_VALUE.format(metric) for metric in trained.METRICS}
    words = {trained.LAST_ASKED: LAST_ASKED, trained.TUNED: TUNED}
    return {f"{name}.$": path for name, path in {**last, **words}.items()}


def _input(name: str, local_path: str, source: dict[str, str]) -> dict[str, Any]:
    s3_input = {**source, "LocalPath": local_path, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": s3_input}
