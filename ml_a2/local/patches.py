"""Every patch of moto, the embedded engine, in one place: each with its reason and a check that it still fits.

moto is pinned exactly; none of what is replaced here is public API. `apply` may be called again: a later call
replaces what the patches do, not the patches.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import moto
from moto.core.config import default_user_config
from moto.s3.models import FakeBucket
from moto.sns.models import Subscription
from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import Timeout
from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison_operator_type import (
    ComparisonOperatorType,
)
from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison_variable import ComparisonVariable
from moto.stepfunctions.parser.asl.component.state.choice.comparison.variable import NoSuchVariable
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_aws_sdk
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.environment import Environment as StepFunctionEnvironment
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.utils import json_path
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.responses import StepFunctionResponse

from ml_a2.local.integration import BOTO_NAMES, ERROR_PREFIXES
from ml_a2.local.policy import Request, decide

MOTO_VERSION = "5.2.5"

TERMINAL_ERRORS = {"States.Runtime", "States.DataLimitExceeded"}

Call = Callable[[str, str, dict[str, Any], str, str], Any]
# Hears that an execution, by its ARN, takes a status; the function waits for it.
StatusListener = Callable[[str, Callable[[], str]], None]
# Brings a message to an HTTP endpoint: its URL, the document.
HttpDelivery = Callable[[str, dict[str, Any]], None]


@dataclass
class _Active:
    """What the patches do at present."""

    call: Call
    speed: float
    listen: StatusListener
    post: HttpDelivery
    in_retry: threading.local = field(default_factory=threading.local)


_active: _Active | None = None


def apply(call: Call, speed: float, listen: StatusListener, post: HttpDelivery) -> None:
    """Let state machines make their calls through `call`, and wait `speed` times shorter than they say.

    `listen` hears of every execution that starts or ends, `post` brings what topics send to HTTP endpoints.
    """
    global _active
    if _active is None:
        _patch()
    _active = _Active(call, speed, listen, post)


def expire(execution_arn: str, backend: Any) -> None:
    """Let the time of an execution run out now."""
    backend.describe_execution(execution_arn).exec_worker.env.set_timed_out()


def _patch() -> None:
    if moto.__version__ != MOTO_VERSION:
        raise RuntimeError(f"the patches are written for moto {MOTO_VERSION}, not {moto.__version__}")
    for patch in (
        _execute_state_machines,
        _call_services,
        _shorten_waits,
        _shorten_retries,
        _refuse_missing_choice_variables,
        _leave_terminal_errors_uncaught,
        _evaluate_bucket_policies,
        _write_start_time_as_text,
        _let_a_stop_stand,
        _keep_stop_reason,
        _tell_stop_date,
        _tell_status_changes,
        _page_histories,
        _give_definite_paths_one_value,
        _deliver_over_http,
    ):
        patch()


def _current() -> _Active:
    assert _active is not None
    return _active


def _expect(owner: Any, *names: str) -> None:
    for name in names:
        if not hasattr(owner, name):
            raise RuntimeError(f"moto {moto.__version__} has no {owner.__name__}.{name}, which a patch replaces")


def _execute_state_machines() -> None:
    """Run state machines: by default moto only stores them."""
    default_user_config["stepfunctions"]["execute_state_machine"] = True


def _call_services() -> None:
    """Make SDK integrations under the state machine's role, with JSON answers and AWS's error names.

    moto ignores the role, leaves datetime and body objects in the state, and names errors in lower case.
    """
    owner = state_task_service_aws_sdk.StateTaskServiceAwsSdk
    _expect(owner, "_eval_service_task", "_get_boto_service_name", "_get_boto_service_action")
    _expect(state_task_service_aws_sdk, "_SERVICE_ERROR_NAMES")
    state_task_service_aws_sdk._SERVICE_ERROR_NAMES.update(ERROR_PREFIXES)

    def eval_service_task(
        self: Any, env: Any, resource_runtime_part: Any, normalised_parameters: dict[str, Any], state_credentials: Any
    ) -> None:
        service, operation = self._get_boto_service_name(), self._get_boto_service_action()
        service = BOTO_NAMES.get(service, service)
        role = env.aws_execution_details.role_arn
        machine = env.states.context_object.context_object_data["StateMachine"]["Id"]
        env.stack.append(_current().call(service, operation, normalised_parameters, role, machine))

    owner._eval_service_task = eval_service_task


def _shorten_waits() -> None:
    """Divide the seconds of Wait states by the speed."""
    _expect(WaitFunction, "_wait_interval")

    def wait_interval(self: Any, env: Any, wait_seconds: float) -> None:
        if wait_seconds > 0:
            env.program_state_event.wait(wait_seconds / _current().speed)

    WaitFunction._wait_interval = wait_interval


def _shorten_retries() -> None:
    """Divide the pauses of retriers by the speed, and let StopExecution end them: moto sleeps through it."""
    _expect(retrier_decl, "time")
    _expect(retrier_decl.RetrierDecl, "_eval_body")
    original = retrier_decl.RetrierDecl._eval_body

    class InterruptibleTime:
        @staticmethod
        def sleep(seconds: float) -> None:
            active = _current()
            active.in_retry.env.program_state_event.wait(seconds / active.speed)

    def eval_body(self: Any, env: Any) -> None:
        _current().in_retry.env = env
        original(self, env)

    retrier_decl.time = InterruptibleTime
    retrier_decl.RetrierDecl._eval_body = eval_body


def _refuse_missing_choice_variables() -> None:
    """Fail a comparison whose Variable is not in the input, as Step Functions does; only IsPresent may ask for one.

    moto takes the comparison for false and goes on with the next rule: a false green.
    """
    _expect(ComparisonVariable, "_eval_body")
    original = ComparisonVariable._eval_body

    def eval_body(self: Any, env: Any) -> None:
        function = self.comparison_function
        if function.operator_type is not ComparisonOperatorType.IsPresent:
            self.variable.eval(env)
            if isinstance(value := env.stack.pop(), NoSuchVariable):
                raise _runtime_failure(env, value.path.partition(",")[0])
        original(self, env)

    ComparisonVariable._eval_body = eval_body


def _leave_terminal_errors_uncaught() -> None:
    """Let States.ALL match neither States.Runtime nor States.DataLimitExceeded, as documented; moto lets it.

    What this runtime itself refuses ends as States.Runtime, so that no catcher can turn it green.
    """
    _expect(ErrorEqualsDecl, "_eval_body")
    original = ErrorEqualsDecl._eval_body

    def eval_body(self: Any, env: Any) -> None:
        name = env.stack[-1].error_name
        original(self, env)
        if name in TERMINAL_ERRORS and name not in {named.error_name for named in self.error_names}:
            env.stack[-1] = False

    ErrorEqualsDecl._eval_body = eval_body


def _runtime_failure(env: Any, path: str) -> FailureEventException:
    error = StatesErrorName(typ=StatesErrorNameType.StatesRuntime)
    cause = f"Invalid path '{path}': The choice state's condition path references an invalid value."
    details = TaskFailedEventDetails(error=error.error_name, cause=cause)
    return FailureEventException(
        FailureEvent(
            env=env,
            error_name=error,
            event_type=HistoryEventType.TaskFailed,
            event_details=EventDetails(taskFailedEventDetails=details),
        )
    )


def _evaluate_bucket_policies() -> None:
    """Decide requests over HTTP by the whole bucket policy: moto ignores conditions, so a TLS-only one denies all.

    The loopback connection counts as TLS: the endpoint stands where AWS has its HTTPS endpoints. What a role may do is
    decided where its calls are made; here only the person's own requests arrive, and those an explicit deny stops.
    """
    _expect(FakeBucket, "get_permission")

    def get_permission(self: Any, action: str, resource: str) -> Any:
        from moto.iam.access_control import PermissionResult

        if not self.policy:
            return PermissionResult.NEUTRAL
        account = f"arn:{self.partition}:iam::{self.account_id}:root"
        request = Request(account, action, resource, {"aws:SecureTransport": "true"})
        decision = decide(request, [_ALLOW_ALL], [json.loads(self.policy)])
        return PermissionResult.NEUTRAL if decision.allowed else PermissionResult.DENIED

    FakeBucket.get_permission = get_permission


_ALLOW_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def _let_a_stop_stand() -> None:
    """Keep an execution ABORTED or TIMED_OUT: moto takes the call that this interrupted for an error of its own."""
    _expect(StepFunctionEnvironment, "set_error", "is_running")
    original = StepFunctionEnvironment.set_error

    def set_error(self: Any, error: Any) -> None:
        if self.is_running():
            original(self, error)

    StepFunctionEnvironment.set_error = set_error
    # After a stop moto would evaluate none, and take the request for the seconds: no history could be told any more.
    Timeout.eval = Timeout._eval_body


def _keep_stop_reason() -> None:
    """Keep error and cause of StopExecution: moto drops them."""
    _expect(StepFunctionResponse, "stop_execution")
    original = StepFunctionResponse.stop_execution

    def stop_execution(self: Any) -> Any:
        answer = original(self)
        execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        execution.error, execution.cause = self._get_param("error"), self._get_param("cause")
        return answer

    StepFunctionResponse.stop_execution = stop_execution


def _tell_stop_date() -> None:
    """Give DescribeExecution's stopDate for TIMED_OUT too: moto tells it for every other end."""
    _expect(StepFunctionResponse, "describe_execution")
    original = StepFunctionResponse.describe_execution

    def describe_execution(self: Any) -> Any:
        answer = original(self)
        execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        if execution.stop_date is not None:
            answer.result["stopDate"] = execution.stop_date
        return answer

    StepFunctionResponse.describe_execution = describe_execution


