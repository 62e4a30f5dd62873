"""What one can hear of an execution while it goes on."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

METRIC_LINE = re.compile(r"\[(\d+)\](?:\t|#011)(.+)")


@dataclass(frozen=True)
class StateEntered:
    """The execution came to a state."""

    name: str
    time: dt.datetime


@dataclass(frozen=True)
class TrainingPlanned:
    """The execution has settled its hyperparameters."""

    hyperparameters: Mapping[str, str]


@dataclass(frozen=True)
class TrainingRound:
    """The training job finished a round; metrics by `<channel>-<metric>`."""

    number: int
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class LogLine:
    """A job wrote a line; where several hosts do, the line names its own."""

    stage: str
    text: str


@dataclass(frozen=True)
class Pause:
    """The services could not be asked, and are asked again; without a reason: they answer again."""

    kind: str
    reason: str


Event = StateEntered | TrainingPlanned | TrainingRound | LogLine | Pause


class Listener(Protocol):
    """Hears what an execution does."""

    def state(self, entered: StateEntered) -> None:
        """Hear that the execution came to a state."""

    def plan(self, planned: TrainingPlanned) -> None:
        """Hear what will be trained."""

    def round(self, done: TrainingRound) -> None:
        """Hear that a training round is done."""

    def line(self, written: LogLine) -> None:
        """Hear what a job wrote, where that was asked for."""

    def pause(self, pause: Pause) -> None:
        """Hear that nothing can be heard for a while, or can again."""


def follow(events: Iterable[Event], listener: Listener) -> None:
    """Let somebody hear what an execution does, to its end."""
    for event in events:
        match event:
            case StateEntered():
                listener.state(event)
            case TrainingPlanned():
                listener.plan(event)
            case TrainingRound():
                listener.round(event)
            case LogLine():
                listener.line(event)
            case Pause():
                listener.pause(event)


def training_round(line: str) -> TrainingRound | None:
    """Return the round that a line of a training job's log tells of."""
    match = METRIC_LINE.fullmatch(line)
    if not match:
        return None
    pairs = (part.rpartition(":") for part in re.split(r"\t|#011", match[2]))
    try:
        return TrainingRound(int(match[1]), {name: float(value) for name, _, value in pairs})
    except ValueError:
        return None  # some other line that begins with a number in brackets
