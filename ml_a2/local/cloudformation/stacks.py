"""The stacks of the endpoint: found by name or ARN, and changed by one thread each."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import replace

from ml_a2.errors import AssemblyError
from ml_a2.local.cloudformation.stack import Stack
from ml_a2.local.sagemaker.protocol import ApiError
from ml_a2.local.template import Environment


class Stacks:
    """Keeps every stack, deleted ones too; those are found by their ARN alone, as on AWS."""

    def __init__(self, environment: Environment) -> None:
        """Start without any."""
        self.environment = environment
        self._all: list[Stack] = []
        self._threads: list[threading.Thread] = []

    def add(self, name: str) -> Stack:
        """Begin a stack."""
        stack = Stack(replace(self.environment, stack_name=name, stack_uuid=str(uuid.uuid4())))
        self._all.append(stack)
        return stack

    def discard(self, stack: Stack) -> None:
        """Forget a stack of which nothing ever existed."""
        self._all.remove(stack)

    def every(self) -> list[Stack]:
        """Return all, the newest first."""
        return self._all[::-1]

    def get(self, name_or_id: str) -> Stack:
        """Return a stack.

        Raises:
            ApiError: there is none, in the words by which clients know it.
        """
        if stack := self.find(name_or_id):
            return stack
        raise ApiError("ValidationError", f"Stack with id {name_or_id} does not exist")

    def find(self, name_or_id: str) -> Stack | None:
        """Return a stack, or None."""
        for stack in self.every():
            if stack.id == name_or_id or (stack.name == name_or_id and stack.status != "DELETE_COMPLETE"):
                return stack
        return None

    def run(self, stack: Stack, work: Callable[[], None]) -> None:
        """Let something happen to a stack while clients look on; how it ends stands in its events."""

        def to_the_end() -> None:
            try:
                work()
            except AssemblyError:
                return  # told in the events
            except BaseException as error:
                stack.become(f"{stack.status.split('_')[0]}_FAILED", f"InternalFailure: {error!r}")
                raise

        thread = threading.Thread(target=to_the_end, name="stack", daemon=True)
        self._threads = [running for running in self._threads if running.is_alive()]
        self._threads.append(thread)
        thread.start()

    @property
    def busy(self) -> bool:
        """Tell whether something is under way."""
        return any(stack.busy for stack in self._all)

    def kept(self) -> list[Stack]:
        """Return copies of all, which nobody changes."""
        return [stack.copy() for stack in self._all]

    def restore(self, kept: list[Stack]) -> None:
        """Take the stacks of an earlier endpoint."""
        self._all = kept

    def close(self) -> None:
        """Wait for what is under way."""
        for thread in self._threads:
            thread.join()
