"""An installed wheel works from an empty folder, without the repository."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

import ml_a2
from ml_a2 import contract
from ml_a2.evaluation_code import evaluation_files

ROOT = Path(__file__).parents[1]
PIP = ["-m", "pip", "--disable-pip-version-check", "--quiet"]
DOCUMENTS = "share/doc/ml-a2/"
pytestmark = pytest.mark.xdist_group("wheel")


@dataclass(frozen=True)
class Installed:
    """An environment that the wheel is installed in, an empty folder to use it from, and a home."""

    environment: Path
    folder: Path
    home: Path

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, which knows nothing of the repository."""
        variables = {"PATH": os.environ["PATH"], "HOME": str(self.home)}
        for name in ("LANG", "SYSTEMROOT", "TEMP", "TMP"):
            variables |= {name: os.environ[name]} if name in os.environ else {}
        command = [str(self.environment / "bin" / program), *arguments]
        return subprocess.run(command, cwd=self.folder, env=variables, capture_output=True, text=True, check=False)

    def cache(self) -> Path:
        """Return where the package keeps what it can make again."""
        told = self.run("python", "-c", "import platformdirs; print(platformdirs.user_cache_path('ml-a2'))").stdout
        return Path(told.strip())


def _sources() -> list[str]:
    """Return what git knows of the project, or would take up."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if answer.returncode:
        pytest.skip(f"git does not tell which files are the project's: {answer.stderr.strip()}")
    return [name for name in answer.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a clean checkout: nothing comes from an earlier build."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in _sources():
        (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / "source" / name)
    command = [sys.executable, *PIP, "wheel", "--no-deps", "--wheel-dir", str(folder), str(folder / "source")]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode and "No matching distribution found for setuptools" in answer.stderr:
        pytest.skip("the package index cannot be reached, which setuptools comes from")
    assert answer.returncode == 0, answer.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Installed:
    """An environment with this session's packages, but for the repository itself."""
    environment, folder, home = (wheel.parent / name for name in ("venv", "empty", "home"))
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    # The .pth files in there are not read from here, so that the editable installation is not found.
    packages = environment / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
    (packages / "session.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    for place in (folder, home):
        place.mkdir()
    installed = Installed(environment, folder, home)
    answer = installed.run("python", *PIP, "install", "--no-deps", str(wheel))
    assert answer.returncode == 0, answer.stderr
    wheels = installed.cache() / "wheels"
    wheels.mkdir(parents=True)
    shutil.copy(evaluation_files()[f"{contract.CODE_PREFIX}{contract.XGBOOST_WHEEL}"], wheels)
    return installed


def test_the_wheel_has_every_file_of_the_package(wheel: Path) -> None:
    """Modules, templates, tables and the evaluation's folder; of the rest, what messages refer to."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    package = {name for name in names if name.startswith("ml_a2/")}
    assert package == {name for name in _sources() if name.startswith("ml_a2/")}
    assert package >= {"ml_a2/jobs/quality/model.py", "ml_a2/report/templates/report.css", "ml_a2/py.typed"}
    documents = {name.partition(DOCUMENTS)[2] for name in names if DOCUMENTS in name}
    pages = {name for name in _sources() if name.startswith("docs/") and name.endswith(".md")}
    assert documents == {"README.md", "CHANGELOG.md", *pages}
    others = {name.split("/")[1] for name in names if not name.startswith("ml_a2/") and DOCUMENTS not in name}
    assert others == {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "top_level.txt", "licenses"}


def test_help_comes_from_the_wheel(installed: Installed) -> None:
    """The command is the installed one, and says where the documentation is."""
    where = installed.run("python", "-c", "import ml_a2; print(ml_a2.__file__)").stdout
    assert Path(where.strip()).is_relative_to(installed.environment)
    assert installed.run("ml-a2", "--version").stdout == f"ml-a2, version {ml_a2.__version__}\n"
    answer = installed.run("ml-a2", "--help")
    assert answer.stdout.startswith("Usage: ml-a2 ")
    assert f"{DOCUMENTS}docs" in answer.stdout
    assert (installed.environment / DOCUMENTS / "docs" / "settings.md").is_file()


def test_an_assembly_is_the_clones_own(installed: Installed, assembly: Path) -> None:
    """Synthesized without app.py and cdk.json, byte by byte the same template."""
    answer = installed.run("ml-a2", "synth", "--json")
    assert answer.returncode == 0, answer.stderr
    told = json.loads(answer.stdout)
    template = installed.folder / told["template"]
    assert template.read_bytes() == (assembly / template.name).read_bytes()


def test_a_run_trains_and_evaluates(installed: Installed) -> None:
    """With its own synthesis, kept in the person's cache, and results in the current folder."""
    answer = installed.run("ml-a2", "run", "--json", "--set", "num_round=5")
    assert answer.returncode == 0, answer.stderr
    result = json.loads(answer.stdout)
    assert result["status"] == "SUCCEEDED"
    assert result["metrics"]["auc"] > 0.9
    assert (installed.folder / result["run_directory"] / "report.html").is_file()
    assert len(list(installed.cache().glob("assemblies/*/cdk.out/manifest.json"))) == 1
    assert {path.name for path in installed.folder.iterdir()} <= {"cdk.out", "runs"}
