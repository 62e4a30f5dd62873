"""The inks of a plot: colours by which matplotlib draws, and the style sheet's classes that take their place."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from enum import StrEnum

from markupsafe import Markup

LINK = re.compile(r"url\(#(?P<name>[^)]+)\)")
# What is kept of a style, as an attribute of its own: a strict content security policy allows no styles in place.
KEPT = frozenset(
    {"stroke-width", "stroke-dasharray", "stroke-linecap", "opacity", "fill-opacity", "stroke-opacity", "text-anchor"}
)


class Ink(StrEnum):
    """A part in a plot; the value is the colour that stands for it until the style sheet decides."""

    FIRST = "#0000a1"
    SECOND = "#0000a2"
    GUIDE = "#0000a3"
    GRID = "#0000a4"
    TEXT = "#0000a5"


CLASSES = {ink.value: ink.name.lower() for ink in Ink}


def adopt(drawing: str, *, key: str, label: str) -> Markup:
    """Return matplotlib's SVG as a part of a page: named, without styles or identifiers that others could have.

    Args:
        drawing: what matplotlib wrote.
        key: what makes its identifiers unique in the page.
        label: what is to be seen, for those who cannot.
    """
    root = ET.fromstring(drawing)  # noqa: S314  # matplotlib's own words, not a stranger's
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {name.rpartition("}")[2]: value for name, value in element.attrib.items()}
        _dress(element)
        element.text, element.tail = (element.text or "").strip(), None
    for parent in list(root.iter()):
        for child in [child for child in parent if child.tag in ("style", "metadata")]:
            parent.remove(child)
    _rename(root, key)
    root.attrib = {"class": "plot", "role": "img", "aria-label": label, "viewBox": root.attrib["viewBox"]}
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704  # escaped by its writer


def _dress(element: ET.Element) -> None:
    """Turn an element's style into classes and attributes."""
    classes = []
    for declaration in element.attrib.pop("style", "").split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name in ("fill", "stroke") and value in CLASSES:
            classes.append(f"{name}-{CLASSES[value]}")
        elif name in ("fill", "stroke") or name in KEPT:
            element.set(name, value)
    if classes:
        element.set("class", " ".join(classes))
    if element.tag == "text" and element.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]


def _rename(root: ET.Element, key: str) -> None:
    """Keep the identifiers that something in the drawing points to, under names of this drawing alone."""
    used = {value.removeprefix("#") for e in root.iter() if (value := e.get("href"))}
    used |= {match["name"] for e in root.iter() for value in e.attrib.values() if (match := LINK.match(value))}
    for element in root.iter():
        if (name := element.attrib.pop("id", None)) in used:
            element.set("id", f"{key}-{name}")
        for attribute, value in element.attrib.items():
            if attribute == "href":
                element.set(attribute, f"#{key}-{value.removeprefix('#')}")
            elif match := LINK.match(value):
                element.set(attribute, f"url(#{key}-{match['name']})")
