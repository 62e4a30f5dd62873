"""`ml-a2 run`: one execution of the template on the laptop, from data to results on disk."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from ml_a2 import contract
from ml_a2.client import (
    Failure,
    Pipeline,
    Uploaded,
    job_name,
    last_known,
    last_words,
    metric_values,
)
from ml_a2.digest import HashedFile
from ml_a2.errors import PlatformError
from ml_a2.evaluation_code import evaluation_files
from ml_a2.execution_events import Listener, follow
from ml_a2.execution_history import next_step
from ml_a2.finding import Finding
from ml_a2.local.champion import ChampionOfRuns
from ml_a2.local.images import XGBOOST_VERSIONS
from ml_a2.local.objects.checksums import Checksums
from ml_a2.local.permissions import Permission, never_used
from ml_a2.local.runtime import LocalRuntime, read_template, stack_name
from ml_a2.local.subscribers import write_outbox
from ml_a2.records.manifest import as_iso, job_facts, xgboost_version
from ml_a2.records.recording import Ended, StoredModel, manifest_of
from ml_a2.records.request import Prepared, Request
from ml_a2.report import REPORT_FILE, prepare_report, write_report

# The checksum that boto3 sends with an object unless it is asked for another one.
UPLOADED_WITH = "CRC32"
# From look to look at an execution, at its beginning and when it takes long: each look takes time from its jobs.
POLL_SECONDS, SLOWEST_SECONDS = 0.1, 1.0


class Progress(Listener, Protocol):
    """Hears what a run is doing."""

    def say(self, text: str) -> None:
        """Hear a step of the preparation."""


@dataclass(frozen=True)
class RunResult:
    """What came of a run."""

    execution: str
    status: str
    run_directory: Path
    seconds: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    failure: Failure | None = None
    gate: str = "none"
    last_log_lines: tuple[str, ...] = ()
    incidents: tuple[str, ...] = ()
    unused_permissions: tuple[Permission, ...] = ()
    stand_in: str | None = None
    next_step: str = ""
    evaluation: Mapping[str, Any] = field(default_factory=dict)

    @property
    def report(self) -> Path:
        """Return the page that tells of it."""
        return self.run_directory / REPORT_FILE

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        return {
            "execution": self.execution,
            "status": self.status,
            "metrics": dict(self.metrics),
            "gate": self.gate,
            "run_directory": str(self.run_directory),
            "failure": asdict(self.failure) if self.failure else None,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True)
class RunRequest:
    """What to run: what was asked for, the data that was made of it, and where results go."""

    asked: Request
    prepared: Prepared
    runs: Path
    # What a person was warned of before.
    warnings: tuple[Finding, ...] = ()
    # For how long the command has been at it already.
    seconds: float = 0.0


@dataclass(frozen=True)
class Deployed:
    """A runtime, and the assembly's stack that was deployed on it."""

    runtime: LocalRuntime
    assembly: Path
    template: Mapping[str, Any]
    outputs: Mapping[str, str]


def deploy(assembly: Path, runtime: LocalRuntime) -> Deployed:
    """Deploy an assembly for runs.

    Raises:
        UserError: the assembly cannot be deployed.
    """
    # Read now: a folder that was named with --assembly may be written anew while this one executes.
    template = read_template(assembly)
    outputs = runtime.deploy(assembly)
    runtime.collect_notifications(outputs[contract.OUTPUT_TOPIC])
    return Deployed(runtime, assembly, template, outputs)


def run(deployed: Deployed, request: RunRequest, progress: Progress) -> RunResult:
    """Execute a deployed stack on the data, and fetch the results; the runtime is left as it is then.

    Raises:
        PlatformError: something that the run needs is not to be had.
    """
    began = time.monotonic() - request.seconds
    runtime, outputs = deployed.runtime, deployed.outputs
    runtime.inject(request.asked.faults)
    progress.say(f"deployed {stack_name(deployed.assembly)} on {runtime.url}")
    code = evaluation_files(tell=progress.say)
    pipeline = Pipeline(runtime.clients, outputs)
    with runtime.scratch() as folder:
        written, hashes = _write(runtime, request, Path(folder))
        uploaded = pipeline.upload({**written, **code}, hashes=hashes)
    champion = ChampionOfRuns.of(request.runs, deployed.template)
    if known := champion.bring(pipeline):
        progress.say(f"the champion to compare with is that of {known}")
    name = f"{dt.datetime.now().astimezone():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    arn = pipeline.start(name, _execution_input(pipeline, request, name))
    prepare_report()
    topic = outputs[contract.OUTPUT_TOPIC]
    results = _Results(pipeline, runtime, request, name, arn, topic, uploaded, template_sha256(deployed.template))
    watch = partial(
        pipeline.watch, arn, poll_seconds=POLL_SECONDS, slowest_seconds=SLOWEST_SECONDS, sleep=runtime.await_end
    )
    try:
        follow(watch(), progress)
        runtime.settle()
    except KeyboardInterrupt:
        # What the execution had written until then is kept; the runtime's end stops the jobs.
        pipeline.stop(arn, "Interrupted", "the run was interrupted")
        follow(watch(), progress)
        progress.say(f"interrupted: what was written is kept in {results.fetch(began).run_directory}")
        raise
    result = results.fetch(began)
    champion.keep(pipeline.outcome(arn), name)
    return result


