"""A scene as a file that draw.io opens: shapes that can be moved, and edges that hold on to them."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from itertools import pairwise
from math import hypot
from xml.etree import ElementTree as ET

from ml_a2.diagrams.icons import as_data
from ml_a2.diagrams.inks import INKS, STATE_EDGES
from ml_a2.diagrams.painting import FINGERPRINT
from ml_a2.diagrams.scene import Box, Card, Point, Route, Scene, StateBox, Text

ICON_PIXELS = 96
FONT = "fontFamily=Helvetica"


def drawio(scene: Scene) -> bytes:
    """Return the XML of the drawing; the same scene gives the same bytes."""
    file = ET.Element("mxfile", {"host": "ml-a2", FINGERPRINT: scene.fingerprint})
    page = ET.SubElement(file, "diagram", id="architecture", name="Architecture")
    size = {"pageWidth": _number(scene.width), "pageHeight": _number(scene.height)}
    graph = {"grid": "0", "guides": "1", "connect": "1", "arrows": "1", "page": "1", "math": "0", **size}
    root = ET.SubElement(ET.SubElement(page, "mxGraphModel", graph), "root")
    ET.SubElement(root, "mxCell", id="0")
    ET.SubElement(root, "mxCell", {"id": "1", "parent": "0"})
    for index, text in enumerate(scene.texts):
        _text(root, f"text-{index}", text)
    _panel(root, scene.panel)
    for state in scene.states:
        _state(root, state, scene.panel)
    for card in scene.cards:
        _card(root, card)
    boxes = scene.boxes()
    for index, route in enumerate(scene.routes):
        _edge(root, f"edge-{index}", route, boxes)
    for index, (line, text) in enumerate(scene.legend):
        _edge(root, f"legend-{index}", line, {})
        _text(root, f"legend-text-{index}", text)
    ET.indent(file)
    return b"".join((ET.tostring(file, encoding="utf-8", xml_declaration=True), b"\n"))


def _vertex(root: ET.Element, cell: str, value: str, style: str, box: Box, *, parent: str = "1") -> None:
    attributes = {"id": cell, "value": value, "style": style, "vertex": "1", "parent": parent}
    element = ET.SubElement(root, "mxCell", attributes)
    places = {"x": box.x, "y": box.y, "width": box.w, "height": box.h}
    ET.SubElement(element, "mxGeometry", {k: _number(v) for k, v in places.items()} | {"as": "geometry"})


def _text(root: ET.Element, cell: str, text: Text) -> None:
    style = f"text;html=1;align=left;verticalAlign=middle;spacing=0;{FONT};fontSize={_number(text.size)};"
    style += f"fontColor={INKS[text.ink]};fontStyle={int(text.bold)};"
    _vertex(root, cell, escape(" ".join(text.lines)), style, text.box)


def _panel(root: ET.Element, card: Card) -> None:
    style = f"rounded=1;arcSize=3;html=1;container=1;collapsible=0;fillColor={INKS['panel']};"
    style += f"strokeColor={INKS['panel edge']};verticalAlign=top;align=left;spacingLeft=52;spacingTop=6;{FONT};"
    _vertex(root, card.part.id, _title(card), style, card.box)
    _icon(root, card)


def _card(root: ET.Element, card: Card) -> None:
    style = f"rounded=1;arcSize=12;whiteSpace=wrap;html=1;container=1;collapsible=0;fillColor={INKS['card']};"
    style += f"strokeColor={INKS['edge']};align=left;verticalAlign=middle;spacingLeft=46;{FONT};"
    _vertex(root, card.part.id, _title(card), style, card.box)
    _icon(root, card)


def _icon(root: ET.Element, card: Card) -> None:
    style = f"shape=image;imageAspect=1;aspect=fixed;image=data:image/png,{as_data(card.part.kind, ICON_PIXELS)};"
    place = Box(card.icon.x - card.box.x, card.icon.y - card.box.y, card.icon.w, card.icon.h)
    _vertex(root, f"{card.part.id}-icon", "", style, place, parent=card.part.id)


def _title(card: Card) -> str:
    """Return a part's texts as HTML, broken where they are broken in the picture."""
    lines = []
    for text in card.texts:
        style = f"font-size: {_number(text.size)}px; color: {INKS[text.ink]}"
        words = "<br>".join(map(escape, text.lines))
        lines.append(f'<span style="{style}">{f"<b>{words}</b>" if text.bold else words}</span>')
    return "<br>".join(lines)


