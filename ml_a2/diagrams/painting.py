"""A scene as a picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import pairwise
from math import hypot

from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from ml_a2.diagrams.icons import icon
from ml_a2.diagrams.inks import DASHES, INKS, PAPER, STATE_EDGES
from ml_a2.diagrams.lettering import LINE, font
from ml_a2.diagrams.scene import Box, Card, Point, Route, Scene, StateBox, Text

SCALE = 2  # pixels of the picture for one of the layout: sharp on dense displays, 900 wide in a README
ARROW = 7
FINGERPRINT = "ml-a2-template"


class Painter:
    """Paints in layout pixels on a picture that is `scale` times as large."""

    def __init__(self, width: float, height: float, scale: float = SCALE) -> None:
        """Begin with empty paper."""
        self.scale = scale
        self.image = Image.new("RGB", (round(width * scale), round(height * scale)), PAPER)
        self._draw = ImageDraw.Draw(self.image)

    def _xy(self, *values: float) -> list[float]:
        return [value * self.scale for value in values]

    def take(self, image: Image.Image) -> None:
        """Go on with a picture that is painted already."""
        self.image, self._draw = image, ImageDraw.Draw(image)

    def scene(self, scene: Scene) -> None:
        """Paint a whole scene."""
        self._frame(scene.panel)
        for route in scene.routes:
            self.route(route)
        for state in scene.states:
            self.state(state, INKS["state"])
        for card in scene.cards:
            self.card(card, INKS["card"])
        for route in scene.routes:
            if route.label:
                self.halo(route.label.box)
                self.texts((route.label,))
        for route, text in scene.legend:
            self.route(route)
            self.texts((text,))
        self.texts(scene.texts)

    def _frame(self, card: Card) -> None:
        self.box(card.box, INKS["panel"], INKS["panel edge"], 10, 1.4)
        self.icon(card.part.kind, card.icon)
        self.texts(card.texts)

    def card(self, card: Card, fill: str) -> None:
        """Paint a part."""
        self.box(card.box, fill, INKS["edge"], 8, 1.2)
        self.icon(card.part.kind, card.icon)
        self.texts(card.texts)

    def state(self, state: StateBox, fill: str) -> None:
        """Paint a state: square where it only decides or waits, thick where the machine ends."""
        kind = state.state.kind
        ink, rounding = STATE_EDGES.get(kind, INKS["step"]), 3 if kind in ("Choice", "Wait") else 9
        self.box(state.box, fill, ink, rounding, 2 if kind in ("Succeed", "Fail") else 1.2)
        self.texts(state.texts)

    def box(self, box: Box, fill: str, ink: str, rounding: float, line: float) -> None:
        """Paint a rectangle with round corners."""
        self._draw.rounded_rectangle(
            self._xy(box.x, box.y, box.right, box.bottom),
            rounding * self.scale,
            fill,
            ink,
            max(1, round(line * self.scale)),
        )

    def halo(self, box: Box) -> None:
        """Clear the ground under a label where arrows run."""
        middle = self.image.getpixel((round(box.x * self.scale) - 1, round(box.y * self.scale) - 1))
        ground = INKS["panel"] if middle == _rgb(INKS["panel"]) else PAPER
        self._draw.rectangle(self._xy(box.x - 1, box.y, box.right + 1, box.bottom), ground)

    def icon(self, name: str, box: Box) -> None:
        """Paint an icon."""
        image = icon(name, round(box.w * self.scale))
        self.image.paste(image, (round(box.x * self.scale), round(box.y * self.scale)), image)

    def texts(self, texts: Sequence[Text]) -> None:
        """Write lines."""
        for text in texts:
            for index, line in enumerate(text.lines):
                x = text.box.middle[0] if text.centred else text.box.x
                y = text.box.y + (index + 0.5) * text.size * LINE
                anchor = "mm" if text.centred else "lm"
                letters = font(text.size * self.scale, bold=text.bold)
                self._draw.text((x * self.scale, y * self.scale), line, INKS.get(text.ink, text.ink), letters, anchor)

    def route(self, route: Route, ink: str | None = None) -> None:
        """Paint an arrow; a lit one is thicker."""
        colour, line = ink or INKS[route.style], round((2.6 if ink else 1.3) * self.scale)
        points = [*route.points]
        (px, py), (x, y) = points[-2], points[-1]
        long = hypot(x - px, y - py) or 1
        ux, uy = (x - px) / long, (y - py) / long
        points[-1] = (x - ux * ARROW * 0.8, y - uy * ARROW * 0.8)
        dash = DASHES.get(route.style)
        if dash and not ink:
            for a, b in _dashes(points, dash):
                self._draw.line(self._xy(*a, *b), colour, line)
        else:
            self._draw.line([tuple(self._xy(*point)) for point in points], colour, line, joint="curve")
        left, right = ((x - ux * ARROW - uy * s * ARROW * 0.5, y - uy * ARROW + ux * s * ARROW * 0.5) for s in (1, -1))
        self._draw.polygon([tuple(self._xy(*point)) for point in ((x, y), left, right)], colour)

    def dot(self, place: Point, radius: float, ink: str) -> None:
        """Paint something that is on its way."""
        x, y = place
        self._draw.ellipse(self._xy(x - radius, y - radius, x + radius, y + radius), ink, PAPER, round(self.scale))

    def png(self, fingerprint: str) -> bytes:
        """Return the picture as a PNG that says from what it was drawn; it holds no time."""
        about = PngInfo()
        about.add_text(FINGERPRINT, fingerprint)
        buffer = io.BytesIO()
        self.image.quantize(256, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True, pnginfo=about)
        return buffer.getvalue()


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def _dashes(points: Sequence[Point], dash: tuple[float, float]) -> list[tuple[Point, Point]]:
    found = []
    for (x1, y1), (x2, y2) in pairwise(points):
        long = hypot(x2 - x1, y2 - y1) or 1
        # Dashes stand at the same places of the paper for every arrow, so that two on one line are one.
        at = -((x1 + y1) % sum(dash)) if x2 + y2 > x1 + y1 else -(-(x1 + y1) % sum(dash))
        while at < long:
            a, b = max(at, 0) / long, max(min(at + dash[0], long), 0) / long
            found.append(((x1 + a * (x2 - x1), y1 + a * (y2 - y1)), (x1 + b * (x2 - x1), y1 + b * (y2 - y1))))
            at += sum(dash)
    return found
