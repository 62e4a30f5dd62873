"""The states of an execution on its own time axis."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ml_a2.report.formatting import count, duration, name
from ml_a2.report.record import Record, at, number, objects, table

# Visits of a state that lie closer than this share of the whole are drawn as one: a poll every 30 seconds for days.
CLOSEST = 0.002
# A visit must be seen, however short: in per cent of the axis.
THINNEST = 0.4
MOST_STATES = 80


@dataclass(frozen=True)
class Visit:
    """A stay in a state, in seconds since the execution began."""

    name: str
    start: float
    seconds: float
    errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bar:
    """A stay on the time axis, in per cent of its length."""

    start: float
    width: float


@dataclass(frozen=True)
class State:
    """A state with all its visits."""

    name: str
    visits: int
    seconds: str
    nominal: str  # how long the definition has it wait, where that is something else
    bars: tuple[Bar, ...]
    errors: str


@dataclass(frozen=True)
class Timeline:
    """The states in the order of their first visit."""

    states: tuple[State, ...]
    seconds: str
    sentence: str

    @property
    def has_nominal(self) -> bool:
        """Tell whether a state has a nominal duration."""
        return any(state.nominal for state in self.states)


def read_timeline(record: Record) -> Timeline | None:
    """Return the states of an execution: from its history, or else from the manifest's timings."""
    told = objects(record.manifest, "timings", "states")
    visits = _visits(record.history) or _timed(told)
    if not visits:
        return None
    whole = max(visit.start + visit.seconds for visit in visits)
    by_name: dict[str, list[Visit]] = {}
    for visit in visits:
        by_name.setdefault(visit.name, []).append(visit)
    nominal = {str(state.get("name")): number(state.get("nominal_seconds")) for state in told}
    states = [_state(of_name, whole, nominal) for of_name in list(by_name.values())[:MOST_STATES]]
    longest = max(by_name.values(), key=_seconds)
    sentence = (
        f"{count(len(visits), 'visit')} to {count(len(by_name), 'state')} in {duration(whole)}; "
        f"most of the time in {name(longest[0].name)}: {duration(_seconds(longest))}."
    )
    speed = number(at(record.manifest, "timings", "speed"))
    if speed is not None and speed > 1:
        sentence += f" Waits and retry pauses were divided by {speed:g}, run times of jobs were not."
    return Timeline(tuple(states), duration(whole), sentence)


def _state(visits: list[Visit], whole: float, nominal: dict[str, float | None]) -> State:
    errors = [error for visit in visits for error in visit.errors]
    return State(
        name(visits[0].name),
        len(visits),
        duration(_seconds(visits)),
        duration(waited) if (waited := nominal.get(visits[0].name)) is not None else "",
        tuple(_bars(visits, whole)),
        f"{count(len(errors), 'failed call')}: {name(errors[-1])}" if errors else "",
    )


def _seconds(visits: Sequence[Visit]) -> float:
    return sum(visit.seconds for visit in visits)


def _bars(visits: list[Visit], whole: float) -> list[Bar]:
    """Return a bar for each visit, neighbours that the eye cannot tell apart in one."""
    spans: list[tuple[float, float]] = []
    for visit in visits:
        start, end = visit.start, visit.start + visit.seconds
        if spans and start - spans[-1][1] < CLOSEST * whole:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    scale = 100 / whole if whole else 0
    bars = []
    for start, end in spans:
        width = max((end - start) * scale, THINNEST)
        bars.append(Bar(round(min(start * scale, 100 - width), 2), round(width, 2)))
    return bars


def _visits(history: list[dict[str, Any]]) -> list[Visit]:
    """Return the stays in states that the events tell of; the last one ends with the execution."""
    times = [time for event in history if (time := _time(event.get("timestamp")))]
    if not times:
        return []
    visits: list[Visit] = []
    entered: tuple[str, dt.datetime] | None = None
    errors: list[str] = []
    for event in history:
        time = _time(event.get("timestamp")) or times[-1]
        if details := table(event, "stateEnteredEventDetails"):
            entered, errors = (str(details.get("name")), time), []
        elif at(event, "taskFailedEventDetails") or at(event, "taskTimedOutEventDetails"):
            errors.append(_error(event))
        elif entered and "stateExitedEventDetails" in event:
            visits.append(_visit(entered, time, times[0], errors))
            entered = None
    if entered:
        visits.append(_visit(entered, times[-1], times[0], errors))
    return visits


def _visit(entered: tuple[str, dt.datetime], left: dt.datetime, began: dt.datetime, errors: list[str]) -> Visit:
    state, time = entered
    return Visit(state, (time - began).total_seconds(), (left - time).total_seconds(), tuple(errors))


def _error(event: dict[str, Any]) -> str:
    details = table(event, "taskFailedEventDetails") or table(event, "taskTimedOutEventDetails")
    return str(details.get("error") or event.get("type"))


def _timed(states: list[dict[str, Any]]) -> list[Visit]:
    """Return the stays in states that the manifest names."""
    known = [(str(s.get("name")), _time(s.get("entered")), number(s.get("seconds"))) for s in states]
    began = next((time for _, time, _ in known if time), None)
    return [
        Visit(state, (time - began).total_seconds(), seconds or 0.0) for state, time, seconds in known if time and began
    ]


def _time(text: Any) -> dt.datetime | None:
    if not isinstance(text, str):
        return None
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=dt.UTC)
