"""A drawing before it is drawn: what stands where, in pixels of a picture 900 wide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ml_a2.diagrams.architecture import Part, State

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """Return the right edge."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """Return the lower edge."""
        return self.y + self.h

    @property
    def middle(self) -> Point:
        """Return the point in the middle."""
        return self.x + self.w / 2, self.y + self.h / 2

    def meets(self, other: Box, gap: float = 0) -> bool:
        """Tell whether two rectangles share an area, or come closer than a gap."""
        return (
            self.x < other.right + gap
            and other.x < self.right + gap
            and self.y < other.bottom + gap
            and other.y < self.bottom + gap
        )

    def holds(self, other: Box) -> bool:
        """Tell whether another rectangle lies within."""
        return self.x <= other.x and self.y <= other.y and other.right <= self.right and other.bottom <= self.bottom


@dataclass(frozen=True)
class Text:
    """Lines of text in a box that they fill."""

    lines: tuple[str, ...]
    box: Box
    size: float
    bold: bool = False
    ink: str = "text"
    centred: bool = False


@dataclass(frozen=True)
class Card:
    """A part of the stack: its icon at the left, its texts beside it."""

    part: Part
    box: Box
    icon: Box
    texts: tuple[Text, ...]


@dataclass(frozen=True)
class StateBox:
    """A state in the panel of its machine."""

    state: State
    box: Box
    texts: tuple[Text, ...]


@dataclass(frozen=True)
class Route:
    """An arrow along points, from a part or state to another."""

    source: str
    target: str
    points: tuple[Point, ...]
    style: str
    label: Text | None = None

    def segments(self) -> Iterator[Box]:
        """Yield each stretch as a rectangle without area."""
        for (x1, y1), (x2, y2) in zip(self.points, self.points[1:], strict=False):
            yield Box(min(x1, x2), min(y1, y2), abs(x2 - x1), abs(y2 - y1))


@dataclass(frozen=True)
class Scene:
    """Everything that is drawn."""

    width: float
    height: float
    panel: Card
    cards: tuple[Card, ...]
    states: tuple[StateBox, ...]
    routes: tuple[Route, ...]
    texts: tuple[Text, ...]
    legend: tuple[tuple[Route, Text], ...]
    fingerprint: str

    def boxes(self) -> dict[str, Box]:
        """Return where each part and state stands."""
        cards = {card.part.id: card.box for card in (*self.cards, self.panel)}
        return cards | {state.state.name: state.box for state in self.states}

    def all_texts(self) -> list[Text]:
        """Return every text."""
        owned = [text for card in (self.panel, *self.cards) for text in card.texts]
        owned += [text for state in self.states for text in state.texts]
        labels = [route.label for route in self.routes if route.label]
        return [*self.texts, *owned, *labels, *(text for _, text in self.legend)]
