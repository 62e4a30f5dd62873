"""What follows when an execution or a job changes its status: metrics, alarms, events, execution logs.

One thread does it all in order, so that nothing of it delays the execution and `settle` can wait for it.
"""

from __future__ import annotations

import datetime as dt
import json
import queue
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ml_a2.local import execution_log
from ml_a2.local.activity import Activity
from ml_a2.local.alarms import Alarms
from ml_a2.local.clients import Clients
from ml_a2.local.event_bus import EventBus
from ml_a2.local.incidents import Incidents
from ml_a2.local.template import Environment

# AWS/States, "Execution metrics".
METRICS = {
    "RUNNING": "ExecutionsStarted",
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}
# AWS/States, "Service integration metrics", by the event of an execution's history.
CALL_METRICS = {
    "TaskScheduled": "ServiceIntegrationsScheduled",
    "TaskStarted": "ServiceIntegrationsStarted",
    "TaskSucceeded": "ServiceIntegrationsSucceeded",
    "TaskFailed": "ServiceIntegrationsFailed",
    "TaskTimedOut": "ServiceIntegrationsTimedOut",
}
# A call that was under way when the execution timed out ends before the history does.
HISTORY_GRACE_SECONDS = 60
EVALUATION_SECONDS = 10


class StatusChanges:
    """Takes the changes, and brings each to those who watch."""

    def __init__(
        self,
        clients: Clients,
        bus: EventBus,
        alarms: Alarms,
        incidents: Incidents,
        environment: Environment,
        *,
        activity: Activity | None = None,
    ) -> None:
        """Prepare the thread."""
        self._activity = activity or Activity()
        self._clients = clients
        self._prefix = f"arn:{environment.partition}:states:::"
        self._bus = bus
        self._alarms = alarms
        self._incidents = incidents
        self._work: queue.Queue[Callable[[], None] | None] = queue.Queue()
        self._closed = False
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._live, name="status changes", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def close(self) -> None:
        """Finish what has come in, and take no more."""
        self._work.put(None)
        self._thread.join()
        with self._work.all_tasks_done:  # who waits for what came in too late, goes on
            self._closed = True
            self._work.all_tasks_done.notify_all()

    @property
    def settled(self) -> bool:
        """Tell whether everything that has come in is done."""
        return not self._work.unfinished_tasks

    def settle(self) -> None:
        """Wait until everything that has come in is done, or nothing is done any more."""
        with self._work.all_tasks_done:
            self._work.all_tasks_done.wait_for(lambda: self.settled or self._closed)

    def await_end(self, seconds: float) -> None:
        """Wait these seconds, or until an execution has ended."""
        if self._end.wait(seconds):
            self._end.clear()

    def execution(self, arn: str, status: Callable[[], str]) -> None:
        """Take that an execution starts or ends; `status` waits until it has, and tells how."""
        self._work.put(lambda: self._follow_execution(arn, status()))

    def job(self, detail_type: str, arn: str, description: Mapping[str, Any]) -> None:
        """Take that a SageMaker job changed its status."""
        detail = json.loads(json.dumps(description, default=_milliseconds))
        self._work.put(lambda: self._activity.job(detail))
        self._work.put(lambda: self._put("aws.sagemaker", detail_type, detail, arn))

    def count(self, namespace: str, name: str, dimensions: Mapping[str, str]) -> None:
        """Take that something happened once that a metric counts."""
        self._work.put(lambda: self._count(namespace, name, dimensions))

    def _live(self) -> None:
        while True:
            try:
                work = self._work.get(timeout=EVALUATION_SECONDS)
            except queue.Empty:
                self._evaluate_alarms()
                continue
            try:
                if work is None:
                    return
                work()
            except Exception:  # noqa: BLE001  # the next change must still be followed; this one is told
                self._incidents.report(f"a status change could not be followed: {traceback.format_exc(limit=-3)}")
            finally:
                self._work.task_done()

    def _evaluate_alarms(self) -> None:
        """Look at the alarms as time passes; one that cannot be decided must not end what follows the changes."""
        try:
            self._alarms.evaluate(dt.datetime.now(dt.UTC))
        except Exception:  # noqa: BLE001  # told, as above
            self._incidents.report(f"the alarms could not be evaluated: {traceback.format_exc(limit=-3)}")

    def _follow_execution(self, arn: str, status: str) -> None:
        if status != "RUNNING":
            self._end.set()
        execution: dict[str, Any] = dict(self._clients.stepfunctions.describe_execution(executionArn=arn))
        self._activity.execution(execution, status)
        now = dt.datetime.now(dt.UTC)
        dimension = [{"Name": "StateMachineArn", "Value": execution["stateMachineArn"]}]
        data: list[Any] = [{"MetricName": METRICS[status], "Dimensions": dimension, "Value": 1.0, "Timestamp": now}]
        if status != "RUNNING":
            took = (execution["stopDate"] - execution["startDate"]) / dt.timedelta(milliseconds=1)
            data.append(
                {
                    "MetricName": "ExecutionTime",
                    "Dimensions": dimension,
                    "Value": took,
                    "Timestamp": now,
                    "Unit": "Milliseconds",
                }
            )
        self._clients.cloudwatch.put_metric_data(Namespace="AWS/States", MetricData=data)
        self._alarms.evaluate(now)
        self._put("aws.states", "Step Functions Execution Status Change", _detail(execution, status), arn)
        if status != "RUNNING":
            history = self._history(arn)
            self._count_calls(history)
            execution_log.deliver(self._clients, execution, history)

    def _count_calls(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Count what became of each call, by the operation that it called."""
        counts: Counter[tuple[str, str]] = Counter()
        for event in history:
            metric = CALL_METRICS.get(event["type"])
            details = event.get(f"{event['type'][0].lower()}{event['type'][1:]}EventDetails", {})
            # The engine writes TaskFailed also for a Pass or Choice state that fails: that is no call.
            if metric and "resourceType" in details:
                counts[metric, f"{self._prefix}{details['resourceType']}:{details['resource']}"] += 1
        now = dt.datetime.now(dt.UTC)
        data: list[Any] = [
            {
                "MetricName": metric,
                "Dimensions": [{"Name": "ServiceIntegrationResourceArn", "Value": resource}],
                "Value": float(count),
                "Timestamp": now,
            }
            for (metric, resource), count in counts.items()
        ]
        if data:
            self._clients.cloudwatch.put_metric_data(Namespace="AWS/States", MetricData=data)

    def _put(self, source: str, detail_type: str, detail: Mapping[str, Any], resource: str) -> None:
        failed = self._bus.put(source, detail_type, detail, resource)
        for rule in failed:
            self._count("AWS/Events", "FailedInvocations", {"RuleName": rule})

    def _count(self, namespace: str, name: str, dimensions: Mapping[str, str]) -> None:
        now = dt.datetime.now(dt.UTC)
        pairs: Any = [{"Name": key, "Value": value} for key, value in dimensions.items()]
        datum: Any = {"MetricName": name, "Dimensions": pairs, "Value": 1.0, "Timestamp": now}
        self._clients.cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum])
        self._alarms.evaluate(now)

    def _history(self, arn: str) -> list[dict[str, Any]]:
        """Return the whole history, once its last event is there."""
        deadline = time.monotonic() + HISTORY_GRACE_SECONDS
        while True:
            pages = self._clients.stepfunctions.get_paginator("get_execution_history").paginate(executionArn=arn)
            events: list[dict[str, Any]] = [dict(event) for page in pages for event in page["events"]]
            ended = bool(events) and events[-1]["type"].startswith("Execution") and len(events) > 1
            if ended or time.monotonic() > deadline:
                return events
            time.sleep(0.05)


def _detail(execution: Mapping[str, Any], status: str) -> dict[str, Any]:
    """Return the event's detail; times in milliseconds since 1970, what is not there is null."""
    ended = status != "RUNNING"
    output = execution.get("output")
    return {
        "executionArn": execution["executionArn"],
        "stateMachineArn": execution["stateMachineArn"],
        "name": execution["name"],
        "status": status,
        "startDate": _milliseconds(execution["startDate"]),
        "stopDate": _milliseconds(execution["stopDate"]) if ended else None,
        "input": execution.get("input"),
        "output": output,
        "inputDetails": {"included": True},
        "outputDetails": {"included": True} if output is not None else None,
        "error": execution.get("error") if ended else None,
        "cause": execution.get("cause") if ended else None,
    }


def _milliseconds(time: Any) -> int:
    if not isinstance(time, dt.datetime):
        raise TypeError(f"{type(time).__name__} cannot be written into an event")
    return int(time.timestamp() * 1000)
