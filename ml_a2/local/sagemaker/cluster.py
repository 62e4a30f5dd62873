"""The containers of one job, a host each: they start together, and one that fails ends the others."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence

from ml_a2.local.sagemaker.container import Container


class Cluster:
    """Runs the containers to their end, or until they are stopped."""

    def __init__(self, containers: Sequence[Container]) -> None:
        """Take the containers, the first host's first."""
        self._containers = containers
        # The host whose container failed first.
        self.failed = 0

    def run(self) -> int:
        """Run all and return 0, or the exit code of the first one that failed; the others are ended then.

        An error of ours that keeps one from running is raised when all have ended.
        """
        ended: queue.SimpleQueue[tuple[int, int | Exception]] = queue.SimpleQueue()
        for number, container in enumerate(self._containers):
            threading.Thread(target=self._run_one, args=(number, container, ended), name="host", daemon=True).start()
        code: int | Exception = 0
        for _ in self._containers:
            number, one = ended.get()
            if one != 0 and code == 0:
                code, self.failed = one, number
                self.kill()
        if isinstance(code, Exception):
            raise code
        return code

    def stop(self) -> None:
        """Ask every container to end; after the grace time it is killed. Returns at once."""
        for container in self._containers:
            container.stop()

    def kill(self) -> None:
        """End every container now."""
        for container in self._containers:
            container.kill()

    @staticmethod
    def _run_one(number: int, container: Container, ended: queue.SimpleQueue[tuple[int, int | Exception]]) -> None:
        try:
            ended.put((number, container.run()))
        except Exception as error:  # noqa: BLE001  # it is raised again where the job waits
            ended.put((number, error))
