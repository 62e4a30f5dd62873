"""The pipeline beside a plain script and beside Metaflow, on few rows and on many."""

from __future__ import annotations

from collections.abc import Sequence

from bench.data import Size, Tables, tables
from bench.measure import Usage
from bench.plan import Goal, Plan, Section, table
from bench.runs import interleaved, ratios, spread
from bench.ways import METAFLOW, OURS, PLAIN, SCORING, DifferentResultsError, Work

SMALL, LARGE, LARGE_IF_QUICK = Size(455, 114, 28), Size(1_000_000, 100_000, 28), Size(100_000, 10_000, 28)

Runs = dict[str, list[Usage]]


def run(plan: Plan) -> Section:
    """Measure both sizes."""
    sizes = (SMALL, LARGE_IF_QUICK if plan.quick else LARGE)
    texts: list[str] = []
    goals: list[Goal] = []
    for size in sizes:
        data = tables(size, plan.cache, plan.tell)
        plan.tell(f"{size}, {data.megabytes:.1f} MB")
        ways = Work(plan, data).ways()
        try:
            if size == SMALL:
                plan.tell("each once uncounted, which compiles and reads what later runs find done")
                interleaved(ways, 1, plan.tell)
            runs = interleaved(ways, plan.repetitions, plan.tell)
        except DifferentResultsError as error:
            return Section("\n\n".join(texts), goals, [str(error)])
        texts.append(_text(data, runs))
        goals += _goals(size, runs)
    return Section("\n\n".join(texts), goals)


def _text(data: Tables, runs: Runs) -> str:
    head = (f"{data.size}, {data.megabytes:.1f} MB", "seconds", "of the processors", "largest process", "all at once")
    rows = [(way, *_cells(usages)) for way, usages in runs.items()]
    relative = [(f"{OURS} / {other}", *_ratio_cells(runs[OURS], runs[other])) for other in (PLAIN, SCORING, METAFLOW)]
    return table(head, [*rows, *relative])


def _cells(usages: Sequence[Usage]) -> tuple[str, str, str, str]:
    return (
        str(spread(usages, "seconds")),
        f"{spread(usages, 'processor_seconds').median:.1f} s",
        f"{spread(usages, 'largest_mb').median:.0f} MB",
        f"{spread(usages, 'together_mb').median:.0f} MB",
    )


def _ratio_cells(ours: Sequence[Usage], others: Sequence[Usage]) -> tuple[str, str, str, str]:
    return (
        str(ratios(ours, others, "seconds")),
        f"{ratios(ours, others, 'processor_seconds').median:.2f}",
        f"{ratios(ours, others, 'largest_mb').median:.2f}",
        f"{ratios(ours, others, 'together_mb').median:.2f}",
    )


def _goals(size: Size, runs: Runs) -> list[Goal]:
    def goal(what: str, value: str, other: str, most: float) -> Goal:
        found = ratios(runs[OURS], runs[other], value).median
        return Goal(f"{size.rows:,} rows, {what}: {OURS} / {other}", found, most)

    than_metaflow = goal("time", "seconds", METAFLOW, 1.0)
    if size == SMALL:
        return [than_metaflow]
    return [than_metaflow, goal("time", "seconds", PLAIN, 1.15), goal("largest process", "largest_mb", PLAIN, 1.0)]
