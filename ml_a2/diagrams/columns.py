"""Where parts and states stand: data at the left, the machine in the middle, what tells of it at the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ml_a2.diagrams.architecture import Architecture, Part, State
from ml_a2.diagrams.lettering import BODY, HEADING, LINE, SMALL, width, wrap
from ml_a2.diagrams.ordering import rows
from ml_a2.diagrams.scene import Box, Card, StateBox, Text

PAGE = 900
TOP = 78  # below the title
LEFT, DATA_WIDTH = 107, 144
PANEL_X, PANEL_WIDTH = 366, 286
RIGHT, RIGHT_WIDTH = 742, 146
PANEL_HEAD, PANEL_PAD = 56, 16
STATE_X, STATE_WIDTH = PANEL_X + 45, 192
STATE_GAP, CARD_GAP = 17, 26
BAND_GAP, BAND_BETWEEN, BAND_OUT = 66, 50, 14  # what hangs over the panel at each side
ICON, PAD = 34, 8


def card(part: Part, x: float, y: float, wide: float, tall: float = 0) -> Card:
    """Return a part as a card with its upper left corner at a place, as tall as its texts need, or taller."""
    room = wide - 2 * PAD - ICON - 7
    groups = ((part.title, BODY, True, "text"), (part.subtitle, SMALL, False, "faint"))
    texts, below, left = [], y + PAD, x + PAD + ICON + 7
    for words, size, bold, ink in groups:
        lines = wrap(words, room, size, bold=bold)
        box = Box(left, below, max(width(line, size, bold=bold) for line in lines), len(lines) * size * LINE)
        texts.append(Text(lines, box, size, bold, ink))
        below = box.bottom
    tall = max(below - y + PAD, ICON + 2 * PAD, tall)
    lowered = (tall - PAD - (below - y)) / 2
    texts = [Text(t.lines, Box(t.box.x, t.box.y + lowered, t.box.w, t.box.h), t.size, t.bold, t.ink) for t in texts]
    return Card(part, Box(x, y, wide, tall), Box(x + PAD, y + (tall - ICON) / 2, ICON, ICON), tuple(texts))


def states(named: Sequence[State]) -> tuple[StateBox, ...]:
    """Return the states as boxes one below the other."""
    found, y = [], float(TOP + PANEL_HEAD)
    for state in named:
        note = {"retried": "↻"}.get(state.note, state.note)
        room = STATE_WIDTH - 20 - (width(note, SMALL) + 8 if note else 0)
        lines = wrap(state.name, room, BODY)
        text = Box(STATE_X + 10, y + 6, max(width(line, BODY) for line in lines), len(lines) * BODY * LINE)
        box = Box(STATE_X, y, STATE_WIDTH, text.h + 12)
        texts = [Text(lines, text, BODY, ink="text")]
        if note:
            size = width(note, SMALL)
            place = Box(box.right - 10 - size, box.middle[1] - SMALL * LINE / 2, size, SMALL * LINE)
            texts.append(Text((note,), place, SMALL, ink="faint"))
        found.append(StateBox(state, box, tuple(texts)))
        y = box.bottom + STATE_GAP
    return tuple(found)


def panel(part: Part, boxes: Sequence[StateBox]) -> Card:
    """Return the frame around the states."""
    head = card(part, PANEL_X, TOP, PANEL_WIDTH)
    tall = (boxes[-1].box.bottom if boxes else TOP + PANEL_HEAD) + PANEL_PAD - TOP
    rise = 8 - (head.icon.y - TOP)
    icon = Box(head.icon.x + 4, head.icon.y + rise, ICON, ICON)
    y, texts = icon.y + 1, []
    for text in head.texts:
        size = HEADING if text.bold else SMALL
        lines = wrap(" ".join(text.lines), PANEL_WIDTH - ICON - 40, size, bold=text.bold)
        box = Box(icon.right + 9, y, max(width(line, size, bold=text.bold) for line in lines), len(lines) * size * LINE)
        texts.append(Text(lines, box, size, text.bold, text.ink))
        y = box.bottom
    return Card(part, Box(PANEL_X, TOP, PANEL_WIDTH, tall), icon, tuple(texts))


def data_cards(plan: Architecture, frame: Box) -> list[Card]:
    """Return the cards of the data column, in the order in which data pass, spread over the height of the panel."""
    ordered = _ordered(plan, "data")
    cards = [card(part, LEFT, TOP, DATA_WIDTH) for part in ordered]
    free = frame.h - sum(c.box.h for c in cards)
    gap = max(free / (len(cards) - 1) if len(cards) > 1 else 0, 2 * CARD_GAP)
    found, y = [], frame.y
    for each in cards:
        found.append(card(each.part, LEFT, y, DATA_WIDTH))
        y = found[-1].box.bottom + gap
    return found


def band_cards(plan: Architecture, frame: Box) -> list[Card]:
    """Return the cards below the panel: other machines first, nearest to the jobs."""
    parts = sorted((p for p in plan.parts if p.column == "band"), key=lambda p: p.kind != "machine")
    wide = (PANEL_WIDTH + 2 * BAND_OUT - BAND_BETWEEN) / 2
    found, y = [], frame.bottom + BAND_GAP
    for index in range(0, len(parts), 2):
        pair = parts[index : index + 2]
        tall = max(card(part, 0, 0, wide).box.h for part in pair)
        row = [card(p, PANEL_X - BAND_OUT + i * (wide + BAND_BETWEEN), y, wide, tall) for i, p in enumerate(pair)]
        found += row
        y = max(c.box.bottom for c in row) + BAND_GAP
    return found


def alerting_cards(plan: Architecture, boxes: Mapping[str, Box]) -> list[Card]:
    """Return the cards of the right column, each as near as can be to the states and cards that it goes with."""
    ordered = _ordered(plan, "alerting")[::-1]
    cards = [card(part, RIGHT, TOP, RIGHT_WIDTH) for part in ordered]
    wanted = [_wanted(plan, each.part.id, boxes) for each in cards]
    for index in range(len(cards) - 2, -1, -1):  # what has no place of its own stays above what it goes with
        if wanted[index] is None and _linked(plan, cards[index], cards[index + 1]):
            below = wanted[index + 1]
            wanted[index] = None if below is None else below - cards[index].box.h - 2 * CARD_GAP
    places, y = [], float(TOP)
    for each, middle in zip(cards, wanted, strict=True):
        y = max(y, (middle - each.box.h / 2) if middle is not None else y)
        places.append(y)
        y += each.box.h + 2 * CARD_GAP
    limit = max([TOP + 0.0, *(box.bottom for box in boxes.values())])
    for index in range(len(cards) - 1, -1, -1):
        places[index] = max(min(places[index], limit - cards[index].box.h), TOP)
        limit = places[index] - 2 * CARD_GAP
    if places and (over := TOP - min(places)) > 0:
        places = [place + over for place in places]
    return [card(c.part, RIGHT, place, RIGHT_WIDTH) for c, place in zip(cards, places, strict=True)]


def _wanted(plan: Architecture, part: str, boxes: Mapping[str, Box]) -> float | None:
    """Return the mean height of the states with which a part has to do, else of the cards of the band."""
    near = [
        flow.source if flow.target == part else flow.target for flow in plan.flows if part in (flow.source, flow.target)
    ]
    names = {state.name for state in plan.machine.states}
    of_states = [boxes[name].middle[1] for name in near if name in names and name in boxes]
    others = [boxes[name].middle[1] for name in near if name in boxes and name != plan.machine.id]
    if of_states:
        return sum(of_states) / len(of_states)
    alone = {flow.source for flow in plan.flows if flow.style == "alert"}
    return sum(others) / len(others) if others and part in alone else None


def _linked(plan: Architecture, one: Card, other: Card) -> bool:
    ends = {one.part.id, other.part.id}
    return any({flow.source, flow.target} == ends for flow in plan.flows)


def _ordered(plan: Architecture, column: str) -> list[Part]:
    parts = {part.id: part for part in plan.parts if part.column == column}
    inside = [(f.source, f.target) for f in plan.flows if f.source in parts and f.target in parts]
    linked = {name for edge in inside for name in edge}
    alone = [name for name in parts if name not in linked]
    return [parts[name] for name in [*rows([n for n in parts if n in linked], inside), *alone]]
