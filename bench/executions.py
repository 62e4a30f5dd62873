"""Many executions started at once, where two jobs of a kind may run at a time: whether one is lost, and what it takes.

Nothing but the template's own retries brings them all to an end. The jobs are real, on little data.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.measure import measure
from bench.plan import Goal, Plan, Section, table
from ml_a2.errors import PlatformError

if TYPE_CHECKING:
    from ml_a2.local.rehearsal import Stage
    from ml_a2.local.runtime import LocalRuntime

COUNTS, COUNTS_IF_QUICK = (10, 100), (2, 10)
AT_ONCE = 2
TIME_RATIO = 1.3
PATIENCE_SECONDS = 3600
KINDS = {"training": "TrainingJob", "processing": "ProcessingJob"}


@dataclass(frozen=True)
class Found:
    """What came of the executions.

    Attributes:
        wrong: what happened that must not.
        refused: how often a quota refused a job, each time to be retried.
        job_seconds: the run times of all jobs together.
        at_once: the most jobs of a kind that ran at one moment.
        megabytes: the most memory of the process in which the runtime lives, without its jobs.
    """

    succeeded: int
    wrong: Sequence[str]
    refused: int
    seconds: float
    job_seconds: float
    at_once: Mapping[str, int]
    megabytes: float


def run(plan: Plan) -> Section:
    """Measure few and many."""
    rows, wrong = [], []
    for count in COUNTS_IF_QUICK if plan.quick else COUNTS:
        plan.tell(f"{count} executions at once")
        command = [sys.executable, "-m", "bench.executions", str(plan.assembly), str(count)]
        found = Found(**json.loads(measure(command, Path(__file__).parents[1]).output))
        ratio = found.seconds / (found.job_seconds / AT_ONCE)
        plan.tell(f"{found.succeeded} of {count} succeeded in {found.seconds:.1f} s")
        rows.append(_row(count, found, ratio))
        wrong += [f"{count} executions: {each}" for each in found.wrong]
    goal = Goal(f"{count} executions, time / (time of the jobs / {AT_ONCE})", ratio, TIME_RATIO)
    head = ("executions at once", "succeeded", "seconds", "of the jobs, together", "ratio to half of that")
    more = ("refused by a quota", "jobs at once, of a kind", "memory of the runtime")
    return Section(table(head + more, rows), [goal], wrong)


def _row(count: int, found: Found, ratio: float) -> tuple[str, ...]:
    jobs = ", ".join(f"{kind} {most}" for kind, most in found.at_once.items())
    took = (f"{found.seconds:.1f} s", f"{found.job_seconds:.1f} s", f"{ratio:.2f}")
    return (str(count), str(found.succeeded), *took, str(found.refused), jobs, f"{found.megabytes:.0f} MB")


def execute(assembly: Path, count: int) -> Found:
    """Start so many executions at once, wait for all, and gather what came of them."""
    from ml_a2.local.rehearsal import FEW_ROUNDS, Stage
    from ml_a2.local.runtime import LocalRuntime

    with LocalRuntime(jobs_at_once=AT_ONCE) as runtime:
        stage = Stage(runtime, assembly)
        began = time.monotonic()
        arns = [stage.pipeline.start(f"bench-{number:03}", FEW_ROUNDS) for number in range(count)]
        _wait(runtime, arns[0])
        seconds = time.monotonic() - began
        runtime.settle()
        return _gather(runtime, stage, arns, seconds)


def _wait(runtime: LocalRuntime, arn: str) -> None:
    machine = runtime.clients.stepfunctions.describe_execution(executionArn=arn)["stateMachineArn"]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while running := _executions(runtime, machine, "RUNNING"):
        if time.monotonic() > deadline:
            raise PlatformError(f"{len(running)} executions still run after {PATIENCE_SECONDS} s")
        time.sleep(0.25)


def _executions(runtime: LocalRuntime, machine: str, status: Any) -> list[str]:
    pages = runtime.clients.stepfunctions.get_paginator("list_executions")
    answers = pages.paginate(stateMachineArn=machine, statusFilter=status)
    return [execution["executionArn"] for page in answers for execution in page["executions"]]


def _gather(runtime: LocalRuntime, stage: Stage, arns: Sequence[str], seconds: float) -> Found:
    outcomes = {arn: stage.pipeline.outcome(arn) for arn in arns}
    histories = [stage.pipeline.history(arn) for arn in arns]
    failures = Counter(f"{o.status}: {o.failure}" for o in outcomes.values() if o.status != "SUCCEEDED")
    wrong = [f"{number} times {words}" for words, number in failures.items()]
    spans: dict[str, list[tuple[float, float]]] = {}
    for kind, word in KINDS.items():
        spans[kind] = _spans(runtime, kind, word)
        if len(spans[kind]) != len(arns):
            wrong.append(f"{len(spans[kind])} {kind} jobs for {len(arns)} executions")
        if most_at_once(spans[kind]) > AT_ONCE:
            wrong.append(f"{most_at_once(spans[kind])} {kind} jobs ran at once, past the quota")
    return Found(
        succeeded=sum(outcome.status == "SUCCEEDED" for outcome in outcomes.values()),
        wrong=[*wrong, *runtime.incidents.all()],
        refused=sum("ResourceLimitExceeded" in _error(event) for history in histories for event in history),
        seconds=seconds,
        job_seconds=sum(end - begin for of_kind in spans.values() for begin, end in of_kind),
        at_once={kind: most_at_once(of_kind) for kind, of_kind in spans.items()},
        megabytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _error(event: Mapping[str, Any]) -> str:
    return str(event.get("taskFailedEventDetails", {}).get("error", ""))


def _spans(runtime: LocalRuntime, kind: str, word: str) -> list[tuple[float, float]]:
    """Return when each job of a kind began and ended, in seconds of the clock."""
    client: Any = runtime.clients.sagemaker
    names = [job[f"{word}Name"] for job in getattr(client, f"list_{kind}_jobs")(MaxResults=100)[f"{word}Summaries"]]
    jobs = [getattr(client, f"describe_{kind}_job")(**{f"{word}Name": name}) for name in names]
    begin, end = f"{kind.title()}StartTime", f"{kind.title()}EndTime"
    return [(job[begin].timestamp(), job[end].timestamp()) for job in jobs]


def most_at_once(spans: Sequence[tuple[float, float]]) -> int:
    """Return how many spans of time overlap at most; one that ends as another begins does not."""
    steps = sorted([(begin, 1) for begin, _ in spans] + [(end, -1) for _, end in spans])
    running = most = 0
    for _, step in steps:
        running += step
        most = max(most, running)
    return most


def main() -> None:
    """Execute, and print what was found as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("assembly", type=Path)
    parser.add_argument("count", type=int)
    options = parser.parse_args()
    print(json.dumps(asdict(execute(options.assembly, options.count))))


if __name__ == "__main__":
    main()
