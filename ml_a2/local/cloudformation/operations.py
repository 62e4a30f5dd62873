"""How a stack is created, updated and deleted, with an event for each step and nothing left of what failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ml_a2.errors import AssemblyError
from ml_a2.local.authorization import Authorization
from ml_a2.local.clients import Clients
from ml_a2.local.cloudformation.changes import check_removals
from ml_a2.local.cloudformation.stack import Stack, Submission, now
from ml_a2.local.deployer import Deployed, deploy, plan
from ml_a2.local.removal import Removal, is_retained, remove


class _Progress:
    """Writes what becomes of each resource into its stack."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.current: tuple[str, str, str] | None = None

    def begins(self, verb: str, name: str, resource: Mapping[str, Any]) -> None:
        self.current = (verb, name, resource["Type"])
        self._stack.tell(name, resource["Type"], f"{verb}_IN_PROGRESS")

    def done(self, verb: str, name: str, deployed: Deployed) -> None:
        self._stack.resources[name] = deployed
        if verb in ("CREATE", "UPDATE"):
            self.current = None
            self._stack.tell(name, deployed.resource["Type"], f"{verb}_COMPLETE")

    def failed(self, error: AssemblyError) -> str:
        """Tell the failure on its resource, or return it where it is the whole template's."""
        if self.current is None:
            return str(error)
        verb, name, kind = self.current
        self._stack.tell(name, kind, f"{verb}_FAILED", str(error))
        return f"The following resource(s) failed to {verb.lower()}: [{name}]. "


class StackOperations:
    """Carries them out on the endpoint's services; each has a beginning, which is seen at once, and the rest."""

    def __init__(self, clients: Clients, authorization: Authorization) -> None:
        """Take the services."""
        self._clients = clients
        self._authorization = authorization

    def begin_creation(self, stack: Stack) -> None:
        """Let a stack be in creation."""
        stack.become("CREATE_IN_PROGRESS", "User Initiated")

    def begin_update(self, stack: Stack) -> None:
        """Let a stack be in an update."""
        stack.updated = now()
        stack.become("UPDATE_IN_PROGRESS", "User Initiated")

    def begin_deletion(self, stack: Stack) -> None:
        """Let a stack be in deletion."""
        stack.become("DELETE_IN_PROGRESS", "User Initiated")

    def create(self, stack: Stack, submission: Submission) -> None:
        """Create everything, or on a failure nothing.

        Raises:
            AssemblyError: why the stack was rolled back.
        """
        stack.submission = submission
        progress = _Progress(stack)
        try:
            stack.outputs = self._deploy(stack, submission, progress)
        except AssemblyError as error:
            stack.become("ROLLBACK_IN_PROGRESS", progress.failed(error))
            failed = self._remove(stack, list(stack.resources), on_rollback=True)
            stack.become("ROLLBACK_FAILED" if failed else "ROLLBACK_COMPLETE", _failures(failed))
            raise
        stack.become("CREATE_COMPLETE")

    def update(self, stack: Stack, submission: Submission) -> None:
        """Bring a stack to another template, or on a failure back to where it was.

        Raises:
            AssemblyError: why the stack was rolled back.
        """
        before, names = stack.submission, set(stack.resources)
        assert before is not None  # it was created
        progress = _Progress(stack)
        try:
            planned = plan(submission.template, stack.environment, submission.parameters)
            check_removals(stack, planned.resources)
            outputs = self._deploy(stack, submission, progress)
        except AssemblyError as error:
            stack.become("UPDATE_ROLLBACK_IN_PROGRESS", progress.failed(error))
            self._roll_back(stack, before, names)
            raise
        stack.submission, stack.outputs = submission, outputs
        stack.become("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        self._remove(stack, [name for name in stack.resources if name not in planned.resources])
        stack.become("UPDATE_COMPLETE")

    def delete(self, stack: Stack, retained: Iterable[str] = ()) -> None:
        """Delete what exists of a stack, the last first; what cannot be deleted is told and stays."""
        for name in retained:
            self._forget(stack, name)
        if failed := self._remove(stack, list(stack.resources)):
            stack.become("DELETE_FAILED", _failures(failed, "delete"))
            return
        stack.deleted = now()
        stack.become("DELETE_COMPLETE")

    def _deploy(self, stack: Stack, submission: Submission, progress: _Progress) -> dict[str, str]:
        return deploy(
            submission.template,
            stack.environment,
            self._clients,
            self._authorization,
            given=submission.parameters,
            tags=submission.tags,
            existing=dict(stack.resources),
            watcher=progress,
        )

    def _roll_back(self, stack: Stack, before: Submission, names: set[str]) -> None:
        progress = _Progress(stack)
        try:
            self._deploy(stack, before, progress)
        except AssemblyError as error:
            stack.become("UPDATE_ROLLBACK_FAILED", progress.failed(error))
            return
        stack.become("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        self._remove(stack, [name for name in stack.resources if name not in names], on_rollback=True)
        stack.become("UPDATE_ROLLBACK_COMPLETE")

    def _remove(self, stack: Stack, names: list[str], *, on_rollback: bool = False) -> list[str]:
        """Delete resources, those created last first; return the names of those that stay against the will."""
        return [name for name in reversed(names) if not self._remove_one(stack, name, on_rollback=on_rollback)]

    def _remove_one(self, stack: Stack, name: str, *, on_rollback: bool) -> bool:
        deployed = stack.resources[name]
        kind = deployed.resource["Type"]
        if is_retained(deployed.resource, on_rollback=on_rollback):
            self._forget(stack, name)
            return True
        stack.tell(name, kind, "DELETE_IN_PROGRESS")
        partition = stack.environment.partition
        try:
            remove(Removal(name, deployed, stack.resources, self._clients, self._authorization, partition))
        except AssemblyError as error:
            stack.tell(name, kind, "DELETE_FAILED", str(error))
            return False
        stack.tell(name, kind, "DELETE_COMPLETE")
        del stack.resources[name]
        return True

    def _forget(self, stack: Stack, name: str) -> None:
        stack.tell(name, stack.resources[name].resource["Type"], "DELETE_SKIPPED")
        del stack.resources[name]


def _failures(names: list[str], verb: str = "delete") -> str | None:
    return f"The following resource(s) failed to {verb}: [{', '.join(names)}]. " if names else None
