"""`ml-a2 run`: one execution of the template on the laptop, from data to results on disk."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import platform
import secrets
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from ml_a2 import __version__, contract
from ml_a2.client import (
    Failure,
    Outcome,
    Pipeline,
    StateEntered,
    TrainingPlanned,
    TrainingRound,
    job_name,
    last_words,
    metric_values,
)
from ml_a2.dataset import Dataset
from ml_a2.evaluation_code import evaluation_files
from ml_a2.local.images import XGBOOST_VERSIONS
from ml_a2.local.permissions import Permission, never_used
from ml_a2.local.runtime import LocalRuntime, read_template
from ml_a2.local.subscribers import write_outbox

POLL_SECONDS = 0.25


class Progress(Protocol):
    """Hears what a run is doing."""

    def say(self, text: str) -> None:
        """Hear a step of the preparation."""

    def state(self, entered: StateEntered) -> None:
        """Hear that the execution came to a state."""

    def plan(self, planned: TrainingPlanned) -> None:
        """Hear what will be trained."""

    def round(self, done: TrainingRound) -> None:
        """Hear that a training round is done."""


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
    """What to run."""

    dataset: Dataset
    assembly: Path
    hyperparameters: Mapping[str, str]
    runs: Path
    region: str
    speed: float
    faults: tuple[str, ...] = ()
    # How many hosts share the training rows: each gets a file of them.
    hosts: int = 1


def run(request: RunRequest, progress: Progress) -> RunResult:
    """Deploy the assembly, execute it on the data, and fetch the results.

    Raises:
        UserError: the assembly cannot be deployed.
        PlatformError: something that the run needs is not to be had.
    """
    began = time.monotonic()
    code = evaluation_files(tell=progress.say)
    with LocalRuntime(region=request.region, speed=request.speed) as runtime:
        outputs = runtime.deploy(request.assembly)
        runtime.collect_notifications(outputs[contract.OUTPUT_TOPIC])
        runtime.inject(request.faults)
        progress.say(f"deployed {contract.STACK_NAME} on {runtime.url}")
        pipeline = Pipeline(runtime.clients, outputs)
        _upload(pipeline, request.dataset, request.hosts, code)
        name = f"{dt.datetime.now().astimezone():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        arn = pipeline.start(name, {"hyperparameters": dict(request.hyperparameters)})
        results = _Results(pipeline, runtime, request, name, arn, outputs[contract.OUTPUT_TOPIC])
        try:
            _follow(pipeline, arn, progress)
            runtime.settle()
        except KeyboardInterrupt:
            # What the execution had written until then is kept; the runtime's end stops the jobs.
            pipeline.stop(arn, "Interrupted", "the run was interrupted")
            _follow(pipeline, arn, progress)
            progress.say(f"interrupted: what was written is kept in {results.fetch(began).run_directory}")
            raise
        return results.fetch(began)


def _follow(pipeline: Pipeline, arn: str, progress: Progress) -> None:
    for event in pipeline.watch(arn, poll_seconds=POLL_SECONDS):
        match event:
            case StateEntered():
                progress.state(event)
            case TrainingPlanned():
                progress.plan(event)
            case TrainingRound():
                progress.round(event)


def _upload(pipeline: Pipeline, dataset: Dataset, parts: int, code: Mapping[str, Path]) -> None:
    with tempfile.TemporaryDirectory(prefix="ml-a2-") as folder:
        train, validation = dataset.write(Path(folder), parts)
        data = {
            **{f"{contract.TRAIN_PREFIX}{path.name}": path for path in train},
            **{f"{contract.VALIDATION_PREFIX}{path.name}": path for path in validation},
        }
        pipeline.upload({**data, **code})


@dataclass(frozen=True)
class _Results:
    """Brings what an execution left into its run directory."""

    pipeline: Pipeline
    runtime: LocalRuntime
    request: RunRequest
    name: str
    arn: str
    topic: str

    def fetch(self, began: float) -> RunResult:
        folder = self.request.runs / self.name
        (folder / "logs").mkdir(parents=True)
        outcome = self.pipeline.outcome(self.arn)
        history = self.pipeline.history(self.arn)
        logs = self._fetch_logs(folder, history)
        evaluation = self._fetch_files(folder, history)
        notifications = self.runtime.notifications()
        _write_json(folder / "history.json", history)
        _write_json(folder / "notifications.json", notifications)
        write_outbox(folder / "outbox.mbox", notifications, self.runtime.email_addresses(self.topic))
        metrics = metric_values(evaluation)
        seconds = time.monotonic() - began
        manifest = self._manifest(outcome, metrics, seconds)
        _write_json(folder / "manifest.json", manifest)
        failed_log = logs.get(outcome.failure.stage, []) if outcome.failure else []
        return RunResult(
            self.name,
            outcome.status,
            folder,
            seconds,
            metrics,
            outcome.failure,
            outcome.gate,
            tuple(last_words(failed_log)),
            tuple(self.runtime.incidents.all()),
            tuple(never_used(self.runtime.authorization)),
            manifest["stand_in"],
        )

    def _fetch_logs(self, folder: Path, history: list[dict[str, Any]]) -> dict[str, list[str]]:
        logs = {}
        for stage, field_name, group in (
            ("Training", "training_job_name", contract.TRAINING_LOG_GROUP),
            ("Evaluation", "processing_job_name", contract.PROCESSING_LOG_GROUP),
        ):
            job = job_name(history, field_name)
            logs[stage] = self.pipeline.log(group, job) if job else []
            text = "".join(f"{line}\n" for line in logs[stage])
            (folder / "logs" / f"{stage.lower()}.log").write_text(text, encoding="utf-8")
        return logs

    def _fetch_files(self, folder: Path, history: list[dict[str, Any]]) -> dict[str, Any]:
        if job := job_name(history, "training_job_name"):
            self.pipeline.fetch(self.pipeline.model_uri(job), folder / contract.MODEL_ARCHIVE)
        path = folder / contract.EVALUATION_FILE
        if not self.pipeline.fetch(self.pipeline.evaluation_uri(self.name), path):
            return {}
        evaluation: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return evaluation

    def _manifest(self, outcome: Outcome, metrics: Mapping[str, float], seconds: float) -> dict[str, Any]:
        dataset, problem = self.request.dataset, self.request.dataset.problem
        template = json.dumps(read_template(self.request.assembly), sort_keys=True)
        training = outcome.output.get("training", {})
        image = training.get("AlgorithmSpecification", {}).get("TrainingImage")
        return {
            "execution": {"name": self.name, "arn": self.arn, "status": outcome.status, "seconds": round(seconds, 3)},
            "gate": outcome.gate,
            "template_sha256": hashlib.sha256(template.encode()).hexdigest(),
            "data": {
                **dataset.origin,
                "target_column": dataset.target_column,
                "feature_columns": list(dataset.feature_columns),
                "train_rows": len(dataset.train),
                "validation_rows": len(dataset.validation),
            },
            "problem": {
                "kind": problem.kind,
                "objective": problem.objective,
                "objective_inferred": problem.inferred,
                "label_mapping": problem.label_mapping,
            },
            "hyperparameters": training.get("HyperParameters", dict(self.request.hyperparameters)),
            "training_image": image,
            "stand_in": _stand_in(image),
            "metrics": dict(metrics),
            "versions": {
                "ml-a2": __version__,
                "python": platform.python_version(),
                **{name: version(name) for name in ("moto", "scikit-learn", "pandas", "numpy")},
                "xgboost": _xgboost_version(),
            },
        }


def _stand_in(image: str | None) -> str | None:
    """Say what computed in the place of a training image whose own XGBoost is another version."""
    own = XGBOOST_VERSIONS.get((image or "").rpartition(":")[2])
    here = _xgboost_version()
    return f"XGBoost {here} stood in for the image's own {own}" if own and own != here else None


def _xgboost_version() -> str:
    import xgboost

    return str(xgboost.__version__)


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2, default=_as_text) + "\n", encoding="utf-8")


def _as_text(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="milliseconds")
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
