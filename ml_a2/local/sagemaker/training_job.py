"""A training job: channels under input/data, the model as model.tar.gz.

Source: SageMaker Developer Guide, "How Amazon SageMaker provides training information" and "... processes training
output".
"""

from __future__ import annotations

import datetime as dt
import os
import socket
import tarfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from ml_a2 import contract
from ml_a2.local.images.xgboost.interface import PORT, PORT_VARIABLE
from ml_a2.local.sagemaker.container import ML_PATH, has_namespaces
from ml_a2.local.sagemaker.final_metrics import FinalMetrics
from ml_a2.local.sagemaker.job import ENDED, FAILURE_REASON_CHARACTERS, Job, first_characters, now

# What Describe repeats from the request.
REPEATED = (
    "HyperParameters", "AlgorithmSpecification", "RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig",
    "StoppingCondition", "EnableNetworkIsolation", "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining", "Environment", "CheckpointConfig",
)  # fmt: skip


# What AWS says of each phase; clients print it. The first and the third stand in the service model's documentation.
STATUS_MESSAGES = {
    "Starting": "Starting the training job",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}

DEFAULT_CHECKPOINT_PATH = "/opt/ml/checkpoints"


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
        self._metrics = FinalMetrics(self.image.metric_definitions)
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
            "SecondaryStatusTransitions": [dict(transition) for transition in self._transitions],
            **{key: self.request[key] for key in REPEATED if key in self.request},
        }
        if self.status == "Completed":
            answer["ModelArtifacts"] = {"S3ModelArtifacts": self._output_uri(contract.MODEL_ARCHIVE)}
        if self.status in ENDED and (metrics := self._metrics.answer()):
            answer["FinalMetricDataList"] = metrics
        if self.failure_reason:
            answer["FailureReason"] = self.failure_reason
        if self.started:
            answer["TrainingStartTime"] = self.started
        if self.ended:
            answer["TrainingEndTime"] = self.ended
            if self.started:
                answer["TrainingTimeInSeconds"] = int((self.ended - self.started) / dt.timedelta(seconds=1))
        return answer

    def _instance_count(self) -> int:
        count: int = self.request["ResourceConfig"]["InstanceCount"]
        return count

    def _stage(self) -> None:
        for base, host in zip(self.bases, self.hosts, strict=True):
            self._write_configuration(base, "input/config", self._configuration(host))
            for folder in ("model", "output/data"):
                (base / folder).mkdir(parents=True)
        if len(self.hosts) > 1:
            names = "".join(f"127.0.0.1 {host}\n" for host in ["localhost", *self.hosts])
            (self._folder / "hosts").write_text(names, encoding="ascii")
        if checkpoints := self._checkpoints():
            self._transfer.download(checkpoints[0], *(base / checkpoints[1] for base in self.bases), may_be_empty=True)
        for channel in self.request.get("InputDataConfig", []):
            source = channel["DataSource"]["S3DataSource"]
            folders = [base / "input/data" / channel["ChannelName"] for base in self.bases]
            sharded = source.get("S3DataDistributionType") == "ShardedByS3Key"
            self._transfer.download(source["S3Uri"], *folders, sharded=sharded)

    def _checkpoints(self) -> tuple[str, PurePosixPath] | None:
        """Return where checkpoints are kept, and the folder below /opt/ml that the container writes them to."""
        configuration = self.request.get("CheckpointConfig")
        if configuration is None:
            return None
        path = PurePosixPath(configuration.get("LocalPath", DEFAULT_CHECKPOINT_PATH))
        return str(configuration["S3Uri"]), path.relative_to(ML_PATH)

    def _configuration(self, host: str) -> dict[str, Any]:
        instance_type = self.request["ResourceConfig"]["InstanceType"]
        group = {"instance_group_name": "homogeneousCluster", "instance_type": instance_type, "hosts": self.hosts}
        checkpoints = self._checkpoints()
        local = {"checkpointconfig": {"LocalPath": f"{ML_PATH}/{checkpoints[1]}"}} if checkpoints else {}
        return {
            **local,
            "hyperparameters": self.request.get("HyperParameters", {}),
            "inputdataconfig": {
                channel["ChannelName"]: self._channel(channel) for channel in self.request.get("InputDataConfig", [])
            },
            "resourceconfig": {
                "current_host": host,
                "current_instance_type": instance_type,
                "current_group_name": group["instance_group_name"],
                "hosts": self.hosts,
                "instance_groups": [group],
                "network_interface_name": "eth0",
            },
        }

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
        if len(self.hosts) > 1:
            # The hosts share this machine's cores; threads that wait for one another's would slow all of them down.
            threads = max(1, (os.cpu_count() or 1) // len(self.hosts))
            names |= {PORT_VARIABLE: self._port(), "OMP_NUM_THREADS": str(threads)}
        return {**names, **self.image.variables, **self.request.get("Environment", {})}

    def _port(self) -> str:
        """Return where the hosts meet: isolated ones have their network to themselves, others take a free port."""
        if self._isolated() and has_namespaces():
            return str(PORT)
        while True:  # one port and the next, since the hosts meet twice
            try:
                with socket.create_server(("127.0.0.1", 0)) as first:
                    port: int = first.getsockname()[1]
                    with socket.create_server(("127.0.0.1", port + 1)):
                        return str(port)
            except (OSError, OverflowError):
                continue  # the next one is taken

    def _isolated(self) -> bool:
        return bool(self.request.get("EnableNetworkIsolation"))

    def _keep(self, exit_code: int) -> None:
        checkpoints = self._checkpoints()  # kept however the job ended: that is what they are for
        if checkpoints and any(self._left(self.base / checkpoints[1])):
            self._transfer.upload_folder(self.base / checkpoints[1], checkpoints[0])
        if exit_code != 0 and not self._stopping.is_set():
            return
        for folder, name in (("model", contract.MODEL_ARCHIVE), ("output/data", "output.tar.gz")):
            if any(self._left(self.base / folder)):
                archive = _archive(self._left(self.base / folder), self._folder / name)
                self._transfer.upload(archive, self._output_uri(name))

    def _open_log(self, host: str, logs: ExitStack) -> Callable[[str], None]:
        """Open a host's log, and read the metrics in it as the service does."""
        write = super()._open_log(host, logs)

        def log(line: str) -> None:
            self._metrics.read(line, now())
            write(line)

        return log

    def _corrupt_output(self) -> None:
        for file in self._left(self.base / "model"):
            file.write_bytes(b"this is no model")

    def _output_uri(self, name: str) -> str:
        return f"{self.request['OutputDataConfig']['S3OutputPath'].removesuffix('/')}/{self.name}/output/{name}"

    def _explain(self, exit_code: int) -> str:
        base = self.bases[self._cluster.failed if self._cluster else 0]
        reason = first_characters(base / "output" / "failure", FAILURE_REASON_CHARACTERS)
        return f"AlgorithmError: {reason}, exit code: {exit_code}"

    def _progress(self, phase: str) -> None:
        if phase in ("Completed", "Failed", "Stopped") and self._expired:
            phase = "MaxRuntimeExceeded"
        time = now()
        if self._transitions:
            self._transitions[-1]["EndTime"] = time
        self._transitions.append({"Status": phase, "StartTime": time, "StatusMessage": STATUS_MESSAGES[phase]})
        self.modified = time

    def _enter(self, status: str) -> None:
        super()._enter(status)
        self._progress(status)

    def _expire(self) -> None:
        self._expired = True
        super()._expire()


def _archive(items: list[Path], archive: Path) -> Path:
    """Pack a folder's content as the service does: paths relative to the folder, links as links, no devices."""
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for item in items:
            tar.add(item, arcname=item.name, filter=_packable)
    return archive


def _packable(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return member if member.isreg() or member.isdir() or member.issym() or member.islnk() else None
