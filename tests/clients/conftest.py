"""Other people's programs against the embedded endpoint, each in an environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from ml_a2.local.runtime import LocalRuntime

INSTALLED = "installed"
AWS_CLI = "awscli==1.46.3"
CDK_CLI = ["npx", "--yes", "aws-cdk@2.1148.1"]


@dataclass(frozen=True)
class Client:
    """A program that talks to a runtime."""

    runtime: LocalRuntime
    program: Sequence[str]
    folder: Path
    variables: Mapping[str, str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end, however it ends; it sees nothing of this machine's AWS configuration."""
        region = self.runtime.environment.region
        environment = {
            **os.environ,
            "AWS_ENDPOINT_URL": self.runtime.url,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            **self.variables,
        }
        command = [*self.program, *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=300
        )

    def text(self, *arguments: str) -> str:
        """Return what it prints; it must succeed."""
        answer = self.run(*arguments)
        assert answer.returncode == 0, f"{' '.join(arguments)}:\n{answer.stdout}\n{answer.stderr}"
        return answer.stdout


@pytest.fixture
def bootstrapped() -> Iterator[LocalRuntime]:
    """An endpoint as `ml-a2 local up` serves it, without a stack."""
    with LocalRuntime(speed=1000) as runtime:
        runtime.bootstrap()
        yield runtime


@pytest.fixture
def aws(bootstrapped: LocalRuntime, tmp_path: Path, pytestconfig: pytest.Config) -> Client:
    """The AWS CLI."""
    assert pytestconfig.cache is not None
    programs = environment_with(AWS_CLI, pytestconfig.cache.mkdir("clients"))
    return Client(bootstrapped, [str(programs / "python"), "-m", "awscli"], tmp_path, {"AWS_PAGER": ""})


@pytest.fixture
def cdk(bootstrapped: LocalRuntime, tmp_path: Path) -> Client:
    """The CDK's CLI, of a version that knows AWS_ENDPOINT_URL."""
    if shutil.which("npx") is None:
        pytest.skip("npx, which comes with Node.js, is not installed")
    found = subprocess.run([*CDK_CLI, "--version"], capture_output=True, text=True, check=False, timeout=120)
    if found.returncode != 0:
        pytest.skip(f"aws-cdk cannot be had from npm's registry: {found.stderr.strip()[-300:]}")
    return Client(bootstrapped, CDK_CLI, tmp_path, {"CI": "true", "CDK_DISABLE_CLI_TELEMETRY": "true"})


def environment_with(requirement: str, cache: Path) -> Path:
    """Return the folder of programs of an environment with a package, kept from one session to the next."""
    home = cache / requirement
    with FileLock(f"{home}.lock"):
        if not (home / INSTALLED).exists():
            venv.create(home, with_pip=True, clear=True)
            install = [str(_programs(home) / "python"), "-m", "pip", "install", "--quiet", "--prefer-binary"]
            answer = subprocess.run([*install, requirement], capture_output=True, text=True, check=False)
            if answer.returncode != 0:
                pytest.skip(f"{requirement} cannot be installed: {answer.stderr.strip()[-300:]}")
            (home / INSTALLED).touch()
    return _programs(home)


def _programs(home: Path) -> Path:
    return home / ("Scripts" if sys.platform == "win32" else "bin")
