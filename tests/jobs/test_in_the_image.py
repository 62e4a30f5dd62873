"""evaluate.py where it will run: the image's own packages suffice, and nothing but what lies beside it is needed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ml_a2.contract import CODE_PREFIX
from ml_a2.evaluation_code import evaluation_files
from ml_a2.jobs import evaluate
from tests.jobs.cases import evaluated, labelled_rows, pack, trained, values_of, write


def test_evaluate_without_its_folder_says_so(tmp_path: Path) -> None:
    """Whoever uploads the script alone reads what is missing."""
    shutil.copy(evaluate.__file__, tmp_path / "evaluate.py")
    command = [sys.executable, "-I", str(tmp_path / "evaluate.py")]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "evaluate.py needs the folder 'quality' beside it: upload both" in answer.stderr


IMAGE_PACKAGES = ("numpy==1.24.1", "pandas==1.1.3", "scipy==1.8.0", "scikit-learn==1.2.1")


def _image_python() -> str | None:
    """Return a Python of the image's release, which can be elsewhere than on PATH."""
    for name in ("python3.9", "python3.8"):
        candidates = [shutil.which(name), *map(str, Path.home().glob(f".pyenv/versions/{name[6:]}.*/bin/{name}"))]
        for candidate in filter(None, candidates):
            if subprocess.run([candidate, "-c", "import venv"], capture_output=True, check=False).returncode == 0:
                return candidate
    return None


@pytest.mark.xdist_group("image")
def test_runs_in_the_image_with_its_own_packages_and_no_network(tmp_path: Path) -> None:
    """The image's Python and package set, no xgboost but the wheel beside the script, and no network at job time."""
    python = _image_python()
    if python is None:
        pytest.skip("no Python 3.9 or 3.8, the image's own, is on this machine")
    environment = tmp_path / "image"
    subprocess.run([python, "-m", "venv", str(environment)], check=True)
    install = [environment / "bin/python", "-m", "pip", "install", "--quiet", "--only-binary", ":all:", *IMAGE_PACKAGES]
    answer = subprocess.run(install, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        pytest.skip(f"the image's packages cannot be installed here: {answer.stderr[-300:]}")
    code = tmp_path / "code"
    code.mkdir()
    for key, path in evaluation_files().items():
        target = code / key.removeprefix(CODE_PREFIX)
        target.parent.mkdir(exist_ok=True)
        shutil.copy(path, target)
    labels, features = labelled_rows(7, 2)
    booster = trained(labels, features, objective="binary:logistic")
    model, data = pack(tmp_path / "m", booster), write(tmp_path / "v", labels, features)
    command = [environment / "bin/python", code / "evaluate.py", "--model", model, "--validation", data]
    command += ["--output", tmp_path / "out", "--message", tmp_path / "message"]
    # An index that does not exist: whatever asked for the network would fail.
    without = {"PATH": os.environ["PATH"], "PIP_INDEX_URL": "http://127.0.0.1:1", "PIP_CONFIG_FILE": os.devnull}
    ran = subprocess.run(list(map(str, command)), env=without, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    there = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    here, curves = evaluated(model, data)
    key = "binary_classification_metrics"
    assert values_of(there, key) == pytest.approx(values_of(here, key), abs=1e-9)
    ends = {name: interval["lower"] for name, interval in here["confidence_intervals"]["metrics"].items()}
    for name, interval in there["confidence_intervals"]["metrics"].items():
        assert interval["lower"] == pytest.approx(ends[name], abs=1e-6)
    assert json.loads((tmp_path / "out" / "curves.json").read_text()).keys() == curves.keys()
    assert sys.version_info[:2] >= (3, 11)  # so this is another Python than the one just run