def _write_start_time_as_text() -> None:
    """Give `$$.Execution.StartTime` as ISO 8601 text: moto leaves a datetime there, which no function takes."""
    _expect(Execution, "get_start_execution_details")
    original = Execution.get_start_execution_details

    def get_start_execution_details(self: Any) -> Any:
        details = original(self)
        details.start_time = self.start_date.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return details

    Execution.get_start_execution_details = get_start_execution_details


def _tell_status_changes() -> None:
    """Tell of executions that start and end: moto sends neither metrics nor events nor logs."""
    _expect(Execution, "start")
    _expect(BaseExecutionWorkerCommunication, "terminated")
    start, terminated = Execution.start, BaseExecutionWorkerCommunication.terminated

    def tell_start(self: Any) -> None:
        start(self)
        _current().listen(self.exec_arn, lambda: "RUNNING")

    def tell_end(self: Any) -> None:
        ended = threading.Event()

        def status() -> str:
            ended.wait()
            return str(self.execution.exec_status.value)

        # Announced before the status can be seen: whoever sees the end can wait for what follows from it.
        _current().listen(self.execution.exec_arn, status)
        try:
            terminated(self)
        finally:
            ended.set()

    Execution.start = tell_start
    BaseExecutionWorkerCommunication.terminated = tell_end


