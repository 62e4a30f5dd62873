"""What is told of executions, and what becomes of those that are stopped."""

from __future__ import annotations

import threading
import time
import uuid
from typing import Any

from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import Timeout
from moto.stepfunctions.parser.asl.eval.environment import Environment as StepFunctionEnvironment
from moto.stepfunctions.parser.backend import execution_worker
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.responses import StepFunctionResponse

from ml_a2.local.patches.active import current, expect


def _name_executions() -> None:
    """Make up a name for an execution that is started without one, as documented: moto calls each of them None."""
    expect(StepFunctionsParserBackend, "start_execution")
    original = StepFunctionsParserBackend.start_execution

    def start_execution(self: Any, state_machine_arn: str, name: str | None = None, *more: Any, **others: Any) -> Any:
        return original(self, state_machine_arn, name or str(uuid.uuid4()), *more, **others)

    StepFunctionsParserBackend.start_execution = start_execution


def _write_start_time_as_text() -> None:
    """Give `$$.Execution.StartTime` as ISO 8601 text: moto leaves a datetime there, which no function takes."""
    expect(Execution, "get_start_execution_details")
    original = Execution.get_start_execution_details

    def get_start_execution_details(self: Any) -> Any:
        details = original(self)
        details.start_time = self.start_date.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return details

    Execution.get_start_execution_details = get_start_execution_details


def _begin_before_the_answer() -> None:
    """Answer StartExecution when there is an execution: before, moto has none to stop, and no history to tell.

    There is one when it has entered its first state: of a stop that comes earlier moto writes no history, or goes on.
    """
    expect(ExecutionWorker, "start", "_execution_logic")
    expect(execution_worker, "TMP_THREADS")

    def start(self: Any) -> None:
        thread = threading.Thread(target=self._execution_logic, daemon=True)
        execution_worker.TMP_THREADS.append(thread)
        thread.start()
        # The first event is the execution's start, the second that of its first state.
        while thread.is_alive() and (self.env is None or len(self.env.event_manager.get_event_history()) < 2):
            time.sleep(0.001)

    ExecutionWorker.start = start


def _let_a_stop_stand() -> None:
    """Keep an execution ABORTED or TIMED_OUT: moto takes the call that this interrupted for an error of its own."""
    expect(StepFunctionEnvironment, "set_error", "is_running")
    original = StepFunctionEnvironment.set_error

    def set_error(self: Any, error: Any) -> None:
        if self.is_running():
            original(self, error)

    StepFunctionEnvironment.set_error = set_error
    # After a stop moto would evaluate none, and take the request for the seconds: no history could be told any more.
    Timeout.eval = Timeout._eval_body


def _keep_stop_reason() -> None:
    """Keep error and cause of StopExecution: moto drops them."""
    expect(StepFunctionResponse, "stop_execution")
    original = StepFunctionResponse.stop_execution

    def stop_execution(self: Any) -> Any:
        answer = original(self)
        execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        execution.error, execution.cause = self._get_param("error"), self._get_param("cause")
        return answer

    StepFunctionResponse.stop_execution = stop_execution


def _tell_stop_date() -> None:
    """Give DescribeExecution's stopDate for TIMED_OUT too: moto tells it for every other end."""
    expect(StepFunctionResponse, "describe_execution")
    original = StepFunctionResponse.describe_execution

    def describe_execution(self: Any) -> Any:
        answer = original(self)
        execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        if execution.stop_date is not None:
            answer.result["stopDate"] = execution.stop_date
        return answer

    StepFunctionResponse.describe_execution = describe_execution


def _tell_status_changes() -> None:
    """Tell of executions that start and end: moto sends neither metrics nor events nor logs."""
    expect(Execution, "start")
    expect(BaseExecutionWorkerCommunication, "terminated")
    start, terminated = Execution.start, BaseExecutionWorkerCommunication.terminated

    def tell_start(self: Any) -> None:
        start(self)
        current().listen(self.exec_arn, lambda: "RUNNING")

    def tell_end(self: Any) -> None:
        ended = threading.Event()

        def status() -> str:
            ended.wait()
            return str(self.execution.exec_status.value)

        # Announced before the status can be seen: whoever sees the end can wait for what follows from it.
        current().listen(self.execution.exec_arn, status)
        try:
            terminated(self)
        finally:
            ended.set()

    Execution.start = tell_start
    BaseExecutionWorkerCommunication.terminated = tell_end


LARGEST_PAGE = 1000


EXECUTION_DATA = {"input", "inputDetails", "output", "outputDetails", "parameters"}


def _page_histories() -> None:
    """Heed maxResults, nextToken, reverseOrder and includeExecutionData of GetExecutionHistory: moto ignores them."""
    expect(StepFunctionResponse, "get_execution_history")
    original = StepFunctionResponse.get_execution_history

    def get_execution_history(self: Any) -> Any:
        answer = original(self)
        events = list(answer.result["events"])
        if self._get_param("reverseOrder"):
            events.reverse()
        first = int(self._get_param("nextToken") or 0)
        last = first + (self._get_param("maxResults") or LARGEST_PAGE)
        page = events[first:last]
        if self._get_param("includeExecutionData") is False:
            page = [_without_data(event) for event in page]
        return type(answer)({"events": page, **({"nextToken": str(last)} if last < len(events) else {})})

    StepFunctionResponse.get_execution_history = get_execution_history


def _without_data(event: Any) -> Any:
    return {
        key: {name: item for name, item in value.items() if name not in EXECUTION_DATA}
        if key.endswith("EventDetails")
        else value
        for key, value in event.items()
    }


PATCHES = (
    _name_executions,
    _begin_before_the_answer,
    _write_start_time_as_text,
    _let_a_stop_stand,
    _keep_stop_reason,
    _tell_stop_date,
    _tell_status_changes,
    _page_histories,
)