def _state(root: ET.Element, state: StateBox, panel: Card) -> None:
    ink = STATE_EDGES.get(state.state.kind, INKS["step"])
    thick = 2 if state.state.kind in ("Succeed", "Fail") else 1
    style = f"rounded={int(state.state.kind not in ('Choice', 'Wait'))};arcSize=30;whiteSpace=wrap;html=1;align=left;"
    style += f"spacingLeft=7;fillColor={INKS['state']};strokeColor={ink};strokeWidth={thick};fontColor={INKS['text']};"
    name, *notes = ("<br>".join(map(escape, text.lines)) for text in state.texts)
    note = "".join(f' <font color="{INKS["faint"]}">{n}</font>' for n in notes)
    place = Box(state.box.x - panel.box.x, state.box.y - panel.box.y, state.box.w, state.box.h)
    _vertex(root, _state_id(state.state.name), name + note, f"{style}{FONT};fontSize=12;", place, parent=panel.part.id)


def _state_id(name: str) -> str:
    return f"state-{name}"


def _edge(root: ET.Element, cell: str, route: Route, boxes: Mapping[str, Box]) -> None:
    names = {name: name if (name in root_ids(root)) else _state_id(name) for name in (route.source, route.target)}
    style = f"edgeStyle=orthogonalEdgeStyle;rounded=0;html=1;endArrow=block;endFill=1;endSize=5;{FONT};"
    style += f"strokeColor={INKS[route.style]};fontColor={INKS[route.style]};"
    style += "dashed=1;" if route.style in ("watch", "fail") else ""
    ends: dict[str, str] = {}
    for end, name, point in (("exit", route.source, route.points[0]), ("entry", route.target, route.points[-1])):
        if name in boxes:
            box = boxes[name]
            style += f"{end}X={_share(point[0] - box.x, box.w)};{end}Y={_share(point[1] - box.y, box.h)};"
            style += f"{end}Dx=0;{end}Dy=0;"
            ends["source" if end == "exit" else "target"] = names[name]
    element = ET.SubElement(root, "mxCell", {"id": cell, "style": style, "edge": "1", "parent": "1", **ends})
    geometry = ET.SubElement(element, "mxGeometry", {"relative": "1", "as": "geometry"})
    for as_, point in (("sourcePoint", route.points[0]), ("targetPoint", route.points[-1])):
        _point(geometry, point, as_)
    if turns := route.points[1:-1]:
        array = ET.SubElement(geometry, "Array", {"as": "points"})
        for point in turns:
            _point(array, point)
    if route.label:
        _label(root, cell, route, route.label)


def root_ids(root: ET.Element) -> set[str]:
    """Return the ids of the cells that are there."""
    return {str(cell.get("id")) for cell in root}


def _label(root: ET.Element, edge: str, route: Route, text: Text) -> None:
    """Write a label that stays with its edge: a share of the way along it, and how far off."""
    share, (x, y) = _nearest(route, text.box.middle)
    style = f"edgeLabel;html=1;align=center;verticalAlign=middle;resizable=0;labelBackgroundColor=none;{FONT};"
    style += f"fontSize={_number(text.size)};fontColor={INKS[text.ink]};"
    attributes = {"id": f"{edge}-label", "value": "<br>".join(map(escape, text.lines)), "style": style}
    element = ET.SubElement(root, "mxCell", {**attributes, "vertex": "1", "connectable": "0", "parent": edge})
    place = {"x": f"{2 * share - 1:.4f}", "relative": "1", "as": "geometry"}
    geometry = ET.SubElement(element, "mxGeometry", place)
    _point(geometry, (text.box.middle[0] - x, text.box.middle[1] - y), "offset")


def _nearest(route: Route, place: Point) -> tuple[float, Point]:
    """Return the point of a route that is nearest to a place, and which share of the way it lies at."""
    stretches = list(pairwise(route.points))
    whole = sum(hypot(b[0] - a[0], b[1] - a[1]) for a, b in stretches) or 1
    found, gone = [], 0.0
    for (x1, y1), (x2, y2) in stretches:
        long = hypot(x2 - x1, y2 - y1)
        share = ((place[0] - x1) * (x2 - x1) + (place[1] - y1) * (y2 - y1)) / long**2 if long else 0
        share = min(max(share, 0), 1)
        point = (x1 + share * (x2 - x1), y1 + share * (y2 - y1))
        found.append((hypot(point[0] - place[0], point[1] - place[1]), (gone + share * long) / whole, point))
        gone += long
    _, share, point = min(found)
    return share, point


def _point(parent: ET.Element, point: Point, as_: str = "") -> None:
    attributes = {"x": _number(point[0]), "y": _number(point[1])} | ({"as": as_} if as_ else {})
    ET.SubElement(parent, "mxPoint", attributes)


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.4f}".rstrip("0").rstrip(".") if whole else "0"


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
