"""A container that comes to harm: what `--fault` puts in the place of an image."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import NoReturn

# Long enough for the job to be seen Stopping.
LINGER_SECONDS = 0.5


def main(kind: str) -> int:
    """Come to harm.

    Args:
        kind: `crash` dies of an exception, `oom` is killed as the kernel does it, `stopped`, `timeout` and
            `hang` wait for their end.
    """
    print(f"this container was asked for by --fault: {kind}", flush=True)
    if kind == "oom":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "crash":
        return _crash()
    # The first process of a container ignores SIGTERM unless it says otherwise.
    signal.signal(signal.SIGTERM, lambda *_: _leave(kind))
    while True:
        time.sleep(60)


def _leave(kind: str) -> NoReturn:
    """End when told to: not at once, as a real container that saves its work, but for the one that just hangs."""
    if kind != "hang":
        time.sleep(LINGER_SECONDS)
    sys.exit(0)


def _crash() -> int:
    try:
        float("injected")
    except ValueError as error:
        report = f"framework error: \n{traceback.format_exc()}\n{type(error).__name__}: {error}"
    print(report, file=sys.stderr, flush=True)
    failure = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"), "output", "failure")
    failure.parent.mkdir(parents=True, exist_ok=True)
    failure.write_text(report, encoding="utf-8")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
