"""What a container can leave, print or ask for to lead the machine astray: paths, links, pipes, output without end."""

from __future__ import annotations

import io
import os
import socket
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ml_a2.local.sagemaker import job_log
from ml_a2.local.sagemaker.container import LONGEST_LINE, Container
from ml_a2.local.sagemaker.job import first_characters
from ml_a2.local.sagemaker.job_log import JobLog
from ml_a2.local.sagemaker.training_job import _archive
from tests.local.conftest import Account


@pytest.mark.parametrize("kind", [os.symlink, os.link])
def test_links_in_a_model_stay_links(tmp_path: Path, kind: Callable[[Path, Path], None]) -> None:
    """What a link leads to is not packed; of two names of one file the second one is a link to the first."""
    secret, model = tmp_path / "secret", tmp_path / "model"
    model.mkdir()
    secret.write_text("secret")
    kind(secret, model / "a")
    kind(model / "a", model / "b")
    with tarfile.open(_archive(sorted(model.iterdir()), tmp_path / "model.tar.gz")) as tar:
        members = {member.name: (member.issym(), member.islnk(), member.size) for member in tar}
    linked = (True, False, 0) if kind is os.symlink else (False, False, 6)
    assert members == {"a": linked, "b": (True, False, 0) if kind is os.symlink else (False, True, 0)}


def test_pipes_and_sockets_in_a_model_are_left_out(tmp_path: Path) -> None:
    """Nobody writes to the pipe: reading it would never end."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "folder" / "pipe")
    (tmp_path / "xgboost-model").write_text("model")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        archive = _archive(sorted(tmp_path.iterdir()), tmp_path / "model.tar.gz")
    with tarfile.open(archive) as tar:
        assert set(tar.getnames()) - {"model.tar.gz"} == {"folder", "xgboost-model"}


def test_a_failure_file_is_read_to_its_limit_and_never_through_a_link(tmp_path: Path) -> None:
    """Ten gigabytes of it cost a thousand characters; links and pipes count as none."""
    large, link, pipe, folder = (tmp_path / name for name in ("large", "link", "pipe", "folder"))
    with large.open("wb") as file:
        file.write(b"it failed")
        file.truncate(10 << 30)  # holes, no blocks
    link.symlink_to(large)
    folder.symlink_to(tmp_path)
    os.mkfifo(pipe)
    assert len(first_characters(large, 1024)) == 1024
    assert [first_characters(path, 1024) for path in (link, pipe, folder / "large", tmp_path, tmp_path / "none")] == [
        ""
    ] * 5


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("os.rmdir(out); os.symlink('/etc', out)", "ClientError: /opt/ml/processing/output leads outside /opt/ml"),
        ("os.rmdir(out)", None),
        ("os.mkfifo(out + '/pipe'); os.symlink('/etc', out + '/etc')", None),
    ],
)
def test_outputs_are_not_looked_for_beyond_their_folder(account: Account, script: str, reason: str | None) -> None:
    """A link in the folder's place is refused; links and pipes in it stay behind; a folder that is gone is empty."""
    job = account.process(f"import os, sys\nout = sys.argv[1]\n{script}")
    assert (job["ProcessingJobStatus"], job.get("FailureReason")) == ("Failed" if reason else "Completed", reason)
    listed = account.runtime.clients.s3.list_objects_v2(Bucket="data", Prefix="out/")
    assert "Contents" not in listed


def test_a_link_in_the_place_of_the_message_is_not_followed(account: Account) -> None:
    """ExitMessage is the container's own words."""
    job = account.process("import os\nos.symlink('/etc/passwd', '/opt/ml/output/message')")
    assert (job["ProcessingJobStatus"], job.get("ExitMessage")) == ("Completed", None)


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        (("train/../../../../outside",), "leads outside its channel"),
        (("train/a", "train/a/b"), "Data download failed"),
        (("train/" + "n" * 300,), "Data download failed"),
        (("train//day1/t.csv",), "Failed to download data. S3 key: s3://data/train//day1/t.csv has an illegal char"),
    ],
)
def test_fails_on_keys_that_are_no_paths(account: Account, keys: tuple[str, ...], reason: str) -> None:
    """Beyond the channel's folder, a file that is a folder too, longer than a name can be."""
    for key in keys:
        account.put(key, "0,1\n")
    job = account.train()
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: ")
    assert reason in job["FailureReason"]


def test_a_processing_job_fails_on_two_slashes_in_a_row_too(account: Account) -> None:
    """Both kinds of job download in the same way."""
    account.put("code//other.py", "")
    job = account.process("print('never run')")
    reason = "S3 key: s3://data/code//other.py has an illegal char sub-sequence '//' in it"
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == f"ClientError: Data download failed:Failed to download data. {reason}"


def test_keys_within_their_channel_may_look_odd(account: Account) -> None:
    """What only looks like a way out is a name like any other."""
    account.put("code/..hidden/...", "x")
    account.put("code/%2e%2e/x", "x")
    script = "import os\nprint(sorted(os.listdir('/opt/ml/processing/code')))"
    assert account.process(script)["ProcessingJobStatus"] == "Completed"
    assert account.log("/aws/sagemaker/ProcessingJobs") == ["['%2e%2e', '..hidden', 'script.py']"]


