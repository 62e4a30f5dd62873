"""What a walkthrough shows, one beat after the other: the order and the times of executions' histories."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log2
from typing import Any

from ml_a2.diagrams.architecture import Architecture, Flow, Machine
from ml_a2.diagrams.flows import VERBS, verb_of

# Seconds on film: of all beats together, and of the shortest and the longest beat before they are fitted to that.
TAKE_SECONDS = 9.5
BRIEFEST, LONGEST = 0.35, 1.6
ENDING_SECONDS = 1.2


@dataclass(frozen=True)
class Visit:
    """A stay in a state, with the time that passed in it: what the definition has it wait, else as measured."""

    state: str
    seconds: float


@dataclass(frozen=True)
class Story:
    """An execution to be shown: its visits, those of the executions that it led to, and the messages that were sent."""

    title: str
    status: str
    visits: tuple[Visit, ...]
    others: tuple[tuple[Visit, ...], ...]
    messages: tuple[str, ...]


@dataclass(frozen=True)
class Beat:
    """What is to be seen for a while: what is lit, and which arrows are on their way."""

    weight: float
    caption: str
    now: str = ""
    arrows: tuple[tuple[str, str], ...] = ()
    jobs: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    detail: str = ""
    clock: float = 0
    seconds: float = field(default=0)


def visits_of(history: Sequence[Mapping[str, Any]], waits: Mapping[str, float]) -> tuple[Visit, ...]:
    """Return the stays in states that a history tells of, in its order."""
    found: list[Visit] = []
    entered: tuple[str, dt.datetime] | None = None
    for event in history:
        if details := event.get("stateEnteredEventDetails"):
            if entered:
                found.append(_visit(*entered, event["timestamp"], waits))
            entered = (str(details["name"]), event["timestamp"])
        elif entered and "stateExitedEventDetails" in event:
            found.append(_visit(*entered, event["timestamp"], waits))
            entered = None
    if entered:
        found.append(_visit(*entered, history[-1]["timestamp"], waits))
    return tuple(found)


def _visit(state: str, began: dt.datetime, ended: dt.datetime, waits: Mapping[str, float]) -> Visit:
    return Visit(state, waits.get(state, (ended - began).total_seconds()))


def beats_of(plan: Architecture, story: Story) -> list[Beat]:
    """Return the beats of a story, fitted to the time of a take."""
    beats = [*_main(plan, story), *_alarms(plan, story), *_others(plan, story)]
    fitted = sum(beat.weight for beat in beats)
    scale = min(1.0, TAKE_SECONDS / fitted) if fitted else 1.0
    last = beats[-1] if beats else Beat(0, "")
    end = replace(last, arrows=(), caption=story.title, detail=f"The execution ended {story.status}.")
    return [*(replace(beat, seconds=beat.weight * scale) for beat in beats), replace(end, seconds=ENDING_SECONDS)]


def _main(plan: Architecture, story: Story) -> Iterator[Beat]:
    """Yield the beats of the pipeline's own execution."""
    calls = {state.name: state.calls for state in plan.machine.states}
    drawn = {state.name for state in plan.machine.states if state.kind != "Pass"}
    visits = list(_merged(visit for visit in story.visits if visit.state in drawn))
    jobs = _job_spans(plan, visits)
    told = [message for message in story.messages if not message.startswith("ALARM: ")]
    clock, before, seen = 0.0, "", dict[str, int]()
    for index, visit in enumerate(visits):
        clock += visit.seconds
        seen[visit.state] = seen.get(visit.state, 0) + 1
        running = tuple(job for job, (start, end) in jobs.items() if start <= index < end)
        failed = _failed(plan, jobs, visits, index)
        flows = [f for f in plan.flows if visit.state in (f.source, f.target)]
        arrows = [(before, visit.state), *((f.source, f.target) for f in flows)]
        at_work = [(f.source, f.target) for f in _job_flows(plan, jobs, visits, index)]
        arrows += at_work
        weight = max(_weight(visit, seen[visit.state]), 2 * BRIEFEST if at_work else 0)
        detail = _detail(calls[visit.state], visit)
        beat = Beat(weight, story.title, visit.state, tuple(arrows), running, failed, detail, clock)
        yield beat
        if calls[visit.state].endswith(":Publish") and told:
            message = told.pop(0)
            yield from _leaving(plan, replace(beat, detail=f"“{message}”"), [f.target for f in flows])
        before = visit.state


def _merged(visits: Iterator[Visit]) -> Iterator[Visit]:
    """Yield visits, those that only a Pass state lies between as one."""
    last: Visit | None = None
    for visit in visits:
        if last and visit.state == last.state:
            last = Visit(last.state, last.seconds + visit.seconds)
            continue
        if last:
            yield last
        last = visit
    if last:
        yield last


def _weight(visit: Visit, times: int) -> float:
    """Return how long a visit is shown: longer when it took longer, ever shorter when it has been seen before."""
    return float(min(BRIEFEST + 0.12 * log2(1 + visit.seconds), LONGEST) / times**1.2)


def _detail(call: str, visit: Visit) -> str:
    return call or (f"waits {visit.seconds:g} s" if visit.seconds >= 1 else "")


