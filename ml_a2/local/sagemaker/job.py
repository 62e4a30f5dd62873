"""The life of a job, whichever its kind: stage the inputs, run the container, keep the outputs."""

from __future__ import annotations

import datetime as dt
import json
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ml_a2.errors import UserError
from ml_a2.local.authorization import AccessDeniedError, Authorization, Session
from ml_a2.local.clients import Clients
from ml_a2.local.images import Image
from ml_a2.local.incidents import Incidents
from ml_a2.local.sagemaker.cluster import Cluster
from ml_a2.local.sagemaker.container import ML_PATH, Container
from ml_a2.local.sagemaker.job_log import JobLog
from ml_a2.local.sagemaker.transfer import Transfer, TransferError
from ml_a2.local.sagemaker.warm_containers import WarmContainers
from ml_a2.local.template import Environment
from ml_a2.unforeseen import describe_unforeseen

# "FailureReason: if a job failed, the reason it failed"; the service keeps this much of it.
FAILURE_REASON_CHARACTERS = 1024
ENDED = ("Completed", "Failed", "Stopped")


NO_CAPACITY = (
    "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type "
    "or after some time."
)
PULL_ACTIONS = ("BatchCheckLayerAvailability", "GetDownloadUrlForLayer", "BatchGetImage")
# Faults that a container meets, and those of them that end it from outside after this time.
CONTAINER_FAULTS = {"crash", "oom", "stopped", "timeout", "hang"}
ENDED_EARLY = {"stopped", "timeout"}
EARLY_SECONDS = 0.5


class ProvisioningError(Exception):
    """A job that could not even begin; the message is its failure reason."""


def _unheard(line: str) -> None:
    """Take a line of a job that has no log."""


@dataclass(frozen=True)
class JobServices:
    """What a job needs around it."""

    clients: Clients
    authorization: Authorization
    environment: Environment
    folder: Path
    incidents: Incidents
    # The kind of fault that a job of a stage meets, if any.
    fault: Callable[[str], str | None]
    # Hears that a job changed its status: the event's detail type, the job's ARN, its description.
    changed: Callable[[str, str, Mapping[str, Any]], None]
    # Containers that were started ahead, for the first jobs.
    warm: WarmContainers | None = None


