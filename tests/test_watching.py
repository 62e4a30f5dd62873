"""An execution that is watched: in order, each thing once, through throttling and lost connections."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, SSOTokenLoadError

from ml_a2.execution_events import Event, LogLine, Pause, StateEntered, TrainingPlanned, TrainingRound
from ml_a2.watching import PATIENCE_SECONDS, Watch, watch
from tests.log_streams import FakeLogs
from tests.test_service_errors import refusal

TRAINING, EVALUATION = "training-1", "evaluation-1"
NAMES = {"training_job_name": TRAINING, "processing_job_name": EVALUATION}


def _time(milliseconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)


class FakeStepFunctions:
    """An execution whose history grows from look to look."""

    def __init__(self, looks: list[tuple[str, list[dict[str, Any]]]], errors: list[Exception | None]) -> None:
        """Take status and new events of each look, and what the looks raise instead, in turn."""
        self._looks = looks
        self._errors = errors
        self._events: list[dict[str, Any]] = []

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803
        if error := self._errors.pop(0) if self._errors else None:
            raise error
        status, new = self._looks.pop(0) if len(self._looks) > 1 else self._looks[0]
        self._events += [{**event, "id": len(self._events) + n} for n, event in enumerate(new, start=1)]
        return {"status": status}

    def get_execution_history(self, *, executionArn: str, reverseOrder: bool, maxResults: int) -> dict[str, Any]:  # noqa: N803
        assert reverseOrder
        return {"events": self._events[::-1][:maxResults]}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "get_execution_history"
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        yield {"events": self._events[::-1]}


def _entered(name: str, at: int) -> dict[str, Any]:
    return {"timestamp": _time(at), "stateEnteredEventDetails": {"name": name}}


def _exited(name: str, at: int, output: dict[str, Any]) -> dict[str, Any]:
    return {"timestamp": _time(at), "stateExitedEventDetails": {"name": name, "output": json.dumps(output)}}


BEGINNING = [
    _entered("NameJobs", 1),
    _exited("NameJobs", 2, NAMES),
    _exited("MergeHyperparameters", 3, {**NAMES, "hyperparameters": {"num_round": "2"}}),
]


def _told(seen: Any, *, patient: bool = True, seconds: float = 0.0) -> list[Event]:
    """Watch to the end, with a clock that goes on by so many seconds from look to look."""
    now = [0.0]

    def sleep(_: float) -> None:
        now[0] += seconds

    return list(watch(seen, poll_seconds=1, patient=patient, sleep=sleep, clock=lambda: now[0]))


def _watch(looks: list[Any], logs: Any, *, errors: list[Exception | None] | None = None, lines: bool = True) -> Watch:
    stepfunctions: Any = FakeStepFunctions(looks, errors or [])
    return Watch(stepfunctions, logs, "arn", lines=lines)


def test_states_rounds_and_lines_come_in_the_order_of_time() -> None:
    """Also those that one look finds together; the last look finds what the status came before."""
    logs = FakeLogs()
    logs.write(f"{TRAINING}/algo-1-1", (10, "[0]\ttrain-auc:0.5"), (12, "[1]\ttrain-auc:0.75"))
    logs.write(f"{TRAINING}/algo-2-1", (11, "ready"))
    logs.write(f"{EVALUATION}/algo-1-1", (30, "auc=0.75"))
    first = [*BEGINNING, _entered("UseTrainedModel", 20)]
    looks = [("RUNNING", first), ("SUCCEEDED", [_entered("PipelineSucceeded", 40)])]
    told = _told(_watch(looks, logs))
    assert told == [
        StateEntered("NameJobs", _time(1)),
        TrainingPlanned({"num_round": "2"}),
        LogLine("Training", "[algo-1] [0]\ttrain-auc:0.5"),
        TrainingRound(0, {"train-auc": 0.5}),
        LogLine("Training", "[algo-2] ready"),
        LogLine("Training", "[algo-1] [1]\ttrain-auc:0.75"),
        TrainingRound(1, {"train-auc": 0.75}),
        StateEntered("UseTrainedModel", _time(20)),
        LogLine("Evaluation", "auc=0.75"),
        StateEntered("PipelineSucceeded", _time(40)),
    ]


def test_without_lines_only_the_first_host_s_rounds_are_told() -> None:
    """Neither the other hosts' logs nor the evaluation's are even read."""
    logs = FakeLogs()
    logs.write(f"{TRAINING}/algo-1-1", (10, "[0]\ttrain-auc:0.5"), (11, "done"))
    logs.write(f"{TRAINING}/algo-2-1", (10, "[0]\ttrain-auc:0.5"))
    logs.write(f"{EVALUATION}/algo-1-1", (30, "auc=0.75"))
    for stream in (f"{EVALUATION}/algo-1-1", f"{TRAINING}/algo-2-1"):
        logs.errors[stream] = [AssertionError("read")]
    told = _told(_watch([("SUCCEEDED", BEGINNING)], logs, lines=False))
    assert [type(event).__name__ for event in told] == ["StateEntered", "TrainingPlanned", "TrainingRound"]


def test_throttling_is_waited_for_however_long_and_told_once() -> None:
    """Nothing is lost, nothing told twice."""
    logs = FakeLogs()
    logs.write(f"{TRAINING}/algo-1-1", (10, "[0]\ttrain-auc:0.5"))
    logs.errors[f"{TRAINING}/algo-1-1"] = [refusal("ThrottlingException")] * 3
    seen = _watch([("RUNNING", BEGINNING), ("SUCCEEDED", [])], logs, lines=False)
    told = _told(seen, seconds=PATIENCE_SECONDS)
    pauses = [event.kind for event in told if isinstance(event, Pause)]
    assert pauses == ["throttled", ""]
    assert [event for event in told if not isinstance(event, Pause)] == [
        StateEntered("NameJobs", _time(1)),
        TrainingPlanned({"num_round": "2"}),
        TrainingRound(0, {"train-auc": 0.5}),
    ]


def test_a_lost_connection_is_borne_for_ten_minutes() -> None:
    """Each time anew once there was an answer."""
    lost = EndpointConnectionError(endpoint_url="https://states")
    errors = [lost, lost, None, lost, lost, None]
    seen = _watch([("RUNNING", []), ("SUCCEEDED", [])], FakeLogs(), errors=[*errors])
    told = _told(seen, seconds=PATIENCE_SECONDS * 0.6)
    assert [(event.kind, bool(event.reason)) for event in told if isinstance(event, Pause)] == [
        ("unreachable", True), ("", False), ("unreachable", True), ("", False),
    ]  # fmt: skip
    with pytest.raises(EndpointConnectionError):
        _told(_watch([("RUNNING", [])], FakeLogs(), errors=[lost] * 4), seconds=PATIENCE_SECONDS * 0.6)


@pytest.mark.parametrize(
    "error", [refusal("ExpiredTokenException"), SSOTokenLoadError(error_msg="x"), refusal("AccessDeniedException")]
)
def test_what_does_not_pass_by_itself_ends_the_watch(error: Exception) -> None:
    """Somebody has to do something about it."""
    with pytest.raises(type(error)):
        _told(_watch([("SUCCEEDED", [])], FakeLogs(), errors=[error]))


def test_without_patience_nothing_is_waited_for() -> None:
    """An endpoint in the same process that does not answer never will."""
    seen = _watch([("SUCCEEDED", [])], FakeLogs(), errors=[refusal("ThrottlingException")])
    with pytest.raises(ClientError, match="ThrottlingException"):
        _told(seen, patient=False)
