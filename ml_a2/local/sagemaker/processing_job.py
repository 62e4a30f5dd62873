"""A processing job: inputs and outputs at their local paths, the exit code decides.

Source: SageMaker Developer Guide, "Build your own processing container".
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

from ml_a2 import contract
from ml_a2.local import images
from ml_a2.local.sagemaker.container import ML_PATH
from ml_a2.local.sagemaker.job import Job, first_characters
from ml_a2.local.sagemaker.warm_containers import base_environment

REPEATED = (
    "ProcessingInputs", "ProcessingOutputConfig", "ProcessingResources", "StoppingCondition", "AppSpecification",
    "Environment", "NetworkConfig", "RoleArn",
)  # fmt: skip

# "/opt/ml/output/message": the first KB of it becomes ExitMessage.
MESSAGE_CHARACTERS = 1024
WITHOUT_XGBOOST = Path(images.__file__).parent / "scikit_learn"


class ProcessingJob(Job):
    """Runs the entry point that the request names."""

    log_group: ClassVar[str] = contract.PROCESSING_LOG_GROUP
    resource: ClassVar[str] = "processing-job"
    stage: ClassVar[str] = "evaluation"
    event: ClassVar[str] = "SageMaker Processing Job State Change"

    def describe(self) -> dict[str, Any]:
        """Return the answer of DescribeProcessingJob; fields appear when the service knows them."""
        answer: dict[str, Any] = {
            "ProcessingJobName": self.name,
            "ProcessingJobArn": self.arn,
            "ProcessingJobStatus": self.status,
            "CreationTime": self.created,
            "LastModifiedTime": self.modified,
            **{key: self.request[key] for key in REPEATED if key in self.request},
        }
        known = {
            "FailureReason": self.failure_reason,
            "ExitMessage": self._message() if self.ended else None,
            "ProcessingStartTime": self.started,
            "ProcessingEndTime": self.ended,
        }
        return {**answer, **{key: value for key, value in known.items() if value}}

    def _instance_count(self) -> int:
        return 1  # more are refused when the job is created

    def _stage(self) -> None:
        cluster = self.request["ProcessingResources"]["ClusterConfig"]
        self._write_configuration(
            self.base,
            "config",
            {
                "processingjobconfig": {
                    "ProcessingJobArn": self.arn,
                    "ProcessingJobName": self.name,
                    **{key: self.request[key] for key in REPEATED if key in self.request},
                },
                "resourceconfig": {
                    "current_host": "algo-1",
                    "hosts": ["algo-1"],
                    "network_interface_name": "eth0",
                    "current_instance_type": cluster["InstanceType"],
                },
            },
        )
        (self.base / "output").mkdir(parents=True)
        for item in self.request.get("ProcessingInputs", []):
            self._transfer.download(item["S3Input"]["S3Uri"], self._local(item["S3Input"]["LocalPath"]))
        for item in self._outputs():
            self._local(item["LocalPath"]).mkdir(parents=True, exist_ok=True)

    def _command(self) -> list[str]:
        application = self.request["AppSpecification"]
        return [*application["ContainerEntrypoint"], *application.get("ContainerArguments", [])]

    def _variables(self) -> dict[str, str]:
        names = {"PROCESSING_JOB_NAME": self.name, "PROCESSING_JOB_ARN": self.arn}
        if not any(self.base.glob("processing/**/xgboost*.whl")):
            # The image has none, and no input brings it, so that the job fails here as it does there.
            names["PYTHONPATH"] = os.pathsep.join([str(WITHOUT_XGBOOST), base_environment()["PYTHONPATH"]])
        return {**names, **self.request.get("Environment", {})}

    def _isolated(self) -> bool:
        return bool(self.request.get("NetworkConfig", {}).get("EnableNetworkIsolation"))

    def _keep(self, exit_code: int) -> None:
        # Outputs are uploaded whether the job succeeded or not: what the container left may explain its end.
        for item in self._outputs():
            folder = self._local(item["LocalPath"])
            if any(self._left(folder)):
                self._transfer.upload_folder(folder, item["S3Uri"])

    def _corrupt_input(self) -> None:
        for file in self.base.rglob(contract.MODEL_ARCHIVE):
            file.write_bytes(b"this is no archive")

    def _explain(self, exit_code: int) -> str:
        return f"AlgorithmError: See job logs for more information, exit code: {exit_code}"

    def _message(self) -> str:
        return first_characters(self.base / "output" / "message", MESSAGE_CHARACTERS)

    def _outputs(self) -> list[dict[str, Any]]:
        outputs = self.request.get("ProcessingOutputConfig", {}).get("Outputs", [])
        return [item["S3Output"] for item in outputs]

    def _local(self, path: str) -> Path:
        """Return where a path of the container lies on this machine; the API refused any that is not below /opt/ml."""
        return self.base / Path(path).relative_to(ML_PATH)
