"""The training job: its role and the CreateTrainingJob request."""

from __future__ import annotations

from typing import Any

from constructs import Construct

from ml_a2 import contract
from ml_a2.infrastructure.images import ImageRegistry
from ml_a2.infrastructure.job_place import JobPlace
from ml_a2.infrastructure.job_role import JobRole
from ml_a2.infrastructure.storage import Storage
from ml_a2.settings import TrainingSettings


class Training(Construct):
    """What the workflow needs to train one model with the built-in XGBoost image."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        storage: Storage,
        images: ImageRegistry,
        settings: TrainingSettings,
        place: JobPlace | None = None,
    ) -> None:
        """Create the role; it reads the two channels' prefixes and writes model artifacts."""
        super().__init__(scope, construct_id)
        self._place = place or JobPlace()
        self._storage = storage
        self._settings = settings
        image = images.find(contract.TRAINING_REPOSITORY, settings.image_version, settings.image_uri)
        self.image_uri = image.uri
        self.role = JobRole(
            self,
            "Role",
            log_group=contract.TRAINING_LOG_GROUP,
            metric_namespace=contract.TRAINING_LOG_GROUP,
            repository_arn=image.repository_arn,
        )
        self.role.may_read(storage.training_data, [contract.TRAIN_PREFIX, contract.VALIDATION_PREFIX])
        self.role.may_write(storage.model_artifacts, contract.MODELS_PREFIX)
        if settings.spot:
            self.role.may_read(storage.model_artifacts, [contract.CHECKPOINTS_PREFIX])
            self.role.may_write(storage.model_artifacts, contract.CHECKPOINTS_PREFIX)
        self._place.admit(self.role)

    @property
    def defaults(self) -> dict[str, Any]:
        """The part of the request that an execution's input may override."""
        return {
            "train_prefix": contract.TRAIN_PREFIX,
            "validation_prefix": contract.VALIDATION_PREFIX,
            "training_instance_type": self._settings.instance_type,
        }

    @property
    def default_hyperparameters(self) -> dict[str, str]:
        """The hyperparameters over which those of an execution's input are laid, name by name."""
        return dict(self._settings.hyperparameters)

    def request(self) -> dict[str, Any]:
        """Render the CreateTrainingJob request over the state that ApplyDefaults makes."""
        return {
            "TrainingJobName.$": "$.training_job_name",
            "RoleArn": self.role.role_arn,
            "AlgorithmSpecification": {"TrainingImage": self.image_uri, "TrainingInputMode": "File"},
            "HyperParameters.$": "$.hyperparameters",
            "InputDataConfig": [
                self._channel("train", "$.request.train_prefix", sharded=self._settings.instance_count > 1),
                self._channel("validation", "$.request.validation_prefix", sharded=False),
            ],
            "OutputDataConfig": {
                "S3OutputPath": self._storage.model_artifacts.s3_url_for_object(contract.MODELS_PREFIX.rstrip("/")),
                **self._place.encrypted("KmsKeyId"),
            },
            "ResourceConfig": self._resources(),
            **self._patience(),
            **self._place.isolation(),
            **self._place.vpc(),
            **self._place.tagged(),
        }

    def _patience(self) -> dict[str, Any]:
        """Render how long the job may take, and what spot instances need beside it: a wait, and checkpoints."""
        limits = {"MaxRuntimeInSeconds": self._settings.max_runtime_seconds}
        if not self._settings.spot:
            return {"StoppingCondition": limits}
        folder = f"s3://{self._storage.model_artifacts.bucket_name}/{contract.CHECKPOINTS_PREFIX}{{}}"
        return {
            "EnableManagedSpotTraining": True,
            "StoppingCondition": {**limits, "MaxWaitTimeInSeconds": self._settings.longest_seconds},
            "CheckpointConfig": {"S3Uri.$": f"States.Format('{folder}', $.{contract.TRAINING_JOB_FIELD})"},
        }

    def _channel(self, name: str, prefix_path: str, *, sharded: bool) -> dict[str, Any]:
        """Render a channel; several hosts share the objects of a sharded one, and each has all of any other."""
        bucket = self._storage.training_data.bucket_name
        return {
            "ChannelName": name,
            "ContentType": "text/csv",
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3DataDistributionType": "ShardedByS3Key" if sharded else "FullyReplicated",
                    "S3Uri.$": f"States.Format('s3://{bucket}/{{}}', {prefix_path})",
                }
            },
        }

    def _resources(self) -> dict[str, Any]:
        return {
            "InstanceType.$": "$.request.training_instance_type",
            "InstanceCount": self._settings.instance_count,
            "VolumeSizeInGB": self._settings.volume_size_gb,
            **self._place.encrypted("VolumeKmsKeyId"),
        }