def _give_definite_paths_one_value() -> None:
    """Let a path that can name one value only give that value: of `$.list[0].name` moto makes a list."""
    _expect(json_path, "extract_json")
    original = json_path.extract_json

    def extract_json(path: str, data: Any) -> Any:
        value = original(path, data)
        wrapped = INDEX_THEN_MEMBER.search(path) and not INDEFINITE_PATH.search(path)
        return value[0] if wrapped else value

    for module in list(sys.modules.values()):
        if module.__name__.startswith("moto.stepfunctions.") and getattr(module, "extract_json", None) is original:
            module.extract_json = extract_json  # type: ignore[attr-defined]  # each module has its own name for it


# Wildcards, descendants, filters, slices and unions may match any number of values.
INDEFINITE_PATH = re.compile(r"\*|\.\.|\?\(|\[[^\]]*[:,]")
# An index with one member after it, at the path's end: where moto wraps what it found.
INDEX_THEN_MEMBER = re.compile(r"\[\d+\]\.?[^.\[\]]+$")


def _page_histories() -> None:
    """Heed maxResults, nextToken, reverseOrder and includeExecutionData of GetExecutionHistory: moto ignores them."""
    _expect(StepFunctionResponse, "get_execution_history")
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


LARGEST_PAGE = 1000
EXECUTION_DATA = {"input", "inputDetails", "output", "outputDetails", "parameters"}


def _without_data(event: Any) -> Any:
    return {
        key: {name: item for name, item in value.items() if name not in EXECUTION_DATA}
        if key.endswith("EventDetails")
        else value
        for key, value in event.items()
    }


def _deliver_over_http() -> None:
    """Bring messages to HTTP endpoints beside the call that publishes, as SNS does: moto keeps that call waiting."""
    _expect(Subscription, "publish", "get_post_data")
    original = Subscription.publish

    def publish(self: Any, message: str, message_id: str, subject: str | None = None, **more: Any) -> None:
        if self.protocol in ("http", "https"):
            _current().post(self.endpoint, self.get_post_data(message, message_id, subject))
        else:
            original(self, message, message_id, subject=subject, **more)

    Subscription.publish = publish
