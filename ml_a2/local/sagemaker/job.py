"""The life of a job, whichever its kind: stage the inputs, run the container, keep the outputs."""

from __future__ import annotations

import datetime as dt
import json
import threading
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ml_a2.local.authorization import Authorization, Session
from ml_a2.local.clients import Clients
from ml_a2.local.images import Image
from ml_a2.local.sagemaker.container import Container
from ml_a2.local.sagemaker.job_log import JobLog
from ml_a2.local.sagemaker.transfer import Transfer, TransferError
from ml_a2.local.template import Environment

# "FailureReason: if a job failed, the reason it failed"; the service keeps this much of it.
FAILURE_REASON_CHARACTERS = 1024
ENDED = ("Completed", "Failed", "Stopped")


@dataclass(frozen=True)
class JobServices:
    """What a job needs around it."""

    clients: Clients
    authorization: Authorization
    environment: Environment
    folder: Path


class Job(ABC):
    """One job in its own thread; statuses as the API spells them."""

    log_group: ClassVar[str]
    resource: ClassVar[str]

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
        self._transfer = Transfer(services.clients, services.authorization, session)
        self._folder = services.folder / f"{self.resource}-{name}"
        self.base = self._folder / "ml"
        self._container: Container | None = None
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)

    @property
    def arn(self) -> str:
        """Return the job's ARN."""
        where = self._services.environment
        return f"arn:{where.partition}:sagemaker:{where.region}:{where.account}:{self.resource}/{self.name}"

    def start(self) -> None:
        """Begin, and return at once."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the job to end as Stopped, and return at once."""
        with self._lock:
            if self.status != "InProgress":
                return
            self._enter("Stopping")
            self._stopping.set()
            container = self._container
        if container:
            container.stop()

    def kill(self) -> None:
        """End the job's process now and wait until nothing of it is left."""
        self._stopping.set()
        if self._container:
            self._container.kill()
        if self._thread.is_alive():
            self._thread.join()

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return the answer of the Describe operation."""

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
        except TransferError as error:
            status, reason = "Failed", str(error)
        except Exception:  # noqa: BLE001  # a bug of ours must end the job loudly, not leave it InProgress for ever
            traceback.print_exc()
            status, reason = "Failed", f"InternalServerError: {traceback.format_exc(limit=-1)}"
        with self._lock:
            self.failure_reason = reason[:FAILURE_REASON_CHARACTERS] if reason else None
            self.ended = now()
            self._enter(status)

    def _run(self) -> int:
        self._progress("Downloading")
        self._stage()
        self.started = now()
        self._progress("Training")
        log = JobLog(self._services.clients, self.log_group, self.name)
        try:
            exit_code = self._contain(log.write)
        finally:
            log.close()
        self._progress("Uploading")
        self._keep(exit_code)
        return exit_code

    def _contain(self, log: Callable[[str], None]) -> int:
        container = Container(self.base, self._command(), self._variables(), isolated=self._isolated(), log=log)
        with self._lock:
            self._container = container
        if self._stopping.is_set():
            return -1
        timer = threading.Timer(self._max_runtime_seconds(), self._expire)
        timer.daemon = True
        timer.start()
        try:
            return container.run()
        finally:
            timer.cancel()

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

    def _write_configuration(self, folder: str, files: Mapping[str, Any]) -> None:
        target = self.base / folder
        target.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (target / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def now() -> dt.datetime:
    """Return the present time, to the millisecond as the API answers it."""
    time = dt.datetime.now(dt.UTC)
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def first_characters(file: Path, count: int) -> str:
    """Return the beginning of a text file, empty when there is none."""
    if not file.is_file():
        return ""
    with file.open(encoding="utf-8", errors="replace") as text:
        return text.read(count)
