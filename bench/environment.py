"""The environment of the peers: made once, of exact versions, with the same Python as ours."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ml_a2.errors import PlatformError

PEERS = Path(__file__).parent / "peers"
REQUIREMENTS = PEERS / "requirements.txt"


def peers_python(cache: Path, tell: Callable[[str], None]) -> Path:
    """Return the interpreter that the peers run with; its environment is made where the cache has none as required.

    Raises:
        PlatformError: it cannot be made.
    """
    folder = cache / "environment"
    python, installed = folder / "bin" / "python", folder / "installed.txt"
    wanted = f"# Python {sys.version.split()[0]}\n{REQUIREMENTS.read_text(encoding='utf-8')}"
    if installed.is_file() and installed.read_text(encoding="utf-8") == wanted:
        return python
    tell("making the environment of the peers: a minute, once")
    shutil.rmtree(folder, ignore_errors=True)
    _call([sys.executable, "-m", "venv", str(folder)])
    _call([str(python), "-m", "pip", "install", "--quiet", "--requirement", str(REQUIREMENTS)])
    installed.write_text(wanted, encoding="utf-8")
    return python


def _call(command: list[str]) -> None:
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise PlatformError(
            f"the environment of the peers cannot be made: {' '.join(command)} ended with exit status "
            f"{answer.returncode}: {answer.stderr.strip()[-1000:]}; is the package index to be reached?"
        )