def _write(runtime: LocalRuntime, request: RunRequest, folder: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """Write what the jobs read into a folder; return the files and the SHA-256 of the channels', both by key."""
    taken: dict[Path, tuple[Any, Checksums]] = {}

    def opened(path: Path) -> HashedFile:
        sha256, checksums = taken[path] = hashlib.sha256(), Checksums(UPLOADED_WITH)
        return HashedFile(path, [sha256, *checksums.parts()])

    files = request.prepared.write(folder, request.asked.hosts, opened)
    for path, (_, checksums) in taken.items():
        runtime.know(path, checksums)
    return files, {key: taken[path][0].hexdigest() for key, path in files.items() if path in taken}


def _execution_input(pipeline: Pipeline, request: RunRequest, name: str) -> dict[str, Any]:
    if model := request.prepared.model:
        return {"model_artifact": pipeline.upload_model(model.archive, name)}
    return {"hyperparameters": dict(request.asked.hyperparameters)}


@dataclass(frozen=True)
class _Results:
    """Brings what an execution left into its run directory."""

    pipeline: Pipeline
    runtime: LocalRuntime
    request: RunRequest
    name: str
    arn: str
    topic: str
    uploaded: Mapping[str, Uploaded]
    template_sha256: str

    def fetch(self, began: float) -> RunResult:
        folder = self.request.runs / self.name
        (folder / "logs").mkdir(parents=True)
        outcome = self.pipeline.outcome(self.arn)
        history = self.pipeline.history(self.arn)
        logs = self._fetch_logs(folder, history)
        evaluation = self._fetch_evaluation(folder)
        notifications = self.runtime.notifications()
        _write_json(folder / "history.json", history)
        _write_json(folder / "notifications.json", notifications)
        write_outbox(folder / "outbox.mbox", notifications, self.runtime.email_addresses(self.topic))
        seconds = time.monotonic() - began
        stand_in = _stand_in(job_facts(last_known(history, "training"), {})["training_image"])
        ended = Ended(
            self.name,
            self.arn,
            outcome,
            history,
            self.pipeline.waits(self.arn),
            self.uploaded,
            self.template_sha256,
            evaluation,
            self._fetch_model(folder, history),
            stand_in,
            seconds,
            self.request.warnings,
        )
        self._keep_manifest(folder, ended)
        write_report(folder)
        failed_log = logs.get(outcome.failure.stage, []) if outcome.failure else []
        return RunResult(
            self.name,
            outcome.status,
            folder,
            seconds,
            metric_values(evaluation),
            outcome.failure,
            outcome.gate,
            tuple(last_words(failed_log)),
            tuple(self.runtime.incidents.all()),
            tuple(never_used(self.runtime.authorization)),
            stand_in,
            next_step(history),
            evaluation,
        )

    def _fetch_logs(self, folder: Path, history: list[dict[str, Any]]) -> dict[str, list[str]]:
        logs = {}
        for stage, field_name, group in (
            ("Training", "training_job_name", contract.TRAINING_LOG_GROUP),
            ("Evaluation", "processing_job_name", contract.PROCESSING_LOG_GROUP),
        ):
            if stage == "Training" and self.request.prepared.model:
                continue  # nothing was trained
            job = job_name(history, field_name)
            logs[stage] = self.pipeline.log(group, job) if job else []
            text = "".join(f"{line}\n" for line in logs[stage])
            (folder / "logs" / f"{stage.lower()}.log").write_text(text, encoding="utf-8")
        return logs

    def _fetch_model(self, folder: Path, history: list[dict[str, Any]]) -> StoredModel | None:
        name = self.name if self.request.prepared.model else job_name(history, contract.TRAINING_JOB_FIELD)
        path = folder / contract.MODEL_ARCHIVE
        if name is None or not self.pipeline.fetch(uri := self.pipeline.model_uri(name), path):
            return None
        return StoredModel(uri, self.pipeline.version_id(uri), path)

    def _fetch_evaluation(self, folder: Path) -> dict[str, Any]:
        path = folder / contract.EVALUATION_FILE
        if not self.pipeline.fetch(self.pipeline.evaluation_uri(self.name), path):
            return {}
        self.pipeline.fetch(self.pipeline.curves_uri(self.name), folder / contract.CURVES_FILE)
        evaluation: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return evaluation

    def _keep_manifest(self, folder: Path, ended: Ended) -> None:
        path = folder / contract.MANIFEST_FILE
        _write_json(path, manifest_of(self.request.asked, self.request.prepared, ended))
        try:
            self.pipeline.put_manifest(self.name, path.read_bytes())
        except PlatformError as error:  # a bucket that refuses it spoils no result, and is told
            self.runtime.incidents.report(str(error))


def template_sha256(template: Mapping[str, Any]) -> str:
    """Return the hash of a template's content, however it is laid out."""
    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()


def _stand_in(image: str | None) -> str | None:
    """Say what computed in the place of a training image whose own XGBoost is another version."""
    own = XGBOOST_VERSIONS.get((image or "").rpartition(":")[2])
    here = xgboost_version()
    return f"XGBoost {here} stood in for the image's own {own}" if own and own != here else None


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2, default=_as_text) + "\n", encoding="utf-8")


def _as_text(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return as_iso(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