def _job_spans(plan: Architecture, visits: Sequence[Visit]) -> dict[str, tuple[int, int]]:
    """Return between which visits each job was there: from its creation to the last that asked for its status."""
    spans = {}
    for flow in plan.flows:
        if flow.label == "creates":
            begun = [i for i, visit in enumerate(visits) if visit.state == flow.source]
            asking = {f.source for f in plan.flows if f.target == flow.target and f.label == "describes"}
            asked = [i for i, visit in enumerate(visits) if visit.state in asking]
            if begun:
                spans[flow.target] = (begun[0], max([*asked, begun[0]]) + 1)
    return spans


def _job_flows(
    plan: Architecture, jobs: Mapping[str, tuple[int, int]], visits: Sequence[Visit], index: int
) -> Iterator[Flow]:
    """Yield what a job does while the machine waits: it reads in the first wait, writes in the last, and logs."""
    kinds = {state.name: state.kind for state in plan.machine.states}
    names = {state.name for state in plan.machine.states}
    for job, (start, end) in jobs.items():
        waits = [i for i in range(start, end) if kinds[visits[i].state] == "Wait"]
        if index not in waits:
            continue
        well = not _failed(plan, jobs, visits, end)
        for flow in plan.flows:
            if flow.target == job and flow.source not in names and flow.style == "data" and index == waits[0]:
                yield flow
            writes = index == waits[0] if flow.style == "watch" else well and index == waits[-1]
            if flow.source == job and flow.target not in names and writes:
                yield flow


def _failed(
    plan: Architecture, jobs: Mapping[str, tuple[int, int]], visits: Sequence[Visit], index: int
) -> tuple[str, ...]:
    """Return the jobs that are over and after which the execution came to no other stage."""
    ends = {state.name for state in plan.machine.states if state.kind == "Fail"}
    if not visits or visits[-1].state not in ends or not jobs:
        return ()
    last = max(jobs, key=lambda job: jobs[job][0])
    return (last,) if index >= jobs[last][1] else ()


def _leaving(plan: Architecture, beat: Beat, topics: Sequence[str]) -> Iterator[Beat]:
    """Yield how a message leaves a topic for its subscribers."""
    onward = [(f.source, f.target) for f in plan.flows if f.source in topics and f.label == "notifies"]
    for arrow in onward:
        yield replace(beat, weight=LONGEST, arrows=(arrow,), now=arrow[0])


def _alarms(plan: Architecture, story: Story) -> Iterator[Beat]:
    """Yield how an alarm comes to speak, when one did."""
    spoken = [message for message in story.messages if message.startswith("ALARM: ")]
    ended = Beat(1.2, story.title, failed=_over(plan, story), clock=sum(visit.seconds for visit in story.visits))
    for message in spoken[:1]:
        for flow in plan.flows:
            if flow.source == plan.machine.id and flow.target == "alarms":
                yield replace(ended, arrows=((flow.source, flow.target),), now=flow.target, detail=f"“{message}”")
        for flow in plan.flows:
            if flow.source == "alarms":
                sent = replace(ended, arrows=((flow.source, flow.target),), now="alarms", detail=f"“{message}”")
                yield sent
                yield from _leaving(plan, sent, [flow.target])


def _over(plan: Architecture, story: Story) -> tuple[str, ...]:
    drawn = {state.name for state in plan.machine.states if state.kind != "Pass"}
    visits = list(_merged(visit for visit in story.visits if visit.state in drawn))
    return _failed(plan, _job_spans(plan, visits), visits, len(visits))


def _others(plan: Architecture, story: Story) -> Iterator[Beat]:
    """Yield what the executions of other machines did that this one led to."""
    ended = Beat(1.2, story.title, failed=_over(plan, story), clock=sum(visit.seconds for visit in story.visits))
    for visits in story.others:
        machine = _machine_of(plan, visits)
        if machine is None:
            continue
        for flow in plan.flows:
            if flow.label == "starts" and flow.target == machine.id:
                pattern = [(f.source, f.target) for f in plan.flows if f.target == flow.source]
                status = f"The execution ended {story.status}, for which a rule waits"
                yield replace(ended, arrows=tuple(pattern), now=flow.source, detail=status)
                yield replace(ended, arrows=((flow.source, flow.target),), now=machine.id, detail=status)
        calls = {state.name: state.calls for state in machine.states}
        made = list(dict.fromkeys(calls[visit.state] for visit in visits if calls.get(visit.state)))
        arrows = tuple(_made(plan, machine.id, made))
        yield replace(ended, weight=2, arrows=arrows, now=machine.id, detail=", ".join(made))


def _machine_of(plan: Architecture, visits: Sequence[Visit]) -> Machine | None:
    names = {visit.state for visit in visits}
    return next((m for m in plan.others if names <= {state.name for state in m.states}), None)


def _made(plan: Architecture, machine: str, calls: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the flows of a machine that its calls took: where one stops a job, only a call that stops one did."""
    verbs = {verb_of(call) for call in calls}
    for flow in plan.flows:
        if machine in (flow.source, flow.target) and flow.label in verbs & set(VERBS.values()):
            yield flow.source, flow.target
