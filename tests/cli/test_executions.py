"""`ml-a2 upload`, `start`, `watch` and `stop` drive a deployed stack: here the one that `ml-a2 local up` serves."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ml_a2 import contract
from ml_a2.client import Pipeline
from ml_a2.local.clients import Clients
from tests.cli.unreliable import unreliable

pytestmark = pytest.mark.xdist_group("executions")
PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def served() -> Iterator[dict[str, str]]:
    """Serve the endpoint with the stack, and give the environment that it says to export."""
    command = [sys.executable, "-m", "ml_a2.cli", "local", "up", "--quiet"]  # nobody reads what it would tell
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    exports: dict[str, str] = {}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "AWS_REGION" not in exports and time.monotonic() < deadline:
        line = process.stdout.readline()
        assert line, "it ended"
        exports |= dict(re.findall(r"(AWS_\w+)=(\S+)", line))
    yield {**os.environ, **exports}
    process.terminate()
    process.communicate(timeout=PATIENCE_SECONDS)


def _call(environment: dict[str, str], *words: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ml_a2.cli", *words]
    return subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )


def _json(environment: dict[str, str], *words: str, status: int = 0) -> dict[str, Any]:
    answer = _call(environment, *words, "--json")
    assert answer.returncode == status, answer.stderr
    document: dict[str, Any] = json.loads(answer.stdout)
    return document


@pytest.fixture(scope="module")
def uploaded(served: dict[str, str]) -> dict[str, Any]:
    return _json(served, "upload", "--sample", "breast-cancer")


@pytest.fixture(scope="module")
def started(served: dict[str, str], uploaded: dict[str, Any]) -> str:
    """The name of an execution that succeeded."""
    started = _call(served, "start", "--name", "first", "--set", "num_round=10")
    assert started.returncode == 0, started.stderr
    assert "next: ml-a2 watch first" in started.stdout
    assert _json(served, "watch", "first", "--every", "0.2")["status"] == "SUCCEEDED"
    return "first"


@pytest.fixture(scope="module")
def failed(served: dict[str, str], uploaded: dict[str, Any]) -> str:
    """The name of an execution whose training failed; `start` would have refused it, the AWS CLI has not."""
    clients = Clients(served["AWS_ENDPOINT_URL"], "us-east-1")
    stack = clients.client("cloudformation").describe_stacks(StackName=contract.STACK_NAME)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    Pipeline(clients, outputs).start("broken", {"hyperparameters": {"num_round": "none"}})
    _json(served, "watch", "broken", status=1)
    return "broken"


def test_data_and_code_go_up_once(served: dict[str, str], uploaded: dict[str, Any]) -> None:
    """What is there with the same content is not sent again; what changed is."""
    keys = {each["key"] for each in uploaded["objects"]}
    assert {"train/train.csv", "validation/validation.csv", "evaluation/evaluate.py", "evaluation/columns.json"} <= keys
    assert not any(each["kept"] for each in uploaded["objects"])
    assert uploaded["hyperparameters"]["objective"] == "binary:logistic"
    again = _json(served, "upload", "--sample", "breast-cancer")
    assert all(each["kept"] for each in again["objects"])
    assert [each["version_id"] for each in again["objects"]] == [each["version_id"] for each in uploaded["objects"]]
    other = _json(served, "upload", "--sample", "breast-cancer", "--seed", "7")
    changed = {each["key"] for each in other["objects"] if not each["kept"]}
    assert changed == {"train/train.csv", "validation/validation.csv"}


def test_an_execution_is_started_watched_and_shown(served: dict[str, str], started: str) -> None:
    """Each command prints the next one; the metrics are those that `show` tells."""
    watched = _call(served, "watch", "first", "--every", "0.2")
    assert watched.returncode == 0, watched.stderr
    for words in ("CreateTrainingJob", "round 10/10", "95 % interval", "SUCCEEDED  first", "next: ml-a2 report first"):
        assert words in watched.stdout
    metrics = _json(served, "watch", "first")["metrics"]
    assert metrics["auc"] > 0.98
    assert _json(served, "show", "first")["metrics"] == metrics
    assert "first" in _call(served, "list").stdout


def test_the_lines_of_both_jobs_are_followed(served: dict[str, str], started: str) -> None:
    """Between the states during which they were written; on standard error where there is JSON."""
    lines = _call(served, "watch", started, "--logs").stdout.splitlines()
    training = next(number for number, line in enumerate(lines) if line.startswith("    training  [0]"))
    evaluation = next(number for number, line in enumerate(lines) if line.startswith("    evaluation  auc="))
    assert lines.index("  CreateTrainingJob") < training < lines.index("  CreateProcessingJob") < evaluation
    assert not any(line.startswith("    round") for line in lines)
    answer = _call(served, "watch", started, "--logs", "--json")
    assert "    training  [0]" in answer.stderr
    assert json.loads(answer.stdout)["status"] == "SUCCEEDED"


def test_a_failure_is_told_with_the_last_words_of_the_job(served: dict[str, str], failed: str) -> None:
    """And with the commands that are useful next, each of which reads AWS wherever it is called."""
    answer = _call(served, "watch", failed)
    assert answer.returncode == 1
    assert "  log    Hyperparameter num_round: could not parse value" in answer.stdout
    assert "  advice read the last lines above and the whole log stream" in answer.stdout
    told = re.findall(r"^next: (.*)$", answer.stdout, re.MULTILINE)
    stack = "--stack MlA2TrainingEvaluationStack"
    assert told == [f"ml-a2 report broken {stack}", f"ml-a2 show broken {stack}", "ml-a2 watch broken --logs"]
    document = _json(served, "watch", failed, status=1)
    assert (document["log"][-1].partition(":")[0], document["next"]) == ("Hyperparameter num_round", told[0])


def test_watching_outlasts_throttling(served: dict[str, str], started: str) -> None:
    """It is told once."""
    refusals: list[str | None] = [None, *["ThrottlingException"] * 3]
    with unreliable(served["AWS_ENDPOINT_URL"], "DescribeExecution", refusals) as url:
        environment = {**served, "AWS_ENDPOINT_URL_SFN": url, "AWS_MAX_ATTEMPTS": "1"}
        answer = _call(environment, "watch", started, "--every", "0.1")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.count("warning  throttled, waiting; the execution goes on: ") == 1
    assert "AWS answers again" in answer.stdout
    assert refusals == []


def test_expired_credentials_end_watching_with_the_command_to_go_on(served: dict[str, str], started: str) -> None:
    """The execution goes on; the exit status is that of input that somebody has to mend."""
    with unreliable(served["AWS_ENDPOINT_URL"], "DescribeExecution", [None, "ExpiredTokenException"]) as url:
        answer = _call({**served, "AWS_ENDPOINT_URL_SFN": url}, "watch", started)
    assert answer.returncode == 2
    assert re.match(r"error: the AWS credentials have expired, .*ExpiredTokenException", answer.stderr), answer.stderr
    assert "and watch it further with `ml-a2 watch first`: the execution goes on" in answer.stderr


def test_an_execution_is_reported(served: dict[str, str], started: str, failed: str, tmp_path: Path) -> None:
    """Its files are copied beside the page; what is not there is said."""
    environment = {name: value for name, value in served.items() if name != "AWS_ENDPOINT_URL"}
    where = ["--endpoint-url", served["AWS_ENDPOINT_URL"]]
    answer = _call(environment, "report", started, *where, folder=tmp_path)
    assert (answer.returncode, answer.stdout) == (0, "runs/first/report.html\n"), answer.stderr
    folder = tmp_path / "runs" / "first"
    assert {path.name for path in folder.rglob("*") if path.is_file()} == {
        "manifest.json", "evaluation.json", "curves.json", "history.json", "training.log", "evaluation.log",
        "report.html",
    }  # fmt: skip
    page = (folder / "report.html").read_text(encoding="utf-8")
    auc = json.loads((folder / "evaluation.json").read_text())["binary_classification_metrics"]["auc"]["value"]
    assert f"{auc:.4f}"[:6] in page
    answer = _call(environment, "report", failed, *where, "--output", "else/where", "--json", folder=tmp_path)
    document = json.loads(answer.stdout)
    assert document["report"] == "else/where/report.html"
    assert document["missing"] == ["evaluation.json", "curves.json", "logs/evaluation.log"]
    again = _call(environment, "report", started, *where, "--output", "else/where", folder=tmp_path)
    assert again.returncode == 2
    assert re.search("else/where is of arn:.*:broken, not of arn:.*:first; name another folder", again.stderr)


def test_a_deployed_stack_is_examined(served: dict[str, str], uploaded: dict[str, Any]) -> None:
    """Nothing is wrong with it but that nobody hears of a failure; other data than what was uploaded is told."""
    _json(served, "upload", "--sample", "breast-cancer")
    document = _json(served, "doctor", "--deployed", "--sample", "breast-cancer")
    assert [finding["problem"] for finding in document["findings"]] == [
        "nobody is subscribed and has confirmed: a failure reaches nobody"
    ]
    other = _json(
        served, "doctor", "--stack", "MlA2TrainingEvaluationStack", "--sample", "diabetes", "--strict", status=1
    )
    told = {finding["where"].rpartition("/")[2]: finding["problem"] for finding in other["findings"]}
    assert told["train.csv"] == "is not the same as train.csv here"


def test_an_execution_is_stopped(served: dict[str, str], uploaded: dict[str, Any]) -> None:
    """Its status is ABORTED with the cause, watching it exits with 1, and there is nothing to stop twice."""
    _json(served, "start", "--name", "long", "--set", "num_round=100000")
    stopped = _call(served, "stop", "long", "--cause", "wrong data")
    assert stopped.returncode == 0, stopped.stderr
    ended = _json(served, "watch", "long", "--every", "0.2", status=1)
    assert (ended["status"], ended["failure"]["cause"]) == ("ABORTED", "wrong data")
    again = _call(served, "stop", "long")
    assert again.returncode == 2
    assert "execution 'long' is ABORTED: there is nothing to stop" in again.stderr


def test_start_can_watch(served: dict[str, str], uploaded: dict[str, Any]) -> None:
    """A model that is given is evaluated again; one command from start to end."""
    first = _json(served, "start", "--set", "num_round=5", "--watch")
    assert first["status"] == "SUCCEEDED"
    bucket = re.search(
        r"s3://[^\"']+/models/[^\"']+model.tar.gz", json.dumps(_json(served, "show", first["execution"]))
    )
    assert bucket is not None
    again = _json(served, "start", "--model-artifact", bucket.group(0), "--watch")
    assert again["metrics"] == first["metrics"]


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["watch", "nobody"], 2, "execution 'nobody' does not exist"),
        (["stop", "nobody"], 2, "execution 'nobody' does not exist"),
        (["start", "--model-artifact", "s3://b/k", "--set", "num_round=3"], 2, "--set decides how a model is trained"),
        (["start", "--logs"], 2, "--logs shows what --watch follows; add --watch"),
        (["doctor", "--deployed", "--permissions"], 2, "--permissions is told after a rehearsal"),
        (["doctor", "--stack", "Other"], 2, "stack 'Other'"),
        (["report", "nobody", "--region", "us-east-1"], 2, "execution 'nobody' does not exist"),
        (["start", "--set", "num_round"], 2, "'num_round' is not NAME=VALUE"),
        (["start", "--set", "max_depth=deep"], 2, "--set max_depth=deep: the XGBoost image would refuse this"),
        (["start", "--train-prefix", "train/nowhere/"], 2, "nothing lies under s3://"),
        (["start", "--stack", "Other"], 2, "stack 'Other'"),
        (["upload", "--train", "gone.csv", "--target-column", "y"], 2, "gone.csv does not exist"),
        (["upload", "--validation", "v.csv"], 2, "add --train FILE"),
        (["upload", "--sample", "digits", "--set", "max_depth=deep"], 2, "max_depth"),
        (["watch", "first", "--endpoint-url", "http://127.0.0.1:9"], 1, "AWS cannot be reached"),
        (["watch", "first", "--profile", "nobody"], 2, "profile (nobody) could not be found"),
    ],
)
def test_fails_on_bad_input(served: dict[str, str], words: list[str], status: int, told: str) -> None:
    """In one line that names what is wrong."""
    answer = _call(served, *words)
    assert (answer.returncode, told in answer.stderr) == (status, True), answer.stderr
    assert "Traceback" not in answer.stderr
