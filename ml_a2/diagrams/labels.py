"""A place for each arrow's label, beside the arrow and on nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ml_a2.diagrams.lettering import LINE, SMALL, width, wrap
from ml_a2.diagrams.scene import Box, Point, Route, Text

WIDEST = 86
# Where along a stretch a label may be, the middle first.
SHARES = sorted((index / 24 for index in range(1, 24)), key=lambda share: abs(share - 0.5))


def label_text(words: str, ink: str, place: Point = (0, 0)) -> Text:
    """Return a label as a text at a place."""
    lines = wrap(words, WIDEST, SMALL)
    return Text(
        lines, Box(*place, max(width(line, SMALL) for line in lines), len(lines) * SMALL * LINE), SMALL, ink=ink
    )


def place_label(words: str, route: Route, taken: Sequence[Box], lines: Sequence[Box], page: Box) -> Text | None:
    """Return the label where it is free, or, if it must be, on other arrows; None where it would lie on a box.

    Args:
        words: what it says.
        route: the arrow to which it belongs.
        taken: where boxes and texts are.
        lines: where other arrows run.
        page: what it may not leave.
    """
    size = label_text(words, route.style).box
    candidates = [Box(x, y, size.w, size.h) for x, y in _places(route, size)]
    fitting = [box for box in candidates if page.holds(box) and not any(box.meets(other, 2) for other in taken)]
    if not fitting:
        return None
    clear = [box for box in fitting if not any(box.meets(line, 1) for line in lines)]
    own = [box for box in clear if not any(box.meets(segment, 1) for segment in route.segments())]
    best = [*own, *clear, *fitting][0]
    return label_text(words, route.style, (best.x, best.y))


def _places(route: Route, size: Box) -> Iterator[Point]:
    """Yield places along the arrow: above and below what runs across, beside what runs down; the longest first."""
    for segment in sorted(route.segments(), key=lambda s: 1 if s.w == 0 else 2 * (s.w < size.w + 4)):
        for first in (True, False):
            for share in SHARES:
                if segment.h == 0:
                    across = segment.x + share * (segment.w - size.w)
                    yield across, segment.y - size.h - 2 if first else segment.y + 3
                else:
                    down = segment.y + share * segment.h - size.h / 2
                    yield segment.x + 5 if first else segment.x - size.w - 5, down
