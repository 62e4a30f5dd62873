"""What is known of executions, for a person to read: a list, one of them, several side by side."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ml_a2.records.comparison import Row, compare, same_validation_rows
from ml_a2.records.record import Record
from ml_a2.tables import Page
from ml_a2.training_warnings import other_rows

# The metric that stands for a model in a list: the first of these that it has.
HEADLINES = ("auc", "accuracy", "rmse", "ndcg")
COLUMNS = ("execution", "status", "metric", "data", "target", "started", "seconds", "objective", "gate")
# What a narrow terminal is spared, this first: most names tell the time, and a gate that says no is a failure.
LESS_IMPORTANT = ("objective", "gate", "seconds", "started", "target", "data")
SHA256 = re.compile(r"[0-9a-f]{64}")
DIGITS_SHOWN = 12
# Of a file or a column in a list.
LONGEST_CELL = 20
OTHER_ROWS = "the validation rows are not known to be the same: these metrics may be of different rows"


def list_page(page: Page, records: Sequence[Record], *, more: bool) -> None:
    """Write a table of executions, a line each."""
    if not records:
        page.say("no executions yet; `ml-a2 run` starts one")
        return
    page.table(COLUMNS, [_line(record) for record in records], optional=LESS_IMPORTANT)
    for record in records:
        if record.problem:
            page.say(f"{record.name}: {record.problem}", "yellow")
    if more:
        page.say(f"the newest {len(records)}; --limit shows more")


def _line(record: Record) -> tuple[str, ...]:
    headline = next((name for name in HEADLINES if name in record.metrics), None)
    summary = record.summary()
    return (
        record.name,
        record.status,
        f"{headline} {metric_text(record.metrics[headline])}" if headline else "",
        _shortened((summary["data"] or "").replace("\\", "/").rstrip("/").rpartition("/")[2]),
        _shortened(summary["target"] or ""),
        dt.datetime.fromisoformat(record.started).astimezone().strftime("%Y-%m-%d %H:%M") if record.started else "",
        f"{record.execution['seconds']:.1f}" if record.execution.get("seconds") is not None else "",
        record.objective,
        text(record.document.get("gate")),
    )


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST_CELL else f"{name[: LONGEST_CELL - 3]}..."


def show_page(page: Page, record: Record) -> None:
    """Write all that matters of an execution; the whole of it is in its manifest."""
    document, failure = record.document, record.document.get("failure") or {}
    facts = {**record.execution, "gate": document.get("gate"), **failure, "template": document.get("template_sha256")}
    model = document.get("model") or {}
    given = (model.get("given") or {}).get("path")
    timings = {name: value for name, value in document.get("timings", {}).items() if name != "states"}
    _section(page, "execution", facts)
    _section(page, "data", {**_without(record.data, "feature_columns", "files", "sources"), **_features(record.data)})
    _files(page, "data files", [*record.data.get("sources", []), *record.data.get("files", [])])
    _files(page, "code", document.get("code", []))
    _section(page, "problem", document.get("problem") or {})
    _section(page, "model", {**_without(model, "files", "given"), "given": given})
    _section(page, "hyperparameters", record.hyperparameters)
    images = {name: document.get(name) for name in ("training_image", "evaluation_image", "stand_in")}
    _section(page, "environment", {**images, **document.get("versions", {}), "platform": document.get("platform")})
    _section(page, "timings", timings)
    if record.metrics:
        page.say("\nmetrics", "bold")
        page.table(("metric", "value", "interval"), [_metric(record, name) for name in record.metrics])
    if words := other_rows(record.evaluation):
        page.say(f"\nWARNING  {words}", "bold red")


def _section(page: Page, title: str, values: Mapping[str, Any]) -> None:
    rows = [(f"  {name.replace('_', ' ')}", text(value)) for name, value in values.items() if value not in (None, {})]
    if rows:
        page.say(f"\n{title}", "bold")
        page.table(("", ""), rows, plain=True)


def _without(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def _features(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"features": len(data["feature_columns"])} if "feature_columns" in data else {}


def _files(page: Page, title: str, entries: Sequence[Mapping[str, Any]]) -> None:
    rows = [(f"  {_name(entry)}", text(entry.get("sha256")), _version(entry.get("version_id"))) for entry in entries]
    if rows:
        page.say(f"\n{title}", "bold")
        page.table(("", "", ""), rows, plain=True)


def _name(entry: Mapping[str, Any]) -> str:
    return str(entry.get("key") or entry.get("path") or "")


def _version(version_id: str | None) -> str:
    return f"version {version_id}" if version_id else ""


def _metric(record: Record, name: str) -> tuple[str, str, str]:
    intervals = record.evaluation.get("confidence_intervals") or {}
    bounds = intervals.get("metrics", {}).get(name) or {}
    between = (
        f"{metric_text(bounds['lower'])} to {metric_text(bounds['upper'])}" if {"lower", "upper"} <= set(bounds) else ""
    )
    level = f" ({intervals['level']:.0%})" if between and "level" in intervals else ""
    return name, metric_text(record.metrics[name]), between + level


def compare_page(page: Page, records: Sequence[Record]) -> None:
    """Write executions side by side, a section after the other."""
    for section, rows in compare(records).items():
        page.say(section, "bold")
        header = ("", "", *(record.name for record in records))
        page.table(header, [_compared(row, section) for row in rows if set(row.values) != {None}])
        page.say("")
    page.say("!= differs   * best")
    if not same_validation_rows(records):
        page.say(OTHER_ROWS, "yellow")


def _compared(row: Row, section: str) -> tuple[str, ...]:
    if section == "metrics":
        marks = zip(row.values, row.best(), strict=True)
        cells = [(metric_text(value) if value is not None else "-") + (" *" if best else "") for value, best in marks]
    elif row.name.endswith(" image"):
        cells = [text(value).rpartition("/")[2] or "-" for value in row.values]  # the registry fills the screen
    else:
        cells = [text(value) or "-" for value in row.values]
    return ("!=" if row.differs else "", row.name, *cells)


def comparison_json(records: Sequence[Record]) -> dict[str, Any]:
    """Return executions side by side; values stand in the order of the executions."""
    sections: dict[str, Any] = {
        section: {row.name: {"values": list(row.values), "differs": row.differs} for row in rows}
        for section, rows in compare(records).items()
    }
    for row in compare(records)["metrics"]:
        sections["metrics"][row.name]["best"] = list(row.best())
    return {
        "executions": [record.name for record in records],
        "same_validation_rows": same_validation_rows(records),
        **sections,
    }


def metric_text(value: float) -> str:
    """Write a metric's value, in as many digits as make a difference."""
    return f"{value:.5f}" if abs(value) < 1000 else f"{value:.6g}"


def text(value: Any) -> str:
    """Write a value as short as a person needs it."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return ", ".join(f"{name} = {text(inner)}" for name, inner in value.items())
    shown = str(value)
    return shown[:DIGITS_SHOWN] if SHA256.fullmatch(shown) else shown
