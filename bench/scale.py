"""Many executions of the real synthesized definition against an account that is simulated.

Everything that a state machine decides is real: states, retries, choices, failures. Simulated are the answers of the
calls, with run times of jobs drawn from a lognormal distribution, the account's quota of jobs at once, the rate at
which it takes create calls, and time itself: waits and retry pauses are taken on a clock that goes on when nobody is
busy. So hours pass in seconds, and always alike. Alarms, rules, logs and permissions play no part here.
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.simulated import SEED, Account, Clock
from ml_a2 import contract
from ml_a2.local import patches
from ml_a2.local.assembly import find_assembly
from ml_a2.local.patches import active
from ml_a2.local.runtime import LocalRuntime, stepfunctions_backend

# What StartExecution takes in the large regions. Source: Step Functions Developer Guide, "Service quotas".
STARTS_A_SECOND = 300


@dataclass(frozen=True)
class Scenario:
    """So many executions, started so many a second, in an account with these limits."""

    executions: int
    quota: int
    starts_a_second: float
    create_rate: float | None


@dataclass(frozen=True)
class Result:
    """What came of a scenario."""

    scenario: Scenario
    statuses: Counter[str]
    errors: Counter[str]
    # Messages that the topic was given.
    told: int
    hours: float
    least_hours: float
    transitions: list[int]
    retries: list[int]
    events: int
    busiest: dict[str, int]
    most_jobs: Counter[str]
    wall_seconds: float
    memory_mb: float


def simulate(scenario: Scenario, assembly: Path) -> Result:
    """Run a scenario to its end."""
    began = time.perf_counter()
    random.seed(SEED)  # retriers draw their jitter from it
    with LocalRuntime() as runtime:
        outputs = runtime.deploy(assembly)
        clock = Clock()
        account = Account(clock, runtime.clients.sagemaker.exceptions, scenario.quota, scenario.create_rate)
        ended = threading.Semaphore(0)
        original = active.current()
        patches.apply(account.call, 1, _listen(clock, ended), original.post, time=clock.time())
        try:
            arns = list(_start(runtime, outputs[contract.OUTPUT_STATE_MACHINE], scenario, clock))
            for _ in arns:
                ended.acquire()
            return _gather(runtime, arns, scenario, account, began)
        finally:
            patches.apply(original.call, original.speed, original.listen, original.post)


def _listen(clock: Clock, ended: threading.Semaphore) -> active.StatusListener:
    """Return what hears of executions: those that begin are counted before they are started."""
    begun: set[str] = set()

    def await_end(status: Callable[[], str]) -> None:
        status()  # known once the interpreter has gone on from where it told of the end
        ended.release()

    def hear(arn: str, status: Callable[[], str]) -> None:
        if arn in begun:
            clock.leave()
            threading.Thread(target=await_end, args=(status,), daemon=True).start()
        begun.add(arn)

    return hear


def _start(runtime: LocalRuntime, machine: str, scenario: Scenario, clock: Clock) -> Iterator[str]:
    clock.enter()
    for number in range(scenario.executions):
        clock.enter()
        started = runtime.clients.stepfunctions.start_execution(
            stateMachineArn=machine, name=f"scale-{number}", input="{}"
        )
        yield started["executionArn"]
        clock.sleep(1 / scenario.starts_a_second)
    clock.leave()


def _gather(runtime: LocalRuntime, arns: list[str], scenario: Scenario, account: Account, began: float) -> Result:
    client = runtime.clients.stepfunctions
    described = [client.describe_execution(executionArn=arn) for arn in arns]
    kinds = [Counter(_event_types(runtime, arn)) for arn in arns]
    entered = [sum(count for kind, count in types.items() if kind.endswith("StateEntered")) for types in kinds]
    return Result(
        scenario,
        Counter(str(execution["status"]) for execution in described),
        Counter(str(execution["error"]) for execution in described if execution.get("error")),
        sum(account.calls.get("publish", Counter()).values()),
        account.clock.now / 3600,
        max(account.job_seconds.values()) / scenario.quota / 3600,
        entered,
        [types["TaskScheduled"] - types["TaskStateEntered"] for types in kinds],
        max(sum(types.values()) for types in kinds),
        {operation: max(seconds.values()) for operation, seconds in account.calls.items()},
        account.most_jobs,
        time.perf_counter() - began,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _event_types(runtime: LocalRuntime, arn: str) -> Iterator[str]:
    # From the engine's own store: to ask the API for a thousand histories takes longer than making them.
    execution = stepfunctions_backend(runtime.environment).describe_execution(arn)
    yield from (event["type"].value for event in execution.to_history_output()["events"])


def row(result: Result) -> str:
    """Write a result as a line of the table."""
    scenario, statuses = result.scenario, result.statuses
    rate = "all" if scenario.create_rate is None else f"{scenario.create_rate:g} a second"
    billed = [sum(pair) for pair in zip(result.transitions, result.retries, strict=True)]
    lost = scenario.executions - statuses["SUCCEEDED"] - statuses["FAILED"]
    busiest = ", ".join(f"{name} {count}" for name, count in sorted(result.busiest.items()) if "_job" in name)
    cells = (
        scenario.executions, scenario.quota, f"{scenario.starts_a_second:g}", rate,
        statuses["SUCCEEDED"], statuses["FAILED"], result.told, lost,
        f"{result.hours:.1f} / {result.least_hours:.1f}",
        f"{statistics.mean(billed):.0f} / {statistics.quantiles(billed, n=20)[-1]:.0f}", max(result.retries),
        result.events, busiest, f"{result.wall_seconds:.0f}", f"{result.memory_mb:.0f}",
    )  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


HEADER = (
    "executions", "jobs at once", "starts a second", "create calls taken", "succeeded", "failed", "told", "lost",
    "hours / least", "transitions, mean / p95", "retries, most", "events, most", "busiest second", "real seconds", "MB",
)  # fmt: skip
SCENARIOS = (
    Scenario(100, 2, STARTS_A_SECOND, None),
    Scenario(100, 20, STARTS_A_SECOND, None),
    Scenario(100, 20, STARTS_A_SECOND, 1.0),
    Scenario(100, 20, 0.2, 1.0),
    Scenario(1000, 100, 10_000 / 86_400, 1.0),
)


def main() -> int:
    """Simulate and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assembly", type=Path, help="a cloud assembly in place of the project's own")
    parser.add_argument("--only", type=int, help="the number of one scenario, from 1")
    options = parser.parse_args()
    assembly = options.assembly or find_assembly(None, tell=lambda text: print(text, file=sys.stderr))[0]
    print(f"| {' | '.join(HEADER)} |\n|{'---|' * len(HEADER)}")
    for number, scenario in enumerate(SCENARIOS, 1):
        if options.only in (None, number):
            result = simulate(scenario, assembly)
            print(row(result), flush=True)
            print(f"{number}: failed with {dict(result.errors)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
