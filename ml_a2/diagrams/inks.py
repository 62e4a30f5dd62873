"""The colours of the pictures: opaque, so that they read the same on white and on dark ground."""

from __future__ import annotations

PAPER = "#ffffff"
INKS = {
    "text": "#16191f",
    "faint": "#545b64",
    "card": "#ffffff",
    "edge": "#c3c9d0",
    "panel": "#fdf5fa",
    "panel edge": "#cd2264",
    "state": "#ffffff",
    "step": "#7d8998",
    "fail": "#c22f2f",
    "data": "#1a7f37",
    "call": "#b3590c",
    "alert": "#c2185b",
    "watch": "#2f66b8",
}
# The frames of states by what they do; other kinds are as a step.
STATE_EDGES = {"Task": "#cd2264", "Choice": "#7d8998", "Wait": "#7d8998", "Succeed": "#1a7f37", "Fail": "#c22f2f"}
DASHES = {"watch": (3, 4), "fail": (6, 4)}
