"""The way through a state machine that ends in success, and the loops on it in which it waits for jobs.

Step Functions bills each step of an execution: a state that is entered, and a repeated call. Source: AWS Step Functions
pricing; Developer Guide, "Choosing workflow type".
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ml_a2.diagrams.definitions import Definition, call_of
from ml_a2.errors import AssemblyError

CREATE_CALLS = {"sagemaker:CreateTrainingJob": "training", "sagemaker:CreateProcessingJob": "processing"}
DESCRIBE_CALLS = {"sagemaker:DescribeTrainingJob": "training", "sagemaker:DescribeProcessingJob": "processing"}


@dataclass(frozen=True)
class Poll:
    """A loop that waits for a job: the seconds of its wait, and how many states it is long."""

    wait_state: str
    seconds: int
    states: int

    def count(self, job_seconds: float) -> int:
        """Return how often a job is asked for that takes so long; it is waited for before it is first asked for."""
        return max(1, math.ceil(job_seconds / self.seconds))


@dataclass(frozen=True)
class Route:
    """The longest way to success: its states, each once, and its loops by the kind of job."""

    states: tuple[str, ...]
    polls: Mapping[str, Poll]

    def transitions(self, polls: Mapping[str, int]) -> int:
        """Return how many states an execution enters that goes round each loop so often."""
        return len(self.states) + sum(poll.states * (polls[kind] - 1) for kind, poll in self.polls.items())


def route_of(definition: Definition, *, without: Collection[str] = ()) -> Route:
    """Return the longest way to success in which no call fails.

    Args:
        definition: the state machine.
        without: kinds of job that it does not create.

    Raises:
        AssemblyError: there is none that creates the other kinds of job and waits for them.
    """
    avoided = {name for name, state in definition.states.items() if CREATE_CALLS.get(call_of(state)) in without}
    states = _longest(definition, definition.start, avoided, {}, ())
    kinds = {kind for call, kind in CREATE_CALLS.items() if kind not in without}
    polls = dict(filter(None, (_poll(definition, name) for name in states or ())))
    if states is None or set(polls) != kinds:
        raise AssemblyError(
            f"state machine {definition.id!r} has no way to success that waits for a {' and a '.join(sorted(kinds))} "
            "job, so that its transitions cannot be counted"
        )
    return Route(states, polls)


def _longest(
    definition: Definition,
    name: str,
    avoided: Collection[str],
    known: dict[str, tuple[str, ...] | None],
    entered: tuple[str, ...],
) -> tuple[str, ...] | None:
    """Return the longest way from a state to success; None where none leads there.

    A step back to a state that was entered on the way closes a loop and is left out; without such steps there are no
    loops, so that what is known of a state holds wherever one comes from.
    """
    if name in known:
        return known[name]
    if name in avoided or name in entered:
        return None
    state = definition.states[name]
    if state["Type"] == "Succeed":
        return (name,)
    ways = [_longest(definition, target, avoided, known, (*entered, name)) for target in _targets(state)]
    reaching = [way for way in ways if way is not None]
    known[name] = (name, *max(reaching, key=len)) if reaching else None
    return known[name]


def _poll(definition: Definition, name: str) -> tuple[str, Poll] | None:
    """Return the loop that begins with a state, and the kind of job that it asks for."""
    state = definition.states[name]
    if state["Type"] != "Wait" or not isinstance(state.get("Seconds"), int):
        return None
    loop = _shortest_loop(definition, name)
    kinds = {DESCRIBE_CALLS.get(call_of(definition.states[member])) for member in loop} - {None}
    return (str(kinds.pop()), Poll(name, state["Seconds"], len(loop))) if len(kinds) == 1 else None


def _shortest_loop(definition: Definition, name: str) -> tuple[str, ...]:
    waiting: deque[tuple[str, ...]] = deque([(name,)])
    seen: set[str] = set()
    while waiting:
        way = waiting.popleft()
        for target in _targets(definition.states[way[-1]]):
            if target == name:
                return way
            if target not in seen:
                seen.add(target)
                waiting.append((*way, target))
    return ()


def _targets(state: Mapping[str, Any]) -> Iterator[str]:
    for target in (state.get("Next"), *(rule["Next"] for rule in state.get("Choices", [])), state.get("Default")):
        if target:
            yield target
