"""Arrows along right angles: every one leaves and enters at a place of its own and runs in a lane of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ml_a2.diagrams.scene import Box, Point

LANE = 9
CLEAR = 7  # between two arrows in one lane


@dataclass
class Wire:
    """An arrow to be laid: from a side of one box to a side of another, by a channel; `bus` shares its lane."""

    source: str
    target: str
    leaves: str  # left, right, top, bottom
    enters: str
    channel: str = ""
    bus: str = ""
    under: str = ""  # the channel below all boxes that it takes first
    down: str = ""  # the channel by which it gets there, from a side of its box
    ends: list[Point] = field(default_factory=list)


@dataclass(frozen=True)
class Channel:
    """A strip with lanes side by side: the first at `start`, each next one a step further, in all within `room`."""

    start: float
    direction: int
    room: float = 1000
    across: bool = False  # lanes run from left to right
    step: float = LANE


def lay(
    wires: Sequence[Wire], boxes: Mapping[str, Box], channels: Mapping[str, Channel], frame: str
) -> list[tuple[Point, ...]]:
    """Return the points of each wire.

    Args:
        wires: what is to be laid.
        boxes: where parts and states stand.
        channels: where lanes may be.
        frame: the box at whose sides an arrow may leave at any height.
    """
    _set_ports(wires, boxes, frame)
    under: dict[int, float] = {}
    lanes: dict[int, float] = {}
    for name, channel in channels.items():
        under |= _assign(wires, [i for i, wire in enumerate(wires) if wire.under == name], channel, {}, {})
    down: dict[int, float] = {}
    for name, channel in channels.items():
        going_down = {index: under[index] for index, wire in enumerate(wires) if wire.down == name}
        mine = [index for index, wire in enumerate(wires) if name in (wire.channel, wire.down)]
        coming = {index: place for index, place in under.items() if index not in going_down}
        found = _assign(wires, mine, channel, coming, going_down)
        down |= {index: lane for index, lane in found.items() if index in going_down}
        lanes |= {index: lane for index, lane in found.items() if index not in going_down}
    return [_points(wire, lanes.get(index), under.get(index), down.get(index)) for index, wire in enumerate(wires)]


def _set_ports(wires: Sequence[Wire], boxes: Mapping[str, Box], frame: str) -> None:
    """Spread the ends of wires over the sides of their boxes, in the order of where they come from."""
    sides: dict[tuple[str, str], list[tuple[float, int, int]]] = {}
    for index, wire in enumerate(wires):
        wire.ends = [boxes[wire.source].middle, boxes[wire.target].middle]
        for end, (name, side) in enumerate(((wire.source, wire.leaves), (wire.target, wire.enters))):
            far = boxes[wire.target if end == 0 else wire.source].middle
            sides.setdefault((name, side), []).append((far[side in ("left", "right")], index, end))
    for (name, side), ends in sides.items():
        shared = _by_bus(wires, sorted(ends))
        for place, group in enumerate(shared):
            share = (place + 1) / (len(shared) + 1)
            for _, index, end in group:
                wires[index].ends[end] = _on_side(boxes[name], side, share)
    for wire in wires:
        _align(wire, frame, boxes)


def _by_bus(wires: Sequence[Wire], ends: Sequence[tuple[float, int, int]]) -> list[list[tuple[float, int, int]]]:
    groups: dict[str, list[tuple[float, int, int]]] = {}
    for end in ends:
        wire = wires[end[1]]
        # On a bus, arrows are one where they come together: at the target, or at the source that they share.
        key = f"{wire.bus}/{end[2]}" if wire.bus else f"#{end[1]}/{end[2]}"
        groups.setdefault(key, []).append(end)
    return list(groups.values())


def _on_side(box: Box, side: str, share: float) -> Point:
    if side in ("left", "right"):
        return (box.x if side == "left" else box.right), box.y + share * box.h
    return box.x + share * box.w, (box.y if side == "top" else box.bottom)


def _align(wire: Wire, frame: str, boxes: Mapping[str, Box]) -> None:
    """Let an arrow of the frame run straight: its end there lies wherever the other one is."""
    for end, name in enumerate((wire.source, wire.target)):
        if name == frame:
            (x, y), (ox, oy) = wire.ends[end], wire.ends[1 - end]
            side = wire.leaves if end == 0 else wire.enters
            wire.ends[end] = (x, min(oy, boxes[name].bottom - 14)) if side in ("left", "right") else (ox, y)
            wire.channel = wire.channel if oy > boxes[name].bottom - 14 else ""
    (_, y1), (x2, _) = wire.ends
    if not wire.channel and wire.leaves in ("left", "right") and boxes[wire.target].y < y1 < boxes[wire.target].bottom:
        wire.ends[1] = (x2, y1)  # neighbours


def _assign(
    wires: Sequence[Wire],
    mine: Sequence[int],
    channel: Channel,
    starts: Mapping[int, float],
    stops: Mapping[int, float],
) -> dict[int, float]:
    """Give each wire, or bus, the innermost lane in which it meets no other; the shortest first.

    Args:
        wires: all wires.
        mine: the numbers of those that take this channel.
        channel: where its lanes are.
        starts: where wires come into their lane that do not come from the side of a box.
        stops: where wires leave it that do not go to one.
    """
    groups: dict[str, list[int]] = {}
    for index in mine:
        groups.setdefault(wires[index].bus or f"#{index}", []).append(index)
    spans, axis = {}, 0 if channel.across else 1
    for key, of in groups.items():
        begun = [starts.get(index, wires[index].ends[0][axis]) for index in of]
        ended = [stops.get(index, wires[index].ends[1][axis]) for index in of]
        spans[key] = (min(begun + ended), max(begun + ended))
    taken: list[list[tuple[float, float]]] = []
    lanes: dict[int, int] = {}
    for key in sorted(groups, key=lambda k: (spans[k][1] - spans[k][0], spans[k])):
        low, high = spans[key]
        free = (n for n, used in enumerate(taken) if all(high + CLEAR < a or b + CLEAR < low for a, b in used))
        lane = next(free, len(taken))
        if lane == len(taken):
            taken.append([])
        taken[lane].append((low, high))
        lanes |= dict.fromkeys(groups[key], lane)
    step = min(channel.step, channel.room / max(len(taken) - 1, 1))
    return {index: channel.start + channel.direction * step * lane for index, lane in lanes.items()}


def _points(wire: Wire, lane: float | None, under: float | None, down: float | None) -> tuple[Point, ...]:
    (x1, y1), (x2, y2) = wire.ends
    if lane is None:
        return (x1, y1), (x2, y2)
    if under is not None and down is not None:
        return (x1, y1), (down, y1), (down, under), (lane, under), (lane, y2), (x2, y2)
    if under is not None:
        return (x1, y1), (x1, under), (lane, under), (lane, y2), (x2, y2)
    return (x1, y1), (lane, y1), (lane, y2), (x2, y2)
