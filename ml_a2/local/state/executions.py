"""Executions without the threads and the interpreter that moto hangs on them.

One that runs is written as it would be if the endpoint ended at that moment: aborted.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from moto.core.utils import iso_8601_datetime_with_milliseconds
from moto.stepfunctions.parser.api import ExecutionStatus, HistoryEventType
from moto.stepfunctions.parser.backend.execution import Execution, SyncExecution

ERROR, CAUSE = "RuntimeEnded", "the local runtime was ended"
LAST_EVENTS = {
    HistoryEventType.ExecutionSucceeded,
    HistoryEventType.ExecutionFailed,
    HistoryEventType.ExecutionAborted,
    HistoryEventType.ExecutionTimedOut,
}
# Between an execution's last event and its status, and before its first event, nothing is waited for.
MOMENT_SECONDS = 1.0
# What belongs to the process: `revive` makes it anew.
_LIVE = {"exec_worker", "_activity_store", "_cloud_watch_logging_session"}

Revived = tuple[Callable[..., Any], tuple[Any, ...]]


def reduce_execution(execution: Any) -> Revived:
    """Return what an execution is made of again."""
    events = _settled_history(execution)
    fields = {name: value for name, value in vars(execution).items() if name not in _LIVE}
    if fields["exec_status"] == ExecutionStatus.RUNNING:
        events = _abort(fields, events)
    return revive, (type(execution), fields, events)


def revive(kind: Any, fields: Mapping[str, Any], events: list[Any]) -> Any:
    """Make an execution that has ended, with its history, as moto makes them."""
    execution = kind.__new__(kind)
    vars(execution).update(fields, _activity_store={}, _cloud_watch_logging_session=None)
    worker = execution._get_start_execution_worker()  # noqa: SLF001  # moto has no public way
    worker.env = worker._get_evaluation_environment()  # noqa: SLF001
    worker.env.event_manager._history_event_list.extend(events)  # noqa: SLF001
    execution.exec_worker = worker
    return execution


def _settled_history(execution: Any) -> list[Any]:
    deadline = time.monotonic() + MOMENT_SECONDS
    while True:
        # Not by `to_history_output`, which copies deeply: of many executions that takes longer than all the rest.
        env = execution.exec_worker.env
        events = [] if env is None else list(env.event_manager._history_event_list)  # noqa: SLF001
        settled = bool(events) and events[-1]["type"] not in LAST_EVENTS
        if execution.exec_status != ExecutionStatus.RUNNING or settled or time.monotonic() > deadline:
            return events
        time.sleep(0.001)


def _abort(fields: dict[str, Any], events: list[Any]) -> list[Any]:
    """Let an execution have ended now, in the words of StopExecution where that came already."""
    now = dt.datetime.now(dt.UTC)
    error, cause = fields["error"] or ERROR, fields["cause"] or CAUSE
    fields |= {"exec_status": ExecutionStatus.ABORTED, "stop_date": now, "error": error, "cause": cause}
    fields["input_data"] = json.loads(fields["execution_input"])  # its own is in the interpreter's hands
    if events and events[-1]["type"] == HistoryEventType.ExecutionAborted:
        return events
    last = {
        "executionAbortedEventDetails": {"error": error, "cause": cause},
        "id": len(events) + 1,
        "previousEventId": 0,
        "type": HistoryEventType.ExecutionAborted,
        "timestamp": iso_8601_datetime_with_milliseconds(now),
    }
    return [*events, last]


REDUCERS = {Execution: reduce_execution, SyncExecution: reduce_execution}
