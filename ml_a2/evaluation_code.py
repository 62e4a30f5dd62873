"""What lies under `evaluation/` in the training data bucket: evaluate.py, its modules, and the xgboost wheel."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from platformdirs import user_cache_path

from ml_a2 import contract
from ml_a2.digest import file_sha256
from ml_a2.errors import PlatformError

XGBOOST_WHEEL_SHA256 = "ac3281127b2f77f6c62e8699216b0974a1c4a442ee6162eb94256c01df7cd1f5"
WHEEL_VERSION = contract.XGBOOST_WHEEL.split("-")[1]


def evaluation_files(cache: Path | None = None, tell: Callable[[str], None] = print) -> dict[str, Path]:
    """Return the files by their keys; the wheel is downloaded from the package index when the cache lacks it.

    Raises:
        PlatformError: the wheel cannot be downloaded, or is not the one that is expected.
    """
    jobs = Path(str(files("ml_a2.jobs")))
    scripts = [jobs / contract.EVALUATION_SCRIPT, *sorted(jobs.glob(f"{contract.EVALUATION_MODULES}/*.py"))]
    wheel = (cache or _cache()) / contract.XGBOOST_WHEEL
    if not wheel.is_file() or file_sha256(wheel) != XGBOOST_WHEEL_SHA256:
        tell(f"downloading {wheel.name} (once): the evaluation image has no xgboost")
        _download(wheel)
    modules = {f"{contract.CODE_PREFIX}{path.relative_to(jobs).as_posix()}": path for path in scripts}
    return {**modules, f"{contract.CODE_PREFIX}{wheel.name}": wheel}


def _cache() -> Path:
    """Return the person's cache of wheels; where nothing can be written there, a folder among temporary files.

    Whoever may write into that one changes nothing: a wheel is taken only with the hash that is expected.
    """
    cache = user_cache_path("ml-a2") / "wheels"
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(tempfile.gettempdir(), "ml-a2-wheels")
    return cache


def _download(wheel: Path) -> None:
    wheel.parent.mkdir(parents=True, exist_ok=True)
    # The image's platform, whatever this machine is.
    platform = ["--platform", "manylinux2014_x86_64", "--python-version", "3.9", "--only-binary", ":all:"]
    with tempfile.TemporaryDirectory(dir=wheel.parent) as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, *platform]
        answer = subprocess.run(
            [*command, f"xgboost-cpu=={WHEEL_VERSION}"], capture_output=True, text=True, check=False
        )
        downloaded = Path(folder, wheel.name)
        if answer.returncode != 0 or not downloaded.is_file():
            raise PlatformError(
                f"{wheel.name} cannot be downloaded, which evaluate.py needs in the evaluation image; connect to the "
                f"package index once, or put the file into {wheel.parent}: {answer.stderr.strip()[-500:]}"
            )
        if (found := file_sha256(downloaded)) != XGBOOST_WHEEL_SHA256:
            raise PlatformError(f"{wheel.name} has the SHA-256 {found}, not {XGBOOST_WHEEL_SHA256}; it is not used")
        downloaded.replace(wheel)
