"""Change sets: what a template would change, computed when it is submitted and carried out on request."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from ml_a2.errors import AssemblyError
from ml_a2.local.clients import Clients
from ml_a2.local.cloudformation.answers import describe_change_set
from ml_a2.local.cloudformation.bootstrap import execution_role
from ml_a2.local.cloudformation.changes import NO_CHANGES, changes, is_unchanged, required_capabilities
from ml_a2.local.cloudformation.operations import StackOperations
from ml_a2.local.cloudformation.stack import ChangeSet, Stack, Submission
from ml_a2.local.cloudformation.stacks import Stacks
from ml_a2.local.cloudformation.templates import parse_template, read_template_of
from ml_a2.local.sagemaker.protocol import ApiError, Operation

UPDATABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")


class ChangeSets:
    """The operations on change sets."""

    def __init__(self, stacks: Stacks, carry_out: StackOperations, clients: Clients) -> None:
        """Take what they work on."""
        self._stacks = stacks
        self._carry_out = carry_out
        self._clients = clients

    def operations(self) -> dict[str, Operation]:
        """Return what is answered, by name."""
        return {
            "CreateChangeSet": self._create,
            "DescribeChangeSet": self._describe,
            "ExecuteChangeSet": self._execute,
            "DeleteChangeSet": self._delete,
        }

    def find(self, request: Mapping[str, Any]) -> tuple[Stack, ChangeSet]:
        """Return the change set that a request names, by its ARN or by its name and its stack's.

        Raises:
            ApiError: it does not exist.
        """
        wanted = request["ChangeSetName"]
        stacks = [self._stacks.get(request["StackName"])] if "StackName" in request else self._stacks.every()
        for stack in stacks:
            for change_set in stack.change_sets.values():
                if change_set.id == wanted or ("StackName" in request and change_set.name == wanted):
                    return stack, change_set
        raise ApiError("ChangeSetNotFound", f"ChangeSet [{wanted}] does not exist")

    def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        stack, name = self._stack_for(request), request["ChangeSetName"]
        if stack is not None and name in stack.change_sets:
            raise ApiError("AlreadyExistsException", f"ChangeSet {name} already exists; choose another name")
        submission = self._submission(request, stack)
        if stack is None:
            stack = self._stacks.add(request["StackName"])
            stack.become("REVIEW_IN_PROGRESS", "User Initiated")
        try:
            found = changes(stack, submission)
        except AssemblyError as error:
            if not stack.change_sets and stack.status == "REVIEW_IN_PROGRESS":
                self._stacks.discard(stack)
            raise ApiError("ValidationError", f"Template error: {error}") from error
        arn = stack.id.replace(f":stack/{stack.name}/", f":changeSet/{name}/").rpartition("/")[0]
        change_set = ChangeSet(name, f"{arn}/{uuid.uuid4()}", submission, found, request.get("Description"))
        if is_unchanged(stack, submission):
            change_set.status, change_set.execution_status = "FAILED", "UNAVAILABLE"
            change_set.reason = NO_CHANGES
        stack.change_sets[name] = change_set
        return {"Id": change_set.id, "StackId": stack.id}

    def _stack_for(self, request: Mapping[str, Any]) -> Stack | None:
        """Return the stack to be updated, or the one under review; None where it is to be created."""
        name, kind = request["StackName"], request.get("ChangeSetType", "UPDATE")
        stack = self._stacks.find(name)
        if kind == "CREATE":
            if stack is not None and stack.status != "REVIEW_IN_PROGRESS":
                raise ApiError("ValidationError", f"Stack [{name}] already exists and cannot be created again")
        elif kind != "UPDATE":
            raise ApiError("ValidationError", f"ChangeSetType {kind!r} is not supported locally; see docs/fidelity.md")
        elif stack is None:
            raise ApiError("ValidationError", f"Stack [{name}] does not exist")
        elif stack.status not in UPDATABLE:
            raise ApiError("ValidationError", f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        return stack

    def _submission(self, request: Mapping[str, Any], stack: Stack | None) -> Submission:
        before = stack.submission if stack else None
        body = read_template_of(request, self._clients, before.body if before else None)
        template = parse_template(body)
        missing = set(required_capabilities(template)) - set(_granted(request))
        if missing:
            raise ApiError("InsufficientCapabilitiesException", f"Requires capabilities : [{min(missing)}]")
        role = request.get("RoleARN")
        if role is not None and role != (only := execution_role(self._stacks.environment)):
            raise ApiError("ValidationError", f"RoleARN {role!r} is not supported locally, only {only!r}")
        capabilities = tuple(request.get("Capabilities", ()))
        tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
        return Submission(body, template, _parameters(request, before), tags, capabilities, role)

    def _describe(self, request: dict[str, Any]) -> dict[str, Any]:
        return describe_change_set(*self.find(request))

    def _execute(self, request: dict[str, Any]) -> dict[str, Any]:
        stack, change_set = self.find(request)
        if change_set.execution_status != "AVAILABLE":
            raise ApiError(
                "InvalidChangeSetStatus",
                f"ChangeSet [{change_set.id}] cannot be executed in its current execution status of "
                f"[{change_set.execution_status}]",
            )
        creating = stack.status == "REVIEW_IN_PROGRESS"
        if not creating and stack.status not in UPDATABLE:
            raise ApiError("ValidationError", f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        change_set.execution_status = "EXECUTE_IN_PROGRESS"
        stack.change_set_id = change_set.id
        stack.change_sets.clear()  # AWS deletes the others with the execution, and the executed one too
        # The status changes before the answer: a client that looks at once must not take the old one for the end.
        begin, work = (
            (self._carry_out.begin_creation, self._carry_out.create)
            if creating
            else (self._carry_out.begin_update, self._carry_out.update)
        )
        begin(stack)
        self._stacks.run(stack, lambda: work(stack, change_set.submission))
        return {}

    def _delete(self, request: dict[str, Any]) -> dict[str, Any]:
        if "StackName" in request:  # what is not there counts as deleted, as long as its stack is
            stack, wanted = self._stacks.get(request["StackName"]), request["ChangeSetName"]
            for change_set in [c for c in stack.change_sets.values() if wanted in (c.name, c.id)]:
                del stack.change_sets[change_set.name]
            return {}
        stack, change_set = self.find(request)
        del stack.change_sets[change_set.name]
        return {}


def _granted(request: Mapping[str, Any]) -> list[str]:
    granted = list(request.get("Capabilities", ()))
    # What may have names may also have none.
    return [*granted, "CAPABILITY_IAM"] if "CAPABILITY_NAMED_IAM" in granted else granted


def _parameters(request: Mapping[str, Any], before: Submission | None) -> dict[str, str]:
    values = {}
    for parameter in request.get("Parameters", []):
        name = parameter["ParameterKey"]
        if not parameter.get("UsePreviousValue"):
            values[name] = parameter["ParameterValue"]
        elif before is None:
            raise ApiError("ValidationError", f"Parameters: [{name}] have no previous value")
        elif name in before.parameters:
            values[name] = before.parameters[name]
    return values