class Job(ABC):
    """One job in its own thread; statuses as the API spells them."""

    log_group: ClassVar[str]
    resource: ClassVar[str]
    stage: ClassVar[str]
    event: ClassVar[str]

    def __init__(
        self, name: str, request: Mapping[str, Any], image: Image, session: Session, services: JobServices
    ) -> None:
        """Take a request that was validated and a role that was assumed."""
        self.name = name
        self.request = request
        self.image = image
        self.status = "InProgress"
        self.failure_reason: str | None = None
        self.created = self.modified = now()
        self.started: dt.datetime | None = None
        self.ended: dt.datetime | None = None
        self._services = services
        self._session = session
        self._fault = services.fault(self.stage)
        self._transfer = Transfer(services.clients, services.authorization, session)
        self._folder = services.folder / f"{self.resource}-{name}"
        self.base = self._folder / "ml"
        self._cluster: Cluster | None = None
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)

    @property
    def hosts(self) -> list[str]:
        """Return the names of the job's hosts."""
        return [f"algo-{number}" for number in range(1, self._instance_count() + 1)]

    @property
    def bases(self) -> list[Path]:
        """Return the folder that each host sees as /opt/ml, the first host's first."""
        return [self.base, *(self._folder / f"ml-{host}" for host in self.hosts[1:])]

    @property
    def arn(self) -> str:
        """Return the job's ARN."""
        where = self._services.environment
        return f"arn:{where.partition}:sagemaker:{where.region}:{where.account}:{self.resource}/{self.name}"

    def start(self) -> None:
        """Begin, and return at once."""
        self._tell()
        self._thread.start()

    def stop(self) -> None:
        """Ask the job to end as Stopped, and return at once."""
        with self._lock:
            if self.status != "InProgress":
                return
            self._enter("Stopping")
            self._stopping.set()
            cluster = self._cluster
        self._tell()
        if cluster:
            cluster.stop()

    def kill(self) -> None:
        """End the job's process now and wait until nothing of it is left."""
        self._stopping.set()
        if self._cluster:
            self._cluster.kill()
        if self._thread.is_alive():
            self._thread.join()

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return the answer of the Describe operation."""

    @abstractmethod
    def _instance_count(self) -> int:
        """Return how many hosts the job has."""

    @abstractmethod
    def _stage(self) -> None:
        """Bring configuration and inputs under /opt/ml."""

    @abstractmethod
    def _command(self) -> list[str]:
        """Return what the container runs."""

    @abstractmethod
    def _variables(self) -> dict[str, str]:
        """Return the container's environment variables."""

    @abstractmethod
    def _isolated(self) -> bool:
        """Return whether the container must not reach a network."""

    @abstractmethod
    def _keep(self, exit_code: int) -> None:
        """Upload what the container left."""

    @abstractmethod
    def _explain(self, exit_code: int) -> str:
        """Return the failure reason of a container that ended with an exit code other than 0."""

    def _enter(self, status: str) -> None:
        """Take a status; the kinds add their own secondary ones."""
        self.status = status
        self.modified = now()

    def _progress(self, phase: str) -> None:  # noqa: B027  # only training jobs have phases
        """Note a phase within InProgress."""

    def _live(self) -> None:
        try:
            exit_code = self._run()
            status, reason = self._outcome(exit_code)
        except (TransferError, ProvisioningError) as error:
            status, reason = "Failed", str(error)
        except UserError as error:
            status, reason = "Failed", f"ClientError: {error}"
        except Exception as error:  # noqa: BLE001  # a bug of ours must end the job loudly, not leave it InProgress for ever
            self._services.incidents.report(f"{self.resource} {self.name}: {describe_unforeseen(error)}")
            status, reason = "Failed", f"InternalServerError: {type(error).__name__}: {error}"
        with self._lock:
            self.failure_reason = reason[:FAILURE_REASON_CHARACTERS] if reason else None
            self.ended = now()
            self._enter(status)
        self._tell()

    def _tell(self) -> None:
        """Send the event that a change of status has."""
        self._services.changed(self.event, self.arn, self.describe())

    def _run(self) -> int:
        if self._fault == "capacity":
            raise ProvisioningError(NO_CAPACITY)
        self._progress("Downloading")
        self._pull()
        if self._fault == "missing-data":
            self._transfer.find_nothing()
        try:
            self._stage()
        except OSError as error:  # names too long, a file where a folder must be
            raise ProvisioningError(f"ClientError: Data download failed:{error}") from error
        if self._fault == "corrupt-model":
            self._corrupt_input()
        self.started = now()
        self._progress("Training")
        with ExitStack() as logs:
            exit_code = self._contain([self._open_log(host, logs) for host in self.hosts])
        if self._fault == "corrupt-model":
            self._corrupt_output()
        self._progress("Uploading")
        self._keep(exit_code)
        return exit_code

    def _pull(self) -> None:
        """Pull the image as the job's role."""
        where = self._services.environment
        repository = f"arn:{where.partition}:ecr:{where.region}:{self.image.account}:repository/{self.image.repository}"
        for action, resource in (("GetAuthorizationToken", "*"), *((action, repository) for action in PULL_ACTIONS)):
            try:
                self._services.authorization.require(self._session, f"ecr:{action}", resource)
            except AccessDeniedError as error:
                raise ProvisioningError(f"ClientError: the image cannot be pulled: {error}") from error

    def _open_log(self, host: str, logs: ExitStack) -> Callable[[str], None]:
        """Open a host's log as the job's role; a job whose role may not write one goes on in silence."""
        where = self._services.environment
        group = f"arn:{where.partition}:logs:{where.region}:{where.account}:log-group:{self.log_group}:log-stream:"
        log = JobLog(self._services.clients, self.log_group, self.name, host)
        checks = [
            ("logs:CreateLogGroup", group, {}),
            ("logs:DescribeLogStreams", group, {}),
            ("logs:CreateLogStream", f"{group}{log.stream}", {}),
            ("logs:PutLogEvents", f"{group}{log.stream}", {}),
            ("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": self.log_group}),
        ]
        allowed = True
        for action, resource, context in checks:
            try:
                self._services.authorization.require(self._session, action, resource, context)
            except AccessDeniedError as error:
                self._services.incidents.report(f"{self.resource} {self.name}: {error}")
                allowed = allowed and not action.startswith("logs:")
        if not allowed:
            return _unheard
        log.open()
        logs.callback(log.close)
        return log.write

    def _corrupt_input(self) -> None:  # noqa: B027  # only an evaluation has a model among its inputs
        """Spoil the model that the job was given."""

    def _corrupt_output(self) -> None:  # noqa: B027  # only a training leaves a model
        """Spoil the model that the job left."""

    def _contain(self, logs: Sequence[Callable[[str], None]]) -> int:
        command = self._command()
        if self._fault in CONTAINER_FAULTS:
            command = [sys.executable, "-m", "ml_a2.local.images.faulty", self._fault]
        containers: list[Container] = []
        for base, log in zip(self.bases, logs, strict=True):
            neighbour = containers[0] if containers else None
            containers.append(
                Container(
                    base,
                    command,
                    self._variables(),
                    isolated=self._isolated(),
                    log=log,
                    neighbour=neighbour,
                    warm=self._services.warm if len(self.hosts) == 1 else None,
                )
            )
        cluster = Cluster(containers)
        with self._lock:
            self._cluster = cluster
        if self._stopping.is_set():
            return -1
        seconds = self._max_runtime_seconds() if self._fault not in ENDED_EARLY else EARLY_SECONDS
        timer = threading.Timer(seconds, self.stop if self._fault == "stopped" else self._expire)
        timer.daemon = True
        timer.start()
        try:
            return cluster.run()
        finally:
            timer.cancel()

    def _left(self, folder: Path) -> list[Path]:
        """Return what a container left in a folder of its own, nothing where it removed that.

        Raises:
            TransferError: it put a link there, which may lead anywhere on this machine.
        """
        if not folder.resolve().is_relative_to(self._folder.resolve()):
            raise TransferError(f"ClientError: {ML_PATH}/{folder.relative_to(self.base)} leads outside {ML_PATH}")
        return sorted(folder.iterdir()) if folder.is_dir() else []

    def _outcome(self, exit_code: int) -> tuple[str, str | None]:
        if self._stopping.is_set():
            return "Stopped", None
        return ("Completed", None) if exit_code == 0 else ("Failed", self._explain(exit_code))

    def _max_runtime_seconds(self) -> int:
        seconds: int = self.request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", 86_400)
        return seconds

    def _expire(self) -> None:
        """Stop as the service does when MaxRuntimeInSeconds is reached: the job ends Stopped, not Failed."""
        self.stop()

    @staticmethod
    def _write_configuration(base: Path, folder: str, files: Mapping[str, Any]) -> None:
        target = base / folder
        target.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (target / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def now() -> dt.datetime:
    """Return the present time, to the millisecond as the API answers it."""
    time = dt.datetime.now(dt.UTC)
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def first_characters(file: Path, count: int) -> str:
    """Return the beginning of a text file, empty when there is none; a link may lead to a file of this machine."""
    if file.is_symlink() or file.parent.is_symlink() or not file.is_file():
        return ""
    with file.open(encoding="utf-8", errors="replace") as text:
        return text.read(count)
