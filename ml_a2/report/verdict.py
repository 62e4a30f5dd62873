"""The verdict: how the execution ended, what it means for the model, and what to keep in mind."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ml_a2.report.formatting import count, name, short
from ml_a2.report.metrics import Metric, headlines
from ml_a2.report.record import Record, at, hyperparameters_of, items, objects, table
from ml_a2.training_warnings import other_rows, worse_at_the_end

# As the gate writes what it met: of a bound, of a bound on the end of the interval, and of the champion.
NUMBER = r"(?P<{}>[^\s;,:]+)"
BOUND = rf"at (?P<side>least|most) {NUMBER.format('bound')}"
CONDITIONS = tuple(
    re.compile(rf"(?P<metric>[\w-]+) is {NUMBER.format('value')}{rest}")
    for rest in (
        rf"(?P<what>), wanted {BOUND}",
        rf" and (?P<what>its 95 percent interval ends at) {NUMBER.format('judged')}, of which {BOUND} is wanted",
        (
            rf", that of the champion on the same rows {NUMBER.format('champion')}: "
            rf"(?P<what>worse by) {NUMBER.format('judged')}, wanted {BOUND}"
        ),
    )
)
LONGEST_TEXT, LONGEST_SENTENCE = 20_000, 300
ENDINGS = {"TIMED_OUT": "Timed out", "ABORTED": "Stopped", "RUNNING": "Not finished"}


@dataclass(frozen=True)
class Condition:
    """A condition of the quality gate, with the number that it met."""

    metric: str
    value: str
    wanted: str
    met: bool


@dataclass(frozen=True)
class Failure:
    """Why an execution did not succeed, as far as its files tell."""

    stage: str
    error: str
    cause: str
    next_step: str
    log_lines: str
    log_stream: str

    @property
    def last_words(self) -> str:
        """Return the end of the reason, where a traceback has its error, as a sentence."""
        lines = [line.strip() for line in self.cause.splitlines() if line.strip()] or [self.error]
        return f"{name(lines[-1], LONGEST_SENTENCE).rstrip('.')}."


@dataclass(frozen=True)
class Verdict:
    """What is read first. Tones: good, bad, even (nothing judged the model)."""

    tone: str
    title: str
    sentence: str
    failure: Failure | None = None
    conditions: tuple[Condition, ...] = ()
    cautions: tuple[str, ...] = field(default=())


def read_verdict(record: Record, metrics: Sequence[Metric]) -> Verdict:
    """Return the verdict on a run."""
    status = str(at(record.manifest, "execution", "status") or "")
    failure = _failure(record)
    cautions = _cautions(record, list(metrics))
    if status == "SUCCEEDED" and (words := other_rows(record.evaluation)):
        return Verdict("bad", "Not to be trusted", _sentence(words), cautions=cautions)
    if at(record.manifest, "gate") == "failed":
        conditions = _conditions(failure.cause if failure else "")
        return Verdict("bad", "Turned down by the quality gate", _gate_words(conditions), failure, conditions, cautions)
    if status == "SUCCEEDED" and at(record.manifest, "gate") == "passed":
        words = "The model was trained and evaluated, and meets every condition of the gate."
        return Verdict("good", "Passed the quality gate", words, cautions=cautions)
    if status == "SUCCEEDED":
        words = (
            "The model was trained and evaluated. No quality gate was set: whether it is good enough is for you to say."
        )
        return Verdict("even", "Trained and evaluated", words, cautions=cautions)
    title = ENDINGS.get(status, "Failed")
    stage = f" in {failure.stage}" if failure and failure.stage else ""
    words = failure.last_words if failure else f"The execution ended {status or 'in a way that is not known'}."
    unknown = "" if record.evaluation else " There is no evaluation, so nothing is known about a model."
    return Verdict("bad", f"{title}{stage}", words + unknown, failure, (), cautions)


def _failure(record: Record) -> Failure | None:
    """Return why the execution failed: the manifest's words, and what the failure path wrote into its state."""
    told, state = table(record.manifest, "failure"), _last_state(record)
    reported, log = table(state, "failure"), table(state, "log")
    if not told and not reported:
        return None
    return Failure(
        str(told.get("stage") or reported.get("stage") or ""),
        str(told.get("error") or reported.get("error") or ""),
        _cut(told.get("cause") or reported.get("cause")),
        _sentence(_cut(reported.get("next_step"))),
        textwrap.dedent(_cut(log.get("lines"))).strip("\n"),
        str(log.get("stream") or ""),
    )


