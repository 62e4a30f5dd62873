"""What a picture shows: the parts of a stack, what goes on between them, and the states of its state machine."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Part:
    """Something that a person would put into a drawing; `column` is data, machine, band or alerting."""

    id: str
    kind: str
    title: str
    subtitle: str
    column: str


@dataclass(frozen=True)
class Flow:
    """What goes from one part, or state, to another; the arrow follows the data or the command."""

    source: str
    target: str
    label: str
    style: str = "data"


@dataclass(frozen=True)
class State:
    """A state of the machine; `note` says what its box has room for."""

    name: str
    kind: str
    note: str = ""
    calls: str = ""


@dataclass(frozen=True)
class Step:
    """A transition; it `fails` when only an error takes it."""

    source: str
    target: str
    fails: bool = False


@dataclass(frozen=True)
class Machine:
    """A state machine: where it starts, its states, its transitions."""

    id: str
    start: str
    states: tuple[State, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Architecture:
    """A stack as it is drawn."""

    parts: tuple[Part, ...]
    flows: tuple[Flow, ...]
    machine: Machine
    others: tuple[Machine, ...] = field(default=())

    def fingerprint(self) -> str:
        """Return a hash of all that the pictures show: what makes no difference to them, makes none to it."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()
