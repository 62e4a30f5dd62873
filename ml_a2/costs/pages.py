"""Costs, for a person to read and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ml_a2.costs.estimate import Bill, Costs, Line, as_json
from ml_a2.costs.prices import Price
from ml_a2.costs.recorded import RecordedRun
from ml_a2.tables import Page

HEADER = ("", "quantity", "USD", "price")
UNKNOWN = "not known"
NOT_COUNTED = (
    "on top: repeated calls (a transition each), polls while instances are being found, requests to S3, KMS and SNS,",
    "  an execution that fails and its clean-up, the logs of jobs; left out: free tiers, savings plans, taxes",
)


@dataclass(frozen=True)
class Question:
    """What is asked about a stack: where, how long its jobs run, how often a month, and how much is stored."""

    region: str
    seconds: Mapping[str, float] | None
    executions: int
    stored_gb: float
    run: RecordedRun | None = None


@dataclass(frozen=True)
class Answer:
    """The bills that answer a question."""

    costs: Costs
    question: Question
    execution: Bill | None
    at_most: Bill
    minutes: Mapping[str, Bill]
    month: Bill


def answer(costs: Costs, question: Question) -> Answer:
    """Reckon what a question asks about."""
    seconds = question.seconds
    execution = costs.execution(seconds) if seconds is not None else None
    polls = costs.polls(seconds) if seconds is not None else {}
    counted = execution if question.executions else None
    month = costs.month(question.executions, counted, polls, question.stored_gb)
    minutes = {kind: costs.minute(kind) for kind in costs.route.polls}
    return Answer(costs, question, execution, costs.at_most(), minutes, month)


def write_page(page: Page, found: Answer) -> None:
    """Write tables, the prices' origin, and what is not counted."""
    sources = list(dict.fromkeys(map(_source, _prices(found))))
    if found.execution:
        page.say(f"one execution in {found.question.region}, on demand, USD{_of_run(found.question.run)}")
        _table(page, found.execution, sources)
    for kind, bill in found.minutes.items():
        page.say(f"each minute of the {kind} job: {_sum(bill)}; {bill.lines[0].quantity:g} transitions of it")
    most = f"{_usd(found.at_most.usd)} USD{_gap(found.at_most)}"
    page.say(f"at most, when the jobs run for as long as they may (MaxRuntimeInSeconds): {most}")
    if not found.execution:
        _table(page, found.at_most, sources)
        page.say("--training-minutes and --evaluation-minutes, or --run RUN, tell what it costs with those run times")
    page.say("")
    page.say(_month_title(found.question))
    _table(page, found.month, sources)
    page.say("")
    for number, source in enumerate(sources, 1):
        page.say(f"[{number}] {source}")
    for line in (*_notes(found), *NOT_COUNTED):
        page.say(line)


def page_json(found: Answer) -> dict[str, Any]:
    """Return the same as JSON values."""
    question, run = found.question, found.question.run
    return {
        "region": question.region,
        "currency": "USD",
        "execution": as_json(found.execution) if found.execution else None,
        "seconds": dict(question.seconds) if question.seconds is not None else None,
        "run": {"name": run.name, "local": run.is_local, "transitions": run.transitions} if run else None,
        "minute": {kind: as_json(bill) for kind, bill in found.minutes.items()},
        "at_most": as_json(found.at_most),
        "month": {"executions": question.executions, **as_json(found.month)},
        "prices": [_price_json(price) for price in _prices(found)],
        "notes": [*_notes(found), *NOT_COUNTED],
    }


def _table(page: Page, bill: Bill, sources: Sequence[str]) -> None:
    rows = [(line.what, line.reckoning, _amount(line), _price(line, sources)) for line in bill.lines]
    page.table(HEADER, [*rows, ("together", "", _range(bill.least_usd, bill.usd), _gap(bill).removeprefix(", "))])


def _amount(line: Line) -> str:
    return UNKNOWN if line.usd is None or line.least_usd is None else _range(line.least_usd, line.usd)


def _range(least: float, most: float) -> str:
    return _usd(most) if least == most else f"{_usd(least)} to {_usd(most)}"


def _usd(amount: float) -> str:
    return f"{amount:.5f}" if amount < 1 else f"{amount:,.2f}"


def _price(line: Line, sources: Sequence[str]) -> str:
    price = line.price
    if price is None:
        return f"--price {line.name}=USD"
    digits = f"{price.usd:.9f}".rstrip("0").rstrip(".")
    return f"{digits} / {price.unit}{f', {price.as_of}' if price.as_of else ''} [{sources.index(_source(price)) + 1}]"


def _gap(bill: Bill) -> str:
    return f", without {' and '.join(line.what for line in bill.without)}" if bill.without else ""


def _sum(bill: Bill) -> str:
    return f"{_range(bill.least_usd, bill.usd)} USD{_gap(bill)}"


def _of_run(run: RecordedRun | None) -> str:
    if run is None:
        return ""
    return f", with the run times of {run.name}{' on this laptop, not of an instance' if run.is_local else ''}"


def _month_title(question: Question) -> str:
    executions = f"{question.executions} executions" if question.executions else "no execution"
    return f"a month with {executions} and {question.stored_gb:g} GB in the buckets, USD"


def _notes(found: Answer) -> Iterator[str]:
    if any(job.spot for job in found.costs.jobs.values()):
        yield "spot: the lower figure is with 90 % less, the most that the Developer Guide names"
    if found.question.executions and not found.execution:
        yield "the month is without its executions: their run times are not given"


def _prices(found: Answer) -> list[Price]:
    bills: Sequence[Bill] = [bill for bill in (found.execution, found.at_most, found.month) if bill]
    known = {line.price.name: line.price for bill in bills for line in bill.lines if line.price}
    return list(known.values())


def _source(price: Price) -> str:
    return f"{price.source}{f'; {price.agrees}' if price.agrees else ''}"


def _price_json(price: Price) -> dict[str, Any]:
    day = price.as_of.isoformat() if price.as_of else None
    return {
        "name": price.name, "usd": price.usd, "unit": price.unit, "as_of": day, "source": price.source,
        "agrees": price.agrees,
    }  # fmt: skip
