"""The order in which things stand in a column, by the layers of a layered graph drawing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import igraph

from ml_a2.diagrams.architecture import Machine, Step


def rows(names: Sequence[str], edges: Iterable[tuple[str, str]], first: Iterable[str] = ()) -> list[str]:
    """Return names from top to bottom so that edges lead down and are short; of a layer, those in `first` lead."""
    number = {name: index for index, name in enumerate(names)}
    known = [(number[a], number[b]) for a, b in edges if a in number and b in number and a != b]
    graph = igraph.Graph(n=len(names), edges=_without_cycles(len(names), known), directed=True)
    places = graph.layout_sugiyama(maxiter=200).coords[: len(names)]
    leading = set(first)
    return sorted(names, key=lambda name: (places[number[name]][1], name not in leading, places[number[name]][0]))


def _without_cycles(size: int, edges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Leave out the edges that lead back to where a walk in the given order comes from."""
    onward: dict[int, list[int]] = {node: [] for node in range(size)}
    for source, target in edges:
        onward[source].append(target)
    kept: list[tuple[int, int]] = []
    done: set[int] = set()
    for start in range(size):
        _walk(start, onward, done, kept)
    return kept


def _walk(start: int, onward: Mapping[int, list[int]], done: set[int], kept: list[tuple[int, int]]) -> None:
    if start in done:
        return
    path, waiting = {start}, [(start, iter(onward[start]))]
    while waiting:
        node, targets = waiting[-1]
        target = next(targets, None)
        if target is None:
            path.discard(node)
            done.add(node)
            waiting.pop()
        elif target not in path:
            kept.append((node, target))
            if target not in done:
                path.add(target)
                waiting.append((target, iter(onward[target])))


def drawn_states(machine: Machine) -> list[str]:
    """Return the states that are drawn, from top to bottom: all but Pass states, which only shape data."""
    kinds = {state.name: state.kind for state in machine.states}
    drawn = [name for name, kind in kinds.items() if kind != "Pass"]
    steps = drawn_steps(machine)
    begin = [name for name in _through(machine, machine.start) if name in drawn]
    names = [*begin, *(name for name in drawn if name not in begin)]
    ends = [name for name in drawn if kinds[name] == "Succeed"]
    return rows(names, [(step.source, step.target) for step in steps], ends)


def drawn_steps(machine: Machine) -> list[Step]:
    """Return the transitions between the states that are drawn; those that leave every way to succeed fail."""
    hopeful = _hopeful(machine)
    passing = {state.name for state in machine.states if state.kind == "Pass"}
    found: dict[tuple[str, str], Step] = {}
    for step in machine.steps:
        if step.source not in passing:
            for target in _through(machine, step.target):
                if target != step.source:
                    found[step.source, target] = Step(step.source, target, target not in hopeful)
    return list(found.values())


def _through(machine: Machine, name: str) -> list[str]:
    """Return the drawn states to which a state leads through Pass states; itself, when it is drawn."""
    kinds = {state.name: state.kind for state in machine.states}
    found, seen, waiting = [], set(), [name]
    while waiting:
        state = waiting.pop(0)
        if state in seen:
            continue
        seen.add(state)
        if kinds[state] != "Pass":
            found.append(state)
        else:
            waiting += [step.target for step in machine.steps if step.source == state]
    return found


def _hopeful(machine: Machine) -> set[str]:
    """Return the states from which the machine may still end well."""
    leaving = {step.source for step in machine.steps}
    hopeful = {s.name for s in machine.states if s.kind == "Succeed" or (s.kind != "Fail" and s.name not in leaving)}
    while more := {s.source for s in machine.steps if s.target in hopeful and not s.fails} - hopeful:
        hopeful |= more
    return hopeful
