"""What the interpreter of state machines does about time: pauses are shortened, and count as long as they are told."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.common.retry.interval_seconds_decl import IntervalSecondsDecl
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import Timestamp
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped
from moto.stepfunctions.parser.utils import TMP_THREADS

from ml_a2.local.patches.active import current, expect
from ml_a2.local.patches.clock import ExecutionClock
from ml_a2.local.states_language.values import read_timestamp


def _time_executions() -> None:
    """Let an execution's TimeoutSeconds be its nominal time: moto counts what really passes."""
    expect(Program, "eval", "_eval_body")
    expect(EvalComponent, "eval")
    original = Program.eval

    def evaluate(self: Any, env: Any) -> None:
        if env.is_frame():
            original(self, env)
            env.lane.end()
            return
        timeout = self.timeout_seconds.timeout_seconds if self.timeout_seconds else None
        clock = ExecutionClock(timeout, current().time.now)
        env.lane = clock.root
        env.next_state_name = self.start_at.start_at_name
        thread = threading.Thread(target=_evaluate_to_the_end, args=(self, env), daemon=True)
        TMP_THREADS.append(thread)
        thread.start()
        if not clock.ends_in_time():
            env.set_timed_out()

    Program.eval = evaluate


def _evaluate_to_the_end(program: Any, env: Any) -> None:
    try:
        EvalComponent.eval(program, env)
    finally:
        env.lane.end()


def _time_branches() -> None:
    """Give every branch and iteration a time of its own, and the latest of them to what goes on after them."""
    expect(Environment, "open_frame", "open_inner_frame", "close_frame", "delete_frame")
    open_frame, open_inner_frame = Environment.open_frame, Environment.open_inner_frame

    def opened(self: Any, *given: Any, **more: Any) -> Any:
        frame = open_frame(self, *given, **more)
        frame.lane = self.lane.fork()
        return frame

    def inner_opened(self: Any, *given: Any, **more: Any) -> Any:
        frame = open_inner_frame(self, *given, **more)
        frame.lane = self.lane.fork(object())
        return frame

    def joined(original: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
        def close(self: Any, frame: Any) -> None:
            self.lane.join(frame.lane, counts=not isinstance(frame._program_state, ProgramStopped))
            original(self, frame)

        return close

    Environment.open_frame, Environment.open_inner_frame = opened, inner_opened
    # A frame is closed, or deleted where its history is another execution's, as in a distributed Map.
    Environment.close_frame, Environment.delete_frame = map(joined, (Environment.close_frame, Environment.delete_frame))


def _shorten_waits() -> None:
    """Divide the seconds of Wait states by the speed, and end a wait for a job with the job."""
    expect(WaitFunction, "_wait_interval")

    def wait_interval(self: Any, env: Any, wait_seconds: float) -> None:
        if wait_seconds > 0:
            active = current()
            active.waits.wait(env.lane, env.program_state_event, env.is_running, wait_seconds, active.speed)
            env.lane.clock.heed_time_out(env.lane, env.is_running)

    WaitFunction._wait_interval = wait_interval


def _shorten_retries() -> None:
    """Divide the pauses of retriers by the speed, and let StopExecution end them: moto sleeps through it."""
    expect(retrier_decl, "time")
    expect(retrier_decl.RetrierDecl, "_eval_body")
    original = retrier_decl.RetrierDecl._eval_body

    class InterruptibleTime:
        @staticmethod
        def sleep(seconds: float) -> None:
            active = current()
            env = active.in_retry.env
            if seconds > 0:
                stopped = env.program_state_event
                with env.lane.passing(seconds, active.speed), stopped._cond:
                    if not stopped.is_set():
                        active.time.wait(stopped._cond, seconds / active.speed)
                env.lane.clock.heed_time_out(env.lane, env.is_running)

    def eval_body(self: Any, env: Any) -> None:
        current().in_retry.env = env
        original(self, env)

    retrier_decl.time = InterruptibleTime
    retrier_decl.RetrierDecl._eval_body = eval_body


def _retry_at_once() -> None:
    """Take an IntervalSeconds of 0, as AWS does: moto refuses it."""
    expect(IntervalSecondsDecl, "DEFAULT_SECONDS", "_eval_body")

    def init(self: Any, seconds: int = IntervalSecondsDecl.DEFAULT_SECONDS) -> None:
        self.seconds = seconds

    IntervalSecondsDecl.__init__ = init


def _read_timestamps() -> None:
    """Wait until a timestamp by nominal time, wherever the machine is: moto takes local time for UTC, and no offset."""
    expect(Timestamp, "_from_timestamp_string", "_get_wait_seconds", "_create_failure_event")

    def get_wait_seconds(self: Any, env: Any) -> float:
        self.string.eval(env=env)
        text = env.stack.pop()
        until = read_timestamp(text)
        if until is None:
            raise FailureEventException(self._create_failure_event(env, text))
        now = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=env.lane.skipped)
        return (until - now).total_seconds()

    Timestamp._from_timestamp_string = staticmethod(read_timestamp)
    Timestamp._get_wait_seconds = get_wait_seconds


PATCHES = (_time_executions, _time_branches, _shorten_waits, _shorten_retries, _retry_at_once, _read_timestamps)
