"""What a model leans on, and where it fares worse: feature importance and slices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ml_a2.report.formatting import count, name, percent, short
from ml_a2.report.metrics import HEADLINES, Comparison, Metric, kind_of
from ml_a2.report.record import Record, at, number, objects, table

MOST_FEATURES = 20
MOST_COLUMNS, MOST_VALUES, MOST_METRICS = 20, 50, 4
MEASURES = {
    "gain": "share of the total gain: how much the splits on a feature improve the model",
    "weight": "share of the total weight: the size of a feature's coefficients",
}


@dataclass(frozen=True)
class Feature:
    """A feature, its share of the total, and its bar in per cent of the longest; what is summed up has no bar."""

    name: str
    share: str
    bar: float | None


@dataclass(frozen=True)
class Importance:
    """The most important features, and the rest summed up."""

    measure: str
    features: tuple[Feature, ...]
    sentence: str


@dataclass(frozen=True)
class Slice:
    """The rows with one value in a column, and the model's metrics on them."""

    value: str
    rows: str
    small: bool
    metrics: tuple[str, ...]
    place: float | None  # of the first metric, in per cent of its axis
    against_all: Comparison | None


@dataclass(frozen=True)
class SlicedColumn:
    """A column with its slices."""

    name: str
    slices: tuple[Slice, ...]
    left_out: int


@dataclass(frozen=True)
class Axis:
    """What the values of the first metric span, all rows together among them."""

    low: float
    high: float
    whole: float | None

    @property
    def ends(self) -> tuple[str, str]:
        """Return its ends in words."""
        return short(self.low), short(self.high)

    def place(self, value: float | None) -> float | None:
        """Return where a value lies, in per cent of the axis."""
        return None if value is None else round(100 * (value - self.low) / (self.high - self.low), 2)


@dataclass(frozen=True)
class Slices:
    """All slices; metrics are those of the columns of the table."""

    metrics: tuple[Metric, ...]
    columns: tuple[SlicedColumn, ...]
    axis: Axis | None
    sentence: str
    small: int
    left_out: int


def read_importance(record: Record) -> Importance | None:
    """Return the importance of the features, the largest first."""
    found = table(record.curves, "feature_importance")
    shares = [
        (share, entry.get("feature"))
        for entry in objects(found, "features")
        if (share := number(entry.get("share"))) is not None
    ]
    if not shares:
        return None
    shares.sort(key=lambda entry: -entry[0])
    first, rest = shares[:MOST_FEATURES], shares[MOST_FEATURES:]
    largest = first[0][0] or 1
    features = [Feature(name(label), percent(share), 100 * share / largest) for share, label in first]
    if rest:
        total = sum(share for share, _ in rest)
        features.append(Feature(count(len(rest), "more feature"), percent(total), None))
    top = shares[:3]
    told = ", ".join(f"“{name(label)}”" for _, label in top)
    whole = f"; {count(len(shares), 'feature is', 'features are')} used in all" if rest else ""
    sentence = f"{told} make up {percent(sum(share for share, _ in top))} of it{whole}."
    measure = str(found.get("measure", ""))
    return Importance(MEASURES.get(measure, measure), tuple(features), sentence)


def read_slices(record: Record, metrics: Sequence[Metric]) -> Slices | None:
    """Return the slices by column, compared with all rows in the first metric that both have."""
    entries = objects(record.evaluation, "slices")
    if not entries:
        return None
    chosen = _chosen(record, metrics, entries)
    by_column: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        by_column.setdefault(str(entry.get("column")), []).append(entry)
    axis = _axis(entries, chosen)
    columns = [
        SlicedColumn(
            name(column),
            tuple(_slice(entry, chosen, axis) for entry in of_column[:MOST_VALUES]),
            max(len(of_column) - MOST_VALUES, 0),
        )
        for column, of_column in list(by_column.items())[:MOST_COLUMNS]
    ]
    return Slices(
        tuple(chosen),
        tuple(columns),
        axis,
        _weakest(entries, chosen),
        sum(bool(entry.get("small")) for entry in entries),
        max(len(by_column) - MOST_COLUMNS, 0),
    )


def _chosen(record: Record, metrics: Sequence[Metric], entries: list[dict[str, Any]]) -> list[Metric]:
    """Return the metrics that the slices have, headlines first."""
    there = dict.fromkeys(str(metric) for entry in entries for metric in table(entry, "metrics"))
    known = {metric.name: metric for metric in metrics}
    first = [metric for metric in HEADLINES.get(kind_of(record), ()) if metric in there]
    return [known.get(metric, Metric(metric, None)) for metric in dict.fromkeys([*first, *there])][:MOST_METRICS]


def _axis(entries: list[dict[str, Any]], chosen: Sequence[Metric]) -> Axis | None:
    """Return the axis that all slices share; None where there is nothing to compare."""
    if not chosen:
        return None
    values = [number(at(entry, "metrics", chosen[0].name)) for entry in entries]
    known = [value for value in [chosen[0].value, *values] if value is not None]
    if not known or min(known) == max(known):
        return None
    return Axis(min(known), max(known), chosen[0].value)


def _slice(entry: dict[str, Any], chosen: Sequence[Metric], axis: Axis | None) -> Slice:
    values = [number(at(entry, "metrics", metric.name)) for metric in chosen]
    first = values[0] if values else None
    rows = number(entry.get("rows"))
    return Slice(
        name(entry.get("value")),
        short(rows),
        bool(entry.get("small")),
        tuple(short(value) for value in values),
        axis.place(first) if axis else None,
        None if first is None else Metric(chosen[0].name, first, baseline=chosen[0].value).against_baseline,
    )


def _weakest(entries: list[dict[str, Any]], chosen: Sequence[Metric]) -> str:
    """Name the slice that is furthest below all rows, among those with enough rows to say so."""
    if not chosen or chosen[0].value is None:
        return ""
    metric, whole = chosen[0], chosen[0].value
    below = []
    for entry in entries:
        value = number(at(entry, "metrics", metric.name))
        if value is not None and not entry.get("small"):
            worse_by = value - whole if metric.higher_is_worse else whole - value
            below.append((worse_by, value, entry))
    if not below:
        return ""
    worse_by, value, entry = max(below, key=lambda found: found[0])
    if worse_by <= 0:
        return f"No slice with enough rows has a worse {metric.in_text} than all rows together."
    rows = short(number(entry.get("rows")))
    return (
        f"Weakest: {name(entry.get('column'))} = {name(entry.get('value'))} with {metric.in_text} {short(value)} on "
        f"{rows} rows; all rows together have {short(whole)}."
    )
