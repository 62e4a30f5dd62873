"""What is reckoned beforehand, against executions that took place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ml_a2.costs.estimate import LOG_BYTES_A_POLL, LOG_BYTES_OUTSIDE_POLLS
from ml_a2.costs.jobs import find_pipeline
from ml_a2.costs.route import Route, route_of
from ml_a2.local.rehearsal import Stage
from ml_a2.local.runtime import LocalRuntime, read_template

LOG_GROUP = "/aws/vendedlogs/states/MlA2TrainingEvaluationStack"


@dataclass(frozen=True)
class Executed:
    """An execution's history, the messages of its log, and the route that was read beforehand."""

    history: list[dict[str, Any]]
    log: list[str]
    route: Route

    @property
    def entered(self) -> Counter[str]:
        """How often each state was entered."""
        return Counter(e["stateEnteredEventDetails"]["name"] for e in self.history if "stateEnteredEventDetails" in e)

    @property
    def polls(self) -> dict[str, int]:
        """How often each kind of job was asked for."""
        return {kind: self.entered[poll.wait_state] for kind, poll in self.route.polls.items()}


@pytest.fixture(scope="module")
def executed(assembly: Path) -> Iterator[Executed]:
    route = route_of(find_pipeline(read_template(assembly)))
    with LocalRuntime(speed=300) as runtime:
        stage = Stage(runtime, assembly)
        arn = stage.execute()
        runtime.settle()
        pages = runtime.clients.logs.get_paginator("filter_log_events").paginate(logGroupName=LOG_GROUP)
        log = [event["message"] for page in pages for event in page["events"]]
        yield Executed(stage.pipeline.history(arn), log, route)


def test_an_execution_enters_as_many_states_as_its_polls_say(executed: Executed) -> None:
    """Each state of the route, and no other."""
    assert executed.entered.total() == executed.route.transitions(executed.polls)
    assert set(executed.entered) == set(executed.route.states)


def test_the_execution_log_is_about_as_large_as_reckoned(executed: Executed) -> None:
    """Within a quarter; other names and settings make it a little larger or smaller."""
    reckoned = LOG_BYTES_OUTSIDE_POLLS + sum(LOG_BYTES_A_POLL[kind] * n for kind, n in executed.polls.items())
    assert len(executed.log) == len(executed.history)
    assert sum(len(message.encode()) for message in executed.log) == pytest.approx(reckoned, rel=0.25)
