"""A stack, its events and its change sets, as CloudFormation tells of them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ml_a2.local.deployer import Deployed
from ml_a2.local.template import Environment

STACK_TYPE = "AWS::CloudFormation::Stack"


def now() -> dt.datetime:
    """Return the present, as events tell it."""
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class Submission:
    """A template with what was given beside it."""

    body: str
    template: Mapping[str, Any]
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    role_arn: str | None = None


@dataclass(frozen=True)
class Event:
    """Something that happened to a stack or to one of its resources."""

    logical_id: str
    physical_id: str
    kind: str
    status: str
    reason: str | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    time: dt.datetime = field(default_factory=now)


@dataclass
class ChangeSet:
    """What would become of a stack."""

    name: str
    id: str
    submission: Submission
    changes: list[dict[str, Any]]
    description: str | None
    status: str = "CREATE_COMPLETE"
    execution_status: str = "AVAILABLE"
    reason: str | None = None
    created: dt.datetime = field(default_factory=now)


@dataclass
class Stack:
    """A stack: what was submitted, what exists of it, and everything that happened."""

    environment: Environment
    status: str = "REVIEW_IN_PROGRESS"
    reason: str | None = None
    submission: Submission | None = None
    change_set_id: str | None = None
    created: dt.datetime = field(default_factory=now)
    updated: dt.datetime | None = None
    deleted: dt.datetime | None = None
    termination_protection: bool = False
    outputs: dict[str, str] = field(default_factory=dict)
    # What exists, in the order in which it came into being.
    resources: dict[str, Deployed] = field(default_factory=dict)
    # The last event of each resource.
    states: dict[str, Event] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    change_sets: dict[str, ChangeSet] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return its name."""
        return self.environment.stack_name

    @property
    def id(self) -> str:
        """Return its ARN."""
        return self.environment.stack_id

    @property
    def busy(self) -> bool:
        """Tell whether something is under way."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    def copy(self) -> Stack:
        """Return what is known of it now."""
        return replace(
            self,
            outputs=dict(self.outputs),
            resources=dict(self.resources),
            states=dict(self.states),
            events=list(self.events),
            change_sets=dict(self.change_sets),
        )

    def become(self, status: str, reason: str | None = None) -> None:
        """Take a status."""
        self.events.append(Event(self.name, self.id, STACK_TYPE, status, reason))
        self.status, self.reason = status, reason

    def tell(self, name: str, kind: str, status: str, reason: str | None = None) -> None:
        """Let a resource take a status."""
        physical_id = self.resources[name].created.ref if name in self.resources else ""
        event = Event(name, physical_id or self._known_id(name), kind, status, reason)
        self.events.append(event)
        self.states[name] = event

    def _known_id(self, name: str) -> str:
        return self.states[name].physical_id if name in self.states else ""