@pytest.mark.parametrize("path", ["/opt/ml/../../etc", "/opt/mlx", "/etc", "opt/ml/x", "/opt/ml/a\0b"])
def test_fails_for_a_local_path_beyond_opt_ml(account: Account, path: str) -> None:
    """Before anything of the job exists."""
    output = {"S3Uri": "s3://data/out", "LocalPath": path, "S3UploadMode": "EndOfJob"}
    changed = {"Outputs": [{"OutputName": "out", "S3Output": output}]}
    with pytest.raises(ClientError, match=r"LocalPath .* is not below /opt/ml"):
        account.process("", ProcessingOutputConfig=changed)
    with pytest.raises(ClientError, match=r"LocalPath .* is not below /opt/ml"):
        account.train(CheckpointConfig={"S3Uri": "s3://data/checkpoints", "LocalPath": path})


@pytest.mark.parametrize("name", [".", ".."])
def test_fails_for_a_channel_that_is_no_folder_of_its_own(account: Account, name: str) -> None:
    """Its data would lie among the configuration."""
    channel = {**account.training_request("job")["InputDataConfig"][0], "ChannelName": name}
    with pytest.raises(ClientError, match="is no name of a folder"):
        account.train(InputDataConfig=[channel])


def test_a_bucket_in_the_form_of_a_web_address_is_refused_without_a_stack_trace(account: Account) -> None:
    """The service model's pattern takes it."""
    account.put("train/a.csv", "0,1\n1,2\n")
    job = account.train(OutputDataConfig={"S3OutputPath": "https://data/models"})
    assert (
        job["FailureReason"]
        == "ClientError: 'https://data/models/job/output/model.tar.gz' is no S3 URI; write s3://BUCKET/KEY"
    )


def _read(text: str) -> list[str]:
    lines: list[str] = []
    container = Container(Path("/"), ["true"], {}, isolated=False, log=lines.append)
    container._read(io.StringIO(text, newline="\n"))
    return lines


@pytest.mark.parametrize("length", [LONGEST_LINE - 1, LONGEST_LINE, LONGEST_LINE + 1, 3 * LONGEST_LINE])
def test_a_long_line_is_told_in_pieces(length: int) -> None:
    """Nothing is lost, and no empty line comes of it."""
    lines = _read(f"a\n\n{'x' * length}\nb\n{'y' * length}")
    assert lines[:2] == ["a", ""]
    assert "".join(lines[2:]) == "x" * length + "b" + "y" * length
    assert max(map(len, lines)) <= LONGEST_LINE
    assert "" not in lines[2:]


def test_output_without_line_ends_takes_no_memory(account: Account) -> None:
    """Of gigabytes without a line's end, a piece is held at a time."""
    script = "import sys\nfor _ in range(30): sys.stdout.write('x' * 100_000)"
    assert account.process(script)["ProcessingJobStatus"] == "Completed"
    lines = account.log("/aws/sagemaker/ProcessingJobs")
    assert (sum(map(len, lines)), max(map(len, lines))) == (3_000_000, LONGEST_LINE)


class _Clients:
    """Takes what is delivered."""

    def __init__(self) -> None:
        self.logs = self
        self.batches: list[list[Any]] = []
        self.failing = threading.Event()

    def create_log_group(self, **_: Any) -> None:
        """Take a group."""

    def create_log_stream(self, **_: Any) -> None:
        """Take a stream."""

    def put_log_events(self, logEvents: list[Any], **_: Any) -> None:  # noqa: N803  # as boto3 has it
        if self.failing.is_set():
            raise ValueError("broken")
        self.batches.append(logEvents)


def test_a_log_beyond_its_limit_keeps_beginning_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many lines are left out stands between them."""
    monkeypatch.setattr(job_log, "MOST_CHARACTERS", 30)
    monkeypatch.setattr(job_log, "LAST_LINES", 2)
    clients = _Clients()
    log = JobLog(clients, "group", "job")  # type: ignore[arg-type]  # a fake
    log.open()
    for number in range(10):
        log.write(f"line {number:5d}")
    log.close()
    messages = [event["message"] for batch in clients.batches for event in batch]
    assert messages[:2] == ["line     0", "line     1"]
    assert messages[-2:] == ["line     8", "line     9"]
    assert messages[3:-2] == ["[5 lines are left out here: a log beyond 30 characters is cut locally]"]


def test_batches_stay_below_what_the_service_takes() -> None:
    """PutLogEvents takes a megabyte."""
    clients = _Clients()
    log = JobLog(clients, "group", "job")  # type: ignore[arg-type]  # a fake
    log.open()
    for _ in range(40):
        log.write("\N{GRINNING FACE}" * LONGEST_LINE)
    log.close()
    sizes = [sum(len(event["message"].encode()) + 26 for event in batch) for batch in clients.batches]
    assert sum(len(batch) for batch in clients.batches) == 40
    assert max(sizes) <= 1 << 20


def test_a_log_that_cannot_be_delivered_is_told_and_keeps_nobody_waiting() -> None:
    """Whatever the reason: the job goes on to its end, and then fails."""
    clients = _Clients()
    log = JobLog(clients, "group", "job")  # type: ignore[arg-type]  # a fake
    log.open()
    clients.failing.set()
    for number in range(job_log.MOST_WAITING * 2):
        log.write(str(number))
    with pytest.raises(ValueError, match="broken"):
        log.close()
