"""Plots, drawn by matplotlib without its global state, coloured by the page's style sheet."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from ml_a2.report.inks import Ink, adopt

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# In inches: as wide as a phone's card, so that letters keep their size there; around the axes, room for their labels.
WIDTH, HEIGHT = 4.4, 3.2
LEFT, BOTTOM, RIGHT, TOP = 0.66, 0.54, 0.12, 0.1
AXES = (LEFT / WIDTH, BOTTOM / HEIGHT, 1 - (LEFT + RIGHT) / WIDTH, 1 - (BOTTOM + TOP) / HEIGHT)
# The types of matplotlib know the settings of its newest version only.
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # letters stay letters: they can be searched, and take the page's font
    "svg.hashsalt": "ml-a2",  # the same plot, the same bytes
    "text.parse_math": False,
    "axes.edgecolor": Ink.GUIDE,
    "axes.labelcolor": Ink.TEXT,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": Ink.GRID,
    "grid.linewidth": 1,
    "xtick.color": Ink.GUIDE,
    "ytick.color": Ink.GUIDE,
    "xtick.labelcolor": Ink.TEXT,
    "ytick.labelcolor": Ink.TEXT,
    "lines.linewidth": 2.2,
    "lines.solid_capstyle": "round",
    "font.size": 11,
}
# From here on numbers are written as 20k or 1.5M: the room beside the axis is for five letters.
LONG = 1e4
DASHES = (0, (4, 3))


@contextmanager
def _settings() -> Iterator[None]:
    """Draw by these settings alone, whatever a person's own matplotlibrc says."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(SETTINGS)
        yield


class Plot:
    """A pair of axes on which lines, points and bars are drawn."""

    def __init__(self, x_label: str, y_label: str) -> None:
        """Remember the labels; marks are drawn when the plot is written."""
        self._labels = (x_label, y_label)
        self._marks: list[Callable[[Axes], object]] = []
        self._limits: tuple[tuple[float, float] | None, tuple[float, float] | None] = (None, None)
        self._whole = False

    def within(self, x: tuple[float, float] | None = None, y: tuple[float, float] | None = None) -> Plot:
        """Show no more than this part of the axes."""
        self._limits = (x, y)
        return self

    def in_whole_numbers(self) -> Plot:
        """Divide the vertical axis at whole numbers."""
        self._whole = True
        return self

    def line(
        self, points: Sequence[tuple[float, float]], ink: Ink, *, dots: bool = False, dashed: bool = False
    ) -> Plot:
        """Draw a line through points, with a dot on each if asked."""
        style = DASHES if dashed else "-"
        marker = "o" if dots else "none"
        xs, ys = _columns(points)
        self._marks.append(lambda axes: axes.plot(xs, ys, color=ink, linestyle=style, marker=marker, clip_on=not dots))
        return self

    def guide(self, start: tuple[float, float], end: tuple[float, float]) -> Plot:
        """Draw a thin dashed line that says where something would be."""
        xs, ys = _columns((start, end))
        self._marks.append(lambda axes: axes.plot(xs, ys, color=Ink.GUIDE, linestyle=DASHES, linewidth=1.4))
        return self

    def points(self, points: Sequence[tuple[float, float]], ink: Ink, *, size: float = 4.5, alpha: float = 0.6) -> Plot:
        """Draw a dot for each point."""
        xs, ys = _columns(points)
        look: dict[str, Any] = {"marker": "o", "markersize": size, "markeredgewidth": 0, "alpha": alpha}
        self._marks.append(lambda axes: axes.plot(xs, ys, color=ink, linestyle="none", clip_on=False, **look))
        return self

    def steps(self, edges: Sequence[float], counts: Sequence[float], ink: Ink, *, dashed: bool = False) -> Plot:
        """Draw a histogram as one filled outline."""
        style = DASHES if dashed else "-"
        self._marks.append(lambda axes: axes.stairs(counts, edges, color=ink, fill=True, alpha=0.18, linewidth=0))
        self._marks.append(lambda axes: axes.stairs(counts, edges, color=ink, linestyle=style, linewidth=1.8))
        return self

    def svg(self, *, key: str, label: str) -> Markup:
        """Return the plot for the page, under a key of its own, with words for those who cannot see it."""
        from matplotlib.figure import Figure

        written = io.StringIO()
        with _settings():
            figure = Figure(figsize=(WIDTH, HEIGHT))
            figure.patch.set_visible(False)
            axes = figure.add_axes(AXES)
            self._draw(axes)
            nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
            figure.savefig(written, format="svg", metadata=nothing)
        return adopt(written.getvalue(), key=key, label=label)

    def _draw(self, axes: Axes) -> None:
        from matplotlib.ticker import EngFormatter, MaxNLocator

        for mark in self._marks:
            mark(axes)
        axes.set_xlabel(self._labels[0])
        axes.set_ylabel(self._labels[1])
        axes.tick_params(length=0, pad=5)
        if self._limits[0]:
            axes.set_xlim(*self._limits[0])
        if self._limits[1]:
            axes.set_ylim(*self._limits[1])
        if self._whole:
            axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        for axis in (axes.xaxis, axes.yaxis):
            if max(map(abs, axis.get_view_interval())) >= LONG:
                axis.set_major_formatter(EngFormatter(sep=""))


def _columns(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]
