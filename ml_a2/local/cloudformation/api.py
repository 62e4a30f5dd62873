"""CloudFormation's operations over the strict deployer."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

from ml_a2.errors import AssemblyError
from ml_a2.local.authorization import Authorization
from ml_a2.local.clients import Clients
from ml_a2.local.cloudformation.answers import (
    describe_event,
    describe_resource,
    describe_stack,
    summarize_stack,
    summarize_template,
)
from ml_a2.local.cloudformation.change_sets import UPDATABLE, ChangeSets
from ml_a2.local.cloudformation.changes import is_unchanged, required_capabilities
from ml_a2.local.cloudformation.operations import StackOperations
from ml_a2.local.cloudformation.stack import Stack, Submission
from ml_a2.local.cloudformation.stacks import Stacks
from ml_a2.local.cloudformation.templates import parse_template, read_template_of
from ml_a2.local.sagemaker.protocol import ApiError, Operation
from ml_a2.local.template import Environment

# The members that each operation carries out; any other is refused by name.
SUPPORTED = {
    "CreateChangeSet": "StackName TemplateBody TemplateURL UsePreviousTemplate Parameters Tags Capabilities RoleARN "
    "ChangeSetName ClientToken Description ChangeSetType",
    "DescribeChangeSet": "ChangeSetName StackName IncludePropertyValues",
    "ExecuteChangeSet": "ChangeSetName StackName ClientRequestToken",
    "DeleteChangeSet": "ChangeSetName StackName",
    "DescribeStacks": "StackName",
    "ListStacks": "StackStatusFilter",
    "DescribeStackEvents": "StackName",
    "DescribeStackResources": "StackName LogicalResourceId",
    "ListStackResources": "StackName",
    "GetTemplate": "StackName ChangeSetName TemplateStage",
    "GetTemplateSummary": "TemplateBody TemplateURL StackName",
    "UpdateTerminationProtection": "StackName EnableTerminationProtection",
    "DeleteStack": "StackName RetainResources RoleARN ClientRequestToken",
}
# Values of other members that ask for nothing but what is done: where no stack is nested, those may be included.
NOTHING_SPECIAL: dict[str, tuple[Any, ...]] = {
    "NotificationARNs": ([],),
    "ResourcesToImport": ([],),
    "IncludeNestedStacks": (True, False),
    "ImportExistingResources": (False,),
    "DisableRollback": (False,),
    "RetainExceptOnCreate": (False,),
    "OnStackFailure": ("ROLLBACK",),
    "DeletionMode": ("STANDARD",),
    "DeploymentConfig": ({"Mode": "STANDARD"}, {"Mode": "STANDARD", "DisableRollback": False}),
}


class CloudFormation:
    """The stacks of the endpoint's account and region."""

    def __init__(self, clients: Clients, environment: Environment, authorization: Authorization) -> None:
        """Start without stacks."""
        self._clients = clients
        self._stacks = Stacks(environment)
        self._carry_out = StackOperations(clients, authorization)
        self._change_sets = ChangeSets(self._stacks, self._carry_out, clients)
        self._lock = threading.Lock()

    def deploy(self, template: Mapping[str, Any], name: str, tags: Mapping[str, str]) -> dict[str, str]:
        """Create the endpoint's own stack, or update one that is there, and return its outputs, once it stands.

        Raises:
            AssemblyError: the template cannot be deployed; nothing is left of it, or the stack is as it was.
        """
        capabilities = tuple(required_capabilities(template))
        submission = Submission(json.dumps(template), template, tags=tags, capabilities=capabilities)
        stack = self._stacks.find(name)
        if stack is not None and stack.status == "ROLLBACK_COMPLETE":  # the CDK deletes what was never there, too
            self._carry_out.begin_deletion(stack)
            self._carry_out.delete(stack)
            stack = None
        if stack is None or stack.status == "REVIEW_IN_PROGRESS":
            stack = stack or self._stacks.add(name)
            stack.change_sets.clear()
            self._carry_out.begin_creation(stack)
            self._carry_out.create(stack, submission)
        elif stack.status not in UPDATABLE:
            raise AssemblyError(
                f"stack {name!r} is in {stack.status} state and cannot be updated; "
                "serve it with --no-deploy, and delete it"
            )
        elif not is_unchanged(stack, submission):
            self._carry_out.begin_update(stack)
            self._carry_out.update(stack, submission)
        return dict(stack.outputs)

    @property
    def stacks(self) -> Stacks:
        """Return the stacks themselves."""
        return self._stacks

    def close(self) -> None:
        """Wait for what is under way."""
        self._stacks.close()

    def operations(self) -> dict[str, Operation]:
        """Return what is answered, by name."""
        found: dict[str, Operation] = {
            **self._change_sets.operations(),
            "DescribeStacks": self._describe_stacks,
            "ListStacks": self._list_stacks,
            "DescribeStackEvents": self._describe_events,
            "DescribeStackResources": self._describe_resources,
            "ListStackResources": self._list_resources,
            "GetTemplate": self._get_template,
            "GetTemplateSummary": self._summarize_template,
            "UpdateTerminationProtection": self._protect,
            "DeleteStack": self._delete,
        }
        return {name: self._checked(name, operation) for name, operation in found.items()}

    def _checked(self, name: str, operation: Operation) -> Operation:
        supported = SUPPORTED[name].split()

        def call(request: dict[str, Any]) -> Mapping[str, Any]:
            for member, value in request.items():
                if member not in supported and value not in NOTHING_SPECIAL.get(member, ()):
                    raise ApiError(
                        "ValidationError", f"{member} {value!r} is not supported locally; see docs/fidelity.md"
                    )
            with self._lock:
                return operation(request)

        return call

    def _describe_stacks(self, request: dict[str, Any]) -> dict[str, Any]:
        if "StackName" in request:
            return {"Stacks": [describe_stack(self._stacks.get(request["StackName"]))]}
        return {"Stacks": [describe_stack(s) for s in self._stacks.every() if s.status != "DELETE_COMPLETE"]}

    def _list_stacks(self, request: dict[str, Any]) -> dict[str, Any]:
        wanted = request.get("StackStatusFilter")
        found = [stack for stack in self._stacks.every() if not wanted or stack.status in wanted]
        return {"StackSummaries": [summarize_stack(stack) for stack in found]}

    def _stack(self, request: Mapping[str, Any]) -> Stack:
        """Return the stack that a request names."""
        if "StackName" not in request:
            raise ApiError("ValidationError", "StackName is missing; without it is not supported locally")
        return self._stacks.get(request["StackName"])

    def _describe_events(self, request: dict[str, Any]) -> dict[str, Any]:
        stack = self._stack(request)
        return {"StackEvents": [describe_event(stack, event) for event in reversed(stack.events)]}

    def _describe_resources(self, request: dict[str, Any]) -> dict[str, Any]:
        stack = self._stack(request)
        wanted = request.get("LogicalResourceId")
        if wanted is not None and wanted not in stack.states:
            raise ApiError("ValidationError", f"Resource {wanted} does not exist for stack {stack.name}")
        found = [event for name, event in stack.states.items() if wanted in (None, name)]
        return {"StackResources": [describe_resource(stack, event, summary=False) for event in found]}

    def _list_resources(self, request: dict[str, Any]) -> dict[str, Any]:
        stack = self._stack(request)
        found = [describe_resource(stack, event, summary=True) for event in stack.states.values()]
        return {"StackResourceSummaries": found}

    def _get_template(self, request: dict[str, Any]) -> dict[str, Any]:
        if "ChangeSetName" in request:
            submission: Submission | None = self._change_sets.find(request)[1].submission
        else:
            submission = self._stack(request).submission
        if submission is None:  # the stack is under review still
            return {"StagesAvailable": []}
        return {"TemplateBody": submission.body, "StagesAvailable": ["Original", "Processed"]}

    def _summarize_template(self, request: dict[str, Any]) -> dict[str, Any]:
        before = self._stacks.get(request["StackName"]).submission if "StackName" in request else None
        body = before.body if before else read_template_of(request, self._clients, None)
        template = parse_template(body)
        return summarize_template(template, required_capabilities(template))

    def _protect(self, request: dict[str, Any]) -> dict[str, Any]:
        stack = self._stack(request)
        stack.termination_protection = request["EnableTerminationProtection"]
        return {"StackId": stack.id}

    def _delete(self, request: dict[str, Any]) -> dict[str, Any]:
        stack = self._stacks.find(request["StackName"])
        if stack is None or stack.status == "DELETE_COMPLETE":
            return {}  # deleting what is not there succeeds
        self._check_deletion(stack, request)
        self._carry_out.begin_deletion(stack)
        self._stacks.run(stack, lambda: self._carry_out.delete(stack, request.get("RetainResources", ())))
        return {}

    def _check_deletion(self, stack: Stack, request: Mapping[str, Any]) -> None:
        if stack.termination_protection:
            raise ApiError(
                "ValidationError", f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
            )
        if stack.busy:
            raise ApiError(
                "ValidationError",
                f"Stack {stack.name} is {stack.status}, which is not deleted locally; wait for its end",
            )
        retained = request.get("RetainResources", ())
        if retained and stack.status != "DELETE_FAILED":
            raise ApiError(
                "ValidationError", "RetainResources can only be specified for a stack in DELETE_FAILED state"
            )
        if unknown := set(retained) - set(stack.resources):
            raise ApiError("ValidationError", f"RetainResources: the stack has no resource {min(unknown)!r}")
