"""One attempt: the image's own training on a few rows, then the evaluation's own code, each in a process of its own."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ml_a2 import contract
from ml_a2.finding import Finding
from ml_a2.local.hardware import WHERE, without_gpu
from ml_a2.local.images.xgboost.interface import DEFAULT_VERSION, VERSION_VARIABLE
from ml_a2.local.sagemaker.warm_containers import base_environment
from ml_a2.local.trial.refusals import refusal

# One round to train, one in which there is a tree already: to drop, to go on from.
ROUNDS = 2
LONGEST_SECONDS = 60
# Of one that was started on a GPU's machine with a thousand threads, this machine would say no more.
MOST_THREADS = 4
MOST_BYTES = 4 << 30
PROGRAM = "ml_a2.local.images.xgboost"
JOBS = Path(__file__).parents[2] / "jobs"


@dataclass(frozen=True)
class Attempt:
    """What is tried: hyperparameters, rows as the image reads them, and how they are evaluated."""

    hyperparameters: Mapping[str, str]
    # The files of each channel, by channel and name.
    channels: Mapping[str, Mapping[str, bytes]]
    content_type: str = "text/csv"
    # The evaluation's own arguments beside its paths; None where it is not tried.
    evaluated_by: Sequence[str] | None = ()
    columns: Mapping[str, Any] | None = None
    image_version: str = DEFAULT_VERSION
    environment: Mapping[str, str] = field(default_factory=base_environment)


def attempt(asked: Attempt, folder: Path) -> Iterator[Finding]:
    """Yield what the training or the evaluation refuses; nothing where all goes well.

    Args:
        asked: what is tried.
        folder: an empty one, for what is written.
    """
    tried = _tried(asked.hyperparameters)
    _lay_out(asked, tried, folder)
    # Each thread takes memory of its own, on large machines more than there may be.
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(MOST_THREADS))
    environment = {
        **asked.environment, **threads, "SAGEMAKER_BASE_DIR": str(folder), VERSION_VARIABLE: asked.image_version,
    }  # fmt: skip
    answer = _run([sys.executable, "-m", PROGRAM, "train"], environment)
    failure = folder / "output" / "failure"
    if isinstance(answer, Finding):
        yield answer
    elif answer.returncode and failure.is_file():
        yield refusal(failure.read_text(encoding="utf-8"), asked.hyperparameters)
    elif answer.returncode:
        yield _crash("the training", answer)
    elif asked.evaluated_by is not None and "validation" in asked.channels:
        yield from _evaluate(asked, folder)


def _tried(hyperparameters: Mapping[str, str]) -> dict[str, str]:
    """Return the hyperparameters for a few rounds on this machine."""
    tried = {
        **without_gpu(hyperparameters),
        "num_round": str(min(ROUNDS, int(hyperparameters.get("num_round", ROUNDS)))),
    }
    if "nthread" in tried:
        tried["nthread"] = str(min(MOST_THREADS, int(tried["nthread"])))
    return tried


def _lay_out(asked: Attempt, tried: Mapping[str, str], folder: Path) -> None:
    channel = {
        "ContentType": asked.content_type,
        "TrainingInputMode": "File",
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
    }
    configuration = folder / "input" / "config"
    configuration.mkdir(parents=True)
    for name, content in (
        ("hyperparameters", tried),
        ("inputdataconfig", dict.fromkeys(asked.channels, channel)),
        ("resourceconfig", {"current_host": "algo-1", "hosts": ["algo-1"]}),
    ):
        (configuration / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    for name, files in asked.channels.items():
        for file, rows in files.items():
            path = folder / "input" / "data" / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(rows)


def _evaluate(asked: Attempt, folder: Path) -> Iterator[Finding]:
    """Let evaluate.py look at the model, as the processing job would."""
    code, model, message = folder / "code", folder / "artifact", folder / "message"
    shutil.copytree(JOBS, code, ignore=shutil.ignore_patterns("__pycache__"))
    if asked.columns:
        (code / "columns.json").write_text(json.dumps(asked.columns), encoding="utf-8")
    model.mkdir()
    with tarfile.open(model / "model.tar.gz", "w:gz") as archive:
        for path in (folder / "model").iterdir():
            archive.add(path, path.name)
    arguments = {
        "--model": model,
        "--validation": folder / "input" / "data" / "validation",
        "--output": folder / "evaluation",
        "--message": message,
    }
    command = [sys.executable, str(code / contract.EVALUATION_SCRIPT), *(asked.evaluated_by or ())]
    answer = _run([*command, *(str(word) for pair in arguments.items() for word in pair)], dict(asked.environment))
    if isinstance(answer, Finding):
        yield answer
    elif answer.returncode and message.is_file():
        words = message.read_text(encoding="utf-8").partition(": ")[2] or message.read_text(encoding="utf-8")
        yield Finding("error", "the evaluation", f"refuses the model or the rows: {words}", "mend what it names")
    elif answer.returncode:
        yield _crash("the evaluation", answer)


def _run(command: Sequence[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str] | Finding:
    """Run a program to its end, or give it up: then it is not known what it would have done."""
    try:
        return subprocess.run(
            [*_limited(), *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LONGEST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        problem = f"{ROUNDS} rounds on a few hundred rows took more than {LONGEST_SECONDS} s here and were given up"
        return Finding("untried", WHERE, problem, "choose fewer or smaller trees")


def _limited() -> list[str]:
    """Return the words before a command that bound its memory, where the system has them."""
    prlimit = shutil.which("prlimit")
    return [prlimit, f"--data={MOST_BYTES}", "--"] if prlimit else []


def _crash(what: str, answer: subprocess.CompletedProcess[str]) -> Finding:
    """Tell of a process that wrote no reason."""
    lines = [line for line in answer.stderr.splitlines() if line.strip()]
    said = f": {lines[-1][:300]}" if lines else ""
    if answer.returncode == -signal.SIGKILL:  # this machine's memory is not the instance's
        problem = f"{what} of a few hundred rows was ended by this machine, which may lack the memory for it{said}"
        return Finding("untried", WHERE, problem, "choose fewer or smaller trees")
    ended = f"by signal {-answer.returncode}" if answer.returncode < 0 else f"with exit status {answer.returncode}"
    return Finding("error", WHERE, f"{what} of the first rows ends {ended}{said}", "choose other hyperparameters")
