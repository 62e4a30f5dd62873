"""The walkthrough as moving pictures, on the layout of the still one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import hypot
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from PIL import Image

from ml_a2.diagrams.inks import INKS
from ml_a2.diagrams.lettering import BODY, HEADING, LINE, SMALL, width, wrap
from ml_a2.diagrams.painting import SCALE, Painter
from ml_a2.diagrams.scene import Box, Point, Route, Scene, Text
from ml_a2.diagrams.script import Beat

FRAMES_PER_SECOND = 10
CAPTION = 92
NOW, SEEN, FAILED, SENT = "#ffd35c", "#e3f3e6", "#f9d4d4", "#e07b00"
COLOURS = 96


def frames(scene: Scene, takes: Sequence[Sequence[Beat]]) -> Iterator[Image.Image]:
    """Yield every frame, as large as the still picture and a caption below it."""
    ground = Painter(scene.width, _even(scene.height + CAPTION))
    ground.scene(scene)
    whole = sum(beat.seconds for beats in takes for beat in beats)
    passed = 0.0
    for number, beats in enumerate(takes):
        seen: dict[str, str] = {}
        for beat in beats:
            # From its beginning to its end on the whole film's clock: what rounding takes from one, the next one gets.
            count = round((passed + beat.seconds) * FRAMES_PER_SECOND) - round(passed * FRAMES_PER_SECOND)
            for index in range(count):
                painter = Painter(1, 1)
                painter.take(ground.image.copy())
                _light(painter, scene, beat, seen, (index + 1) / count)
                done = (passed + beat.seconds * index / count) / whole
                _caption(painter, scene, beat, f"{number + 1} of {len(takes)}", done)
                yield painter.image
            passed += beat.seconds
            seen |= _left_behind(scene, beat)


def _left_behind(scene: Scene, beat: Beat) -> dict[str, str]:
    kinds = {state.state.name: state.state.kind for state in scene.states}
    colour = FAILED if beat.failed or kinds.get(beat.now) == "Fail" else SEEN
    return {beat.now: colour} if beat.now in kinds else {}


def _light(painter: Painter, scene: Scene, beat: Beat, seen: Mapping[str, str], share: float) -> None:
    """Light what is going on: boxes that are at work, and arrows with something on its way."""
    moving = [route for route in scene.routes if (route.source, route.target) in beat.arrows]
    for route in moving:
        painter.route(route, SENT)
    fills = {**seen, **dict.fromkeys(beat.jobs, NOW), **dict.fromkeys(beat.failed, FAILED), beat.now: NOW}
    for state in scene.states:
        if fill := fills.get(state.state.name):
            painter.state(state, fill)
    for card in scene.cards:
        if fill := fills.get(card.part.id):
            painter.card(card, fill)
    for route in scene.routes:
        if route.label and any(segment.meets(route.label.box, 2) for r in moving for segment in r.segments()):
            painter.halo(route.label.box)
            painter.texts((route.label,))
    for route in moving:
        painter.dot(_along(route, min(share * 1.15, 1)), 6, SENT)


def _along(route: Route, share: float) -> Point:
    """Return the point at a share of the way along an arrow."""
    stretches = [(a, b, hypot(b[0] - a[0], b[1] - a[1])) for a, b in pairwise(route.points)]
    left = share * sum(long for *_, long in stretches)
    for (x1, y1), (x2, y2), long in stretches:
        if left <= long and long:
            return x1 + left / long * (x2 - x1), y1 + left / long * (y2 - y1)
        left -= long
    return route.points[-1]


def _caption(painter: Painter, scene: Scene, beat: Beat, number: str, done: float) -> None:
    top, wide = scene.height + 4, scene.width - 40
    painter.box(Box(20, top, wide, CAPTION - 20), "#f2f4f7", "#c3c9d0", 8, 1.2)
    clock = f"after {_duration(beat.clock)}"
    right = width(clock, BODY)
    painter.texts((
        _line(f"{number}: {beat.caption}", BODY, 36, top + 9, ink="faint"),
        _line(clock, BODY, 20 + wide - 16 - right, top + 9, ink="faint"),
        _line(_name(scene, beat.now), HEADING, 36, top + 29, bold=True),
    ))  # fmt: skip
    if detail := wrap(beat.detail, wide - 60, SMALL)[:1]:
        painter.texts((_line(detail[0], SMALL, 36, top + 49),))
    if done:
        painter.box(Box(20, top + CAPTION - 16, max(wide * done, 1), 3), SENT, SENT, 1, 1)


def _name(scene: Scene, now: str) -> str:
    card = next((card.part for card in scene.cards if card.part.id == now), None)
    return f"{card.title}, {card.subtitle}" if card else now


def _line(text: str, size: float, x: float, y: float, *, bold: bool = False, ink: str = "text") -> Text:
    return Text((text,), Box(x, y, width(text, size, bold=bold), size * LINE), size, bold, INKS[ink])


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def _even(height: float) -> int:
    return -(-round(height) // 2) * 2


class Film:
    """Writes the same frames as an MP4, as large as they are, and as a GIF, as large as a README shows them."""

    def __init__(self, folder: Path, name: str, fingerprint: str) -> None:
        """Prepare both files."""
        self._gif, self._mp4, self._fingerprint = folder / f"{name}.gif", folder / f"{name}.mp4", fingerprint

    def write(self, pictures: Iterator[Image.Image]) -> None:
        """Write both, frame by frame."""
        first = next(pictures)
        small = [_reduced(first)]
        writer = imageio_ffmpeg.write_frames(
            str(self._mp4),
            first.size,
            fps=FRAMES_PER_SECOND,
            codec="libx264",
            macro_block_size=2,
            quality=None,
            output_params=["-crf", "24", "-preset", "veryfast", "-movflags", "+faststart", "-metadata",
                           f"comment={self._fingerprint}"],
        )  # fmt: skip
        writer.send(None)
        writer.send(np.ascontiguousarray(first))
        for picture in pictures:
            writer.send(np.ascontiguousarray(picture))
            small.append(_reduced(picture))
        writer.close()
        self._write_gif(small)

    def _write_gif(self, pictures: Sequence[Image.Image]) -> None:
        first, *rest = _changes(pictures)
        first.save(
            self._gif,
            "GIF",
            save_all=True,
            append_images=rest,
            duration=1000 // FRAMES_PER_SECOND,
            loop=0,
            optimize=False,
            disposal=1,
            transparency=COLOURS,
            comment=self._fingerprint.encode(),
        )


def _changes(pictures: Sequence[Image.Image]) -> Iterator[Image.Image]:
    """Yield the frames in one palette, transparent wherever nothing changes: a tenth of the bytes."""
    palette = _palette(pictures)
    before: np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None = None
    for picture in pictures:
        indexed = picture.quantize(palette=palette, dither=Image.Dither.NONE)
        pixels = np.asarray(indexed)
        if before is not None:
            colours = (indexed.getpalette() or [])[: 3 * COLOURS]
            indexed = Image.fromarray(np.where(pixels == before, np.uint8(COLOURS), pixels), "P")
            indexed.putpalette([*colours, 0, 0, 0])
        yield indexed
        before = pixels


def _reduced(picture: Image.Image) -> Image.Image:
    return picture.reduce(SCALE)


def _palette(pictures: Sequence[Image.Image]) -> Image.Image:
    """Return the colours of some frames from the whole film."""
    some = pictures[:: max(1, len(pictures) // 6)]
    sheet = Image.new("RGB", (some[0].width, some[0].height * len(some)))
    for index, picture in enumerate(some):
        sheet.paste(picture, (0, index * picture.height))
    return sheet.quantize(COLOURS, dither=Image.Dither.NONE)
