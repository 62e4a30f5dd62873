"""A training job: channels under input/data, the model as model.tar.gz.

Source: SageMaker Developer Guide, "How Amazon SageMaker provides training information" and "... processes training
output".
"""

from __future__ import annotations

import datetime as dt
import tarfile
from pathlib import Path
from typing import Any, ClassVar

from ml_a2 import contract
from ml_a2.local.sagemaker.job import FAILURE_REASON_CHARACTERS, Job, first_characters, now

# What Describe repeats from the request.
REPEATED = (
    "HyperParameters", "AlgorithmSpecification", "RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig",
    "StoppingCondition", "EnableNetworkIsolation", "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining", "Environment",
)  # fmt: skip


class TrainingJob(Job):
    """Runs an image's `train`."""

    log_group: ClassVar[str] = contract.TRAINING_LOG_GROUP
    resource: ClassVar[str] = "training-job"
    stage: ClassVar[str] = "training"
    event: ClassVar[str] = "SageMaker Training Job State Change"

    def __init__(self, *arguments: Any) -> None:
        """Start the list of secondary statuses."""
        super().__init__(*arguments)
        self._transitions: list[dict[str, Any]] = []
        self._expired = False
        self._progress("Starting")

    def describe(self) -> dict[str, Any]:
        """Return the answer of DescribeTrainingJob; fields appear when the service knows them."""
        answer: dict[str, Any] = {
            "TrainingJobName": self.name,
            "TrainingJobArn": self.arn,
            "TrainingJobStatus": self.status,
            "SecondaryStatus": self._transitions[-1]["Status"],
            "CreationTime": self.created,
            "LastModifiedTime": self.modified,
            "SecondaryStatusTransitions": list(self._transitions),
            **{key: self.request[key] for key in REPEATED if key in self.request},
        }
        if self.status == "Completed":
            answer["ModelArtifacts"] = {"S3ModelArtifacts": self._output_uri(contract.MODEL_ARCHIVE)}
        if self.failure_reason:
            answer["FailureReason"] = self.failure_reason
        if self.started:
            answer["TrainingStartTime"] = self.started
        if self.ended:
            answer["TrainingEndTime"] = self.ended
            if self.started:
                answer["TrainingTimeInSeconds"] = int((self.ended - self.started) / dt.timedelta(seconds=1))
        return answer

    def _stage(self) -> None:
        channels = self.request.get("InputDataConfig", [])
        resources = self.request["ResourceConfig"]
        self._write_configuration(
            "input/config",
            {
                "hyperparameters": self.request.get("HyperParameters", {}),
                "inputdataconfig": {channel["ChannelName"]: self._channel(channel) for channel in channels},
                "resourceconfig": {
                    "current_host": "algo-1",
                    "current_instance_type": resources["InstanceType"],
                    "current_group_name": "homogeneousCluster",
                    "hosts": ["algo-1"],
                    "instance_groups": [
                        {
                            "instance_group_name": "homogeneousCluster",
                            "instance_type": resources["InstanceType"],
                            "hosts": ["algo-1"],
                        }
                    ],
                    "network_interface_name": "eth0",
                },
            },
        )
        for folder in ("model", "output/data"):
            (self.base / folder).mkdir(parents=True)
        for channel in channels:
            source = channel["DataSource"]["S3DataSource"]
            self._transfer.download(source["S3Uri"], self.base / "input/data" / channel["ChannelName"])

    def _channel(self, channel: dict[str, Any]) -> dict[str, str]:
        configuration = {
            "TrainingInputMode": channel.get("InputMode", self.request["AlgorithmSpecification"]["TrainingInputMode"]),
            "S3DistributionType": channel["DataSource"]["S3DataSource"].get(
                "S3DataDistributionType", "FullyReplicated"
            ),
            "RecordWrapperType": channel.get("RecordWrapperType", "None"),
        }
        if "ContentType" in channel:
            configuration["ContentType"] = channel["ContentType"]
        return configuration

    def _command(self) -> list[str]:
        assert self.image.command is not None
        return list(self.image.command)

    def _variables(self) -> dict[str, str]:
        names = {"TRAINING_JOB_NAME": self.name, "TRAINING_JOB_ARN": self.arn}
        return {**names, **self.request.get("Environment", {})}

    def _isolated(self) -> bool:
        return bool(self.request.get("EnableNetworkIsolation"))

    def _keep(self, exit_code: int) -> None:
        if exit_code != 0 and not self._stopping.is_set():
            return
        for folder, name in (("model", contract.MODEL_ARCHIVE), ("output/data", "output.tar.gz")):
            if any((self.base / folder).iterdir()):
                archive = _archive(self.base / folder, self._folder / name)
                self._transfer.upload(archive, self._output_uri(name))

    def _corrupt_output(self) -> None:
        for file in (self.base / "model").iterdir():
            file.write_bytes(b"this is no model")

    def _output_uri(self, name: str) -> str:
        return f"{self.request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{self.name}/output/{name}"

    def _explain(self, exit_code: int) -> str:
        reason = first_characters(self.base / "output" / "failure", FAILURE_REASON_CHARACTERS)
        return f"AlgorithmError: {reason}, exit code: {exit_code}"

    def _progress(self, phase: str) -> None:
        if phase in ("Completed", "Failed", "Stopped") and self._expired:
            phase = "MaxRuntimeExceeded"
        time = now()
        if self._transitions:
            self._transitions[-1]["EndTime"] = time
        self._transitions.append({"Status": phase, "StartTime": time})
        self.modified = time

    def _enter(self, status: str) -> None:
        super()._enter(status)
        self._progress(status)

    def _expire(self) -> None:
        self._expired = True
        super()._expire()


def _archive(folder: Path, archive: Path) -> Path:
    """Pack a folder's content as the service does: paths relative to the folder."""
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for item in sorted(folder.iterdir()):
            tar.add(item, arcname=item.name)
    return archive
