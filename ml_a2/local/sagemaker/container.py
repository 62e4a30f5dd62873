"""One container: a subprocess with its own /opt/ml, whose output lines go to a log."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO

from ml_a2.local.sagemaker.launcher import NAMESPACES_UNAVAILABLE
from ml_a2.local.sagemaker.warm_containers import WarmContainers, base_environment

ML_PATH = "/opt/ml"
# "Amazon SageMaker sends SIGTERM, then SIGKILL after 120 seconds."
STOP_GRACE_SECONDS = 120
# Without namespaces a process can escape with the output still open; the job does not wait for it for ever.
OUTPUT_GRACE_SECONDS = 10
# Characters, of up to 4 bytes: an event of CloudWatch Logs has 256 KB. A longer line is told in pieces.
LONGEST_LINE = 60_000


class Container:
    """Runs one command to its end, or until it is stopped."""

    def __init__(
        self,
        base: Path,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        isolated: bool,
        log: Callable[[str], None],
        neighbour: Container | None = None,
        warm: WarmContainers | None = None,
    ) -> None:
        """Describe the container.

        Args:
            base: the folder that the command sees as /opt/ml.
            command: entry point and arguments; where namespaces are missing, /opt/ml in them is rewritten to `base`.
            environment: the job's variables; nothing of this process's own environment is passed on.
            isolated: whether the command must not reach a network; kept where namespaces are available.
            log: takes each line of output, without its end.
            neighbour: a container whose network an isolated one shares, as the hosts of one job do.
            warm: containers that may wait for such a command already.
        """
        self._base = base
        self._log = log
        self._environment = {**base_environment(), **environment}
        self._warm = None if neighbour else warm
        self._isolated = isolated
        # The image's Python is this one, whatever it is called there.
        command = [sys.executable if word in ("python", "python3") else word for word in command[:1]] + list(
            command[1:]
        )
        self._program = command
        self._neighbour = neighbour if isolated else None
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._ended = threading.Event()

    def run(self) -> int:
        """Run the command and return its exit code, 128 + signal as a shell tells it; -1 when stopped before."""
        with self._lock:
            if self._stopped.is_set():
                return -1
            self._process = process = self._take()
        if process is None:
            command, environment = self._launched()
            with self._lock:
                if self._stopped.is_set():
                    return -1
                self._process = process = self._start(command, environment)
        reader = threading.Thread(target=self._read, args=(process.stdout,), name="output", daemon=True)
        reader.start()
        code = process.wait()
        # A container ends with its first process: whatever that left behind in its group ends too, and with it the
        # output that it may have kept open.
        self._end(by_force=True)
        self._ended.set()
        reader.join(OUTPUT_GRACE_SECONDS)
        return code if code >= 0 else 128 - code

    def _take(self) -> subprocess.Popen[str] | None:
        if self._warm is None:
            return None
        return self._warm.take(self._base, self._program, self._environment, isolated=self._isolated)

    def _launched(self) -> tuple[list[str], dict[str, str]]:
        """Return the command that runs the program as far apart as this host can, and its variables."""
        if not has_namespaces():
            command = [word.replace(ML_PATH, str(self._base)) for word in self._program]
            return command, {**self._environment, "SAGEMAKER_BASE_DIR": str(self._base)}
        launcher = str(Path(__file__).with_name("launcher.py"))
        network = "isolated" if self._isolated else "networked"
        if self._neighbour:
            network = self._neighbour.network()
        return [sys.executable, "-I", "-S", launcher, str(self._base), network, *self._program], self._environment

    def _start(self, command: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            env=environment,
            cwd=self._base,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )

    def network(self) -> str:
        """Wait until this container has a network of its own, and return the process by which it can be joined."""
        own = Path("/proc/self/ns/net").readlink()
        while not self._stopped.is_set() and not self._ended.is_set():
            with self._lock:
                process = self._process
            try:
                if process and Path(f"/proc/{process.pid}/ns/net").readlink() != own:
                    return str(process.pid)
            except FileNotFoundError:
                break  # it ended just now
            time.sleep(0.01)
        return "isolated"  # there is nobody to join

    def stop(self) -> None:
        """Ask the command to end; after the grace time it is killed. Returns at once."""
        self._stopped.set()
        self._end(by_force=False)
        threading.Thread(target=self._kill_after_grace, name="stop", daemon=True).start()

    def kill(self) -> None:
        """End the command now."""
        self._stopped.set()
        self._end(by_force=True)

    def _read(self, output: IO[str]) -> None:
        with output:
            rest = False  # whether what comes next only ends a line of which much was told already
            while piece := output.readline(LONGEST_LINE):
                line = piece.rstrip("\r\n")
                if line or not rest:
                    self._log(line)
                rest = not piece.endswith("\n")

    def _kill_after_grace(self) -> None:
        if not self._ended.wait(STOP_GRACE_SECONDS):
            self._end(by_force=True)

    def _end(self, *, by_force: bool) -> None:
        with self._lock:
            process = self._process
        if process is None or self._ended.is_set():
            return
        try:
            if os.name == "posix":
                os.killpg(process.pid, signal.SIGKILL if by_force else signal.SIGTERM)
            elif by_force:
                process.kill()
            else:
                process.terminate()
        except ProcessLookupError:
            pass  # it ended by itself


@cache
def has_namespaces() -> bool:
    """Tell whether this host lets a job have a /opt/ml of its own."""
    if sys.platform != "linux":
        return False
    launcher = str(Path(__file__).with_name("launcher.py"))
    with tempfile.TemporaryDirectory(prefix="ml-a2-") as folder:
        base = Path(folder, "ml")
        base.mkdir()
        command = [sys.executable, "-I", "-S", launcher, str(base), "isolated", "true"]
        answer = subprocess.run(command, capture_output=True, check=False)
    if answer.returncode not in (0, NAMESPACES_UNAVAILABLE):
        raise RuntimeError(f"the launcher ended with {answer.returncode}: {answer.stderr.decode(errors='replace')}")
    return answer.returncode == 0
