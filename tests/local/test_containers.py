"""The processes of jobs: their /opt/ml, their network, their end."""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from ml_a2.local.runtime import LocalRuntime
from ml_a2.local.sagemaker import container
from tests.local.conftest import TRUST, Account


@pytest.fixture
def mark() -> str:
    """Seconds for a sleep that no other process on the machine has."""
    return f"86400.{uuid.uuid4().int % 10**9:09d}"


@pytest.mark.parametrize("isolated", [True, False])
def test_network_isolation_is_what_keeps_a_job_from_the_network(account: Account, isolated: bool) -> None:
    """An isolated job cannot reach a port that another job reaches."""
    if not container.has_namespaces():
        pytest.skip("this host has no namespaces; see docs/fidelity.md")
    port = account.runtime.url.rpartition(":")[2]
    script = f"import socket\nsocket.create_connection(('127.0.0.1', {port}), timeout=5)"
    job = account.process(script, NetworkConfig={"EnableNetworkIsolation": isolated})
    assert job["ProcessingJobStatus"] == ("Failed" if isolated else "Completed")


def test_a_launcher_that_fails_is_no_failure_of_the_program(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job says whose error it is."""

    def fail() -> bool:
        raise RuntimeError("the launcher ended with 3")

    monkeypatch.setattr(container, "has_namespaces", fail)
    job = account.train("training")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == "InternalServerError: RuntimeError: the launcher ended with 3"


def test_jobs_run_on_hosts_without_namespaces(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a job cannot have a /opt/ml of its own, the paths in its command are rewritten."""
    monkeypatch.setattr(container, "has_namespaces", lambda: False)
    assert account.train("training")["TrainingJobStatus"] == "Completed"
    job = account.process("import sys\nopen(sys.argv[1] + '/out.txt', 'w').write(__file__)", "processing")
    assert job["ProcessingJobStatus"] == "Completed", account.log("/aws/sagemaker/ProcessingJobs")
    assert account.get("out/out.txt").endswith(b"/ml/processing/code/script.py")


def test_reaching_the_longest_run_time_ends_stopped(account: Account) -> None:
    """MaxRuntimeInSeconds stops a job; it does not fail it."""
    job = account.process("import time\ntime.sleep(600)", StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert job["ProcessingJobStatus"] == "Stopped"
    assert "FailureReason" not in job


def test_stopping_ends_the_process_and_the_job(account: Account) -> None:
    """StopProcessingJob: SIGTERM reaches the script, which may clean up; the job ends Stopped."""
    script = """
import signal, sys, time
def end(*_):
    open(sys.argv[1] + "/last-words", "w").write("bye"); sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
time.sleep(600)
"""
    account.put("code/script.py", script)
    sagemaker = account.runtime.clients.sagemaker
    sagemaker.create_processing_job(**account.processing_request("job"))
    while not _has_line(account, "ready"):
        time.sleep(0.05)
    sagemaker.stop_processing_job(ProcessingJobName="job")
    job = account.wait(lambda: sagemaker.describe_processing_job(ProcessingJobName="job"), "Processing")
    assert job["ProcessingJobStatus"] == "Stopped"
    assert account.get("out/last-words") == b"bye"
    with pytest.raises(ClientError, match="is in status Stopped"):
        sagemaker.stop_processing_job(ProcessingJobName="job")


def _has_line(account: Account, line: str) -> bool:
    try:
        return line in account.log("/aws/sagemaker/ProcessingJobs")
    except (ClientError, IndexError):
        return False


@pytest.mark.parametrize("own_session", [True, False])
def test_a_job_ends_with_its_first_process(account: Account, mark: str, own_session: bool) -> None:
    """A child that keeps the output open does not keep the job alive, as in a container, and ends with it."""
    if own_session and not container.has_namespaces():
        pytest.skip("without namespaces a process can escape; see docs/fidelity.md")
    script = f"import subprocess\nsubprocess.Popen(['sleep', '{mark}'], start_new_session={own_session})"
    job = account.process(script)
    assert job["ProcessingJobStatus"] == "Completed"
    assert not _runs(mark)


def test_no_process_is_left_when_the_runtime_ends(mark: str) -> None:
    """Closing the runtime ends running jobs with everything that they started."""
    with LocalRuntime() as runtime:
        runtime.clients.s3.create_bucket(Bucket="data")
        role = runtime.clients.iam.create_role(RoleName="job", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
        account = Account(runtime, role["Arn"])
        account.allow({"Effect": "Allow", "Action": "*", "Resource": "*"})
        account.put("code/script.py", f"import subprocess\nsubprocess.Popen(['sleep', '{mark}']).wait()")
        runtime.clients.sagemaker.create_processing_job(**account.processing_request("job"))
        while not _runs(mark):
            time.sleep(0.05)
    assert not _runs(mark)


def _runs(word: str) -> bool:
    """Tell whether a process with that word on its command line is alive."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if word in folder.joinpath("cmdline").read_text().split("\0"):
                return True
        except OSError:
            continue  # it ended meanwhile
    return False
