"""The stack, deployed while the data is read: neither needs the other, and each takes seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ml_a2.local.sagemaker.warm_containers import WarmContainers

if TYPE_CHECKING:
    from ml_a2.local.run import Deployed


class DeploymentAhead:
    """Begins at once, in a thread; as a context manager it ends the runtime that it has started."""

    def __init__(
        self, settings: Path | None, assembly: Path | None, *, region: str, speed: float, warm: WarmContainers
    ) -> None:
        """Take what the runtime needs to know.

        Args:
            settings: the settings file of the project's own assembly, None for the defaults.
            assembly: an assembly in place of the project's own.
            region: the one that the endpoint plays.
            speed: divides waits and retry pauses.
            warm: containers that wait for the first jobs.
        """
        self._settings = settings
        self._assembly = assembly
        self._region = region
        self._speed = speed
        self._warm = warm
        self._unwanted = threading.Event()
        self._started = ExitStack()
        self._thread = ThreadPoolExecutor(1, "deploying")
        self._ahead: Future[Deployed | None]

    def __enter__(self) -> Self:
        """Begin, and return at once."""
        self._ahead = self._thread.submit(self._begin)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        self.end()

    def end(self) -> None:
        """Begin nothing more, wait for what is being deployed, then end the runtime."""
        self._unwanted.set()
        with ExitStack() as stack:  # an interrupt of the first leaves the second to be done
            stack.callback(self._started.close)
            stack.callback(self._thread.shutdown)

    def result(self, tell: Callable[[str], None]) -> Deployed:
        """Return what was deployed; where the assembly has to be synthesized first, do it all now.

        Args:
            tell: hears of the assembly.

        Raises:
            UserError: the stack refuses its settings, or the assembly cannot be deployed.
            PlatformError: the assembly cannot be synthesized or written.
        """
        from ml_a2.local.assembly import find_assembly, unchanged

        deployed = self._ahead.result()
        if deployed is None:
            assembly, _ = find_assembly(self._settings, tell=tell)
            return self._deploy(assembly)
        if self._assembly is None:
            tell(unchanged(deployed.assembly))
        return deployed

    def _begin(self) -> Deployed | None:
        import ml_a2.local.run  # noqa: F401  # takes a second
        from ml_a2.local.assembly import assembly_at_hand

        if self._unwanted.is_set():
            return None
        assembly = self._assembly or assembly_at_hand(self._settings)
        return self._deploy(assembly) if assembly else None

    def _deploy(self, assembly: Path) -> Deployed:
        from ml_a2.local.run import deploy
        from ml_a2.local.runtime import LocalRuntime

        runtime = LocalRuntime(region=self._region, speed=self._speed, warm=self._warm)
        return deploy(assembly, self._started.enter_context(runtime))
