"""What a command costs: time, processor time and memory of it and of all processes that it starts.

Memory is told in two ways. The largest process: the kernel's own count for the command and every process below it
that was waited for, or what was read of one that was not. All at once: the sum of proportional set sizes, in which a
page that processes share counts once, read so often that reading takes about 2 % of one core. The kernel counts a new
process as large as the one that starts it, so whoever measures stays small.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.processes import Offspring, memory_mb
from ml_a2.errors import PlatformError

# Between two readings of memory passes this many times the processor time that one took, up to the longest pause.
PAUSE, LONGEST_PAUSE_SECONDS = 50, 0.25
# How long a command has to end once it is told to.
GRACE_SECONDS = 10
# What a command said last, in the error that tells of its failure.
LAST_WORDS = 2000
# Of the person's variables these play no part.
FOREIGN = ("AWS_", "METAFLOW_", "PYTHON")


@dataclass(frozen=True)
class Usage:
    """What one run of a command cost, and what it wrote on standard output."""

    seconds: float
    processor_seconds: float
    largest_mb: float
    together_mb: float
    output: str


def measure(command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> Usage:
    """Run a command to its end.

    Args:
        command: what is run.
        folder: where.
        environment: laid over the person's own variables.

    Raises:
        PlatformError: it failed, left a process behind, or this is no Linux.
    """
    with Running(command, folder, environment or {}) as running:
        running.wait()
    return running.usage()


def own_variables() -> dict[str, str]:
    """Return the person's variables without those that play no part."""
    return {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}


class Running:
    """A command that runs and is measured; as a context manager it leaves no process behind, however it ends."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> None:
        """Remember what to run, where, and what is laid over the person's own variables."""
        self._command, self._folder, self._environment = list(command), folder, environment or {}
        self._left: list[str] = []
        self._output = self._errors = ""

    def __enter__(self) -> Self:
        """Start it.

        Raises:
            PlatformError: this is no Linux.
        """
        self._offspring = Offspring()
        self._memory = _Memory(self._offspring)
        self._said = tempfile.TemporaryDirectory(prefix="ml-a2-bench-")
        with self._file("output").open("wb") as output, self._file("errors").open("wb") as errors:
            self._began = time.perf_counter()
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env={**own_variables(), **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,  # the terminal's Ctrl-C comes to us alone, and we end the command
            )
        self._memory.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the command where it still runs, first as a person would, then whatever it left."""
        try:
            self.stop()
        finally:  # also when interrupted once more
            if not self.has_ended():
                self._process.kill()
                self.wait()
            self._left = self._offspring.end()
            self._output, self._errors = self._read("output"), self._read("errors")
            self._said.cleanup()
            self._memory.stop()

    def wait(self) -> None:
        """Wait for its end."""
        self._reap(0)

    def has_ended(self) -> bool:
        """Tell whether it has ended."""
        return self._process.returncode is not None or self._reap(os.WNOHANG)

    def stop(self) -> None:
        """Tell it to end where it still runs, and give it time to."""
        deadline = time.monotonic() + GRACE_SECONDS
        if not self.has_ended():
            self._process.send_signal(signal.SIGTERM)
        while not self.has_ended() and time.monotonic() < deadline:
            time.sleep(0.01)

    def largest_mb(self) -> float:
        """Return the memory that the largest of its processes has now."""
        return max(memory_mb(pid)[0] for pid in self._offspring.pids())

    def last_words(self) -> str:
        """Return the end of what it has written on standard error until now."""
        return self._read("errors").strip()[-LAST_WORDS:]

    def usage(self) -> Usage:
        """Return what it cost, from its start to its end, once the context is left.

        Raises:
            PlatformError: it failed, or left a process behind.
        """
        words, code = " ".join(self._command), self._process.returncode
        if code != 0:
            raise PlatformError(f"{words} ended with exit status {code}: {self._errors.strip()[-LAST_WORDS:]}")
        if self._left:
            raise PlatformError(f"{words} left processes behind: {', '.join(self._left)}")
        processor_seconds = self._used.ru_utime + self._used.ru_stime
        largest_mb = max(self._used.ru_maxrss / 1024, self._memory.largest_mb)
        return Usage(self._seconds, processor_seconds, largest_mb, self._memory.together_mb, self._output)

    def _reap(self, options: int) -> bool:
        pid, status, used = os.wait4(self._process.pid, options)
        if pid == 0:
            return False
        self._seconds, self._used = time.perf_counter() - self._began, used
        self._process.returncode = os.waitstatus_to_exitcode(status)
        return True

    def _file(self, name: str) -> Path:
        return Path(self._said.name, name)

    def _read(self, name: str) -> str:
        return self._file(name).read_text(encoding="utf-8", errors="replace")


class _Memory:
    """Reads now and then how much memory processes have, the largest and all together; keeps the most."""

    def __init__(self, offspring: Offspring) -> None:
        self.largest_mb = self.together_mb = 0.0
        self._offspring = offspring
        self._ended = threading.Event()
        self._reader = ThreadPoolExecutor(1, "memory")

    def start(self) -> None:
        self._reading = self._reader.submit(self._read_on)

    def stop(self) -> None:
        self._ended.set()
        self._reader.shutdown()
        self._reading.result()  # what went wrong in reading goes wrong here

    def _read_on(self) -> None:
        pause = 0.0
        while not self._ended.wait(pause):
            began = time.thread_time()
            sizes = [memory_mb(pid) for pid in self._offspring.pids()]
            self.largest_mb = max(self.largest_mb, *(whole for whole, _ in sizes), 0)
            self.together_mb = max(self.together_mb, sum(share for _, share in sizes))
            pause = min(PAUSE * (time.thread_time() - began), LONGEST_PAUSE_SECONDS)
