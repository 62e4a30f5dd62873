"""The one layout of all pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ml_a2.diagrams.architecture import Architecture, Flow, Step
from ml_a2.diagrams.columns import (
    DATA_WIDTH,
    LEFT,
    PAGE,
    PANEL_WIDTH,
    PANEL_X,
    RIGHT,
    RIGHT_WIDTH,
    STATE_WIDTH,
    STATE_X,
    alerting_cards,
    band_cards,
    data_cards,
    panel,
    states,
)
from ml_a2.diagrams.labels import label_text, place_label
from ml_a2.diagrams.lettering import LINE, SMALL, TITLE, width
from ml_a2.diagrams.ordering import drawn_states, drawn_steps
from ml_a2.diagrams.routing import LANE, Channel, Wire, lay
from ml_a2.diagrams.scene import Box, Card, Route, Scene, StateBox, Text

MARGIN = 20
# What each kind of arrow says in the legend.
STYLES = {
    "step": "next state",
    "fail": "next state, once it cannot succeed",
    "data": "data",
    "call": "call",
    "alert": "message",
    "watch": "logs and metrics",
}


def lay_out(plan: Architecture, resources: int) -> Scene:
    """Give everything its place.

    Args:
        plan: what is to be drawn.
        resources: how many the template has, for the subtitle.
    """
    named = {state.name: state for state in plan.machine.states}
    boxes = states([named[name] for name in drawn_states(plan.machine)])
    frame = panel(next(part for part in plan.parts if part.column == "machine"), boxes)
    cards = [*data_cards(plan, frame.box), *band_cards(plan, frame.box)]
    placed = {box.state.name: box.box for box in boxes} | {c.part.id: c.box for c in (frame, *cards)}
    cards += alerting_cards(plan, placed)
    places = placed | {c.part.id: c.box for c in cards}
    routes, below = _routes(plan, frame, cards, boxes, places)
    texts = _header(plan, resources, len(boxes))
    legend, height = _legend(below + 24, {route.style for route in routes})
    routes = _labelled(plan, routes, [*cards, frame], boxes, Box(6, 6, PAGE - 12, below + 14))
    return Scene(PAGE, height, frame, tuple(cards), boxes, tuple(routes), texts, legend, plan.fingerprint())


def _header(plan: Architecture, resources: int, drawn: int) -> tuple[Text, ...]:
    every = len(plan.machine.states)
    left_out = f", without the {every - drawn} Pass states, which only shape data" if every > drawn else ""
    lines = (
        ("A pipeline as its template deploys it", TITLE, True, "text", 16),
        (
            f"Drawn from the synthesized template: {resources} resources in {len(plan.parts)} parts; "
            f"{drawn} states{left_out}"
            + (", ↻ retried" if any(s.note == "retried" for s in plan.machine.states) else ""),
            SMALL,
            False,
            "faint",
            46,
        ),
    )
    return tuple(
        Text((words,), Box(MARGIN, y, width(words, size, bold=bold), size * LINE), size, bold, ink)
        for words, size, bold, ink, y in lines
    )


def _legend(top: float, used: set[str]) -> tuple[tuple[tuple[Route, Text], ...], float]:
    found, x, y = [], float(MARGIN), top
    for style, words in STYLES.items():
        if style not in used:
            continue
        size = width(words, SMALL)
        if x + 40 + size > PAGE - MARGIN:
            x, y = float(MARGIN), y + 20
        text = Text((words,), Box(x + 36, y, size, SMALL * LINE), SMALL, ink="faint")
        found.append((Route("", "", ((x, text.box.middle[1]), (x + 28, text.box.middle[1])), style), text))
        x = text.box.right + 22
    return tuple(found), y + 32


def _routes(
    plan: Architecture,
    frame: Card,
    cards: Sequence[Card],
    boxes: Sequence[StateBox],
    places: Mapping[str, Box],
) -> tuple[list[Route], float]:
    """Return all arrows, and how far down the drawing reaches."""
    row = {box.state.name: index for index, box in enumerate(boxes)}
    steps = [step for step in drawn_steps(plan.machine) if {step.source, step.target} <= set(row)]
    column = {c.part.id: c.part.column for c in cards} | {frame.part.id: "machine"} | dict.fromkeys(row, "state")
    order = [c.part.id for c in sorted(cards, key=lambda c: (c.box.y, c.box.x))]
    bottom = max(box.bottom for box in places.values())
    wires = [_step_wire(step, row) for step in steps]
    wires += [_flow_wire(flow, column, order, places) for flow in plan.flows]
    points = lay(wires, places, _channels(bottom), frame.part.id)
    styles = [*("fail" if step.fails else "step" for step in steps), *(flow.style for flow in plan.flows)]
    routes = [Route(w.source, w.target, p, s) for w, p, s in zip(wires, points, styles, strict=True)]
    return routes, max([bottom, *(y for route in routes for _, y in route.points)])


def _channels(bottom: float) -> dict[str, Channel]:
    return {
        "under": Channel(bottom + 18, 1, across=True, step=2 * LANE),
        "margin left": Channel(LEFT - 14, -1, LEFT - 40),
        "left": Channel(LEFT + DATA_WIDTH + 14, 1, PANEL_X - LEFT - DATA_WIDTH - 50),
        "back": Channel(STATE_X - 13, -1, STATE_X - PANEL_X - 20),
        "onward": Channel(STATE_X + STATE_WIDTH + 13, 1, PANEL_X + PANEL_WIDTH - STATE_X - STATE_WIDTH - 20),
        "right": Channel(RIGHT - 14, -1, RIGHT - PANEL_X - PANEL_WIDTH - 30),
        "margin right": Channel(RIGHT + RIGHT_WIDTH + 3, 1, PAGE - RIGHT - RIGHT_WIDTH - 6),
    }


def _step_wire(step: Step, row: Mapping[str, int]) -> Wire:
    far = row[step.target] - row[step.source]
    if far == 1:
        return Wire(step.source, step.target, "bottom", "top")
    side, channel = ("right", "onward") if far > 1 else ("left", "back")
    return Wire(step.source, step.target, side, channel=channel, enters=side, bus=f"to {step.target}")


def _flow_wire(flow: Flow, column: Mapping[str, str], order: Sequence[str], places: Mapping[str, Box]) -> Wire:
    ends = (flow.source, flow.target)
    first, second = column[flow.source], column[flow.target]
    if first == second:
        return _inner_wire(flow, first, [name for name in order if column[name] == first], places)
    sides = []
    for name, other in (ends, ends[::-1]):
        sides.append(_side(column[name], column[other]))
    outer = next((c for c in (first, second) if c in ("data", "alerting")), "")
    channel = {"data": "left", "alerting": "right"}.get(outer, "")
    wire = Wire(flow.source, flow.target, sides[0], sides[1], channel)
    if first == "band" and outer and _hidden(places, flow.source, outer, [n for n in order if column[n] == "band"]):
        wire.leaves, wire.under = "bottom", "under"
    if {first, second} == {"data", "alerting"}:
        wire.down, wire.under, wire.channel = wire.channel, "under", {"left": "right"}.get(wire.channel, "left")
    if flow.style == "watch" and first == "band":
        wire.bus = f"watch {flow.source}" if wire.under else ""
    return wire


def _side(mine: str, other: str) -> str:
    """Return the side of a box in one column that looks at another column."""
    across = ["data", "state", "alerting"]
    here, there = (across.index(c) if c in across else 1 for c in (mine, other))
    if here != there:
        return "left" if there < here else "right"
    return "top" if mine == "band" else "bottom"


def _hidden(places: Mapping[str, Box], name: str, outer: str, band: Sequence[str]) -> bool:
    """Tell whether another card of the band stands between this one and the column."""
    box = places[name]
    beside = [places[n] for n in band if n != name and abs(places[n].y - box.y) < 1]
    return any((other.x < box.x) == (outer == "data") for other in beside)


def _inner_wire(flow: Flow, column: str, order: Sequence[str], places: Mapping[str, Box]) -> Wire:
    """Return the wire between two cards of one column."""
    far = order.index(flow.target) - order.index(flow.source)
    if column == "band":
        aside = places[flow.target].x < places[flow.source].x
        return Wire(flow.source, flow.target, *(("left", "right") if aside else ("right", "left")))
    if abs(far) == 1:
        return Wire(flow.source, flow.target, *(("bottom", "top") if far > 0 else ("top", "bottom")))
    side = "left" if column == "data" else "right"
    # What several cards give to one runs together.
    return Wire(flow.source, flow.target, side, side, f"margin {side}", bus=f"{flow.label} {flow.target}")


def _labelled(
    plan: Architecture, routes: Sequence[Route], cards: Sequence[Card], boxes: Sequence[StateBox], page: Box
) -> list[Route]:
    """Return the arrows with labels where there is room for them; what runs together is labelled once."""
    words = {(flow.source, flow.target): flow.label for flow in plan.flows}
    taken = [c.box for c in cards if c.part.column != "machine"] + [box.box for box in boxes]
    taken += [text.box for c in cards for text in c.texts if c.part.column == "machine"]
    frame = next(c.box for c in cards if c.part.column == "machine")
    edges = [Box(x - 1, frame.y, 2, frame.h) for x in (frame.x, frame.right)]
    found, said = list(routes), set[tuple[str, float, float]]()
    for index in _hardest_first(words, routes):
        route = routes[index]
        label = words[route.source, route.target]
        lane = next((s for s in route.segments() if s.w == 0 and s.h > 40), None)
        key = (label, lane.x if lane else index, route.points[-1][1] if lane else 0)
        if route.style == "watch" and len(route.points) > 4:
            key = (label, route.points[0][0], route.points[0][1])
        if key in said:
            continue
        lines = [s for other in found if other is not found[index] for s in other.segments()] + edges
        if text := place_label(label, route, taken, lines, page):
            said.add(key)
            taken.append(text.box)
            found[index] = Route(route.source, route.target, route.points, route.style, text)
    return found


def _hardest_first(words: Mapping[tuple[str, str], str], routes: Sequence[Route]) -> Iterator[int]:
    flows = [index for index, route in enumerate(routes) if (route.source, route.target) in words]
    areas = {index: label_text(words[routes[index].source, routes[index].target], "data").box for index in flows}
    yield from sorted(flows, key=lambda index: (-areas[index].w * areas[index].h, index))
