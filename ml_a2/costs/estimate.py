"""What one execution costs, and a month of them: quantities from the template, prices from the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ml_a2.costs.jobs import Job, StandingParts
from ml_a2.costs.prices import Price, PriceTable
from ml_a2.costs.route import Route

HOUR_SECONDS = 3600
# A GB-month is a GB for 730 hours, as the AWS Pricing Calculator has it.
MONTH_HOURS = 730
DAYS_A_MONTH = 30
BYTES_A_GB = 10**9
# "Managed spot training can optimize the cost of training models up to 90% over on-demand instances." Source: SageMaker
# Developer Guide, "Managed Spot Training in Amazon SageMaker".
GREATEST_SPOT_SAVING = 0.9
# The execution log at level ALL, with data, of the default stack: measured on the laptop, checked by
# tests/costs/test_transitions.py.
LOG_BYTES_OUTSIDE_POLLS = 66_000
LOG_BYTES_A_POLL = {"training": 23_000, "processing": 42_000}


@dataclass(frozen=True)
class Line:
    """One position of a bill."""

    what: str
    quantity: float
    # How the quantity comes about, in words.
    reckoning: str
    # The name of the price; the price itself is None where it is not known.
    name: str
    price: Price | None
    # By which share the price may be lower.
    saving: float = 0.0

    @property
    def usd(self) -> float | None:
        """Return the amount; None where the price is not known."""
        return None if self.price is None else self.quantity * self.price.usd

    @property
    def least_usd(self) -> float | None:
        """Return the amount with the greatest saving."""
        return None if self.usd is None else self.usd * (1 - self.saving)


@dataclass(frozen=True)
class Bill:
    """Positions that belong together."""

    lines: tuple[Line, ...]

    @property
    def usd(self) -> float:
        """Return the sum of the positions whose price is known."""
        return sum(line.usd for line in self.lines if line.usd is not None)

    @property
    def least_usd(self) -> float:
        """Return the same sum with the greatest savings."""
        return sum(line.least_usd for line in self.lines if line.least_usd is not None)

    @property
    def without(self) -> tuple[Line, ...]:
        """Return the positions whose price is not known."""
        return tuple(line for line in self.lines if line.price is None)


@dataclass(frozen=True)
class Costs:
    """Reckons what a stack costs in one region."""

    route: Route
    jobs: Mapping[str, Job]
    parts: StandingParts
    prices: PriceTable

    def execution(self, seconds: Mapping[str, float], waited: Mapping[str, float] | None = None) -> Bill:
        """Return what one execution costs that succeeds.

        Args:
            seconds: how long each kind of job runs on its instances.
            waited: how long each is polled for, where that is longer.
        """
        polls = {kind: poll.count((waited or seconds)[kind]) for kind, poll in self.route.polls.items()}
        lines = [self._transitions(polls)]
        for kind in self.route.polls:
            lines += self._job(self.jobs[kind], seconds[kind])
        gigabytes = _log_bytes(polls) / BYTES_A_GB
        lines.append(self._line("execution log", gigabytes, f"{gigabytes * 1000:.2f} MB", "log-ingestion"))
        lines.append(self._line("trace", 1, "1 trace", "trace"))
        return Bill(tuple(lines))

    def at_most(self) -> Bill:
        """Return what an execution costs whose jobs run for as long as they may."""
        jobs = {kind: self.jobs[kind] for kind in self.route.polls}
        longest = {kind: float(job.max_runtime_seconds) for kind, job in jobs.items()}
        return self.execution(longest, {kind: float(job.max_wait_seconds) for kind, job in jobs.items()})

    def minute(self, kind: str) -> Bill:
        """Return what one more minute of a kind of job costs."""
        polls = 60 / self.route.polls[kind].seconds
        states = self.route.polls[kind].states * polls
        gigabytes = LOG_BYTES_A_POLL[kind] * polls / BYTES_A_GB
        transitions = self._line("state transitions", states, f"{states:g}", "transition")
        log = self._line("execution log", gigabytes, f"{gigabytes * 1000:.2f} MB", "log-ingestion")
        return Bill((transitions, *self._job(self.jobs[kind], 60), log))

    def month(self, executions: int, bill: Bill | None, polls: Mapping[str, int], stored_gb: float) -> Bill:
        """Return what a month costs: the stack while nothing runs, and so many executions.

        Args:
            executions: how many.
            bill: what one of them costs, None where its run times are not known.
            polls: how often each kind of job is asked for in one of them.
            stored_gb: what lies in the three buckets, all versions.
        """
        parts = self.parts
        lines = [
            self._line("alarms", parts.alarms, f"{parts.alarms} alarms", "alarm"),
            self._line("dashboard", parts.dashboards, f"{parts.dashboards} dashboard", "dashboard"),
        ]
        if parts.keys:
            lines.append(self._line("encryption key", parts.keys, f"{parts.keys} key", "key"))
        lines.append(self._line("objects in the buckets", stored_gb, f"{stored_gb:g} GB", "object-storage"))
        if bill:
            months = parts.log_retention_days / DAYS_A_MONTH
            kept = executions * _log_bytes(polls) / BYTES_A_GB * months
            words = f"{executions} executions a month, kept for {parts.log_retention_days} days: {kept:,.2f} GB"
            lines.append(self._line("execution logs kept", kept, words, "log-storage"))
            lines += _times(bill.lines, executions)
        return Bill(tuple(lines))

    def polls(self, seconds: Mapping[str, float]) -> dict[str, int]:
        """Return how often each kind of job is asked for that runs so long."""
        return {kind: poll.count(seconds[kind]) for kind, poll in self.route.polls.items()}

    def _transitions(self, polls: Mapping[str, int]) -> Line:
        count = self.route.transitions(polls)
        loops = " and ".join(f"{polls[kind]} polls of {kind}" for kind in self.route.polls)
        return self._line("state transitions", count, f"{count} states: {loops}", "transition")

    def _job(self, job: Job, seconds: float) -> Iterator[Line]:
        hours = job.instance_count * seconds / HOUR_SECONDS
        spot = job.spot and job.kind == "training"
        words = f"{job.instance_count} x {job.instance_type} for {seconds:g} s{', spot' if spot else ''}"
        saving = GREATEST_SPOT_SAVING if spot else 0.0
        yield self._line(f"{job.kind} instances", hours, words, f"{job.kind}:{job.instance_type}", saving=saving)
        gigabyte_months = job.volume_size_gb * hours / MONTH_HOURS
        words = f"{job.instance_count} x {job.volume_size_gb} GB for {seconds:g} s"
        yield self._line(f"{job.kind} volumes", gigabyte_months, words, f"{job.kind}-volume")

    def _line(self, what: str, quantity: float, reckoning: str, name: str, saving: float = 0.0) -> Line:
        return Line(what, quantity, reckoning, name, self.prices.find(name), saving)


def _log_bytes(polls: Mapping[str, int]) -> int:
    return LOG_BYTES_OUTSIDE_POLLS + sum(LOG_BYTES_A_POLL[kind] * count for kind, count in polls.items())


def _times(lines: Sequence[Line], executions: int) -> Iterator[Line]:
    for line in lines:
        words = f"{executions} times {line.reckoning}"
        yield Line(line.what, line.quantity * executions, words, line.name, line.price, line.saving)


def as_json(bill: Bill) -> dict[str, Any]:
    """Return a bill as JSON values."""
    return {
        "usd": round(bill.usd, 6),
        "least_usd": round(bill.least_usd, 6),
        "price_not_known": [line.name for line in bill.without],
        "lines": [
            {
                "what": line.what,
                "quantity": round(line.quantity, 9),
                "unit": line.price.unit if line.price else None,
                "reckoning": line.reckoning,
                "price": line.name,
                "usd": None if line.usd is None else round(line.usd, 6),
                "least_usd": None if line.least_usd is None else round(line.least_usd, 6),
            }
            for line in bill.lines
        ],
    }