def _last_state(record: Record) -> dict[str, Any]:
    """Return the data that the last state got."""
    for event in reversed(record.history):
        text = at(event, "stateEnteredEventDetails", "input")
        if isinstance(text, str):
            try:
                state = json.loads(text)
            except ValueError:
                return {}
            return state if isinstance(state, dict) else {}
    return {}


def _cut(text: Any) -> str:
    text = str(text or "")
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]} …"


def _sentence(text: str) -> str:
    """Return a text that a message has as one of its lines as a sentence of its own."""
    return f"{text[0].upper()}{text[1:].rstrip('.')}." if text else ""


def _conditions(cause: str) -> tuple[Condition, ...]:
    """Return the conditions that a gate's reason tells of, none where it is told in other words."""
    found = []
    for part in cause.split("; "):
        match = next(filter(None, (pattern.fullmatch(part) for pattern in CONDITIONS)), None)
        try:
            found.append(_condition(match.groupdict() if match else {}))
        except (KeyError, ValueError):
            return ()
    return tuple(found)


def _condition(words: dict[str, str]) -> Condition:
    judged, bound = float(words.get("judged") or words["value"]), float(words["bound"])
    met = judged >= bound if words["side"] == "least" else judged <= bound
    # Of a plain bound nothing more is to say than the number.
    value = f"{words['what']} {short(judged)}" if words["what"] else short(judged)
    return Condition(words["metric"], value.removeprefix("its 95 percent "), f"at {words['side']} {bound:g}", met)


def _gate_words(conditions: tuple[Condition, ...]) -> str:
    missed = [f"{c.metric}: {c.value}, wanted {c.wanted}" for c in conditions if not c.met]
    reason = f": {'; '.join(missed)}" if missed else ""
    return f"The model was trained and evaluated, and is not good enough{reason}. It is kept, and was not let through."


def _cautions(record: Record, metrics: list[Metric]) -> tuple[str, ...]:
    """Return what a reader could otherwise overlook."""
    found = [f"{file} is there but cannot be read; what stands in it is missing here." for file in record.unreadable]
    found += [_warning(entry) for entry in objects(record.manifest, "warnings")]
    found += [_against_baseline(metric) for metric in headlines(record, metrics)]
    found.append(_sentence(worse_at_the_end(record.rounds, hyperparameters_of(record), record.evaluation)))
    worse = [m.in_text for m in metrics if m.against_champion and m.against_champion.tone == "bad"]
    if worse:
        found.append(f"Worse than the champion in {_list(worse)}.")
    undefined = [m.in_text for m in metrics if m.value is None]
    if undefined:
        found.append(f"Not defined on this data: {_list(undefined)}.")
    small = sum(bool(entry.get("small")) for entry in objects(record.evaluation, "slices"))
    if small:
        found.append(f"{count(small, 'slice has', 'slices have')} few rows: chance alone can move the numbers.")
    if faults := [name(fault) for fault in items(record.manifest, "request", "faults")]:
        found.append(f"Faults were injected on purpose: {_list(faults)}.")
    if stand_in := at(record.manifest, "stand_in"):
        found.append(f"{stand_in}.")
    if record.evaluation and not record.curves:
        found.append("This run has no curves.json, so there are no plots.")
    return tuple(text for text in found if text)


def _warning(entry: dict[str, Any]) -> str:
    """Return what was warned of before the execution began; a path keeps its first letter."""
    return name(f"{entry.get('where')}: {entry.get('problem')}.", LONGEST_SENTENCE)


def _against_baseline(metric: Metric) -> str:
    compared = metric.against_baseline
    if compared and compared.tone != "good":
        return (
            f"{metric.label} is no better than the baseline's: {short(metric.value)} against {short(metric.baseline)}."
        )
    if metric.holds(metric.baseline):
        return (
            f"{metric.label} is not surely better than the baseline's {short(metric.baseline)}: the interval holds it."
        )
    return ""


def _list(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
