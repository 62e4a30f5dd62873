"""All pictures of a template and its executions, written together or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ml_a2.diagrams.architecture import Architecture
from ml_a2.diagrams.drawio import drawio
from ml_a2.diagrams.film import Film, frames
from ml_a2.diagrams.layout import lay_out
from ml_a2.diagrams.painting import Painter
from ml_a2.diagrams.reading import read_architecture
from ml_a2.diagrams.scene import Scene
from ml_a2.diagrams.script import Story, beats_of
from ml_a2.diagrams.services import services_picture

NAME, SERVICES = "ml-a2-diagram", "services_used.png"


def scene_of(template: Mapping[str, Any]) -> tuple[Architecture, Scene]:
    """Return what a template is drawn as.

    Raises:
        AssemblyError: names what cannot be drawn.
    """
    plan = read_architecture(template)
    return plan, lay_out(plan, len(template["Resources"]))


def write_still(template: Mapping[str, Any], folder: Path) -> None:
    """Write the pictures that need no execution.

    Raises:
        AssemblyError: names what cannot be drawn.
    """
    _, scene = scene_of(template)
    painter = Painter(scene.width, scene.height)
    painter.scene(scene)
    (folder / f"{NAME}.drawio").write_bytes(drawio(scene))
    (folder / f"{NAME}.png").write_bytes(painter.png(scene.fingerprint))
    (folder / SERVICES).write_bytes(services_picture(template, scene.fingerprint))


def write_pictures(
    template: Mapping[str, Any], stories: Sequence[Story], output: Path, tell: Callable[[str], None]
) -> list[Path]:
    """Write all pictures of a template, and of executions of it, into a folder; return their paths.

    Raises:
        AssemblyError: names what cannot be drawn.
    """
    plan, scene = scene_of(template)
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output, prefix=".drawing-") as scratch:
        folder = Path(scratch)
        tell("drawing the architecture and the services")
        write_still(template, folder)
        tell("filming the executions")
        film = Film(folder, NAME, scene.fingerprint)
        film.write(frames(scene, [beats_of(plan, story) for story in stories]))
        # Only now, and each at once: whoever looks never finds half a picture.
        return [path.replace(output / path.name) for path in sorted(folder.iterdir())]
