"""The page: the run's record, laid out by the templates, with a style sheet that no other can join."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ml_a2 import __version__
from ml_a2.report.breakdown import Importance, Slices, read_importance, read_slices
from ml_a2.report.classes import ClassQuality, Matrix, read_class_qualities, read_matrix
from ml_a2.report.figure import Figure
from ml_a2.report.figures import read_figures
from ml_a2.report.formatting import NOTHING, name, percent, short
from ml_a2.report.metrics import Metric, headlines, kind_of, read_metrics
from ml_a2.report.provenance import Provenance, read_provenance
from ml_a2.report.record import Record, at, number, table
from ml_a2.report.timeline import Timeline, read_timeline
from ml_a2.report.verdict import Verdict, read_verdict

KINDS = {
    "binary": "Binary classification",
    "multiclass": "Multiclass classification",
    "regression": "Regression",
    "ranking": "Ranking",
}


@dataclass(frozen=True)
class Page:
    """Everything that the templates lay out."""

    execution: str
    kind: str
    verdict: Verdict
    headlines: list[Metric]
    metrics: list[Metric]
    level: str
    has_spread: bool
    baseline: str
    has_champion: bool
    figures: list[Figure]
    matrix: Matrix | None
    classes: list[ClassQuality]
    importance: Importance | None
    slices: Slices | None
    provenance: Provenance
    timeline: Timeline | None
    files: tuple[str, ...]
    version: str


def read_page(record: Record) -> Page:
    """Return what is to be laid out."""
    metrics = read_metrics(record)
    level = number(at(record.evaluation, "confidence_intervals", "level"))
    return Page(
        execution=name(at(record.manifest, "execution", "name") or ""),
        kind=KINDS.get(kind_of(record), ""),
        verdict=read_verdict(record, metrics),
        headlines=headlines(record, metrics),
        metrics=metrics,
        level=f"{100 * level:g} %" if level is not None else "",
        has_spread=any(metric.has_interval or metric.deviation is not None for metric in metrics),
        baseline=name(at(record.evaluation, "baseline", "predictor") or ""),
        has_champion=bool(table(record.evaluation, "champion")),
        figures=read_figures(record, metrics),
        matrix=read_matrix(record),
        classes=read_class_qualities(record),
        importance=read_importance(record),
        slices=read_slices(record, metrics),
        provenance=read_provenance(record),
        timeline=read_timeline(record),
        files=record.files,
        version=__version__,
    )


@cache
def templates() -> Environment:
    """Return the templates, compiled."""
    environment = Environment(
        loader=PackageLoader("ml_a2.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(short=short, percent=percent)
    for template in environment.list_templates():
        environment.get_template(template)
    return environment


def render(record: Record) -> str:
    """Return the page as HTML."""
    style = templates().get_template("report.css").render()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    template = templates().get_template("report.html.j2")
    return template.render(page=read_page(record), style=Markup(style), style_digest=digest, nothing=NOTHING)  # noqa: S704  # our own style sheet
