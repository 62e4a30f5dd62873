"""A figure of the page: a plot, a sentence that says what it shows, and the numbers behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ml_a2.report.drawing import Plot


@dataclass(frozen=True)
class Key:
    """An entry of a legend: what kind of mark it explains, in which ink, and what the mark means."""

    mark: str  # line, dashed, guide, dot
    ink: str  # first, second, guide
    text: str


@dataclass(frozen=True)
class Figure:
    """A plot with everything that replaces it for those who cannot see it."""

    name: str
    title: str
    plot: Plot
    sentence: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    legend: Sequence[Key] = ()

    def svg(self) -> Markup:
        """Return the plot, labelled with title and sentence."""
        return self.plot.svg(key=self.name, label=f"{self.title}. {self.sentence}")
